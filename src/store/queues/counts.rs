//! Counts: how many jobs a queue has, and has had.

use crate::queue::{Policy, QueueName, Status};
use crate::store::redis::{Redis, RedisError, Store, scripts};

/// The counts of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// How many jobs are ready, those that are due included.
    pub ready: u64,
    /// How many jobs were claimed or fetched. `None` before the first.
    pub processed: Option<u64>,
    /// How many failures were reported. `None` before the first.
    pub failed: Option<u64>,
    /// `None` for a queue that does not exist.
    pub status: Option<Status>,
    /// How its subscribers share its jobs. `None` where that was not set.
    pub policy: Option<Policy>,
}

impl<R: Redis> Store<R> {
    /// Counts a queue's jobs. One command, in a time that hardly grows with them.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn counts(&self, queue: &QueueName) -> Result<Counts, RedisError> {
        let mut reply = self.run(&scripts::COUNTS, queue, &[]).await?;
        Ok(Counts {
            ready: reply.count()?,
            processed: reply.optional_count()?,
            failed: reply.optional_count()?,
            status: reply
                .optional_count()?
                .map(|status| if status == 0 { Status::Stopped } else { Status::Open }),
            policy: reply.text()?.and_then(|name| Policy::named(&name)),
        })
    }
}
