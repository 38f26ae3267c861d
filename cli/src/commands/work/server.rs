//! The server as a worker sees it: it may be away for a while.

use super::stop::{Stage, Stop};
use super::tell::note;
use crate::api::{Api, ClaimedJob, Counts, Failure, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// How long one try may take of what is repeated anyway. A connection that has fallen silent is then given up.
const TRY: Duration = Duration::from_secs(10);

/// How long the end of a job may still be told when its time is over, or the worker's.
const LAST_TRY: Duration = Duration::from_secs(5);

/// The server. That it is away is told once, and once more when it is back.
#[derive(Debug)]
pub(super) struct Server {
    api: Api,
    is_away: AtomicBool,
}

#[derive(Deserialize)]
struct Queue {
    counts: Counts,
}

/// Growing pauses between tries.
pub(super) struct Pauses(Duration);

impl Server {
    pub(super) fn new(api: Api) -> Self {
        Self {
            api,
            is_away: AtomicBool::new(false),
        }
    }

    /// A request for jobs.
    pub(super) fn claims(&self) -> Request {
        self.api.post(&["claims"])
    }

    /// A request about a job that this worker has: `ack`, `nack` or `extend`. All of them may be repeated.
    pub(super) fn about(&self, job: &ClaimedJob, verb: &str) -> Request {
        self.api.post(&["queues", &job.queue, "claims", &job.receipt, verb])
    }

    /// How many jobs of a queue are in each state, if the server tells it now.
    pub(super) async fn counts(&self, queue: &str) -> Option<Counts> {
        let request = self.api.get(&["queues", queue]);
        let answer = timeout(LAST_TRY, self.api.send::<Queue>(&request)).await;
        Some(answer.ok()?.ok()?.counts)
    }

    /// Sends a request once.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(super) async fn send<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Failure> {
        let answer = self.api.send(request).await;
        match &answer {
            Err(failure) if failure.may_pass() => {
                if !self.is_away.swap(true, Ordering::Relaxed) {
                    note(format!("{failure}. Trying again until it answers"));
                }
            }
            _ => {
                if self.is_away.swap(false, Ordering::Relaxed) {
                    note(format!("{} answers again", self.api.base()));
                }
            }
        }
        answer
    }

    /// Sends a request that may be repeated, until it is answered. `None` when it was not until this time (or a moment from now, if that is
    /// later), or when the worker has to end.
    ///
    /// # Errors
    /// See [`Failure`]: it is of no use to try again.
    pub(super) async fn deliver<T: DeserializeOwned>(
        &self,
        request: &Request,
        until: Instant,
        stop: &Stop,
    ) -> Result<Option<T>, Failure> {
        let tries = async {
            let mut pauses = Pauses::default();
            loop {
                match timeout(TRY, self.send(request)).await {
                    Ok(Err(failure)) if failure.may_pass() => sleep(pauses.after(&failure)).await,
                    Ok(answer) => return answer.map(Some),
                    Err(_) => {}
                }
            }
        };
        let last = async {
            stop.reached(Stage::Ending).await;
            sleep(LAST_TRY).await;
        };
        tokio::select! {
            answer = tries => answer,
            () = sleep_until(until.max(Instant::now() + LAST_TRY)) => Ok(None),
            () = last => Ok(None),
        }
    }
}

impl Default for Pauses {
    fn default() -> Self {
        Self(Duration::from_millis(100))
    }
}

impl Pauses {
    const MAX: Duration = Duration::from_secs(5);

    /// The next pause: twice as long as the one before.
    pub(super) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(Self::MAX);
        pause
    }

    /// The next pause, or the one that the server asks for.
    pub(super) fn after(&mut self, failure: &Failure) -> Duration {
        let pause = self.next();
        failure.retry_after().unwrap_or(pause).min(Self::MAX)
    }
}
