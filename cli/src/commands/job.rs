//! `presque job`: one job.

use crate::api::Api;
use crate::exit::Exit;
use crate::output::{Output, printable};
use crate::text::{one_line, shown};
use anyhow::Result;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Shows all that is known of a job, or cancels it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Job {
    /// The queue.
    queue: String,
    /// The job's id, as an insert prints it.
    id: String,
    /// Cancel the job. One that is done or dead is forgotten.
    #[arg(long)]
    cancel: bool,
    /// Print the payload alone, byte by byte.
    #[arg(long, conflicts_with = "cancel")]
    payload: bool,
}

/// The members of a job, in the order in which they are shown. The rest comes after them.
const ORDER: &[&str] = &[
    "queue",
    "id",
    "state",
    "reason",
    "priority",
    "attempt",
    "failures",
    "lost_leases",
    "inserted_at",
    "run_at",
    "expires_at",
    "worker",
    "claimed_at",
    "lease_ends_at",
    "ended_at",
    "kept_until",
];

/// These come last: they can be long.
const LONG: &[&str] = &[
    "errors",
    "released",
    "progress",
    "progress_text",
    "result",
    "result_text",
    "payload",
    "payload_text",
];

type Members = BTreeMap<String, Box<RawValue>>;

#[derive(Deserialize)]
struct Failed<'a> {
    at: &'a str,
    attempt: u64,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Released<'a> {
    times: u64,
    #[serde(borrow, flatten)]
    last: Failed<'a>,
}

#[derive(Deserialize, Serialize)]
struct Cancelled {
    id: String,
    state: String,
}

impl Job {
    /// Shows or cancels the job.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        let segments = ["queues", &self.queue, "jobs", &self.id];
        if self.cancel {
            let cancelled: Cancelled = api.send(&api.request(Method::DELETE, &segments)).await?;
            out.either(&cancelled, || {
                format!("{}: {}", cancelled.id, printable(&cancelled.state))
            })?;
            return Ok(Exit::Done);
        }
        let job: Box<RawValue> = api.send(&api.get(&segments)).await?;
        let members: Members = serde_json::from_str(job.get())?;
        if self.payload {
            out.bytes(&payload(&members)?)?;
        } else if out.json {
            out.line(one_line(&job))?;
        } else {
            out.line(table(&members)?)?;
        }
        Ok(Exit::Done)
    }
}

impl Failed<'_> {
    fn text(&self) -> String {
        let error = printable(self.error.as_deref().unwrap_or("(no text)"));
        format!("attempt {} at {}: {error}", self.attempt, printable(self.at))
    }
}

fn payload(members: &Members) -> Result<Vec<u8>> {
    Ok(match (members.get("payload"), members.get("payload_text")) {
        (Some(json), _) => json.get().as_bytes().to_vec(),
        (None, Some(text)) => serde_json::from_str::<String>(text.get())?.into_bytes(),
        (None, None) => Vec::new(),
    })
}

fn table(members: &Members) -> Result<String> {
    let rest = members.keys().map(String::as_str);
    let rest = rest.filter(|name| !ORDER.contains(name) && !LONG.contains(name));
    let names = ORDER.iter().copied().chain(rest).chain(LONG.iter().copied());
    let mut lines = Vec::new();
    for name in names {
        let Some(value) = members.get(name) else { continue };
        let label = printable(name);
        match name {
            "errors" => {
                let errors: Vec<Failed<'_>> = serde_json::from_str(value.get())?;
                lines.extend(errors.iter().map(|failed| format!("{:<14} {}", "error", failed.text())));
            }
            "released" => {
                let Released { times, last } = serde_json::from_str(value.get())?;
                lines.push(format!("{label:<14} times: {times}; {}", last.text()));
            }
            _ => lines.push(format!("{label:<14} {}", shown(value))),
        }
    }
    Ok(lines.join("\n"))
}
