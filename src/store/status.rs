//! Status: a queue hands out its jobs, or holds them back.

use super::Store;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError};
use super::script::{Script, script};
use crate::queue::{QueueName, Status};

static SCRIPT: Script = script!("status.lua", keys, clock, wake, size, full);

impl<R: Redis> Store<R> {
    /// Opens or stops a queue, which need not have had a job. One command.
    ///
    /// # Errors
    /// [`RedisError`]. To repeat it does no harm.
    pub async fn set_status(&self, queue: &QueueName, status: Status) -> Result<(), RedisError> {
        let keys = QueueKeys::new(queue).all();
        let value: &[u8] = match status {
            Status::Open => b"1",
            Status::Stopped => b"0",
        };
        SCRIPT.run(&self.redis, &keys, &[value]).await?;
        Ok(())
    }
}
