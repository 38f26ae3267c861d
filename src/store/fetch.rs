//! Fetch: jobs are handed out as in 2010, and leave their queue.

use super::Store;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError};
use super::reply::Reader;
use super::script::{Script, script};
use crate::queue::QueueName;

/// For who names no worker, and so gets no lease.
static SCRIPT: Script = script!(
    "fetch.lua",
    keys,
    clock,
    job,
    run,
    options,
    settings,
    rules,
    places,
    release,
    forget,
    endings,
    counts,
    receipt,
    holds,
    take
);

/// For workers that name themselves: they may have a lease.
static FOR_WORKERS: Script = script!(
    "fetch.lua",
    keys,
    clock,
    job,
    run,
    options,
    settings,
    rules,
    places,
    release,
    forget,
    endings,
    counts,
    receipt,
    settle,
    holds,
    take,
    lease,
    held
);

/// A fetch takes no more jobs when those that it has are this large together. The platform refuses replies over
/// 128 MiB, and what it refused would be lost.
pub(super) const ROOM: usize = 4 * 1024 * 1024;

/// How often a request looks again at once when it met only expired jobs: it passes over 10,000 of them.
pub(super) const LOOKS: usize = 100;

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
    /// longer in the queue; or under a lease of this worker, where the queue delivers at least once.
    Jobs(Vec<Vec<u8>>),
    /// The queue is stopped, whether or not it has jobs.
    Stopped,
}

impl<R: Redis> Store<R> {
    /// Takes the next jobs.
    ///
    /// One command; one more for every hundred expired jobs that are in the way.
    ///
    /// # Errors
    /// After [`RedisError::Lost`] and [`RedisError::Unexpected`] jobs may be gone from the queue: this is the
    /// delivery of 2010, which hands a job out and forgets it.
    pub async fn fetch(&self, fetch: Fetch<'_>) -> Result<Fetched, RedisError> {
        let keys = QueueKeys::new(fetch.queue).all();
        let most = fetch.most.clamp(1, Fetch::MOST).to_string();
        let room = ROOM.to_string();
        let args = [most.as_bytes(), fetch.worker.unwrap_or_default(), room.as_bytes()];
        let script = if fetch.worker.is_some() { &FOR_WORKERS } else { &SCRIPT };
        for _ in 0..LOOKS {
            let reply = script.run(&self.redis, &keys, &args).await;
            if let (Err(RedisError::Lost(_) | RedisError::Unexpected(_)), Some(worker)) = (&reply, fetch.worker) {
                // It may hold jobs now that it never saw, and its next fetch would finish them.
                let _ = self.give_back(fetch.queue, worker).await;
            }
            let mut reply = Reader::new(reply?);
            if reply.one_of(&[("jobs", false), ("stopped", true)])? {
                return Ok(Fetched::Stopped);
            }
            let may_have_more = reply.integer()? == 1;
            let jobs = reply.all_bytes()?;
            if !may_have_more {
                return Ok(Fetched::Jobs(jobs));
            }
        }
        Ok(Fetched::Jobs(Vec::new()))
    }
}
