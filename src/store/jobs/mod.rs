//! What can be done with jobs: inserted, handed out, finished, shown, removed.

mod claim;
mod dead;
mod fetch;
mod finish;
mod insert;
mod insert_batch;
mod job;
mod next;
mod numbers;
mod show;

pub use claim::{Claim, Claimed};
pub use dead::{Dead, Purged, Redriven};
pub use fetch::{Fetch, Fetched};
pub use finish::{Ack, Acked, Extend, Extended, MAX_RECEIPTS, Nack, Nacked};
pub use insert::{Failed, Idempotency, Insert, Inserted, InsertedJob, NewJob};
pub use insert_batch::{InsertBatch, InsertedBatch};
pub use job::{DeathReason, Job, JobError};
pub use next::{NextJob, Peeked};
pub use numbers::Newest;
pub use show::{Cursor, Jobs, Page, Removed};

/// No more jobs are handed out in one reply once they have so many bytes together. The platform refuses replies over
/// 128 MiB, and what it refused would be lost.
pub(super) const MAX_BYTES: usize = 4 * 1024 * 1024;

/// How often a request runs its script again at once when that met only expired jobs: it skips 10,000 of them.
const MAX_ROUNDS: usize = 100;
