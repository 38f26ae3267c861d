//! Fetch: jobs are handed out and leave their queue.

use super::Store;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError};
use super::reply::Reader;
use super::script::{Script, script};
use crate::queue::QueueName;

static SCRIPT: Script = script!("entry.lua", "queue.lua", "fetch.lua");

/// A fetch takes no more jobs when those that it has are this large together. The platform refuses replies over
/// 128 MiB, and what it refused would be lost.
const ROOM: usize = 4 * 1024 * 1024;

/// A request for jobs.
#[derive(Clone, Copy, Debug)]
pub struct Fetch<'a> {
    /// Where to take them from. Need not exist.
    pub queue: &'a QueueName,
    /// Who takes them: counted for this worker when it is registered on the queue.
    pub worker: Option<&'a [u8]>,
    /// How many at most, from 1 to [`Fetch::MOST`]. There are fewer when they are large: no more are taken once there
    /// are 4 MiB of them.
    pub most: usize,
}

impl Fetch<'_> {
    /// The most jobs that one fetch may ask for.
    pub const MOST: usize = 1000;
}

/// What a [`Fetch`] gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The jobs' bytes, as they were inserted; none when none is there or due. They are counted as processed and no
    /// longer in the queue.
    Jobs(Vec<Vec<u8>>),
    /// The queue is stopped, whether or not it has jobs.
    Stopped,
}

impl<R: Redis> Store<R> {
    /// Takes the next jobs: due scheduled jobs in the order of their dates, then the waiting ones, oldest first.
    ///
    /// One command.
    ///
    /// # Errors
    /// After [`RedisError::Lost`] and [`RedisError::Unexpected`] jobs may be gone from the queue: this is the
    /// delivery of 2010, which hands a job out and forgets it.
    pub async fn fetch(&self, fetch: Fetch<'_>) -> Result<Fetched, RedisError> {
        let keys = QueueKeys::new(fetch.queue);
        let all = [
            keys.meta(),
            keys.ready(),
            keys.scheduled(),
            keys.unique(),
            keys.worker_counts(),
        ];
        let most = fetch.most.clamp(1, Fetch::MOST).to_string();
        let room = ROOM.to_string();
        let args = [most.as_bytes(), fetch.worker.unwrap_or_default(), room.as_bytes()];
        let mut reply = Reader::new(SCRIPT.run(&self.redis, &all, &args).await?);
        match &reply.bytes()?[..] {
            b"jobs" => Ok(Fetched::Jobs(reply.all_bytes()?)),
            b"stopped" => Ok(Fetched::Stopped),
            _ => Err(RedisError::Unexpected("an unknown outcome of fetch".into())),
        }
    }
}
