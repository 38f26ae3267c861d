//! Delete: a queue loses all it holds.

use super::Store;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError};
use super::reply::Reader;
use super::script::{Script, script};
use super::settings::Condition;
use crate::queue::QueueName;

static SCRIPT: Script = script!("delete.lua", keys, settings);

/// What the script says of a queue that never was.
const NEVER_WAS: i64 = -1;

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
    ///
    /// # Errors
    /// [`RedisError`]. To repeat it does no harm.
    pub async fn delete(&self, queue: &QueueName, what: Delete) -> Result<(), RedisError> {
        self.delete_if(queue, what, Condition::Always).await.map(drop)
    }

    /// The same, under a condition on the queue's settings. Whether that was met.
    ///
    /// # Errors
    /// [`RedisError`]. To repeat it does no harm.
    pub async fn delete_if(
        &self,
        queue: &QueueName,
        what: Delete,
        condition: Condition<'_>,
    ) -> Result<bool, RedisError> {
        let keys = QueueKeys::new(queue).all();
        let settings: &[u8] = if what == Delete::Queue { b"1" } else { b"" };
        let ended = Reader::new(
            SCRIPT
                .run(&self.redis, &keys, &[settings, condition.word().as_bytes()])
                .await?,
        )
        .integer()?;
        // A queue that never was is not in the list, and its first insert may be entering it there right now.
        if ended < 0 {
            return Ok(ended == NEVER_WAS);
        }
        self.unlist(queue, ended).await.map_err(RedisError::after_a_change)?;
        Ok(true)
    }
}
