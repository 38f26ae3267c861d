//! Take, and show: the next job alone, whether or not its queue is stopped.

use super::Store;
use super::fetch::{LOOKS, ROOM};
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError};
use super::reply::Reader;
use super::script::{Script, script};
use crate::queue::{JobId, QueueName};

static TAKE: Script = script!(
    "take.lua", keys, clock, job, run, options, settings, rules, places, release, forget, endings, counts, receipt,
    holds, take
);

static SHOW: Script = script!(
    "show_next.lua",
    keys,
    clock,
    job,
    run,
    options,
    settings,
    rules,
    places,
    release,
    forget,
    endings,
    counts,
    receipt,
    holds,
    take,
    full
);

/// A job that was taken or shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its id, which tells its number.
    pub id: JobId,
    /// Its bytes, as they were inserted.
    pub payload: Vec<u8>,
    /// Whether the payload is a JSON string that stands for a text: as [`NewJob::is_text`](super::NewJob) said.
    pub is_text: bool,
}

impl Taken {
    fn read(reply: &mut Reader) -> Result<Self, RedisError> {
        let id = reply.text()?.and_then(|id| JobId::parse(&id));
        Ok(Self {
            id: id.ok_or_else(|| RedisError::Unexpected("no id of a job".into()))?,
            payload: reply.bytes()?,
            is_text: reply.integer()? == 1,
        })
    }
}

impl<R: Redis> Store<R> {
    /// Takes the next job for good, whether or not the queue is stopped. `None` when none is there or due. It is counted
    /// as processed.
    ///
    /// One command; one more for every hundred expired jobs that are in the way.
    ///
    /// # Errors
    /// After [`RedisError::Lost`] and [`RedisError::Unexpected`] a job may be gone from the queue.
    pub async fn take(&self, queue: &QueueName) -> Result<Option<Taken>, RedisError> {
        self.next(&TAKE, queue, Taken::read).await
    }

    /// Shows the next job without taking it, whether or not the queue is stopped: the one that [`take`](Store::take) would
    /// give. With how often it was shown, this time included. `None` when none is there or due.
    ///
    /// One command; one more for every hundred expired jobs that are in the way.
    ///
    /// # Errors
    /// [`RedisError`]. After [`RedisError::Lost`] and [`RedisError::Unexpected`] it may be counted as shown.
    pub async fn show_next(&self, queue: &QueueName) -> Result<Option<(Taken, u64)>, RedisError> {
        let read = |reply: &mut Reader| Ok((Taken::read(reply)?, reply.count()?.unwrap_or(0)));
        self.next(&SHOW, queue, read).await
    }

    /// Runs a script that meets the next job, again while it meets only expired ones.
    async fn next<T>(
        &self,
        script: &Script,
        queue: &QueueName,
        read: impl Fn(&mut Reader) -> Result<T, RedisError>,
    ) -> Result<Option<T>, RedisError> {
        let keys = QueueKeys::new(queue).all();
        let room = ROOM.to_string();
        for _ in 0..LOOKS {
            let mut reply = Reader::new(script.run(&self.redis, &keys, &[room.as_bytes()]).await?);
            let may_have_more = reply.integer()? == 1;
            if !reply.is_empty() {
                return read(&mut reply).map(Some);
            }
            if !may_have_more {
                break;
            }
        }
        Ok(None)
    }
}
