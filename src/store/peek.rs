//! Peek: the next jobs are shown, and stay.

use super::Store;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError};
use super::reply::Reader;
use super::script::{Script, script};
use crate::queue::QueueName;

static SCRIPT: Script = script!("peek.lua", keys, clock, job, places, size);

/// The most jobs that are shown.
const MOST: usize = 1000;

/// The most bytes of jobs that are shown, unless the first alone is larger.
const ROOM: usize = 4 * 1024 * 1024;

/// The size of a queue, and its next jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeked {
    /// The jobs that a fetch would give now.
    pub size: u64,
    /// The first of them, in that order: at most 1000, and at most 4 MiB.
    pub jobs: Vec<Vec<u8>>,
}

impl<R: Redis> Store<R> {
    /// Shows the next jobs without taking them. One command, whose work does not grow with the queue.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn peek(&self, queue: &QueueName) -> Result<Peeked, RedisError> {
        let (most, room) = (MOST.to_string(), ROOM.to_string());
        let all = QueueKeys::new(queue).all();
        let mut reply = Reader::new(
            SCRIPT
                .run(&self.redis, &all, &[most.as_bytes(), room.as_bytes()])
                .await?,
        );
        Ok(Peeked {
            size: reply.count()?.unwrap_or(0),
            jobs: reply.all_bytes()?,
        })
    }
}
