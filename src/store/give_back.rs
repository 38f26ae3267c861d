//! Give back: what a worker of 2010 holds, and does not know of.

use super::Store;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError};
use super::reply::Reader;
use super::script::{Script, script};
use crate::queue::QueueName;

static SCRIPT: Script = script!("give_back.lua", keys, clock, job, run, places, wake, receipt, holds);

impl<R: Redis> Store<R> {
    /// Makes the jobs ready again that a worker holds where its queue delivers at least once. For a worker that was told
    /// of an error instead of its jobs, or when it wanted to give one back: its next request would finish them. How
    /// many they were.
    ///
    /// One command.
    ///
    /// # Errors
    /// [`RedisError`]. To repeat it does no harm.
    pub async fn give_back(&self, queue: &QueueName, worker: &[u8]) -> Result<u64, RedisError> {
        let keys = QueueKeys::new(queue).all();
        let mut reply = Reader::new(SCRIPT.run(&self.redis, &keys, &[worker]).await?);
        Ok(reply.count()?.unwrap_or(0))
    }
}
