//! Fetch: a job is handed out and leaves its queue.

use super::Store;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError, Reply};
use super::script::{Script, script};
use crate::queue::QueueName;

static SCRIPT: Script = script!("entry.lua", "fetch.lua");

/// A request for one job.
#[derive(Clone, Copy, Debug)]
pub struct Fetch<'a> {
    /// Where to take it from. Need not exist.
    pub queue: &'a QueueName,
    /// Who takes it: counted for this worker when it is registered on the queue.
    pub worker: Option<&'a [u8]>,
}

/// What a [`Fetch`] gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The job's bytes, as they were inserted. It is counted as processed and no longer in the queue.
    Job(Vec<u8>),
    /// No job is there, or none is due.
    Empty,
    /// The queue is stopped, whether or not it has jobs.
    Stopped,
}

impl<R: Redis> Store<R> {
    /// Takes the next job: due scheduled jobs in the order of their dates, then the waiting ones, oldest first.
    ///
    /// One command.
    ///
    /// # Errors
    /// After [`RedisError::Lost`] and [`RedisError::Unexpected`] a job may be gone from the queue: this is the
    /// delivery of 2010, which hands a job out and forgets it.
    pub async fn fetch(&self, fetch: Fetch<'_>) -> Result<Fetched, RedisError> {
        let keys = QueueKeys::new(fetch.queue);
        let all = [
            keys.meta(),
            keys.ready(),
            keys.scheduled(),
            keys.unique(),
            keys.workers(),
        ];
        let args = [fetch.worker.unwrap_or_default()];
        let mut reply = SCRIPT.run(&self.redis, &all, &args).await?;
        match (reply.first(), reply.len()) {
            (Some(Reply::Bytes(outcome)), 1) if outcome == b"empty" => Ok(Fetched::Empty),
            (Some(Reply::Bytes(outcome)), 1) if outcome == b"stopped" => Ok(Fetched::Stopped),
            (Some(Reply::Bytes(outcome)), 2) if outcome == b"job" => match reply.pop() {
                Some(Reply::Bytes(payload)) => Ok(Fetched::Job(payload)),
                _ => Err(RedisError::unexpected(&reply)),
            },
            _ => Err(RedisError::unexpected(&reply)),
        }
    }
}
