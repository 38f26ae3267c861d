//! What is set for a queue, and all that is known of it.

use crate::queue::{JobId, Policy, QueueName, Settings, State, Status};
use crate::store::redis::{PackedSettings, Redis, RedisError, Store, pack, scripts};
use std::time::Duration;

/// The states, in the order in which scripts count their jobs.
pub(super) const STATES: [State; 6] = [
    State::Ready,
    State::Scheduled,
    State::Active,
    State::Done,
    State::Dead,
    State::Cancelled,
];

/// What must be true of a queue's settings for them to be changed or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'a> {
    /// Nothing.
    Always,
    /// The queue exists.
    Exists,
    /// The queue does not exist.
    Absent,
    /// The settings are those with this tag.
    Tag(&'a str),
}

impl Condition<'_> {
    /// The condition as the scripts take it.
    pub(in crate::store) fn as_arg(&self) -> &str {
        match self {
            Self::Always => "",
            Self::Exists => "*",
            Self::Absent => "none",
            Self::Tag(tag) => tag,
        }
    }
}

/// What became of new settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Configured {
    /// They hold, and the queue is new.
    Created(EffectiveSettings),
    /// They hold.
    Changed(EffectiveSettings),
    /// The condition was not met. Nothing was changed.
    Mismatch,
}

/// A queue's settings as they work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveSettings {
    /// The settings, with their defaults.
    pub settings: Settings,
    /// Tells two settings apart: 16 hexadecimal digits.
    pub tag: String,
}

/// All that is known of a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// Its settings.
    pub effective: EffectiveSettings,
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
    /// New jobs: the number of the last one, which a deletion of the queue does not set back within a day.
    pub inserted: u64,
    /// Claims and fetches.
    pub claimed: u64,
    /// Acknowledged jobs.
    pub done: u64,
    /// Failures.
    pub failed: u64,
    /// Lost leases.
    pub lost_leases: u64,
    /// Jobs that became dead.
    pub dead: u64,
    /// Jobs that were given back without a failure.
    pub released: u64,
    /// Jobs that were dropped because their records were gone: Redis evicted them, or somebody removed them.
    pub orphans: u64,
}

/// Counts of the last full minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastMinute {
    /// New jobs.
    pub inserted: u64,
    /// Claims and fetches.
    pub claimed: u64,
    /// Acknowledged jobs.
    pub done: u64,
    /// Failures.
    pub failed: u64,
}

impl Description {
    /// Adds what another partition has. All workers are known in partition 0.
    fn add(&mut self, part: &Self) {
        for ((_, count), (_, more)) in self.jobs.iter_mut().zip(&part.jobs) {
            *count += more;
        }
        self.oldest_ready = self.oldest_ready.max(part.oldest_ready);
        self.totals.add(&part.totals);
        self.last_minute.add(&part.last_minute);
    }
}

impl Totals {
    pub(super) fn add(&mut self, part: &Self) {
        self.inserted += part.inserted;
        self.claimed += part.claimed;
        self.done += part.done;
        self.failed += part.failed;
        self.lost_leases += part.lost_leases;
        self.dead += part.dead;
        self.released += part.released;
        self.orphans += part.orphans;
    }
}

impl LastMinute {
    pub(super) fn add(&mut self, part: &Self) {
        self.inserted += part.inserted;
        self.claimed += part.claimed;
        self.done += part.done;
        self.failed += part.failed;
    }
}

impl<R: Redis> Store<R> {
    /// Sets all settings of a queue, which need not exist. One command; two more for a queue that is not in the catalog. Where it has
    /// several partitions, or had, one for each, and some more.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating it without condition does no harm.
    pub async fn configure(
        &self,
        queue: &QueueName,
        settings: &Settings,
        condition: Condition<'_>,
    ) -> Result<Configured, RedisError> {
        let packed = pack(&PackedSettings::from(settings))?;
        let status: &[u8] = if settings.status == Status::Open { b"1" } else { b"0" };
        let partitions = settings.partitions.to_string();
        let args = [
            &packed[..],
            status,
            condition.as_arg().as_bytes(),
            partitions.as_bytes(),
        ];
        let mut reply = self.run_in(&scripts::CONFIGURE, queue, 0, &args).await?;
        let outcome = reply.one_of(&[("created", Some(true)), ("changed", Some(false)), ("mismatch", None)])?;
        self.enter_in_catalog(queue, 0, reply.integer()?).await;
        let Some(is_new) = outcome else {
            return Ok(Configured::Mismatch);
        };
        self.spread(queue).await.map_err(RedisError::after_a_change)?;
        // What it forgets does no harm: the next change looks again.
        let _ = self.settle(queue).await;
        let tag = reply.text()?.unwrap_or_default();
        let packed: PackedSettings = reply.packed()?.unwrap_or_default();
        let settings = packed.unpack(settings.status);
        let effective = EffectiveSettings { settings, tag };
        Ok(if is_new {
            Configured::Created(effective)
        } else {
            Configured::Changed(effective)
        })
    }

    /// All that is known of a queue, `None` for one that does not exist. One command for each partition that it ever had.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn describe(&self, queue: &QueueName) -> Result<Option<Description>, RedisError> {
        let Some(mut all) = self.describe_in(queue, 0).await? else {
            return Ok(None);
        };
        for partition in 1..self.layout(queue).extent {
            if let Some(part) = self.describe_in(queue, partition).await? {
                all.add(&part);
            }
        }
        Ok(Some(all))
    }

    async fn describe_in(&self, queue: &QueueName, partition: u8) -> Result<Option<Description>, RedisError> {
        let mut reply = self.run_in(&scripts::DESCRIBE, queue, partition, &[]).await?;
        if reply.is_empty() {
            return Ok(None);
        }
        let status = reply.one_of(&[("0", Status::Stopped), ("1", Status::Open)])?;
        let settings: PackedSettings = reply.packed()?.unwrap_or_default();
        let tag = reply.text()?.unwrap_or_default();
        let mut jobs = Vec::with_capacity(State::ALL.len());
        for state in STATES {
            jobs.push((state, reply.count()?));
        }
        let oldest_ready = reply.optional_count()?.map(Duration::from_millis);
        let mut count = || reply.count();
        Ok(Some(Description {
            effective: EffectiveSettings {
                settings: settings.unpack(status),
                tag,
            },
            jobs,
            oldest_ready,
            totals: Totals {
                inserted: count()?.saturating_sub(JobId::first_number(partition)),
                claimed: count()?,
                done: count()?,
                failed: count()?,
                lost_leases: count()?,
                dead: count()?,
                released: count()?,
                orphans: count()?,
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

    /// Opens or stops a queue, which need not exist. One command; where it has several partitions, one for each, and one more.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn set_status(&self, queue: &QueueName, status: Status) -> Result<(), RedisError> {
        let value: &[u8] = match status {
            Status::Open => b"1",
            Status::Stopped => b"0",
        };
        self.run_in(&scripts::SET_STATUS, queue, 0, &[value]).await?;
        self.spread(queue).await.map_err(RedisError::after_a_change)
    }

    /// Sets how a queue's subscribers share its jobs. The queue need not exist, and it keeps the policy until all of it is
    /// deleted. [`counts`](Store::counts) shows it. One command; where it has several partitions, one for each, and one more.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn set_policy(&self, queue: &QueueName, policy: Policy) -> Result<(), RedisError> {
        let args = [policy.name().as_bytes()];
        self.run_in(&scripts::SET_POLICY, queue, 0, &args).await?;
        self.spread(queue).await.map_err(RedisError::after_a_change)
    }
}
