//! One attempt at a job: from its claim to its ack or nack.

use super::facts::facts;
use super::lease::{Lease, Loss};
use super::outcome::{Ack, Cause, MAX_RESULT, Nack, Outcome, TooLarge};
use super::stop::{Stage, Stop};
use super::worker::Worker;
use crate::api::{ClaimedJob, Failure};
use anyhow::Result;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// The shortest lease there is, in seconds: it gives a job back without a failure.
const SHORTEST_LEASE: f64 = 0.1;

/// How an attempt ended, as users are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Acknowledged.
    Done,
    /// Failed, and is tried again as its backoff says.
    Failed,
    /// Asked to be tried again later.
    Later,
    /// Failed for the last time.
    Dead,
    /// Given back, since the worker ends.
    Returned,
    /// The lease was lost: it is ready again, or another worker has it.
    Lost,
    /// Cancelled while it ran.
    Cancelled,
    /// The server could not be told how it ended: it comes back when its lease ends, if the server does not know.
    Untold,
}

impl Status {
    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Later => "later",
            Self::Dead => "dead",
            Self::Returned => "returned",
            Self::Lost => "lost",
            Self::Cancelled => "cancelled",
            Self::Untold => "untold",
        }
    }
}

impl From<Loss> for Status {
    fn from(loss: Loss) -> Self {
        match loss {
            Loss::Cancelled => Self::Cancelled,
            Loss::Stale | Loss::Over => Self::Lost,
        }
    }
}

/// What can end a job that runs.
pub(super) struct Causes<'a> {
    lease: Lease<'a>,
    stop: &'a Stop,
    stage: Stage,
    timeout: Option<(Instant, Duration)>,
    is_lost: bool,
}

impl Causes<'_> {
    /// What is told of the job to whoever does it.
    pub(super) fn facts(&self, job: &ClaimedJob) -> [(&'static str, Option<String>); 9] {
        facts(job, &self.lease)
    }

    /// Waits before the job is tried to be begun once more. Only then its time counts.
    ///
    /// # Errors
    /// What becomes of the job, as it is not to be begun any more.
    pub(super) async fn pause(&mut self, pause: Duration) -> Result<(), Outcome> {
        tokio::select! {
            loss = self.lease.lost() => return Err(Outcome::Lost(loss)),
            () = self.stop.reached(Stage::Stopping) => return Err(Outcome::NotBegun),
            () = sleep(pause) => {}
        }
        if let Some((at, after)) = &mut self.timeout {
            *at = Instant::now() + *after;
        }
        Ok(())
    }

    /// The next cause. Each comes once. The lease is extended meanwhile, and only then. To drop this future and to call it again does no
    /// harm.
    pub(super) async fn next(&mut self) -> Cause {
        let next_stage = match self.stage {
            Stage::Working | Stage::Stopping => Some(Stage::Ending),
            Stage::Ending => Some(Stage::Killing),
            Stage::Killing => None,
        };
        tokio::select! {
            loss = self.lease.lost(), if !self.is_lost => {
                self.is_lost = true;
                Cause::Lost(loss)
            }
            after = passed(self.timeout) => {
                self.timeout = None;
                Cause::TimedOut(after)
            }
            () = self.stop.reached(next_stage.unwrap_or_default()), if next_stage.is_some() => {
                self.stage = self.stop.stage();
                match self.stage {
                    Stage::Killing => Cause::Killed,
                    _ => Cause::Stopped,
                }
            }
        }
    }
}

/// Waits for a time, if there is one.
async fn passed(time: Option<(Instant, Duration)>) -> Duration {
    match time {
        Some((at, after)) => {
            sleep_until(at).await;
            after
        }
        None => std::future::pending().await,
    }
}

/// Does a job that was asked for at this time, and tells the server how it ended.
pub(super) async fn attempt(worker: &Worker, job: &ClaimedJob, asked: Instant) -> Status {
    let mut lease = Lease::new(&worker.server, job, asked);
    let is_held = tokio::select! {
        held = lease.confirm() => held,
        () = worker.stop.reached(Stage::Stopping) => Ok(()),
    };
    let outcome = match is_held {
        Err(loss) => Outcome::Lost(loss),
        Ok(()) if worker.stop.is_stopping() => Outcome::NotBegun,
        Ok(()) => {
            let timeout = worker.options.timeout.map(|after| (Instant::now() + after, after));
            let mut causes = Causes {
                lease,
                stop: &worker.stop,
                stage: Stage::Working,
                timeout,
                is_lost: false,
            };
            let outcome = worker.target.run(job, &mut causes).await;
            return finish(worker, job, outcome, causes.lease.until()).await;
        }
    };
    finish(worker, job, outcome, lease.until()).await
}

#[derive(Deserialize)]
struct Settled {
    status: String,
}

/// Tells the server what became of a job, until its lease is over.
async fn finish(worker: &Worker, job: &ClaimedJob, outcome: Outcome, until: Instant) -> Status {
    let (verb, body, status) = match &outcome {
        Outcome::Done(output) => {
            let result = output.result().unwrap_or_else(|TooLarge| {
                worker.note(
                    job,
                    format!("its result is larger than {MAX_RESULT} bytes, and is not kept"),
                );
                None
            });
            ("ack", serde_json::to_vec(&Ack { result }), Status::Done)
        }
        Outcome::Later { delay, error } => {
            let delay = delay.as_secs_f64().min(super::MAX_SECONDS);
            ("nack", nack(error, Some(delay)), Status::Later)
        }
        Outcome::Failed { error } => ("nack", nack(error, None), Status::Failed),
        Outcome::Stopped => ("nack", nack("the worker was stopped", Some(0.0)), Status::Returned),
        // Not by a nack, which would count as a failure: it may be the job's last attempt.
        Outcome::NotBegun => (
            "extend",
            serde_json::to_vec(&json!({"lease": SHORTEST_LEASE})),
            Status::Returned,
        ),
        Outcome::Lost(loss) => {
            worker.note(
                job,
                match loss {
                    Loss::Cancelled => "it was cancelled",
                    Loss::Stale => "its lease is over: another worker may have it",
                    Loss::Over => "the server was not reached before its lease was over: another worker may have it",
                },
            );
            return Status::from(*loss);
        }
    };
    let settled = match body {
        Ok(body) => settle(worker, job, verb, body, until).await,
        Err(error) => Err(format!("{error}")),
    };
    match settled {
        Ok(Told::Settled(settled)) if settled.status == "dead" => Status::Dead,
        Ok(Told::Settled(_)) => status,
        Ok(Told::Lost(loss)) => {
            worker.note(job, "it was lost before its end could be told");
            Status::from(loss)
        }
        Err(why) => {
            worker.note(
                job,
                format!("the server could not be told that it is {}: {why}", status.name()),
            );
            Status::Untold
        }
    }
}

fn nack(error: &str, delay: Option<f64>) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Nack { error, delay })
}

/// What the server says to the end of a job.
enum Told {
    Settled(Settled),
    Lost(Loss),
}

async fn settle(worker: &Worker, job: &ClaimedJob, verb: &str, body: Vec<u8>, until: Instant) -> Result<Told, String> {
    let request = worker.server.about(job, verb);
    let mut answer = worker
        .server
        .deliver(&request.clone().body(body), until, &worker.stop)
        .await;
    if let (Err(Failure::Problem(problem)), "ack") = (&answer, verb)
        && matches!(problem.status, 413 | 422)
    {
        worker.note(job, format!("its result is not kept: {problem}"));
        // What is done is not to be done again for its result.
        answer = worker
            .server
            .deliver(&request.body(b"{}".to_vec()), until, &worker.stop)
            .await;
    }
    match answer {
        Ok(Some(settled)) => Ok(Told::Settled(settled)),
        Ok(None) => Err("it did not answer in time".to_owned()),
        Err(failure) if failure.is("job-cancelled") => Ok(Told::Lost(Loss::Cancelled)),
        Err(failure) if failure.is("stale-receipt") => Ok(Told::Lost(Loss::Stale)),
        Err(failure) => Err(failure.to_string()),
    }
}

/// Gives a job back that is not to be begun.
pub(super) async fn give_back(worker: &Worker, job: &ClaimedJob) -> Status {
    finish(worker, job, Outcome::NotBegun, Instant::now()).await
}
