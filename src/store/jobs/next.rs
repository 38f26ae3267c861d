//! The next jobs: shown, or taken one at a time, whether or not their queue is stopped.

use super::MAX_BYTES;
use crate::queue::{JobId, QueueName};
use crate::store::redis::{Redis, RedisError, ReplyReader, Script, Store, scripts};

/// How many jobs [`Store::peek`] shows.
const MAX_PEEKED: usize = 1000;

/// The size of a queue, and its next jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeked {
    /// How many jobs are ready.
    pub ready: u64,
    /// The first of them, in the order in which a fetch would give them: at most 1000, and at most 4 MiB, or one.
    pub jobs: Vec<Vec<u8>>,
}

/// The next job of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextJob {
    /// Its id, which contains its number.
    pub id: JobId,
    /// Its bytes, as they were inserted.
    pub payload: Vec<u8>,
    /// Whether the payload is a JSON string that stands for a text: as [`NewJob::is_text`](super::NewJob) said.
    pub is_text: bool,
}

impl NextJob {
    fn read(reply: &mut ReplyReader) -> Result<Self, RedisError> {
        Ok(Self {
            id: reply.job_id()?,
            payload: reply.bytes()?,
            is_text: reply.flag()?,
        })
    }
}

impl<R: Redis> Store<R> {
    /// Shows the next jobs without taking them. One command for each partition, whose work does not grow with the queue.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn peek(&self, queue: &QueueName) -> Result<Peeked, RedisError> {
        let (mut peeked, mut max_bytes) = (
            Peeked {
                ready: 0,
                jobs: Vec::new(),
            },
            MAX_BYTES,
        );
        let mut partition = 0;
        while partition < self.layout(queue).span || partition == 0 {
            let max_jobs = if max_bytes > 0 {
                MAX_PEEKED - peeked.jobs.len()
            } else {
                0
            };
            let args = [max_jobs.to_string(), max_bytes.to_string()];
            let args = [args[0].as_bytes(), args[1].as_bytes()];
            let mut reply = self.run_in(&scripts::PEEK, queue, partition, &args).await?;
            peeked.ready += reply.count()?;
            let jobs = reply.all_bytes()?;
            max_bytes = max_bytes.saturating_sub(jobs.iter().map(Vec::len).sum());
            peeked.jobs.extend(jobs);
            partition += 1;
        }
        Ok(peeked)
    }

    /// Takes the next job for good, whether or not the queue is stopped. `None` when none is ready. It is counted as
    /// processed.
    ///
    /// One command; one more for every hundred expired jobs that are in the way, however many they are, and for each partition that
    /// has no job.
    ///
    /// # Errors
    /// When the effect is [unknown](crate::store::Effect::Unknown) a job may be gone from the queue.
    pub async fn take_next(&self, queue: &QueueName) -> Result<Option<NextJob>, RedisError> {
        self.next(&scripts::TAKE_NEXT, queue, NextJob::read).await
    }

    /// Shows the next job without taking it, whether or not the queue is stopped: the one that
    /// [`take_next`](Store::take_next) would give; where the queue has several partitions, of one of these. With how often it was shown, this time included. `None` when none is
    /// ready.
    ///
    /// One command; one more for every hundred expired jobs that are in the way, however many they are, and for each partition that
    /// has no job.
    ///
    /// # Errors
    /// When the effect is [unknown](crate::store::Effect::Unknown) it may be counted as shown.
    pub async fn show_next(&self, queue: &QueueName) -> Result<Option<(NextJob, u64)>, RedisError> {
        let read = |reply: &mut ReplyReader| Ok((NextJob::read(reply)?, reply.count()?));
        self.next(&scripts::SHOW_NEXT, queue, read).await
    }

    /// Runs a script that gives the next job, again while it meets only expired ones.
    async fn next<T>(
        &self,
        script: &Script,
        queue: &QueueName,
        read: impl Fn(&mut ReplyReader) -> Result<T, RedisError>,
    ) -> Result<Option<T>, RedisError> {
        let max_bytes = MAX_BYTES.to_string();
        let mut tour = self.tour(queue, None);
        while let Some(partition) = self.next_stop(&mut tour) {
            loop {
                let mut reply = self.run_in(script, queue, partition, &[max_bytes.as_bytes()]).await?;
                let may_have_more = reply.flag()?;
                self.note_stop(&tour, partition, !reply.is_empty());
                if !reply.is_empty() {
                    return read(&mut reply).map(Some);
                }
                if !may_have_more {
                    break;
                }
            }
        }
        Ok(None)
    }
}
