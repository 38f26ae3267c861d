//! Settings: what a queue is told to do, and all that is known of it.

use super::Store;
use super::keys::QueueKeys;
use super::packed::{PackedSettings, pack_all};
use super::redis::{Redis, RedisError};
use super::reply::Reader;
use super::script::{Script, script};
use crate::queue::{QueueName, Settings, State, Status};
use std::time::Duration;

static CONFIGURE: Script = script!("configure.lua", keys, clock, settings, wake, begin, size, full);
static DESCRIBE: Script = script!("describe.lua", keys, clock, job, settings, places, counts, size, later);

/// What must be true of a queue's settings for them to be changed or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'a> {
    /// Nothing.
    Always,
    /// The queue is there.
    There,
    /// The queue is not there.
    NotThere,
    /// The settings are those with this tag.
    Tag(&'a str),
}

impl Condition<'_> {
    /// How the scripts call it.
    pub(super) fn word(&self) -> &str {
        match self {
            Self::Always => "",
            Self::There => "*",
            Self::NotThere => "none",
            Self::Tag(tag) => tag,
        }
    }
}

/// What became of new settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Configured {
    /// They hold, and the queue is new.
    Created(Effective),
    /// They hold.
    Changed(Effective),
    /// The condition was not met. Nothing was changed.
    Mismatch,
}

/// A queue's settings as they work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The settings, with their defaults.
    pub settings: Settings,
    /// Tells two settings apart: 16 hexadecimal digits.
    pub tag: String,
}

/// All that is known of a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// Its settings.
    pub effective: Effective,
    /// How many jobs are in each state.
    pub jobs: Vec<(State, u64)>,
    /// How long the oldest ready job has been ready.
    pub oldest_ready: Option<Duration>,
    /// What happened since the queue began.
    pub totals: Totals,
    /// What happened in the last minute.
    pub last_minute: LastMinute,
    /// How many workers claimed by name within the last hour.
    pub workers: u64,
}

/// Counts since a queue began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Hand-outs.
    pub claimed: u64,
    /// Acknowledged jobs.
    pub done: u64,
    /// Failures.
    pub failed: u64,
    /// Lost leases.
    pub lost_leases: u64,
}

/// Counts of the last full minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastMinute {
    /// New jobs.
    pub inserted: u64,
    /// Hand-outs.
    pub claimed: u64,
    /// Acknowledged jobs.
    pub done: u64,
    /// Failures.
    pub failed: u64,
}

impl<R: Redis> Store<R> {
    /// Sets all settings of a queue, which need not be there. One command, and two for a queue that is not in the list
    /// of queues.
    ///
    /// # Errors
    /// [`RedisError`]. To repeat it without condition does no harm.
    pub async fn configure(
        &self,
        queue: &QueueName,
        settings: &Settings,
        condition: Condition<'_>,
    ) -> Result<Configured, RedisError> {
        let keys = QueueKeys::new(queue).all();
        let packed = pack_all(&PackedSettings::from(settings))?;
        let status: &[u8] = if settings.status == Status::Open { b"1" } else { b"0" };
        let args = [&packed[..], status, condition.word().as_bytes()];
        let mut reply = Reader::new(CONFIGURE.run(&self.redis, &keys, &args).await?);
        let outcome = reply.one_of(&[("created", Some(true)), ("changed", Some(false)), ("mismatch", None)])?;
        self.list_queue(queue, reply.integer()?).await;
        let Some(is_new) = outcome else {
            return Ok(Configured::Mismatch);
        };
        let tag = reply.text()?.unwrap_or_default();
        let packed: PackedSettings = reply.packed()?.unwrap_or_default();
        let settings = packed.unpack(settings.status);
        let effective = Effective { settings, tag };
        Ok(if is_new {
            Configured::Created(effective)
        } else {
            Configured::Changed(effective)
        })
    }

    /// All that is known of a queue, `None` for one that never was. One command.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn describe(&self, queue: &QueueName) -> Result<Option<Description>, RedisError> {
        let keys = QueueKeys::new(queue).all();
        let mut reply = Reader::new(DESCRIBE.run(&self.redis, &keys, &[]).await?);
        if reply.is_empty() {
            return Ok(None);
        }
        let status = reply.one_of(&[("0", Status::Stopped), ("1", Status::Open)])?;
        let settings: PackedSettings = reply.packed()?.unwrap_or_default();
        let tag = reply.text()?.unwrap_or_default();
        let mut count = || Ok::<_, RedisError>(reply.count()?.unwrap_or(0));
        let mut jobs = Vec::with_capacity(State::ALL.len());
        for state in [
            State::Ready,
            State::Scheduled,
            State::Active,
            State::Done,
            State::Dead,
            State::Cancelled,
        ] {
            jobs.push((state, count()?));
        }
        let oldest_ready = reply.count()?.map(Duration::from_millis);
        let mut count = || Ok::<_, RedisError>(reply.count()?.unwrap_or(0));
        Ok(Some(Description {
            effective: Effective {
                settings: settings.unpack(status),
                tag,
            },
            jobs,
            oldest_ready,
            totals: Totals {
                claimed: count()?,
                done: count()?,
                failed: count()?,
                lost_leases: count()?,
            },
            last_minute: LastMinute {
                inserted: count()?,
                claimed: count()?,
                done: count()?,
                failed: count()?,
            },
            workers: count()?,
        }))
    }
}
