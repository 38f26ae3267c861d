//! One attempt at a job: from its claim to its ack or nack.

use super::causes::Causes;
use super::lease::{Lease, Loss};
use super::outcome::{Ack, MAX_RESULT, Nack, Outcome, TooLarge};
use super::server::Server;
use super::stop::{Stage, Stop};
use super::target::Target;
use super::tell::note_of;
use crate::api::{ClaimedJob, Failure};
use anyhow::Result;
use serde::Deserialize;
use serde_json::to_vec;
use std::time::Duration;
use tokio::time::Instant;

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

/// What all attempts of a worker share.
pub(super) struct Attempts {
    pub(super) server: Server,
    pub(super) stop: Stop,
    pub(super) target: Target,
    /// How long one may take.
    pub(super) timeout: Option<Duration>,
}

/// What the server says to the end of a job.
enum Told {
    Settled(Settled),
    Lost(Loss),
}

#[derive(Deserialize)]
struct Settled {
    status: String,
}

impl Attempts {
    /// Does a job that was asked for at this time, and tells the server how it ended.
    pub(super) async fn run(&self, job: &ClaimedJob, asked: Instant) -> Status {
        let mut lease = Lease::new(&self.server, job, asked);
        let is_held = tokio::select! {
            held = lease.confirm() => held,
            () = self.stop.reached(Stage::Stopping) => Ok(()),
        };
        let outcome = match is_held {
            Err(loss) => Outcome::Lost(loss),
            Ok(()) if self.stop.is_stopping() => Outcome::NotBegun,
            Ok(()) => {
                let mut causes = Causes::new(lease, &self.stop, self.timeout);
                let outcome = self.target.run(job, &mut causes).await;
                return self.finish(job, outcome, causes.until()).await;
            }
        };
        self.finish(job, outcome, lease.until()).await
    }

    /// Gives a job back that is not to be begun.
    pub(super) async fn give_back(&self, job: &ClaimedJob) -> Status {
        self.finish(job, Outcome::NotBegun, Instant::now()).await
    }

    /// Tells the server what became of a job, until its lease is over.
    async fn finish(&self, job: &ClaimedJob, outcome: Outcome, until: Instant) -> Status {
        let (verb, body, status) = match &outcome {
            Outcome::Done(output) => {
                let result = output.result().unwrap_or_else(|TooLarge| {
                    note_of(
                        job,
                        format!("its result is larger than {MAX_RESULT} bytes, and is not kept"),
                    );
                    None
                });
                ("ack", to_vec(&Ack { result }), Status::Done)
            }
            Outcome::Later { delay, error } => {
                let delay = delay.as_secs_f64().min(super::MAX_SECONDS);
                ("nack", to_vec(&Nack::released(error, Some(delay))), Status::Later)
            }
            Outcome::Failed { error } => ("nack", to_vec(&Nack::failed(error)), Status::Failed),
            Outcome::Stopped => (
                "nack",
                to_vec(&Nack::released("the worker was stopped", None)),
                Status::Returned,
            ),
            Outcome::NotBegun => ("nack", to_vec(&Nack::released("", None)), Status::Returned),
            Outcome::Lost(loss) => {
                note_of(
                    job,
                    match loss {
                        Loss::Cancelled => "it was cancelled",
                        Loss::Stale => "its lease is over: another worker may have it",
                        Loss::Over => {
                            "the server was not reached before its lease was over: another worker may have it"
                        }
                    },
                );
                return Status::from(*loss);
            }
        };
        let settled = match body {
            Ok(body) => self.settle(job, verb, body, until).await,
            Err(error) => Err(format!("{error}")),
        };
        match settled {
            Ok(Told::Settled(settled)) if settled.status == "dead" => Status::Dead,
            Ok(Told::Settled(_)) => status,
            Ok(Told::Lost(loss)) => {
                note_of(job, "it was lost before its end could be told");
                Status::from(loss)
            }
            Err(why) => {
                note_of(
                    job,
                    format!("the server could not be told that it is {}: {why}", status.name()),
                );
                Status::Untold
            }
        }
    }

    async fn settle(&self, job: &ClaimedJob, verb: &str, body: Vec<u8>, until: Instant) -> Result<Told, String> {
        let request = self.server.about(job, verb);
        let mut answer = self
            .server
            .deliver(&request.clone().body(body), until, &self.stop)
            .await;
        if let (Err(Failure::Problem(problem)), "ack") = (&answer, verb)
            && matches!(problem.status, 413 | 422)
        {
            note_of(job, format!("its result is not kept: {problem}"));
            // What is done is not to be done again for its result.
            answer = self
                .server
                .deliver(&request.body(b"{}".to_vec()), until, &self.stop)
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
}
