//! Delete: a queue loses its jobs and its subscribers.

use super::settings::Condition;
use crate::queue::QueueName;
use crate::store::redis::{Redis, RedisError, Store, scripts};

/// What the script says where the condition is not met.
const NOT_MET: i64 = -2;
/// And where it has only closed the further partitions of a queue.
const CLOSED: i64 = -3;

/// What goes with a queue's jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delete {
    /// Its jobs, unique keys and counts. Its settings stay, and so does whether it is stopped.
    Jobs,
    /// The same; and the numbers of its jobs go on for ever, as RestMQ promises.
    JobsButNumbers,
    /// Its settings too, and that it is stopped.
    Queue,
}

impl<R: Redis> Store<R> {
    /// Removes all jobs of a queue, its unique keys and its counts, and takes it out of the catalog. Workers that are
    /// registered on it stay. A queue that never existed is no error.
    /// What is left of a queue for which nothing is set expires after 25 hours, except for its numbers where they go on.
    ///
    /// Two commands, of which the first is the deletion: what was in the queue before it cannot be handed out after it.
    /// One more where the queue has subscribers: they are woken, and end. Gives whether there were jobs, ready or
    /// scheduled. Where the queue has several partitions, one for each, and one more: what was in one before it is deleted there
    /// cannot be handed out after that.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn delete(&self, queue: &QueueName, what: Delete) -> Result<bool, RedisError> {
        let had_jobs = self.delete_if(queue, what, Condition::Always).await?;
        Ok(had_jobs.unwrap_or(false))
    }

    /// The same, under a condition on the queue's settings. `None` when that was not met, and nothing was changed.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn delete_if(
        &self,
        queue: &QueueName,
        what: Delete,
        condition: Condition<'_>,
    ) -> Result<Option<bool>, RedisError> {
        let what: &[u8] = match what {
            Delete::Jobs => b"jobs",
            Delete::JobsButNumbers => b"jobs-but-numbers",
            Delete::Queue => b"queue",
        };
        let mut deleted = self
            .delete_in(queue, 0, [what, condition.as_arg().as_bytes(), b""])
            .await?;
        if deleted.generation == NOT_MET {
            return Ok(None);
        }
        let rest = self.delete_further(queue, what, &mut deleted).await;
        rest.map_err(RedisError::after_a_change)?;
        Ok(Some(deleted.had_jobs))
    }

    /// Deletes what is in the further partitions, and then what was to be deleted last.
    async fn delete_further(&self, queue: &QueueName, what: &[u8], deleted: &mut Deleted) -> Result<(), RedisError> {
        let layout = self.layout(queue);
        let is_closed = deleted.generation == CLOSED;
        let closed_by = format!("-{}", if is_closed { layout.version } else { 0 });
        for partition in 1..layout.extent {
            let part = self
                .delete_in(queue, partition, [what, b"", closed_by.as_bytes()])
                .await?;
            deleted.had_jobs |= part.had_jobs;
        }
        if is_closed {
            let version = layout.version.to_string();
            let last = self.delete_in(queue, 0, [what, b"", version.as_bytes()]).await?;
            deleted.had_jobs |= last.had_jobs;
            deleted.generation = last.generation;
        }
        // A queue that never existed is not in the catalog, and its first insert may be entering it there right now.
        if deleted.generation >= 0 {
            self.remove_from_catalog(queue, deleted.generation).await?;
        }
        Ok(())
    }

    async fn delete_in(&self, queue: &QueueName, partition: u8, args: [&[u8]; 3]) -> Result<Deleted, RedisError> {
        let mut reply = self.run_in(&scripts::DELETE, queue, partition, &args).await?;
        let deleted = Deleted {
            generation: reply.integer()?,
            had_jobs: reply.flag()?,
        };
        self.notify(queue, partition, &reply.all_bytes()?).await;
        Ok(deleted)
    }
}

/// What the script says of a partition.
struct Deleted {
    generation: i64,
    had_jobs: bool,
}
