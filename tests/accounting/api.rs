//! Requests while things break.

use super::book::{Event, Journal};
use super::chance::Chance;
use crate::support::Client;
use serde_json::Value;
use std::time::Duration;

/// How long one waits before one tries again what broke.
pub const PAUSE: Duration = Duration::from_millis(20);

/// The servers that there are. A client may go to any of them.
pub struct Api {
    doors: Vec<Client>,
    journal: Journal,
    chance: Chance,
}

/// What came back.
pub enum Heard {
    /// A status below 500, and a body; a body that is no JSON is null.
    Answer(u16, Value),
    /// The word that nothing was changed.
    Unchanged,
    /// Nothing, or the word that nobody knows. What was asked may have been done.
    Nothing,
}

impl Api {
    /// With connections of its own, which end with it.
    pub fn new(doors: &[String], journal: Journal, chance: Chance) -> Self {
        Self {
            doors: doors.iter().map(|door| Client::new(door)).collect(),
            journal,
            chance,
        }
    }

    pub async fn post(&mut self, target: &str, headers: &[(&str, &str)], body: &Value) -> Heard {
        let mut all = vec![("Content-Type", "application/json")];
        all.extend(headers);
        self.send("POST", target, &all, body.to_string()).await
    }

    pub async fn send(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: String) -> Heard {
        let door = self.chance.pick(&self.doors).clone();
        let Ok(answer) = door.try_send(method, target, headers, body.clone()).await else {
            return Heard::Nothing;
        };
        let status = answer.status.as_u16();
        // Whatever breaks, it is 503 that tells. A receipt may be stale at any time.
        if !matches!(status, 200..300 | 409 | 503) {
            let what = format!("{method} {target} {body}: {answer:?}");
            (self.journal)(Event::Odd { what });
        }
        match status {
            503 if answer.text().contains("othing was changed") => Heard::Unchanged,
            500.. => Heard::Nothing,
            _ => Heard::Answer(status, serde_json::from_slice(&answer.body).unwrap_or_default()),
        }
    }
}
