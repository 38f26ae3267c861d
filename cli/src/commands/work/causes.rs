//! What can end a job that runs: its lease, its time, the end of the worker.

use super::facts::facts;
use super::lease::Lease;
use super::outcome::{Cause, Outcome};
use super::stop::{Stage, Stop};
use crate::api::ClaimedJob;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// What can end a job that runs.
pub(super) struct Causes<'a> {
    lease: Lease<'a>,
    stop: &'a Stop,
    stage: Stage,
    timeout: Option<(Instant, Duration)>,
    is_lost: bool,
}

impl<'a> Causes<'a> {
    /// Those of a job that is begun now, and may take so long.
    pub(super) fn new(lease: Lease<'a>, stop: &'a Stop, timeout: Option<Duration>) -> Self {
        Self {
            lease,
            stop,
            stage: Stage::Working,
            timeout: timeout.map(|after| (Instant::now() + after, after)),
            is_lost: false,
        }
    }

    /// When the job's lease may be over.
    pub(super) fn until(&self) -> Instant {
        self.lease.until()
    }

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
