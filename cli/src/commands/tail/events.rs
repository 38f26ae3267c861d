//! What the times of jobs tell.

use crate::output::printable;
use crate::text::brief;
use crossterm::style::Stylize;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A job as a list has it.
#[derive(Deserialize)]
pub(super) struct Job {
    id: String,
    queue: String,
    state: String,
    attempt: u64,
    inserted_at: String,
    claimed_at: Option<String>,
    ended_at: Option<String>,
    worker: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    errors: Vec<GivenBack>,
    released: Option<GivenBack>,
}

#[derive(Deserialize)]
struct GivenBack {
    at: String,
    attempt: u64,
    error: Option<String>,
}

/// Something that happened to a job.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Event {
    pub(super) at: String,
    queue: String,
    #[serde(rename = "event")]
    pub(super) kind: &'static str,
    id: String,
    attempt: u64,
    /// A worker's name, an error, or why a job is dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// What was seen of a queue.
#[derive(Default)]
pub(super) struct Events {
    /// The time of each event of late, by its kind, job and attempt.
    seen: BTreeMap<(&'static str, String, u64), String>,
    /// What happened before this is forgotten.
    floor: String,
    new: Vec<Event>,
}

/// How many events are remembered: more than several looks show.
const MAX_SEEN: usize = 10_000;

impl Job {
    fn events(&self) -> impl Iterator<Item = Event> {
        let event = |kind, at: &str, attempt, detail: Option<&str>| Event {
            at: at.to_owned(),
            queue: self.queue.clone(),
            kind,
            id: self.id.clone(),
            attempt,
            detail: detail.map(str::to_owned),
        };
        let ended = match self.state.as_str() {
            "done" => Some("done"),
            "dead" => Some("dead"),
            "cancelled" => Some("cancelled"),
            _ => None,
        };
        let ended = ended.zip(self.ended_at.as_deref());
        let given_back = |kind| move |back: &GivenBack| event(kind, &back.at, back.attempt, back.error.as_deref());
        [
            Some(event("inserted", &self.inserted_at, 0, None)),
            self.claimed_at
                .as_deref()
                .map(|at| event("claimed", at, self.attempt, self.worker.as_deref())),
            ended.map(|(kind, at)| event(kind, at, self.attempt, self.reason.as_deref())),
        ]
        .into_iter()
        .flatten()
        .chain(self.errors.iter().map(given_back("failed")))
        .chain(self.released.iter().map(given_back("released")))
    }
}

impl Events {
    /// Takes from jobs what happened since a time, and was not taken before. Times are compared as texts, all of which have one form.
    pub(super) fn take(&mut self, start: &str, jobs: &[Job]) {
        for event in jobs.iter().flat_map(Job::events) {
            let key = (event.kind, event.id.clone(), event.attempt);
            if event.at.as_str() < start || event.at < self.floor || self.seen.contains_key(&key) {
                continue;
            }
            self.seen.insert(key, event.at.clone());
            self.new.push(event);
        }
    }

    /// What happened since the last call.
    pub(super) fn new_ones(&mut self) -> Vec<Event> {
        self.forget();
        std::mem::take(&mut self.new)
    }

    /// Forgets the oldest events when there are too many.
    fn forget(&mut self) {
        if self.seen.len() <= MAX_SEEN {
            return;
        }
        let mut times: Vec<String> = self.seen.values().cloned().collect();
        times.sort();
        if let Some(middle) = times.get(times.len() / 2) {
            self.seen.retain(|_, at| *at >= *middle);
            self.floor.clone_from(middle);
        }
    }
}

impl Event {
    /// A line for people.
    pub(super) fn text(&self, is_colored: bool) -> String {
        let kind = format!("{:<9}", self.kind);
        let kind = match self.kind {
            _ if !is_colored => kind,
            "done" => kind.green().to_string(),
            "failed" => kind.yellow().to_string(),
            "dead" => kind.red().to_string(),
            _ => kind,
        };
        let [at, queue, id] = [&self.at, &self.queue, &self.id].map(|text| printable(text));
        let detail = self.detail.as_deref().map(brief).unwrap_or_default();
        format!("{at}  {queue}  {kind}  {id}  {detail}").trim_end().to_owned()
    }
}
