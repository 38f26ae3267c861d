//! What can be set for a queue: read and written.

use super::backoff::{parse_backoff, render_backoff};
use super::members::Members;
use super::problem::Problem;
use super::request::LEASE;
use super::seconds::seconds;
use crate::queue::{QueueName, Settings, Status};
use crate::web::json::Object;
use std::ops::RangeInclusive;

/// For how many seconds ended jobs may be kept.
const RETAIN: RangeInclusive<f64> = 0.0..=31_536_000.0;
const DEAD_RETAIN: RangeInclusive<f64> = 60.0..=31_536_000.0;

/// How many dead jobs may be kept.
const MAX_DEAD: RangeInclusive<u32> = 0..=100_000;

/// How large the largest payload may be set.
const MAX_BYTES: RangeInclusive<u32> = 1..=67_108_864;

/// How legacy workers get jobs: whether under a lease.
const LEGACY_DELIVERY_MODES: [(&str, bool); 2] = [("at-most-once", false), ("at-least-once", true)];

/// The settings that a whole request is. What is not there has its default.
pub(super) fn parse_settings(members: &mut Members<'_>) -> Result<Settings, Problem> {
    let settings = Settings {
        lease: members.seconds("lease", LEASE)?,
        max_attempts: members.whole("max_attempts", 1..=1000)?,
        max_lost_leases: members.whole("max_lost_leases", 1..=1000)?,
        backoff: parse_backoff(members)?,
        retain: members.seconds("retain", RETAIN)?,
        dead_retain: members.seconds("dead_retain", DEAD_RETAIN)?,
        max_dead: members.whole("max_dead", MAX_DEAD)?,
        max_bytes: parse_max_bytes(members)?,
        partitions: members
            .whole("partitions", 1..=u32::from(Settings::MAX_PARTITIONS))?
            .and_then(|number| u8::try_from(number).ok())
            .unwrap_or(1),
        is_legacy_leased: members
            .word("legacy_delivery", &LEGACY_DELIVERY_MODES)?
            .unwrap_or(false),
        status: match members.flag("paused")? {
            Some(true) => Status::Stopped,
            _ => Status::Open,
        },
    };
    members.reject_unknown()?;
    Ok(settings)
}

/// Null is none, as an answer has it: what GET gives can be PUT.
fn parse_max_bytes(members: &mut Members<'_>) -> Result<Option<u64>, Problem> {
    if members.skip_null("max_bytes") {
        return Ok(None);
    }
    Ok(members.whole("max_bytes", MAX_BYTES)?.map(u64::from))
}

/// Writes which queue this is, and its settings as they work.
pub(super) fn render_settings(o: &mut Object<'_>, queue: &QueueName, settings: &Settings) {
    o.text("queue", queue.as_str());
    o.object("settings", |o| render_members(o, settings));
}

fn render_members(o: &mut Object<'_>, settings: &Settings) {
    if let Some(lease) = settings.lease {
        o.plain("lease", seconds(lease));
    }
    for (name, number) in [
        ("max_attempts", settings.max_attempts),
        ("max_lost_leases", settings.max_lost_leases),
    ] {
        if let Some(number) = number {
            o.plain(name, number);
        }
    }
    if let Some(backoff) = settings.backoff {
        render_backoff(o, backoff);
    }
    for (name, time) in [("retain", settings.retain), ("dead_retain", settings.dead_retain)] {
        if let Some(time) = time {
            o.plain(name, seconds(time));
        }
    }
    if let Some(number) = settings.max_dead {
        o.plain("max_dead", number);
    }
    match settings.max_bytes {
        Some(bytes) => o.plain("max_bytes", bytes),
        None => o.plain("max_bytes", "null"),
    };
    let delivery = LEGACY_DELIVERY_MODES
        .iter()
        .find(|(_, leased)| *leased == settings.is_legacy_leased);
    if let Some((name, _)) = delivery {
        o.text("legacy_delivery", name);
    }
    o.plain("partitions", settings.partitions);
    o.plain("paused", settings.status == Status::Stopped);
}
