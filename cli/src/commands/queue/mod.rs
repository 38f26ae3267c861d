//! `presque queue`, `stop` and `start`: a queue and its settings.

mod set;

use crate::api::{Api, Counts, Rates};
use crate::exit::{self, Exit};
use crate::output::{Output, printable};
use crate::text::{one_line, rate, shown, span};
use anyhow::{Result, bail};
use clap::Subcommand;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Shows a queue, or changes its settings.
#[derive(Clone, Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    arg_required_else_help = true
)]
pub(crate) struct Queue {
    /// The queue.
    #[arg(required = true)]
    queue: Option<String>,
    #[command(subcommand)]
    change: Option<Change>,
}

/// What can be done to a queue.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Change {
    Set(set::Set),
}

/// Stops queues: their jobs are held back, and can still be inserted. Jobs that workers have go on.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Stop {
    /// The queues.
    #[arg(value_name = "QUEUE", required = true)]
    queues: Vec<String>,
}

/// Starts queues that were stopped.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Start {
    /// The queues.
    #[arg(value_name = "QUEUE", required = true)]
    queues: Vec<String>,
}

#[derive(Deserialize)]
struct Shown {
    queue: String,
    settings: BTreeMap<String, Box<RawValue>>,
    counts: Counts,
    oldest_ready_age: Option<f64>,
    totals: BTreeMap<String, u64>,
    rates: Rates,
    workers: u64,
}

impl Queue {
    /// Shows the queue, or sets it.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        let queue = match (self.change, self.queue) {
            (Some(Change::Set(set)), _) => return set.run(api, out).await,
            (None, Some(queue)) => queue,
            (None, None) => bail!("name a queue"),
        };
        let answer: Box<RawValue> = api.send(&api.get(&["queues", &queue])).await?;
        if out.json {
            out.line(one_line(&answer))?;
        } else {
            out.line(table(&serde_json::from_str(answer.get())?))?;
        }
        Ok(Exit::Done)
    }
}

impl Stop {
    /// Stops each.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        pause(&self.queues, true, api, out).await
    }
}

impl Start {
    /// Starts each.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        pause(&self.queues, false, api, out).await
    }
}

async fn pause(queues: &[String], is_paused: bool, api: &Api, out: Output) -> Result<Exit> {
    for (index, queue) in queues.iter().enumerate() {
        let change = [("paused".to_owned(), serde_json::Value::Bool(is_paused))];
        let answer = set::change(api, queue, &change.into_iter().collect(), set::IfMissing::Refuse).await;
        let answer = answer.map_err(|error| exit::partly(error, index > 0, printable(queue)))?;
        let state = if is_paused { "stopped" } else { "started" };
        out.either(&answer, || format!("{}: {state}", printable(&answer.queue)))?;
    }
    Ok(Exit::Done)
}

fn table(shown: &Shown) -> String {
    let Counts {
        ready,
        scheduled,
        active,
        done,
        dead,
        cancelled,
    } = shown.counts;
    let rates = shown.rates;
    let total = |name| shown.totals.get(name).copied().unwrap_or_default();
    let oldest = shown.oldest_ready_age.map(span);
    let oldest = oldest
        .map(|oldest| format!(", the oldest for {oldest}"))
        .unwrap_or_default();
    let mut lines = vec![
        format!("queue            {}", printable(&shown.queue)),
        format!("ready            {ready}{oldest}"),
        format!("scheduled        {scheduled}"),
        format!("active           {active}"),
        format!("done             {done}, {} in all", total("done")),
        format!("dead             {dead}, {} in all", total("dead")),
        format!("cancelled        {cancelled}"),
        format!("failed           {} attempts in all", total("failed")),
        format!("lost leases      {} in all", total("lost_leases")),
        format!("released         {} in all", total("released")),
        format!("inserted         {} a second", rate(rates.inserted)),
        format!("claimed          {} a second", rate(rates.claimed)),
        format!("acknowledged     {} a second", rate(rates.done)),
        format!("workers          {}", shown.workers),
    ];
    lines.extend(settings(&shown.settings));
    lines.join("\n")
}

/// A line for each setting.
fn settings(settings: &BTreeMap<String, Box<RawValue>>) -> impl Iterator<Item = String> {
    settings
        .iter()
        .map(|(name, value)| format!("{:<16} {}", printable(name), self::shown(value)))
}
