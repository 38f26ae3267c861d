//! Insert: jobs enter their queue. `insert_parts.rs` says how, where that has partitions.

use crate::queue::{Backoff, Due, JobId, Priority, QueueName, Unique};
use crate::store::redis::{Options, RedisError, millis, pack_backoff, pack_hold, pack_or_empty, pack_unique_key};
use std::time::Duration;

/// Jobs to insert, all of them or none.
#[derive(Clone, Copy, Debug)]
pub struct Insert<'a> {
    /// Where they go. A queue exists from its first job on.
    pub queue: &'a QueueName,
    /// The jobs, at most [`Insert::MAX_JOBS`].
    pub jobs: &'a [NewJob<'a>],
    /// The jobs come back because a worker failed at them, which is counted once.
    pub failed: Option<FailureReport<'a>>,
    /// Names this insert, so that it can be sent again without harm. Its answer is remembered for 24 hours.
    pub idempotency: Option<Idempotency<'a>>,
}

impl Insert<'_> {
    /// How many jobs one insert may have.
    pub const MAX_JOBS: usize = 1000;
}

/// A job to insert. All but the payload may be left at its default.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewJob<'a> {
    /// The job's bytes, kept exactly.
    pub payload: &'a [u8],
    /// How urgent it is.
    pub priority: Priority,
    /// When it is to be handed out at the earliest.
    pub due: Due,
    /// A key that no other job of this queue may hold.
    pub unique: Option<Unique<'a>>,
    /// After how many failures it is dead. `None`: what the queue says.
    pub max_attempts: Option<u32>,
    /// When it is tried again after a failure. `None`: what the queue says.
    pub backoff: Option<Backoff>,
    /// How long its lease is. `None`: what the queue says.
    pub lease: Option<Duration>,
    /// After which time from its insertion it is not handed out any more, and dead. At least a millisecond: its unique key is
    /// held by it for as long as others of the same insert are looked at.
    pub expires_in: Option<Duration>,
    /// What its producer notes: JSON.
    pub metadata: Option<&'a str>,
    /// The trace context it is inserted in.
    pub traceparent: Option<&'a str>,
    /// More of that.
    pub tracestate: Option<&'a str>,
    /// The payload is a JSON string that stands for a text which is no JSON itself.
    pub is_text: bool,
}

/// A failure to count.
#[derive(Clone, Copy, Debug)]
pub struct FailureReport<'a> {
    /// The worker that failed: counted for it too when it is registered on the queue. What it has under a lease as a legacy
    /// worker is acknowledged.
    pub worker: Option<&'a [u8]>,
}

/// The name of an insert.
#[derive(Clone, Copy, Debug)]
pub struct Idempotency<'a> {
    /// The key, one for each insert that a client means.
    pub key: &'a [u8],
    /// Tells two requests apart: a digest of the request. Not empty.
    pub fingerprint: &'a [u8],
}

/// What became of an [`Insert`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The jobs are stored, in this order; or they were by the insert before that had the same idempotency key.
    Jobs(Vec<InsertedJob>),
    /// Another request had the same idempotency key. Nothing was changed.
    OtherRequest,
    /// A payload is over the queue's `max_bytes`. Nothing was changed.
    TooLarge,
}

/// What became of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InsertedJob {
    /// It is stored, ready or scheduled.
    Stored(JobId),
    /// This job of the queue holds the unique key, so it was not.
    Duplicate(JobId),
}

/// A job's fields as the scripts take them: see `lua/insertion.lua`.
pub(super) fn pack_fields(job: &NewJob<'_>) -> Result<Vec<u8>, RedisError> {
    let priority = job.priority.get();
    let options = pack_options(job)?;
    if options.is_empty() && job.due == Due::Now {
        return Ok(vec![b'0' + priority]);
    }
    let due = match job.due {
        Due::Now => String::new(),
        Due::At(time) => time.as_millis().to_string(),
        Due::In(delay) => format!("+{}", millis(delay)),
    };
    let unique = job.unique.map(|unique| pack_unique_key(unique.key)).unwrap_or_default();
    let held_for = job.unique.and_then(|unique| pack_hold(unique.hold).1);
    let held_for = held_for.map(|time| time.to_string()).unwrap_or_default();
    let mut fields = vec![priority];
    for text in [due, unique, held_for] {
        fields.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
        fields.extend(text.as_bytes());
    }
    fields.extend(options);
    Ok(fields)
}

/// What of a job is kept packed. Empty for a job that has only a payload, a priority and a date.
fn pack_options(job: &NewJob<'_>) -> Result<Vec<u8>, RedisError> {
    let (backoff, backoff_delay, backoff_max) = pack_backoff(job.backoff);
    let (unique_scope, unique_for) = job.unique.map(|unique| pack_hold(unique.hold)).unwrap_or_default();
    pack_or_empty(&Options {
        max_attempts: job.max_attempts,
        backoff,
        backoff_delay,
        backoff_max,
        lease: job.lease.map(millis),
        expires: job.expires_in.map(millis),
        unique: job.unique.map(|unique| pack_unique_key(unique.key)),
        unique_scope,
        unique_for,
        metadata: job.metadata.map(str::to_owned),
        traceparent: job.traceparent.map(str::to_owned),
        tracestate: job.tracestate.map(str::to_owned),
        is_text: job.is_text.then_some(true),
    })
}
