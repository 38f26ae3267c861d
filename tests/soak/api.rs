//! Requests while things break.

use super::ledger::{Event, Journal};
use super::rng::Rng;
use crate::support::Client;
use serde_json::Value;
use std::time::Duration;

/// How long one waits before one tries again what broke.
pub const PAUSE: Duration = Duration::from_millis(20);

/// The servers that there are. A client may go to any of them.
pub struct Api {
    endpoints: Vec<Client>,
    journal: Journal,
    rng: Rng,
}

/// What came back.
pub enum Reply {
    /// A status below 500, and a body; a body that is no JSON is null.
    Answer(u16, Value),
    /// An error that says that nothing was changed.
    NotApplied,
    /// No answer, or an error that leaves open whether the request was carried out.
    Unknown,
}

impl Api {
    /// With connections of its own, which end with it.
    pub fn new(endpoints: &[String], journal: Journal, rng: Rng) -> Self {
        Self {
            endpoints: endpoints.iter().map(|endpoint| Client::new(endpoint)).collect(),
            journal,
            rng,
        }
    }

    pub async fn post(&mut self, target: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let mut all = vec![("Content-Type", "application/json")];
        all.extend(headers);
        self.send("POST", target, &all, body.to_string()).await
    }

    pub async fn send(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: String) -> Reply {
        let endpoint = self.rng.pick(&self.endpoints).clone();
        let Ok(answer) = endpoint.try_send(method, target, headers, body.clone()).await else {
            return Reply::Unknown;
        };
        let status = answer.status.as_u16();
        // Whatever breaks, the status is 503, or 507 while Redis is full. A receipt may be stale at any time.
        if !matches!(status, 200..300 | 409 | 503 | 507) {
            let what = format!("{method} {target} {body}: {answer:?}");
            (self.journal)(Event::Unexpected { what });
        }
        match status {
            503 | 507 if answer.text().contains("othing was changed") => Reply::NotApplied,
            500.. => Reply::Unknown,
            _ => Reply::Answer(status, serde_json::from_slice(&answer.body).unwrap_or_default()),
        }
    }
}
