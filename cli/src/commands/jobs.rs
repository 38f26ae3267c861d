//! `presque jobs`: those of a state, or those that match.

use crate::api::Api;
use crate::exit::Exit;
use crate::output::{self, Output, printable};
use crate::text::{brief, one_line};
use anyhow::Result;
use clap::ValueEnum;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

/// Lists the jobs of a state, or searches for jobs. A search, and a list of all states, shows the newest jobs of each state first.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Jobs {
    /// The queue.
    queue: String,
    /// Only jobs in this state. Ready ones are listed as they will be claimed, scheduled ones as they become due.
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Only jobs whose payload contains this, in upper or lower case.
    #[arg(long)]
    text: Option<String>,
    /// Only jobs whose last error contains this, in upper or lower case.
    #[arg(long)]
    error: Option<String>,
    /// How many jobs at most.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// From the other end of the state's order.
    #[arg(long, requires = "state")]
    newest: bool,
    /// With the payloads.
    #[arg(long)]
    payload: bool,
}

/// What a job can be.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum State {
    Ready,
    Scheduled,
    Active,
    Done,
    Dead,
    Cancelled,
}

#[derive(Deserialize)]
struct Page {
    jobs: Vec<Box<RawValue>>,
    next: Option<String>,
    #[serde(default)]
    passed_over: u64,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    state: String,
    attempt: u64,
    inserted_at: String,
    run_at: Option<String>,
    worker: Option<String>,
    lease_ends_at: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    errors: Vec<GivenBack>,
    released: Option<GivenBack>,
    payload: Option<Box<RawValue>>,
    payload_text: Option<String>,
}

#[derive(Deserialize)]
struct GivenBack {
    attempt: u64,
    error: Option<String>,
}

impl State {
    /// Its name in requests.
    fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Scheduled => "scheduled",
            Self::Active => "active",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Jobs {
    /// Prints a row, or a line of JSON, for each job.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        let (mut cursor, mut left, mut is_first) = (None, self.limit, true);
        loop {
            let page = self.page(api, cursor.as_deref(), left.min(200)).await?;
            if is_first && page.passed_over > 0 {
                output::note(format!("{} older jobs are not looked at.", page.passed_over));
            }
            for job in &page.jobs {
                if out.json {
                    out.line(one_line(job))?;
                    continue;
                }
                if is_first {
                    out.line(row("ID", "STATE", "ATTEMPTS", "INSERTED", "").trim_end())?;
                }
                out.line(serde_json::from_str::<Row>(job.get())?.text())?;
                is_first = false;
            }
            left = left.saturating_sub(page.jobs.len() as u64);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
            if left == 0 {
                output::note("There may be more: see --limit.");
                break;
            }
        }
        if is_first && !out.json {
            out.line("There are no such jobs.")?;
        }
        Ok(Exit::Done)
    }

    async fn page(&self, api: &Api, cursor: Option<&str>, limit: u64) -> Result<Page> {
        // A list has the state's own order, and costs less than a search.
        if let (Some(state), None, None) = (self.state, &self.text, &self.error) {
            let mut request = api.get(&["queues", &self.queue, "jobs"]);
            request = request.query("state", state.name()).query("limit", limit);
            for (name, value) in [("cursor", cursor), ("order", self.newest.then_some("newest"))] {
                if let Some(value) = value {
                    request = request.query(name, value);
                }
            }
            return Ok(api.send(&request.query("payload", self.payload)).await?);
        }
        let mut filter = json!({ "limit": limit, "payload": self.payload });
        let members = [
            ("state", self.state.map(State::name)),
            ("text", self.text.as_deref()),
            ("error", self.error.as_deref()),
            ("cursor", cursor),
        ];
        if let Some(filter) = filter.as_object_mut() {
            let given = members
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
            filter.extend(given);
        }
        let request = api.post(&["queues", &self.queue, "jobs", "search"]).json(&filter)?;
        Ok(api.send(&request).await?)
    }
}

impl Row {
    fn text(&self) -> String {
        let note = match (&self.run_at, &self.lease_ends_at, &self.reason) {
            (Some(due), ..) => format!("due {}", printable(due)),
            (_, Some(end), _) => {
                let worker = self.worker.as_deref().unwrap_or("somebody");
                format!("{} until {}", printable(worker), printable(end))
            }
            (.., Some(reason)) => printable(reason),
            _ => String::new(),
        };
        let last = self.errors.iter().chain(&self.released).max_by_key(|back| back.attempt);
        let error = last.and_then(|back| back.error.as_deref()).map(brief);
        let note = [Some(note).filter(|note| !note.is_empty()), error];
        let note: Vec<String> = note.into_iter().flatten().collect();
        let [id, state, inserted] = [&self.id, &self.state, &self.inserted_at].map(|text| printable(text));
        let text = row(&id, &state, &self.attempt.to_string(), &inserted, &note.join(": "));
        let payload = match (&self.payload, &self.payload_text) {
            (Some(json), _) => format!("\n    {}", printable(&one_line(json))),
            (None, Some(text)) => format!("\n    {}", printable(text)),
            (None, None) => String::new(),
        };
        format!("{}{payload}", text.trim_end())
    }
}

fn row(id: &str, state: &str, attempts: &str, inserted: &str, note: &str) -> String {
    format!("{id:<24}  {state:<9}  {attempts:>8}  {inserted:<24}  {note}")
}
