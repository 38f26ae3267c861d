//! Counts: how many jobs a queue has, and has had.

use super::Store;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError};
use super::reply::Reader;
use super::script::{Script, script};
use crate::queue::{Policy, QueueName, Status};

static SCRIPT: Script = script!("counts.lua", keys, clock, size);

/// The counts of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// The jobs that a fetch would give now: those that wait, and those that are due.
    pub size: u64,
    /// How many jobs were fetched. `None` before the first.
    pub processed: Option<u64>,
    /// How many jobs came back as failed. `None` before the first.
    pub failed: Option<u64>,
    /// `None` for a queue that never was.
    pub status: Option<Status>,
    /// How its permanent readers share its jobs. `None` where that was not set.
    pub policy: Option<Policy>,
}

impl<R: Redis> Store<R> {
    /// Counts a queue's jobs. One command, in a time that hardly grows with them.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn counts(&self, queue: &QueueName) -> Result<Counts, RedisError> {
        let all = QueueKeys::new(queue).all();
        let mut reply = Reader::new(SCRIPT.run(&self.redis, &all, &[]).await?);
        Ok(Counts {
            size: reply.count()?.unwrap_or(0),
            processed: reply.count()?,
            failed: reply.count()?,
            status: reply
                .count()?
                .map(|status| if status == 0 { Status::Stopped } else { Status::Open }),
            policy: reply.text()?.and_then(|name| Policy::named(&name)),
        })
    }
}
