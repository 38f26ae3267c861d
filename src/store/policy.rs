//! Policy: how a queue's permanent readers share its jobs.

use super::Store;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError};
use super::script::{Script, script};
use crate::queue::{Policy, QueueName};

static SCRIPT: Script = script!("policy.lua", keys);

impl<R: Redis> Store<R> {
    /// Sets how a queue's permanent readers share its jobs. The queue need not have had a job, and it keeps the policy
    /// until all of it is deleted. [`counts`](Store::counts) tells it. One command.
    ///
    /// # Errors
    /// [`RedisError`]. To repeat it does no harm.
    pub async fn set_policy(&self, queue: &QueueName, policy: Policy) -> Result<(), RedisError> {
        let keys = QueueKeys::new(queue).all();
        SCRIPT.run(&self.redis, &keys, &[policy.name().as_bytes()]).await?;
        Ok(())
    }
}
