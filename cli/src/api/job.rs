//! Jobs, as the interface shows them.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;

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
    /// The same, if strict JSON readers reject it.
    pub(crate) metadata_text: Option<String>,
    /// The trace that it belongs to.
    pub(crate) traceparent: Option<String>,
}

impl ClaimedJob {
    /// How long the lease was when it began: at most a day, so the dates need not be looked at.
    pub(crate) fn lease(&self) -> Duration {
        const DAY: u64 = 86_400_000;
        let times = millis_of_day(&self.claimed_at).zip(millis_of_day(&self.lease_ends_at));
        // Were it not known, a short one would do: it is extended the more often.
        let millis = times.map_or(1000, |(start, end)| (DAY + end - start) % DAY);
        Duration::from_millis(if millis == 0 { DAY } else { millis })
    }

    /// The payload's bytes.
    pub(crate) fn payload(&self) -> &[u8] {
        match (&self.payload, &self.payload_text) {
            (Some(json), _) => json.get().as_bytes(),
            (None, Some(text)) => text.as_bytes(),
            (None, None) => b"null",
        }
    }
}

/// The milliseconds since midnight in a time such as `2026-11-21T04:20:20.123Z`.
fn millis_of_day(time: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| time.get(range)?.parse::<u64>().ok();
    let (hours, minutes, seconds, millis) = (number(11..13)?, number(14..16)?, number(17..19)?, number(20..23)?);
    Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_lasts_from_its_claim_to_its_end_also_over_midnight_and_for_a_day() {
        for (claimed_at, ends_at, millis) in [
            ("2026-11-21T04:20:20.123Z", "2026-11-21T04:21:20.125Z", 60_002),
            ("2026-12-31T23:59:59.900Z", "2027-01-01T00:00:00.000Z", 100),
            ("2026-11-21T04:20:20.123Z", "2026-11-22T04:20:20.123Z", 86_400_000),
        ] {
            let job = format!(
                r#"{{"id":"a","queue":"q","receipt":"a-1","attempt":1,"priority":4,"payload":1,
                     "inserted_at":"","claimed_at":"{claimed_at}","lease_ends_at":"{ends_at}"}}"#
            );
            let job: ClaimedJob = serde_json::from_str(&job).unwrap();
            assert_eq!(job.lease(), Duration::from_millis(millis), "{ends_at}");
        }
    }
}
