//! What can be done with jobs: inserted, claimed, fetched, finished, searched, shown, removed.

mod act;
mod claim;
mod dead;
mod fetch;
mod filter;
mod insert;
mod insert_batch;
mod insert_parts;
mod job;
mod look_up;
mod next;
mod numbers;
mod receipts;
mod remove;
mod search;
mod show;

pub use act::{Act, ActOn, ActPlace, Acted, Action};
pub use claim::{Claim, Claimed};
pub use dead::{DeadGroup, DeadGroups, DeadJobs, Purged, Redriven};
pub use fetch::{Fetch, Fetched};
pub use filter::Filter;
pub use insert::{FailureReport, Idempotency, Insert, Inserted, InsertedJob, NewJob};
pub use insert_batch::{InsertBatch, InsertedBatch};
pub use job::{DeathReason, Job, JobError};
pub use next::{NextJob, Peeked};
pub use numbers::Newest;
pub use receipts::{Ack, Acked, Extend, Extended, MAX_RECEIPTS, Nack, NackKind, Nacked};
pub use remove::Removed;
pub use search::{Cursor, JobPage, ListJobs, Search, SearchPage, SearchPlace};

/// No more jobs are handed out in one reply once they have so many bytes together. The platform refuses replies over
/// 128 MiB, and what it refused would be lost.
pub(super) const MAX_BYTES: usize = 4 * 1024 * 1024;

/// At how many jobs one call looks that acts on those that match, searches or groups them: Redis does nothing else meanwhile.
pub const MAX_SLICE: usize = 1000;

/// What an operation ends with that was told of another layout of its queue's partitions again and again.
pub(super) fn never_settled() -> crate::store::RedisError {
    let why = "the partitions of the queue do not agree on their number: its settings must be set again";
    crate::store::RedisError::Unreachable(why.into())
}
