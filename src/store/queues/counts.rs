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
    /// Counts a queue's jobs. One command for each partition, in a time that hardly grows with them.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn counts(&self, queue: &QueueName) -> Result<Counts, RedisError> {
        let mut counts = self.counts_in(queue, 0).await?;
        for partition in 1..self.layout(queue).extent {
            let part = self.counts_in(queue, partition).await?;
            counts.ready += part.ready;
            counts.processed = sum(counts.processed, part.processed);
            counts.failed = sum(counts.failed, part.failed);
        }
        Ok(counts)
    }

    async fn counts_in(&self, queue: &QueueName, partition: u8) -> Result<Counts, RedisError> {
        let mut reply = self.run_in(&scripts::COUNTS, queue, partition, &[]).await?;
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

/// The sum of two counts, `None` before the first of both.
pub(in crate::store) fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one + other),
        (one, other) => one.or(other),
    }
}
