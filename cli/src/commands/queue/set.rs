//! `presque queue set`: changes settings, and keeps the others.

use super::settings;
use crate::api::Api;
use crate::exit::Exit;
use crate::output::Output;
use anyhow::Result;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value, json};
use std::collections::BTreeMap;

/// How often a change is tried while others change the same queue.
const TRIES: usize = 20;

/// Changes the settings that are named, and keeps the others. A queue that does not exist is made.
#[derive(Clone, Debug, clap::Args)]
#[command(override_usage = "presque queue set <QUEUE> <--SETTING VALUE>...")]
pub(crate) struct Set {
    /// The queue.
    queue: String,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Settings {
    /// For how many seconds a worker has a job, unless it or the job says otherwise.
    #[arg(long, value_name = "SECONDS")]
    lease: Option<Number>,
    /// After so many failures a job is dead.
    #[arg(long, value_name = "N")]
    max_attempts: Option<Number>,
    /// After so many lost leases a job is dead.
    #[arg(long, value_name = "N")]
    max_lost_leases: Option<Number>,
    /// How long a failed job waits: fixed:SECONDS, or exponential:FIRST:MAX.
    #[arg(long, value_name = "BACKOFF", value_parser = backoff)]
    backoff: Option<Value>,
    /// For how many seconds done and cancelled jobs are kept.
    #[arg(long, value_name = "SECONDS")]
    retain: Option<Number>,
    /// For how many seconds dead jobs are kept.
    #[arg(long, value_name = "SECONDS")]
    dead_retain: Option<Number>,
    /// How many dead jobs are kept, the newest.
    #[arg(long, value_name = "N")]
    max_dead: Option<Number>,
    /// The largest payload in bytes; none for no limit but the server's.
    #[arg(long, value_name = "N|none", value_parser = number_or_none)]
    max_bytes: Option<Value>,
    /// How legacy workers get jobs.
    #[arg(long, value_name = "HOW", value_parser = ["at-most-once", "at-least-once"])]
    legacy_delivery: Option<String>,
    /// Over how many partitions new jobs are spread, for a Redis Cluster.
    #[arg(long, value_name = "N")]
    partitions: Option<Number>,
    /// Whether jobs are held back; `stop` and `start` set the same.
    #[arg(long, value_name = "BOOL")]
    paused: Option<bool>,
}

/// What becomes of a change to a queue that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IfMissing {
    /// The queue is made.
    Create,
    /// It is an error.
    Refuse,
}

/// What the server answers.
#[derive(Deserialize, Serialize)]
pub(super) struct Changed {
    pub(super) queue: String,
    settings: BTreeMap<String, Box<RawValue>>,
}

#[derive(Deserialize)]
struct Before {
    settings: Map<String, Value>,
}

fn backoff(text: &str) -> Result<Value, String> {
    let wrong = || "must be fixed:SECONDS, as fixed:5, or exponential:FIRST:MAX, as exponential:1:3600".to_owned();
    let number = |text: &str| text.parse::<Number>().map_err(|_| wrong());
    match text.split(':').collect::<Vec<_>>().as_slice() {
        ["fixed", delay] => Ok(json!({ "kind": "fixed", "delay": number(delay)? })),
        ["exponential", delay, max] => {
            Ok(json!({ "kind": "exponential", "delay": number(delay)?, "max": number(max)? }))
        }
        _ => Err(wrong()),
    }
}

fn number_or_none(text: &str) -> Result<Value, String> {
    match text {
        "none" => Ok(Value::Null),
        number => number
            .parse()
            .map(Value::Number)
            .map_err(|_| "must be a number of bytes, or none".to_owned()),
    }
}

impl Set {
    /// Changes what is named, and prints all settings.
    pub(super) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        let named = self.settings.named();
        let changed = change(api, &self.queue, &named, IfMissing::Create).await?;
        out.either(&changed, || settings(&changed.settings).collect::<Vec<_>>().join("\n"))?;
        Ok(Exit::Done)
    }
}

impl Settings {
    fn named(self) -> Map<String, Value> {
        let number = |number: Option<Number>| number.map(Value::Number);
        [
            ("lease", number(self.lease)),
            ("max_attempts", number(self.max_attempts)),
            ("max_lost_leases", number(self.max_lost_leases)),
            ("backoff", self.backoff),
            ("retain", number(self.retain)),
            ("dead_retain", number(self.dead_retain)),
            ("max_dead", number(self.max_dead)),
            ("max_bytes", self.max_bytes),
            ("legacy_delivery", self.legacy_delivery.map(Value::String)),
            ("partitions", number(self.partitions)),
            ("paused", self.paused.map(Value::Bool)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
    }
}

/// Changes these settings of a queue and no others, whoever else changes it at the same time.
///
/// # Errors
/// See [`Failure`](crate::api::Failure). A change whose answer was lost may be made again.
pub(super) async fn change(
    api: &Api,
    queue: &str,
    named: &Map<String, Value>,
    if_missing: IfMissing,
) -> Result<Changed> {
    let segments = ["queues", queue];
    let mut tries = 1;
    loop {
        let put = api.request(Method::PUT, &segments);
        let put = match api.response(&api.get(&segments)).await {
            Ok(response) => {
                let etag = response.headers().get("etag").and_then(|etag| etag.to_str().ok());
                let etag = etag.unwrap_or("*").to_owned();
                let mut settings = response.json::<Before>().await?.settings;
                settings.extend(named.clone());
                put.header("if-match", &etag)?.json(&settings)?
            }
            Err(failure) if failure.is("no-such-queue") && if_missing == IfMissing::Create => {
                put.header("if-none-match", "*")?.json(named)?
            }
            Err(failure) => return Err(failure.into()),
        };
        match api.send(&put).await {
            Ok(changed) => return Ok(changed),
            // Somebody else was faster.
            Err(failure) if failure.is("precondition-failed") && tries < TRIES => tries += 1,
            Err(failure) => return Err(failure.into()),
        }
    }
}
