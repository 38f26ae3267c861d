//! Delete: a queue loses all it holds, and whoever hangs on it.

use super::Store;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError};
use super::reply::Reader as Reply;
use super::script::{Script, script};
use super::settings::Condition;
use crate::queue::QueueName;

static SCRIPT: Script = script!("delete.lua", keys, reader_keys, settings);

/// What the script says where the condition is not met.
const OTHER_SETTINGS: i64 = -2;

/// What goes with a queue's jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delete {
    /// Its jobs, unique keys and counts. Its settings stay, and so does whether it is stopped.
    Jobs,
    /// Its settings too, and that it is stopped.
    Queue,
}

impl<R: Redis> Store<R> {
    /// Removes all jobs of a queue, its unique keys and its counts, and takes it off the list of queues. Workers that are
    /// registered on it stay. A queue that never was is no error.
    ///
    /// Two commands, of which the first is the deletion: what was in the queue before it cannot be handed out after it.
    /// One more where readers hang on the queue: they are told to go. Gives whether there were jobs, ready or scheduled.
    ///
    /// # Errors
    /// [`RedisError`]. To repeat it does no harm.
    pub async fn delete(&self, queue: &QueueName, what: Delete) -> Result<bool, RedisError> {
        let had_jobs = self.delete_if(queue, what, Condition::Always).await?;
        Ok(had_jobs.unwrap_or(false))
    }

    /// The same, under a condition on the queue's settings. `None` when that was not met, and nothing was changed.
    ///
    /// # Errors
    /// [`RedisError`]. To repeat it does no harm.
    pub async fn delete_if(
        &self,
        queue: &QueueName,
        what: Delete,
        condition: Condition<'_>,
    ) -> Result<Option<bool>, RedisError> {
        let keys = QueueKeys::new(queue).with_readers();
        let settings: &[u8] = if what == Delete::Queue { b"1" } else { b"" };
        let args = [settings, condition.word().as_bytes()];
        let mut reply = Reply::new(SCRIPT.run(&self.redis, &keys, &args).await?);
        let ended = reply.integer()?;
        let had_jobs = reply.integer()? == 1;
        self.ring(queue, &reply.all_bytes()?).await;
        if ended == OTHER_SETTINGS {
            return Ok(None);
        }
        // A queue that never was is not in the list, and its first insert may be entering it there right now.
        if ended >= 0 {
            self.unlist(queue, ended).await.map_err(RedisError::after_a_change)?;
        }
        Ok(Some(had_jobs))
    }
}
