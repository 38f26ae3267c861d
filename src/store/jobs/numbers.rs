//! Jobs by their running numbers in their queue.

use crate::queue::{JobId, QueueName};
use crate::store::redis::{QueueKeys, Redis, RedisError, Store, scripts};

/// How many jobs are read where their order is not that of their numbers.
const MAX_READ: usize = 1000;

/// Numbers end here: an id has 12 hexadecimal digits for them.
const NUMBERS_END: u64 = 1 << 48;

/// The newest jobs of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest {
    /// How many jobs are ready.
    pub ready: u64,
    /// The numbers of the newest of them, newest first.
    pub numbers: Vec<u64>,
}

impl<R: Redis> Store<R> {
    /// Cancels the ready job of this number, as [`remove`](Store::remove) does. Whether there was one: a job that is not due
    /// yet, active, expired or ended is none.
    ///
    /// One command. Of the jobs that were scheduled and are due now only the first 1,000 are read.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn remove_number(&self, queue: &QueueName, number: u64) -> Result<bool, RedisError> {
        if !(1..NUMBERS_END).contains(&number) {
            return Ok(false);
        }
        let partition = JobId::partition_of(number);
        let (number, max_scheduled) = (number.to_string(), MAX_READ.to_string());
        let args = [number.as_bytes(), max_scheduled.as_bytes()];
        let keys = QueueKeys::partition(queue, partition);
        let mut reply = self.run_with(&scripts::REMOVE_NUMBER, &keys, Vec::new(), &args).await?;
        reply.flag()
    }

    /// The numbers of the newest ready jobs, newest first, at most `max_numbers`, up to 1,000; and how many are ready.
    ///
    /// One command for each partition. Only the last 1,000 jobs of each are read, in the order in which they would be handed out:
    /// where there are more, newer ones of a higher priority, or that were scheduled, may be missing. Of several partitions those
    /// are the newest that have the highest numbers in theirs.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn newest(&self, queue: &QueueName, max_numbers: usize) -> Result<Newest, RedisError> {
        let (max_numbers, max_jobs) = (max_numbers.min(MAX_READ).to_string(), MAX_READ.to_string());
        let args = [max_numbers.as_bytes(), max_jobs.as_bytes()];
        let (mut ready, mut numbers) = (0, Vec::new());
        let mut partition = 0;
        while partition < self.layout(queue).span || partition == 0 {
            let mut reply = self.run_in(&scripts::NEWEST_NUMBERS, queue, partition, &args).await?;
            ready += reply.count()?;
            while !reply.is_empty() {
                numbers.push(reply.count()?);
            }
            partition += 1;
        }
        let place = |number: &u64| number - JobId::first_number(JobId::partition_of(*number));
        numbers.sort_by_key(|number| std::cmp::Reverse((place(number), *number)));
        numbers.truncate(max_numbers.parse().unwrap_or(MAX_READ));
        Ok(Newest { ready, numbers })
    }
}
