//! Insert, very many jobs at once.

use crate::queue::{Priority, QueueName, Timestamp};
use crate::store::redis::{Redis, RedisError, Store, scripts};

/// Jobs to insert, all of them or none. They have no options.
#[derive(Clone, Copy, Debug)]
pub struct InsertBatch<'a> {
    /// Where they go.
    pub queue: &'a QueueName,
    /// Each job's bytes, in order.
    pub payloads: &'a [&'a [u8]],
    /// Not handed out before this time; their order is kept.
    pub due: Option<Timestamp>,
}

impl InsertBatch<'_> {
    /// How many jobs a batch should have at most: Redis does nothing else while it stores them, for some tenths of a
    /// second with so many.
    pub const MAX_JOBS: usize = 100_000;
}

/// What became of an [`InsertBatch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertedBatch {
    /// All jobs are stored.
    Stored,
    /// A payload is over the queue's `max_bytes`. Nothing was changed.
    TooLarge,
}

impl<R: Redis> Store<R> {
    /// Inserts jobs, in their order, at the back of a queue. No jobs are no error, and make no queue.
    ///
    /// One command. A queue's first jobs take two more, and about once a minute there is one more, as with
    /// [`insert`](Store::insert).
    ///
    /// # Errors
    /// When the effect is [unknown](crate::store::Effect::Unknown) the jobs may have been stored.
    pub async fn insert_batch(&self, batch: InsertBatch<'_>) -> Result<InsertedBatch, RedisError> {
        if batch.payloads.is_empty() {
            return Ok(InsertedBatch::Stored);
        }
        let due = batch.due.map_or_else(String::new, |due| due.as_millis().to_string());
        let mut joined = Vec::with_capacity(batch.payloads.iter().map(|payload| payload.len() + 8).sum());
        for payload in batch.payloads {
            joined.extend_from_slice(payload.len().to_string().as_bytes());
            joined.push(b':');
            joined.extend_from_slice(payload);
        }
        let count = batch.payloads.len().to_string();
        let priority = Priority::default().get().to_string();
        let args = [&joined[..], count.as_bytes(), due.as_bytes(), priority.as_bytes()];
        let mut reply = self.run(&scripts::INSERT_BATCH, batch.queue, &args).await?;
        let outcome = reply.one_of(&[
            ("inserted", InsertedBatch::Stored),
            ("too-large", InsertedBatch::TooLarge),
        ])?;
        self.enter_in_catalog(batch.queue, reply.integer()?).await;
        Ok(outcome)
    }
}
