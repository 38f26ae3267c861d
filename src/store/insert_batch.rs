//! Insert, many jobs at once.

use super::Store;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError};
use super::reply::Reader;
use super::script::{Script, script};
use crate::queue::{QueueName, Timestamp};

static SCRIPT: Script = script!("entry.lua", "queue.lua", "insert_batch.lua");

/// Jobs to insert, all of them or none. They hold no unique keys.
#[derive(Clone, Copy, Debug)]
pub struct InsertBatch<'a> {
    /// Where they go.
    pub queue: &'a QueueName,
    /// Each job's bytes, in order.
    pub payloads: &'a [&'a [u8]],
    /// Not fetched before this time; their order is kept.
    pub due: Option<Timestamp>,
}

impl InsertBatch<'_> {
    /// The most jobs that a batch should have: Redis does nothing else while it stores them, for some tenths of a
    /// second with so many.
    pub const MOST: usize = 100_000;
}

impl<R: Redis> Store<R> {
    /// Inserts jobs, in their order, at the back of a queue. No jobs are no error, and make no queue.
    ///
    /// One command. A queue's first jobs take two more, as with [`insert`](Store::insert).
    ///
    /// # Errors
    /// Only [`RedisError::Lost`] and [`RedisError::Unexpected`] leave open whether the jobs were stored.
    pub async fn insert_batch(&self, batch: InsertBatch<'_>) -> Result<(), RedisError> {
        if batch.payloads.is_empty() {
            return Ok(());
        }
        let keys = QueueKeys::new(batch.queue);
        let due = batch.due.map_or_else(String::new, |due| due.as_millis().to_string());
        let mut joined = Vec::with_capacity(batch.payloads.iter().map(|payload| payload.len() + 8).sum());
        for payload in batch.payloads {
            joined.extend_from_slice(payload.len().to_string().as_bytes());
            joined.push(b':');
            joined.extend_from_slice(payload);
        }
        let count = batch.payloads.len().to_string();
        let all = [keys.meta(), keys.ready(), keys.scheduled()];
        let reply = SCRIPT
            .run(&self.redis, &all, &[&joined, count.as_bytes(), due.as_bytes()])
            .await?;
        self.list_queue(batch.queue, Reader::new(reply).integer()?).await;
        Ok(())
    }
}
