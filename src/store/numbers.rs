//! Jobs by their running numbers in their queue.

use super::Store;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError};
use super::reply::Reader;
use super::script::{Script, script};
use crate::queue::QueueName;

static REMOVE: Script = script!(
    "remove_number.lua",
    keys,
    clock,
    job,
    run,
    settings,
    rules,
    places,
    release,
    forget,
    endings
);
static NEWEST: Script = script!("newest.lua", keys, clock, job, places, size);

/// How many jobs are looked at where their order is not that of their numbers.
const LOOKED_AT: usize = 1000;

/// Numbers end here: an id has 12 hexadecimal digits for them.
const END: u64 = 1 << 48;

/// The newest jobs of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest {
    /// The jobs that a fetch would give now.
    pub size: u64,
    /// The numbers of the newest of them, newest first.
    pub numbers: Vec<u64>,
}

impl<R: Redis> Store<R> {
    /// Calls off the ready job of this number, as [`remove`](Store::remove) does. Whether there was one: a job that is
    /// not due yet, active, expired or ended is none.
    ///
    /// One command. Of the jobs that were scheduled and are due now only the first 1,000 are looked at.
    ///
    /// # Errors
    /// [`RedisError`]. To repeat it does no harm.
    pub async fn remove_number(&self, queue: &QueueName, number: u64) -> Result<bool, RedisError> {
        if !(1..END).contains(&number) {
            return Ok(false);
        }
        let keys = QueueKeys::new(queue).all();
        let (number, most) = (number.to_string(), LOOKED_AT.to_string());
        let args = [number.as_bytes(), most.as_bytes()];
        let mut reply = Reader::new(REMOVE.run(&self.redis, &keys, &args).await?);
        Ok(reply.integer()? == 1)
    }

    /// The numbers of the newest ready jobs, newest first, at most `most`, up to 1,000; and how many are ready.
    ///
    /// One command. Only the last 1,000 jobs are looked at, in the order in which they would be handed out: where a queue
    /// has more, newer ones of a higher priority, or that were scheduled, may be missing.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn newest(&self, queue: &QueueName, most: usize) -> Result<Newest, RedisError> {
        let keys = QueueKeys::new(queue).all();
        let (most, looked_at) = (most.min(LOOKED_AT).to_string(), LOOKED_AT.to_string());
        let args = [most.as_bytes(), looked_at.as_bytes()];
        let mut reply = Reader::new(NEWEST.run(&self.redis, &keys, &args).await?);
        let size = reply.count()?.unwrap_or(0);
        let mut numbers = Vec::new();
        while !reply.is_empty() {
            numbers.extend(reply.count()?);
        }
        Ok(Newest { size, numbers })
    }
}
