//! What can be set for a queue.

use super::{Backoff, Status};
use std::time::Duration;

/// A queue's settings. What is `None` has its default, which is said here and kept in one place, `lua/queue.lua`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a worker holds a job, unless the claim or the job says otherwise. 60 seconds.
    pub lease: Option<Duration>,
    /// After how many failures a job is dead, unless it says otherwise. 25.
    pub max_attempts: Option<u32>,
    /// After how many lost leases a job is dead. 10.
    pub max_lost_leases: Option<u32>,
    /// When a failed job is tried again, unless it says otherwise. Exponential, from 1 second to 1 hour.
    pub backoff: Option<Backoff>,
    /// How long done and cancelled jobs are kept. Not at all.
    pub retain: Option<Duration>,
    /// How long dead jobs are kept. 14 days.
    pub dead_retain: Option<Duration>,
    /// How many dead jobs are kept. 10,000.
    pub max_dead: Option<u32>,
    /// The largest payload, in bytes. `None`: only the server's limit applies.
    pub max_bytes: Option<u64>,
    /// Whether legacy workers get their jobs under a lease. They do not.
    pub is_legacy_leased: bool,
    /// Over how many partitions new jobs are spread, from 1 to [`Settings::MAX_PARTITIONS`]. 1.
    pub partitions: u8,
    /// Whether jobs are handed out. They are.
    pub status: Status,
}

impl Settings {
    /// How many partitions a queue can have.
    pub const MAX_PARTITIONS: u8 = 64;
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lease: None,
            max_attempts: None,
            max_lost_leases: None,
            backoff: None,
            retain: None,
            dead_retain: None,
            max_dead: None,
            max_bytes: None,
            is_legacy_leased: false,
            partitions: 1,
            status: Status::Open,
        }
    }
}
