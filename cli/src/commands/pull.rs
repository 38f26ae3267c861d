//! `presque pull`: jobs come out.

use crate::api::{Api, ClaimedJob};
use crate::exit::{self, Exit};
use crate::export_file::one_line;
use crate::output::{self, Output};
use anyhow::{Context, Result};
use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long a claim waits at the most: the server allows a minute, and some platforms half of it.
const MAX_WAIT: Duration = Duration::from_secs(20);

/// How long an acknowledgement is tried.
const ACK_PATIENCE: Duration = Duration::from_secs(30);

/// Takes the next job, and prints its payload.
///
/// The job is acknowledged after its payload was written to standard output. If that fails, as when its reader has gone, the
/// job is given back, and this ends with 1. With --json, a line with all of the job. Ends with 3 if there is no job.
///
/// With --no-ack the job stays claimed, and all of it is printed as JSON, with its receipt: acknowledge it by
/// `POST /v1/queues/QUEUE/claims/RECEIPT/ack` before its lease ends.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Pull {
    /// The queue.
    queue: String,

    /// How many jobs to take, one after the other.
    #[arg(long, short = 'n', value_name = "N", default_value_t = 1)]
    count: u64,

    /// How many seconds to wait for each job.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,

    /// Claim the job, but do not acknowledge it.
    #[arg(long)]
    no_ack: bool,

    /// The length of the lease, in seconds; if it is not given, what the job or the queue says.
    #[arg(long, value_name = "SECONDS")]
    lease: Option<f64>,
}

/// The answer of a claim, with its jobs as they came.
#[derive(Default, Deserialize)]
struct Jobs {
    jobs: Vec<Box<RawValue>>,
}

impl Pull {
    /// Prints each job.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        let mut printed = 0;
        while printed < self.count {
            let claimed = self.claim(api).await;
            let claimed = claimed
                .map_err(|error| exit::partly(error, printed > 0, format!("{} printed", output::jobs(printed))))?;
            let Some(raw) = claimed else {
                break;
            };
            let job: ClaimedJob = serde_json::from_str(raw.get()).context("the server answered what is no job")?;
            let written = match out.json || self.no_ack {
                true => out.bytes_line(one_line(&raw)?.as_bytes()),
                false => out.bytes_line(job.payload()),
            };
            if let Err(error) = written {
                return Err(self.give_back(api, &job, error).await);
            }
            printed += 1;
            if !self.no_ack {
                self.ack(api, &job).await?;
            }
        }
        Ok(if printed == 0 { Exit::Nothing } else { Exit::Done })
    }

    /// A job that could not be printed. The error says what becomes of it.
    async fn give_back(&self, api: &Api, job: &ClaimedJob, error: anyhow::Error) -> anyhow::Error {
        let request = api.post(&["queues", &job.queue, "claims", &job.receipt, "nack"]);
        let nack = json!({ "error": "presque pull could not print it", "failed": false });
        let nacked = match request.json(&nack) {
            Ok(request) => api.send::<Value>(&request).await.ok(),
            Err(_) => None,
        };
        let fate = match nacked {
            Some(_) => "was given back",
            None => "is handed out again when its lease ends",
        };
        error.context(format!("the job {} could not be printed, and {fate}", job.id))
    }

    async fn claim(&self, api: &Api) -> Result<Option<Box<RawValue>>> {
        let (begin, patience) = (Instant::now(), Duration::from_secs(self.wait));
        loop {
            let wait = patience.saturating_sub(begin.elapsed()).min(MAX_WAIT);
            let mut body = json!({ "wait": wait.as_secs_f64() });
            if let (Some(lease), Some(body)) = (self.lease, body.as_object_mut()) {
                body.insert("lease".to_owned(), json!(lease));
            }
            let request = api.post(&["queues", &self.queue, "claims"]).json(&body)?;
            let claimed: Option<Jobs> = api.send(&request.waiting(wait)).await?;
            if let Some(job) = claimed.unwrap_or_default().jobs.pop() {
                return Ok(Some(job));
            }
            if begin.elapsed() >= patience {
                return Ok(None);
            }
        }
    }

    async fn ack(&self, api: &Api, job: &ClaimedJob) -> Result<()> {
        let request = api.request(Method::POST, &["queues", &job.queue, "claims", &job.receipt, "ack"]);
        let begin = Instant::now();
        let acked: Result<serde_json::Value, _> = api.send_until(&request, |_| begin.elapsed() < ACK_PATIENCE).await;
        acked.map(drop).map_err(|failure| {
            let text = format!(
                "the job {} was printed, and could not be acknowledged, so it may be handed out again",
                job.id
            );
            exit::partly(failure.into(), true, text)
        })
    }
}
