//! Jobs, as the interface shows them.

use serde::Deserialize;
use serde_json::value::RawValue;

/// The answer of a claim.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Jobs {
    /// The jobs.
    #[serde(default)]
    pub(crate) jobs: Vec<ClaimedJob>,
}

/// A job under a lease. Without `flatten`, which raw JSON does not go through.
#[derive(Debug, Deserialize)]
pub(crate) struct ClaimedJob {
    /// Its name within the queue.
    pub(crate) id: String,
    /// The queue.
    pub(crate) queue: String,
    /// Names this attempt: for ack, nack and extend.
    pub(crate) receipt: String,
    /// The how manieth attempt this is, from 1 on.
    pub(crate) attempt: u64,
    /// The payload's bytes, if they are JSON.
    pub(crate) payload: Option<Box<RawValue>>,
    /// The payload's text, if it is not JSON.
    pub(crate) payload_text: Option<String>,
    /// How many attempts failed before.
    #[serde(default)]
    pub(crate) failures: u64,
    /// How many leases ended without a word.
    #[serde(default)]
    pub(crate) lost_leases: u64,
    /// 9 goes first, 0 last.
    pub(crate) priority: u64,
    /// When it was inserted, when this attempt began, and when its lease ends: by the server's clock, as in `2026-11-21T04:20:20.123Z`.
    pub(crate) inserted_at: String,
    /// See above.
    pub(crate) claimed_at: String,
    /// See above.
    pub(crate) lease_ends_at: String,
    /// What its producer added.
    pub(crate) metadata: Option<Box<RawValue>>,
    /// The trace that it belongs to.
    pub(crate) traceparent: Option<String>,
}

impl ClaimedJob {
    /// The payload's bytes.
    pub(crate) fn payload(&self) -> &[u8] {
        match (&self.payload, &self.payload_text) {
            (Some(json), _) => json.get().as_bytes(),
            (None, Some(text)) => text.as_bytes(),
            (None, None) => b"null",
        }
    }
}
