//! The queue over Redis: one operation, one script, one round trip.
//!
//! Every operation is a type with its arguments and a typed outcome, beside the Lua script that does the work.
//! Nobody else knows a script's wire form, and nobody but `keys` builds a key. All keys of a queue share one
//! hash tag and are declared to Redis, so the store also runs on a cluster. Time is the Redis server's.

mod counts;
mod delete;
mod fetch;
mod insert;
mod insert_batch;
mod keys;
mod list;
mod listing;
mod peek;
mod redis;
mod reply;
mod script;
mod status;
mod workers;

pub use counts::Counts;
pub use fetch::{Fetch, Fetched};
pub use insert::{Failed, Insert, Inserted};
pub use insert_batch::InsertBatch;
pub use list::Listed;
pub use peek::Peeked;
pub use redis::{Redis, RedisError, Reply};
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
