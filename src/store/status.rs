//! Status: a queue hands out its jobs, or holds them back.

use super::Store;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError};
use crate::queue::{QueueName, Status};

impl<R: Redis> Store<R> {
    /// Opens or stops a queue, which need not have had a job. One command.
    ///
    /// # Errors
    /// [`RedisError`]. To repeat it does no harm.
    pub async fn set_status(&self, queue: &QueueName, status: Status) -> Result<(), RedisError> {
        let meta = QueueKeys::new(queue).meta();
        let value: &[u8] = match status {
            Status::Open => b"1",
            Status::Stopped => b"0",
        };
        self.redis.command("HSET", &[meta.as_bytes(), b"status", value]).await?;
        Ok(())
    }
}
