//! Fetch: jobs are handed out as to legacy workers, and leave their queue.

use super::MAX_BYTES;
use crate::queue::QueueName;
use crate::store::redis::{Effect, QueueKeys, Redis, RedisError, Store, scripts};

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
    /// One command; one more for every hundred expired jobs that are in the way, however many they are. Where the queue has
    /// several partitions, one for each that is asked: no more than four once there are jobs, and all before it says that there is
    /// none. All of them are asked for a worker that gets its jobs under a lease: it may have jobs of any.
    ///
    /// # Errors
    /// When the effect is [unknown](Effect::Unknown) jobs may be gone from the queue: legacy delivery hands a job out and
    /// forgets it. An error after the first jobs ends the fetch, which then gives just these.
    pub async fn fetch(&self, fetch: Fetch<'_>) -> Result<Fetched, RedisError> {
        let mut fetched = Vec::new();
        match self.fetch_into(&fetch, &mut fetched).await {
            Err(error) if fetched.is_empty() => Err(error),
            Ok(true) if fetched.is_empty() => Ok(Fetched::Stopped),
            _ => Ok(Fetched::Jobs(fetched)),
        }
    }

    /// Adds the jobs of each partition that is asked. Whether the queue is stopped.
    async fn fetch_into(&self, fetch: &Fetch<'_>, fetched: &mut Vec<Vec<u8>>) -> Result<bool, RedisError> {
        let max_jobs = fetch.max_jobs.clamp(1, Fetch::MAX_JOBS);
        let (mut max_bytes, mut is_stopped, mut has_changed) = (MAX_BYTES, false, false);
        let mut tour = self.tour(fetch.queue, None);
        while let Some(partition) = self.next_stop(&mut tour) {
            let is_enough = fetched.len() >= max_jobs || max_bytes == 0 || !fetched.is_empty() && tour.is_past_limit();
            if is_enough && !(fetch.worker.is_some() && self.layout(fetch.queue).is_legacy_leased) {
                break;
            }
            // What the worker has here is acknowledged, also where it is to get nothing.
            let max_jobs = if is_enough { 0 } else { max_jobs - fetched.len() };
            let jobs = self
                .fetch_in(fetch, partition, max_jobs, max_bytes, &mut has_changed)
                .await?;
            is_stopped |= jobs.is_none();
            let jobs = jobs.unwrap_or_default();
            if max_jobs > 0 {
                self.note_stop(&tour, partition, jobs.len() >= max_jobs);
            }
            max_bytes = max_bytes.saturating_sub(jobs.iter().map(Vec::len).sum());
            fetched.extend(jobs);
        }
        if fetched.is_empty() {
            self.follow_if_seen(fetch.queue).await;
        }
        Ok(is_stopped)
    }

    /// Takes the next jobs of a partition. `None` when the queue is stopped.
    async fn fetch_in(
        &self,
        fetch: &Fetch<'_>,
        partition: u8,
        max_jobs: usize,
        max_bytes: usize,
        has_changed: &mut bool,
    ) -> Result<Option<Vec<Vec<u8>>>, RedisError> {
        let (max_jobs, max_bytes) = (max_jobs.to_string(), max_bytes.to_string());
        let worker = fetch.worker.unwrap_or_default();
        let args = [max_jobs.as_bytes(), worker, max_bytes.as_bytes()];
        loop {
            let reply = self.run_in(&scripts::FETCH, fetch.queue, partition, &args).await;
            if let (Err(error), Some(worker)) = (&reply, fetch.worker)
                && error.effect() == Effect::Unknown
            {
                // The worker may have jobs now that it never saw, and its next fetch would acknowledge them.
                let _ = self.end_in(fetch.queue, partition, worker).await;
            }
            let mut reply = match reply {
                // The first call may have acknowledged the worker's jobs.
                Err(error) if *has_changed => return Err(error.after_a_change()),
                reply => reply?,
            };
            *has_changed = true;
            if reply.one_of(&[("jobs", false), ("stopped", true)])? {
                return Ok(None);
            }
            let may_have_more = reply.flag()?;
            let jobs = reply.all_bytes()?;
            if !may_have_more {
                return Ok(Some(jobs));
            }
        }
    }

    /// Makes the jobs ready again that a worker has under a lease where its queue delivers at least once. For a worker that
    /// was answered with an error instead of its jobs, or when it wanted to give one back: its next request would
    /// acknowledge them. Gives how many they were.
    ///
    /// One command for each partition.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn end_legacy_leases(&self, queue: &QueueName, worker: &[u8]) -> Result<u64, RedisError> {
        let (mut ended, mut partition) = (0, 0);
        while partition < self.layout(queue).span || partition == 0 {
            ended += self.end_in(queue, partition, worker).await?;
            partition += 1;
        }
        Ok(ended)
    }

    async fn end_in(&self, queue: &QueueName, partition: u8, worker: &[u8]) -> Result<u64, RedisError> {
        let script = &scripts::END_LEGACY_LEASES;
        let mut reply = self.run_in(script, queue, partition, &[worker]).await?;
        reply.count()
    }

    /// Acknowledges what a legacy worker has under a lease in all partitions but one, where a job that it failed at has come back.
    pub(super) async fn ack_legacy_elsewhere(
        &self,
        queue: &QueueName,
        worker: &[u8],
        partition: u8,
    ) -> Result<(), RedisError> {
        let layout = self.layout(queue);
        if !layout.is_legacy_leased {
            return Ok(());
        }
        for other in (0..layout.span).filter(|other| *other != partition) {
            let keys = QueueKeys::partition(queue, other);
            self.run_with(&scripts::ACK_REPLACED, &keys, Vec::new(), &[worker])
                .await?;
        }
        Ok(())
    }
}
