//! Show: one job.

use super::job::Job;
use crate::queue::{JobId, QueueName};
use crate::store::redis::{Redis, RedisError, Store, scripts};

impl<R: Redis> Store<R> {
    /// All that is known of a job, `None` when there is none. One command.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn job(&self, queue: &QueueName, id: &JobId) -> Result<Option<Job>, RedisError> {
        let mut reply = self.run_where(&scripts::SHOW, queue, id, &[id.as_bytes()]).await?;
        if reply.is_empty() {
            return Ok(None);
        }
        Job::read(&mut reply).map(Some)
    }
}
