//! `presque health`: for those that look after a server, and start it anew.

use crate::api::{Api, Failure};
use crate::exit::Exit;
use crate::output::Output;
use anyhow::Result;
use serde_json::{Value, json};

/// Tells whether the server can take jobs: exit code 0 if so. For health checks.
///
/// Where the server has keys, that is asked with the one that is given. Without one that may read, it is enough that the server
/// answers.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Health {}

impl Health {
    /// Prints `ok`, or the server's answer as JSON.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        let answer = match api.send::<Value>(&api.get(&["health"])).await {
            Err(Failure::Problem(problem)) if matches!(problem.status, 401 | 403) => json!({"status": "ok"}),
            answer => answer?,
        };
        out.either(&answer, || "ok".to_owned())?;
        Ok(Exit::Done)
    }
}
