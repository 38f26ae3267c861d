//! Remove: a job is cancelled, or forgotten when it has ended.

use crate::queue::{JobId, QueueName};
use crate::store::redis::{Redis, RedisError, Store, scripts};

/// What became of a job that was to be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It was not finished, and will not be handed out any more; or that was so before.
    Cancelled,
    /// It was done or dead, and is forgotten.
    Forgotten,
    /// There is no such job.
    Unknown,
}

impl<R: Redis> Store<R> {
    /// Cancels a job, or forgets one that is done or dead. One command.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn remove(&self, queue: &QueueName, id: &JobId) -> Result<Removed, RedisError> {
        let mut reply = self.run_where(&scripts::REMOVE, queue, id, &[id.as_bytes()]).await?;
        reply.one_of(&[
            ("cancelled", Removed::Cancelled),
            ("forgotten", Removed::Forgotten),
            ("unknown", Removed::Unknown),
        ])
    }
}
