//! How much a client may ask for.

use std::time::Duration;

/// The limits that whoever deploys presque may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest job body that is accepted, in bytes. 4 MiB unless set.
    pub max_job_bytes: usize,
    /// After how long a claim that waits is answered, and a stream ends. `None`: a claim waits for as long as it asks to, and a stream
    /// goes on for as long as it is read.
    pub max_wait: Option<Duration>,
}

impl Limits {
    /// The most that [`max_job_bytes`](Self::max_job_bytes) can be: 64 MiB. The platform carries up to 128 MiB at a time.
    pub const MAX_JOB_BYTES: usize = 64 * 1024 * 1024;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_job_bytes: 4 * 1024 * 1024,
            max_wait: None,
        }
    }
}
