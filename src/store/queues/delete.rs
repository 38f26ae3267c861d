//! Delete: a queue loses its jobs and its subscribers.

use super::settings::Condition;
use crate::queue::QueueName;
use crate::store::redis::{Redis, RedisError, Store, scripts};

/// What the script says where the condition is not met.
const NOT_MET: i64 = -2;

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
    /// scheduled.
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
        let args = [what, condition.as_arg().as_bytes()];
        let mut reply = self.run(&scripts::DELETE, queue, &args).await?;
        let ended = reply.integer()?;
        let had_jobs = reply.flag()?;
        self.notify(queue, &reply.all_bytes()?).await;
        if ended == NOT_MET {
            return Ok(None);
        }
        // A queue that never existed is not in the catalog, and its first insert may be entering it there right now.
        if ended >= 0 {
            let removed = self.remove_from_catalog(queue, ended).await;
            removed.map_err(RedisError::after_a_change)?;
        }
        Ok(Some(had_jobs))
    }
}
