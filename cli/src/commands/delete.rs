//! `presque delete`: a queue goes, or a job.

use crate::api::Api;
use crate::confirm::Yes;
use crate::exit::Exit;
use crate::output::{self, Output, printable};
use anyhow::Result;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Deletes a queue with all of its jobs, its counts and its settings, or one job.
///
/// Asks first. It cannot be undone: `presque export` before it. A job that has not ended is cancelled, and its worker is
/// told when it reports; one that has ended is forgotten.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Delete {
    /// The queue.
    queue: String,

    /// Delete this job only.
    #[arg(long, value_name = "ID")]
    job: Option<String>,

    #[command(flatten)]
    yes: Yes,
}

/// How many jobs of each state a queue has.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Counts {
    pub(super) ready: u64,
    pub(super) scheduled: u64,
    active: u64,
    done: u64,
    dead: u64,
    cancelled: u64,
}

#[derive(Deserialize)]
struct Queue {
    counts: Counts,
}

/// What became of a job.
#[derive(Deserialize, Serialize)]
struct Removed {
    id: String,
    state: String,
}

impl Counts {
    /// Those of a queue that must exist.
    pub(super) async fn get(api: &Api, queue: &str) -> Result<Self> {
        let Queue { counts } = api.send(&api.get(&["queues", queue])).await?;
        Ok(counts)
    }

    fn all(self) -> u64 {
        [
            self.ready,
            self.scheduled,
            self.active,
            self.done,
            self.dead,
            self.cancelled,
        ]
        .iter()
        .sum()
    }
}

impl Delete {
    /// Says what was deleted.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        let queue = printable(&self.queue);
        if let Some(id) = &self.job {
            if let Some(exit) = self
                .yes
                .refuses(&format!("Delete the job {} of the queue {queue}?", printable(id)))?
            {
                return Ok(exit);
            }
            let request = api.request(Method::DELETE, &["queues", &self.queue, "jobs", id]);
            let removed: Removed = api.send(&request).await?;
            out.either(&removed, || format!("{} {}", removed.id, removed.state))?;
            return Ok(Exit::Done);
        }
        let jobs = Counts::get(api, &self.queue).await?.all();
        if let Some(exit) = self
            .yes
            .refuses(&format!("Delete the queue {queue} with its {}?", output::jobs(jobs)))?
        {
            return Ok(exit);
        }
        api.send::<Value>(&api.request(Method::DELETE, &["queues", &self.queue]))
            .await?;
        out.either(&json!({ "queue": self.queue, "deleted": jobs }), || {
            format!("queue {queue} with {} deleted", output::jobs(jobs))
        })?;
        Ok(Exit::Done)
    }
}
