//! What scripts keep packed (MessagePack) in one string: members by name, so that either side may add some.
//!
//! `lua/job.lua`, `lua/execution.lua` and `lua/queue.lua` say what they mean. Durations and times are whole milliseconds.

use super::RedisError;
use crate::queue::{Backoff, Hold, Settings, Status};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::time::Duration;

/// What never changes of a job beside its payload.
#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::store) struct Options {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_delay: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_max: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique_scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique_for: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_text: Option<bool>,
}

/// What changes of a job.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::store) struct Execution {
    pub claims: u64,
    pub failures: u64,
    pub lost_leases: u64,
    pub worker: Option<ByteBuf>,
    pub claimed: Option<i64>,
    pub ended: Option<i64>,
    pub reason: Option<String>,
    pub progress: Option<String>,
    pub result: Option<String>,
    pub errors: Vec<ExecutionError>,
    pub released: Option<ExecutionRelease>,
}

#[derive(Deserialize)]
pub(in crate::store) struct ExecutionError {
    pub at: i64,
    pub claim: u64,
    pub text: String,
}

#[derive(Deserialize)]
pub(in crate::store) struct ExecutionRelease {
    pub times: u64,
    pub at: i64,
    pub claim: u64,
    pub text: String,
}

/// A queue's settings.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::store) struct PackedSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_lost_leases: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_delay: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_max: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retain: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_retain: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_dead: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_legacy_leased: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partitions: Option<u8>,
}

impl From<&Settings> for PackedSettings {
    fn from(settings: &Settings) -> Self {
        let (backoff, backoff_delay, backoff_max) = pack_backoff(settings.backoff);
        Self {
            lease: settings.lease.map(millis),
            max_attempts: settings.max_attempts,
            max_lost_leases: settings.max_lost_leases,
            backoff,
            backoff_delay,
            backoff_max,
            retain: settings.retain.map(millis),
            dead_retain: settings.dead_retain.map(millis),
            max_dead: settings.max_dead,
            max_bytes: settings.max_bytes,
            is_legacy_leased: settings.is_legacy_leased.then_some(true),
            partitions: (settings.partitions > 1).then_some(settings.partitions),
        }
    }
}

impl PackedSettings {
    pub(in crate::store) fn unpack(self, status: Status) -> Settings {
        Settings {
            lease: self.lease.map(Duration::from_millis),
            max_attempts: self.max_attempts,
            max_lost_leases: self.max_lost_leases,
            backoff: unpack_backoff(self.backoff.as_deref(), self.backoff_delay, self.backoff_max),
            retain: self.retain.map(Duration::from_millis),
            dead_retain: self.dead_retain.map(Duration::from_millis),
            max_dead: self.max_dead,
            max_bytes: self.max_bytes,
            is_legacy_leased: self.is_legacy_leased.unwrap_or(false),
            partitions: self.partitions.unwrap_or(1),
            status,
        }
    }
}

/// The bytes to keep; nothing where no member is set.
pub(in crate::store) fn pack_or_empty<T: Serialize + Default + PartialEq>(members: &T) -> Result<Vec<u8>, RedisError> {
    if *members == T::default() {
        return Ok(Vec::new());
    }
    pack(members)
}

/// The bytes to keep.
pub(in crate::store) fn pack<T: Serialize>(members: &T) -> Result<Vec<u8>, RedisError> {
    // Packing to memory has no way to fail; the type says it could.
    rmp_serde::to_vec_named(members).map_err(|error| RedisError::Unexpected(error.to_string()))
}

/// Some 140,000 years: half of the range in which a score distinguishes milliseconds, so that a time plus this is within it.
const MAX_MILLIS: u64 = 1 << 52;

/// Whole milliseconds; a fraction is rounded up, so that nothing happens too early.
pub(in crate::store) fn millis(duration: Duration) -> u64 {
    let millis = u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
    millis.min(MAX_MILLIS)
}

/// The kind, the delay and the longest delay.
pub(in crate::store) fn pack_backoff(backoff: Option<Backoff>) -> (Option<String>, Option<u64>, Option<u64>) {
    match backoff {
        None => (None, None, None),
        Some(Backoff::Fixed { delay }) => (Some("fixed".into()), Some(millis(delay)), None),
        Some(Backoff::Exponential { delay, max }) => {
            (Some("exponential".into()), Some(millis(delay)), Some(millis(max)))
        }
    }
}

pub(in crate::store) fn unpack_backoff(kind: Option<&str>, delay: Option<u64>, max: Option<u64>) -> Option<Backoff> {
    let delay = Duration::from_millis(delay?);
    match kind? {
        "fixed" => Some(Backoff::Fixed { delay }),
        _ => Some(Backoff::Exponential {
            delay,
            max: Duration::from_millis(max?),
        }),
    }
}

/// The scope of a unique key, and for how long it is held.
pub(in crate::store) fn pack_hold(hold: Hold) -> (Option<String>, Option<u64>) {
    match hold {
        Hold::UntilClaimed => (None, None),
        Hold::UntilEnded => (Some("unfinished".into()), None),
        Hold::For(time) => (Some("time".into()), Some(millis(time))),
    }
}

pub(in crate::store) fn unpack_hold(scope: Option<&str>, time: Option<u64>) -> Hold {
    match (scope, time) {
        (Some("time"), Some(time)) => Hold::For(Duration::from_millis(time)),
        (Some("unfinished"), _) => Hold::UntilEnded,
        _ => Hold::UntilClaimed,
    }
}

/// A unique key as text, since that is all that Redis' Lua can unpack: one that is no UTF-8, or begins with the mark of
/// such a key, is the mark and its bytes in hexadecimal.
pub(in crate::store) fn pack_unique_key(key: &[u8]) -> String {
    match std::str::from_utf8(key) {
        Ok(text) if !text.starts_with(MARK) => text.to_owned(),
        _ => format!("{MARK}{}", super::keys::hex(key)),
    }
}

pub(in crate::store) fn unpack_unique_key(text: &str) -> Vec<u8> {
    let Some(digits) = text.strip_prefix(MARK) else {
        return text.as_bytes().to_vec();
    };
    let byte = |pair: &[u8]| {
        std::str::from_utf8(pair)
            .ok()
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
    };
    digits.as_bytes().chunks(2).filter_map(byte).collect()
}

/// How the text of a key begins that is not its own text.
const MARK: char = '\u{1}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_unique_keys_never_have_one_text_and_each_comes_back() {
        let keys: [&[u8]; 7] = [b"k", b"\xff", b"ff", b"\x01ff", b"\x01", "\u{e9}".as_bytes(), b"\xe9"];
        let texts: std::collections::HashSet<_> = keys.iter().map(|key| pack_unique_key(key)).collect();
        assert_eq!(texts.len(), keys.len());
        for key in keys {
            assert_eq!(unpack_unique_key(&pack_unique_key(key)), key);
        }
    }

    #[test]
    fn a_fraction_of_a_millisecond_is_rounded_up() {
        assert_eq!(millis(Duration::from_micros(1500)), 2);
        assert_eq!(millis(Duration::ZERO), 0);
        assert_eq!(millis(Duration::MAX), MAX_MILLIS);
    }
}
