//! Dead jobs: made ready again, or forgotten.

use crate::queue::{JobId, QueueName};
use crate::store::redis::{Redis, RedisError, ReplyReader, Script, Store, scripts};

/// Which dead jobs of a queue.
#[derive(Clone, Copy, Debug)]
pub enum DeadJobs<'a> {
    /// These, at most [`DeadJobs::MAX_JOBS`].
    Ids(&'a [JobId]),
    /// So many at most, up to [`DeadJobs::MAX_JOBS`], those first that would be forgotten first.
    First(usize),
}

impl DeadJobs<'_> {
    /// How many jobs one call may name.
    pub const MAX_JOBS: usize = 1000;
}

/// What became of dead jobs that were to be redriven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redriven {
    /// How many are ready again.
    pub redriven: u64,
    /// How many stay dead because another job holds their unique key.
    pub conflicts: u64,
    /// How many of the ids are not of dead jobs.
    pub unknown: u64,
    /// How many are dead now.
    pub dead: u64,
}

/// What became of dead jobs that were to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purged {
    /// How many were forgotten.
    pub removed: u64,
    /// How many of the ids are not of dead jobs.
    pub unknown: u64,
    /// How many are dead now.
    pub dead: u64,
}

impl<R: Redis> Store<R> {
    /// Makes dead jobs ready again, as if they had never failed or expired. One command.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn redrive(&self, queue: &QueueName, dead: DeadJobs<'_>) -> Result<Redriven, RedisError> {
        let mut reply = self.on_dead(&scripts::REDRIVE, queue, dead).await?;
        Ok(Redriven {
            redriven: reply.count()?,
            conflicts: reply.count()?,
            unknown: reply.count()?,
            dead: reply.count()?,
        })
    }

    /// Forgets dead jobs. One command.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn purge_dead(&self, queue: &QueueName, dead: DeadJobs<'_>) -> Result<Purged, RedisError> {
        let mut reply = self.on_dead(&scripts::PURGE_DEAD, queue, dead).await?;
        Ok(Purged {
            removed: reply.count()?,
            unknown: reply.count()?,
            dead: reply.count()?,
        })
    }

    async fn on_dead(&self, script: &Script, queue: &QueueName, dead: DeadJobs<'_>) -> Result<ReplyReader, RedisError> {
        let (max_jobs, ids) = match dead {
            DeadJobs::Ids(ids) => (0, ids),
            DeadJobs::First(max_jobs) => (max_jobs.min(DeadJobs::MAX_JOBS), &[][..]),
        };
        let max_jobs = max_jobs.to_string();
        let mut args = vec![max_jobs.as_bytes()];
        args.extend(ids.iter().map(JobId::as_bytes));
        self.run(script, queue, &args).await
    }
}
