//! The lease of a job: extended until it is lost.

use super::server::{Pauses, Server};
use crate::api::{ClaimedJob, Request};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

/// Why the job is not this worker's any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// It was cancelled: nobody shall do it.
    Cancelled,
    /// The server says that the lease is over: another worker may have the job.
    Stale,
    /// The server was not reached until the lease had to be over.
    Over,
}

/// The lease of one job.
///
/// When it ends is counted by this machine's clock from before the request that began it was sent: so it never seems to end later than
/// it does on the server.
pub(super) struct Lease<'a> {
    server: &'a Server,
    extend: Request,
    length: Duration,
    /// When it is to be extended.
    due: Instant,
    /// When it may be over.
    until: Instant,
    /// Its end by the server's clock.
    ends_at: String,
}

#[derive(Deserialize)]
struct Extended {
    lease_ends_at: String,
}

impl<'a> Lease<'a> {
    /// The lease of a job that was asked for at this time, and has come now.
    pub(super) fn new(server: &'a Server, job: &ClaimedJob, asked: Instant) -> Self {
        let length = job.lease();
        Self {
            server,
            extend: server.about(job, "extend").body(b"{}".to_vec()),
            length,
            due: asked + length / 3,
            until: asked + length,
            ends_at: job.lease_ends_at.clone(),
        }
    }

    /// When the lease may be over.
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// When it ends by the server's clock, as far as is known.
    pub(super) fn ends_at(&self) -> &str {
        &self.ends_at
    }

    /// Makes sure of the lease before the job is begun: a claim that waited may have begun it at any time since it was sent.
    ///
    /// # Errors
    /// The job is not this worker's any more.
    pub(super) async fn confirm(&mut self) -> Result<(), Loss> {
        let now = Instant::now();
        if now < self.due {
            return Ok(());
        }
        // It can last so long at most.
        self.until = now + self.length;
        self.extend().await
    }

    /// Extends the lease again and again, until it is lost. To drop this future and to call it again does no harm.
    pub(super) async fn lost(&mut self) -> Loss {
        loop {
            sleep_until(self.due).await;
            if let Err(loss) = self.extend().await {
                return loss;
            }
        }
    }

    async fn extend(&mut self) -> Result<(), Loss> {
        let mut pauses = Pauses::default();
        loop {
            let sent = Instant::now();
            // A connection that has fallen silent must leave time for another one.
            let limit = self.until.min(sent + self.length / 3);
            let pause = match timeout_at(limit, self.server.send::<Extended>(&self.extend)).await {
                Ok(Ok(extended)) => {
                    self.ends_at = extended.lease_ends_at;
                    (self.due, self.until) = (sent + self.length / 3, sent + self.length);
                    return Ok(());
                }
                Ok(Err(failure)) if failure.is("stale-receipt") => return Err(Loss::Stale),
                Ok(Err(failure)) if failure.is("job-cancelled") => return Err(Loss::Cancelled),
                // Others may be mended while the lease lasts, as a key that was taken away.
                Ok(Err(failure)) => pauses.after(&failure),
                Err(_) => Duration::ZERO,
            };
            if Instant::now() + pause >= self.until {
                sleep_until(self.until).await;
                return Err(Loss::Over);
            }
            sleep(pause).await;
        }
    }
}
