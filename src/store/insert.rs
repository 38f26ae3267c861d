//! Insert: a job enters its queue.

use super::Store;
use super::keys::{QUEUES, QueueKeys};
use super::redis::{Redis, RedisError, Reply};
use super::script::{Script, script};
use crate::queue::{QueueName, Timestamp};

static SCRIPT: Script = script!("entry.lua", "insert.lua");

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
        let args = [job.payload, job.unique.unwrap_or_default(), due.as_bytes()];
        let all = [keys.meta(), keys.ready(), keys.scheduled(), keys.unique()];
        let reply = SCRIPT.run(&self.redis, &all, &args).await?;
        let [Reply::Int(stored), Reply::Int(listed)] = reply[..] else {
            return Err(RedisError::unexpected(&reply));
        };
        if stored == 0 {
            return Ok(Inserted::Duplicate);
        }
        if listed == 0 {
            // The job is in already, and a client that were told of an error here would send it again. A listing
            // that fails is made up for by the queue's next insert.
            let _ = self.list_queue(job.queue, &keys).await;
        }
        Ok(Inserted::Stored)
    }

    /// Enters a queue in the list. The mark comes last: it stands only where the list has the name.
    async fn list_queue(&self, queue: &QueueName, keys: &QueueKeys) -> Result<(), RedisError> {
        let name = queue.as_str().as_bytes();
        self.redis
            .command("ZADD", &[QUEUES.as_bytes(), b"NX", b"0", name])
            .await?;
        self.redis
            .command("HSET", &[keys.meta().as_bytes(), b"listed", b"1"])
            .await?;
        Ok(())
    }
}
