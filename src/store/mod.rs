//! The queue over Redis: one operation, one script, one round trip.
//!
//! Every operation is a type with its arguments and a typed outcome, beside the Lua script that does the work.
//! Nobody else knows a script's wire form, and nobody but `keys` builds a key. All keys of a queue share one
//! hash tag and are declared to Redis, so the store also runs on a cluster. Time is the Redis server's.

mod claim;
mod counts;
mod dead;
mod delete;
mod fetch;
mod finish;
mod give_back;
mod health;
mod insert;
mod insert_batch;
mod job;
mod keys;
mod list;
mod listing;
mod look;
mod numbers;
mod packed;
mod peek;
mod policy;
mod readers;
mod redis;
mod reply;
mod script;
mod seen;
mod settings;
mod status;
mod take;
mod wait;
mod workers;

pub use claim::{Claim, Claimed};
pub use counts::Counts;
pub use dead::{Dead, Purged, Redriven};
pub use delete::Delete;
pub use fetch::{Fetch, Fetched};
pub use finish::{Ack, Acked, Extend, Extended, MOST_RECEIPTS, Nack, Nacked};
pub use health::Health;
pub use insert::{Failed, Idempotency, Insert, Inserted, InsertedJob, NewJob};
pub use insert_batch::{InsertBatch, InsertedBatch};
pub use job::{DeathReason, Job, JobError};
pub use list::Listed;
pub use look::{Cursor, Jobs, Page, Removed};
pub use numbers::Newest;
pub use peek::Peeked;
pub use readers::{Entry, Letter, Mail, Reader, ReaderKind};
pub use redis::{Redis, RedisError, Reply};
pub use seen::SeenWorker;
pub use settings::{Condition, Configured, Description, Effective, LastMinute, Totals};
pub use take::Taken;
pub use workers::{QueueWorkers, Worker};

/// The store: the operations of a job queue on one Redis.
#[derive(Clone, Debug)]
pub struct Store<R> {
    redis: R,
}

impl<R: Redis> Store<R> {
    /// A store on this Redis. Nothing is sent until the first operation.
    pub fn new(redis: R) -> Self {
        Self { redis }
    }
}
