//! The rules that can be told in numbers, from `docs/jobs.md`. All times are milliseconds.

use presque::queue::{Backoff, JobId, Settings, Status};
use sha1_smol::Sha1;
use std::time::Duration;

/// A rule that the model gets wrong on purpose, to see that the comparison finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    None,
    /// A job dies of one lost lease more.
    OneLeaseMore,
    /// A key that is held while its job waits is held until the job ends.
    KeyKeptWhenClaimed,
    /// Jobs that were scheduled come after those that were not.
    ScheduledLast,
    /// Jobs that failed together come back together.
    NoJitter,
    /// A job is forgotten a millisecond late.
    ForgottenLate,
    /// A receipt is good although its lease was lost.
    LostLeaseCanAck,
    /// One claim takes back all leases that have ended.
    AllLeasesAtOnce,
    /// A job that has expired keeps its unique key until a claim meets it.
    KeyKeptByExpired,
    /// A job that is given back counts as failed, also where it did not fail.
    ReleasedHasFailed,
}

pub const SECOND: i64 = 1000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// For how long a receipt is known that was finished.
pub const FINISHED_RECEIPT_KEPT: i64 = 10 * MINUTE;
/// How many jobs are moved at once: leases that have ended, jobs that are due, expired ones that are passed over, dead
/// ones that make room.
pub const SLICE: usize = 100;
/// How many errors of a job are kept.
pub const ERRORS: usize = 5;

/// What a queue goes by.
pub struct Rules {
    pub lease: i64,
    pub max_attempts: u64,
    pub max_lost_leases: u64,
    pub backoff: Backoff,
    pub retain: i64,
    pub dead_retain: i64,
    pub max_dead: usize,
    pub max_bytes: Option<u64>,
    pub at_least_once: bool,
}

impl Rules {
    pub fn of(settings: Option<&Settings>) -> Self {
        let said = settings.copied().unwrap_or_default();
        let or = |said: Option<Duration>, default| said.map_or(default, millis);
        Self {
            lease: or(said.lease, MINUTE),
            max_attempts: said.max_attempts.map_or(25, u64::from),
            max_lost_leases: said.max_lost_leases.map_or(10, u64::from),
            backoff: said.backoff.unwrap_or(Backoff::Exponential {
                delay: duration(SECOND),
                max: duration(HOUR),
            }),
            retain: or(said.retain, 0),
            dead_retain: or(said.dead_retain, 14 * DAY),
            max_dead: said.max_dead.map_or(10_000, |max_dead| max_dead as usize),
            max_bytes: said.max_bytes,
            at_least_once: said.is_legacy_leased,
        }
    }

    /// As they are told, with the defaults.
    pub fn effective(&self, status: Status) -> Settings {
        let number = |number: u64| Some(u32::try_from(number).unwrap());
        Settings {
            lease: Some(duration(self.lease)),
            max_attempts: number(self.max_attempts),
            max_lost_leases: number(self.max_lost_leases),
            backoff: Some(rounded(self.backoff)),
            retain: Some(duration(self.retain)),
            dead_retain: Some(duration(self.dead_retain)),
            max_dead: number(self.max_dead as u64),
            max_bytes: self.max_bytes,
            is_legacy_leased: self.at_least_once,
            partitions: 1,
            status,
        }
    }
}

/// Whole milliseconds; a fraction is rounded up, so that nothing happens too early.
pub fn millis(duration: Duration) -> i64 {
    let whole = i64::try_from(duration.as_millis()).unwrap();
    let is_whole = duration.subsec_nanos().is_multiple_of(1_000_000);
    if is_whole { whole } else { whole + 1 }
}

pub fn duration(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap())
}

/// A backoff in whole milliseconds.
pub fn rounded(backoff: Backoff) -> Backoff {
    let whole = |time| duration(millis(time));
    match backoff {
        Backoff::Fixed { delay } => Backoff::Fixed { delay: whole(delay) },
        Backoff::Exponential { delay, max } => Backoff::Exponential {
            delay: whole(delay),
            max: whole(max),
        },
    }
}

/// How long after its nth failure a job's next attempt is.
pub fn retry_delay(id: JobId, n: u64, backoff: Backoff, mistake: Mistake) -> i64 {
    let (delay, max) = match backoff {
        Backoff::Fixed { delay } => return millis(delay),
        Backoff::Exponential { delay, max } => (millis(delay), millis(max)),
    };
    let mut whole = delay.min(max);
    for _ in 1..n.min(60) {
        whole = whole.saturating_mul(2).min(max);
    }
    if mistake == Mistake::NoJitter {
        return whole;
    }
    // The part is the first 32 bits of a digest, as a number from 0 to 1, halved.
    let digest = Sha1::from([id.as_bytes(), format!(":{n}").as_bytes()].concat())
        .digest()
        .to_string();
    let part = u32::from_str_radix(&digest[..8], 16).unwrap();
    let kept = 1.0 - f64::from(part) / f64::from(u32::MAX) / 2.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    let less = (whole as f64 * kept).floor() as i64;
    less
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_and_lose_at_most_a_half() {
        let backoff = Backoff::Exponential {
            delay: duration(SECOND),
            max: duration(HOUR),
        };
        let id = JobId::from_bytes(b"twelve bytes").unwrap();
        for (n, whole) in [
            (1, SECOND),
            (2, 2 * SECOND),
            (3, 4 * SECOND),
            (12, 2048 * SECOND),
            (13, HOUR),
            (99, HOUR),
        ] {
            assert_eq!(retry_delay(id, n, backoff, Mistake::NoJitter), whole);
            let delay = retry_delay(id, n, backoff, Mistake::None);
            assert!((whole / 2..=whole).contains(&delay), "{n}: {delay}");
        }
    }
}
