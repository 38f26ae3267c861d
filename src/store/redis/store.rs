//! The store itself. Its operations stand in the rooms above.

use super::{QueueKeys, Redis, RedisError, ReplyReader, Script};
use crate::queue::QueueName;

/// The store: the operations of a job queue on one Redis.
#[derive(Clone, Debug)]
pub struct Store<R> {
    pub(in crate::store) redis: R,
}

impl<R: Redis> Store<R> {
    /// A store on this Redis. Nothing is sent until the first operation.
    pub fn new(redis: R) -> Self {
        Self { redis }
    }

    /// Runs a script on a queue.
    pub(in crate::store) async fn run(
        &self,
        script: &Script,
        queue: &QueueName,
        args: &[&[u8]],
    ) -> Result<ReplyReader, RedisError> {
        self.run_with(script, &QueueKeys::new(queue), Vec::new(), args).await
    }

    /// Runs a script on a queue and the keys `given`.
    pub(in crate::store) async fn run_with(
        &self,
        script: &Script,
        queue: &QueueKeys,
        given: Vec<String>,
        args: &[&[u8]],
    ) -> Result<ReplyReader, RedisError> {
        let reply = script.run(&self.redis, queue, given, args).await?;
        Ok(ReplyReader::new(reply))
    }
}
