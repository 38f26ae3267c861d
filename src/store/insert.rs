//! Insert: a job enters its queue.

use super::Store;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError};
use super::reply::Reader;
use super::script::{Script, script};
use crate::queue::{QueueName, Timestamp};

static SCRIPT: Script = script!("entry.lua", "queue.lua", "insert.lua");

/// A job to insert.
#[derive(Clone, Copy, Debug)]
pub struct Insert<'a> {
    /// Where it goes. A queue exists from its first job on.
    pub queue: &'a QueueName,
    /// The job's bytes, kept exactly.
    pub payload: &'a [u8],
    /// A key that only one waiting job of this queue may hold; from insertion until the job is fetched.
    pub unique: Option<&'a [u8]>,
    /// Not fetched before this time, by the Redis server's clock. A past time is due at once.
    pub due: Option<Timestamp>,
    /// The job comes back because a worker failed at it, which is counted.
    pub failed: Option<Failed<'a>>,
}

/// A failure to count.
#[derive(Clone, Copy, Debug)]
pub struct Failed<'a> {
    /// Who failed: counted for this worker too when it is registered on the queue.
    pub worker: Option<&'a [u8]>,
}

/// What became of an [`Insert`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The job is stored: the next fetch can have it.
    Stored,
    /// A job of this queue holds the unique key. Nothing was changed.
    Duplicate,
}

impl<R: Redis> Store<R> {
    /// Inserts one job, at the back of its queue.
    ///
    /// One command. A queue's first job takes two more, which enter the queue in the list of queues.
    ///
    /// # Errors
    /// Only [`RedisError::Lost`] and [`RedisError::Unexpected`] leave open whether the job was stored.
    pub async fn insert(&self, job: Insert<'_>) -> Result<Inserted, RedisError> {
        let keys = QueueKeys::new(job.queue);
        let due = job.due.map_or_else(String::new, |due| due.as_millis().to_string());
        let args = [
            job.payload,
            job.unique.unwrap_or_default(),
            due.as_bytes(),
            if job.failed.is_some() { b"1" } else { b"" },
            job.failed.and_then(|failed| failed.worker).unwrap_or_default(),
        ];
        let all = [
            keys.meta(),
            keys.ready(),
            keys.scheduled(),
            keys.unique(),
            keys.worker_failures(),
        ];
        let mut reply = Reader::new(SCRIPT.run(&self.redis, &all, &args).await?);
        let stored = reply.integer()?;
        // For a duplicate too: the insert that it repeats may have broken off before its queue was listed.
        self.list_queue(job.queue, reply.integer()?).await;
        Ok(if stored == 1 {
            Inserted::Stored
        } else {
            Inserted::Duplicate
        })
    }
}
