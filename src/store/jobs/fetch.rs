//! Fetch: jobs are handed out as to legacy workers, and leave their queue.

use super::MAX_BYTES;
use crate::queue::QueueName;
use crate::store::redis::{Effect, Redis, RedisError, Store, scripts};

/// A request for jobs.
#[derive(Clone, Copy, Debug)]
pub struct Fetch<'a> {
    /// Where to take them from. Need not exist.
    pub queue: &'a QueueName,
    /// Who takes them: counted for this worker when it is registered on the queue.
    pub worker: Option<&'a [u8]>,
    /// How many at most, from 1 to [`Fetch::MAX_JOBS`]. There are fewer when they are large: no more are taken once there
    /// are 4 MiB of them.
    pub max_jobs: usize,
}

impl Fetch<'_> {
    /// How many jobs one fetch may ask for.
    pub const MAX_JOBS: usize = 1000;
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
    /// One command; one more for every hundred expired jobs that are in the way, however many they are.
    ///
    /// # Errors
    /// When the effect is [unknown](Effect::Unknown) jobs may be gone from the queue: legacy delivery hands a job out and
    /// forgets it.
    pub async fn fetch(&self, fetch: Fetch<'_>) -> Result<Fetched, RedisError> {
        let max_jobs = fetch.max_jobs.clamp(1, Fetch::MAX_JOBS).to_string();
        let max_bytes = MAX_BYTES.to_string();
        let args = [
            max_jobs.as_bytes(),
            fetch.worker.unwrap_or_default(),
            max_bytes.as_bytes(),
        ];
        let mut has_changed = false;
        loop {
            let reply = self.run(&scripts::FETCH, fetch.queue, &args).await;
            if let (Err(error), Some(worker)) = (&reply, fetch.worker)
                && error.effect() == Effect::Unknown
            {
                // The worker may have jobs now that it never saw, and its next fetch would acknowledge them.
                let _ = self.release_legacy_leases(fetch.queue, worker).await;
            }
            let mut reply = match reply {
                // The first call may have acknowledged the worker's jobs.
                Err(error) if has_changed => return Err(error.after_a_change()),
                reply => reply?,
            };
            has_changed = true;
            if reply.one_of(&[("jobs", false), ("stopped", true)])? {
                return Ok(Fetched::Stopped);
            }
            let may_have_more = reply.flag()?;
            let jobs = reply.all_bytes()?;
            if !may_have_more {
                return Ok(Fetched::Jobs(jobs));
            }
        }
    }

    /// Makes the jobs ready again that a worker has under a lease where its queue delivers at least once. For a worker that
    /// was answered with an error instead of its jobs, or when it wanted to give one back: its next request would
    /// acknowledge them. Gives how many they were.
    ///
    /// One command.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn release_legacy_leases(&self, queue: &QueueName, worker: &[u8]) -> Result<u64, RedisError> {
        let mut reply = self.run(&scripts::RELEASE_LEGACY_LEASES, queue, &[worker]).await?;
        reply.count()
    }
}
