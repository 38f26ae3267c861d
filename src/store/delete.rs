//! Delete: a queue loses all it holds.

use super::Store;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError};
use super::reply::Reader;
use super::script::{Script, script};
use crate::queue::QueueName;

static SCRIPT: Script = script!("delete.lua");

impl<R: Redis> Store<R> {
    /// Removes all jobs of a queue, its unique keys and its counts, and takes it off the list of queues. Whether it is
    /// stopped stays, and so do its workers. A queue that never was is no error.
    ///
    /// Two commands, of which the first is the deletion: what was in the queue before it cannot be fetched after it.
    ///
    /// # Errors
    /// [`RedisError`]. To repeat it does no harm.
    pub async fn delete(&self, queue: &QueueName) -> Result<(), RedisError> {
        let keys = QueueKeys::new(queue);
        let all = [keys.meta(), keys.ready(), keys.scheduled(), keys.unique()];
        let ended = Reader::new(SCRIPT.run(&self.redis, &all, &[]).await?).integer()?;
        // A queue that never was is not in the list, and its first insert may be entering it there right now.
        if ended < 0 {
            return Ok(());
        }
        self.unlist(queue, ended).await.map_err(RedisError::after_a_change)
    }
}
