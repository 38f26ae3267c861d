//! Dead jobs: made ready again, or forgotten.

use super::Store;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError};
use super::reply::Reader;
use super::script::{Script, script};
use crate::queue::{JobId, QueueName};

static REDRIVE: Script = script!(
    "redrive.lua",
    keys,
    clock,
    job,
    run,
    options,
    places,
    unique,
    release,
    wake,
    later
);
static PURGE: Script = script!("purge_dead.lua", keys, clock, forget, later);

/// Which dead jobs of a queue.
#[derive(Clone, Copy, Debug)]
pub enum Dead<'a> {
    /// These, at most [`Dead::MOST`].
    Ids(&'a [JobId]),
    /// So many at most, up to [`Dead::MOST`], those first that would be forgotten first.
    First(usize),
}

impl Dead<'_> {
    /// The most jobs of one call.
    pub const MOST: usize = 1000;
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
    /// [`RedisError`]. To repeat it does no harm.
    pub async fn redrive(&self, queue: &QueueName, dead: Dead<'_>) -> Result<Redriven, RedisError> {
        let mut reply = self.on_dead(&REDRIVE, queue, dead).await?;
        Ok(Redriven {
            redriven: reply.count()?.unwrap_or(0),
            conflicts: reply.count()?.unwrap_or(0),
            unknown: reply.count()?.unwrap_or(0),
            dead: reply.count()?.unwrap_or(0),
        })
    }

    /// Forgets dead jobs. One command.
    ///
    /// # Errors
    /// [`RedisError`]. To repeat it does no harm.
    pub async fn purge_dead(&self, queue: &QueueName, dead: Dead<'_>) -> Result<Purged, RedisError> {
        let mut reply = self.on_dead(&PURGE, queue, dead).await?;
        Ok(Purged {
            removed: reply.count()?.unwrap_or(0),
            unknown: reply.count()?.unwrap_or(0),
            dead: reply.count()?.unwrap_or(0),
        })
    }

    async fn on_dead(&self, script: &Script, queue: &QueueName, dead: Dead<'_>) -> Result<Reader, RedisError> {
        let keys = QueueKeys::new(queue).all();
        let (most, ids) = match dead {
            Dead::Ids(ids) => (0, ids),
            Dead::First(most) => (most.min(Dead::MOST), &[][..]),
        };
        let most = most.to_string();
        let mut args = vec![most.as_bytes()];
        args.extend(ids.iter().map(|id| id.as_str().as_bytes()));
        Ok(Reader::new(script.run(&self.redis, &keys, &args).await?))
    }
}
