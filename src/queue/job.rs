//! What a job is known by, and the state it is in.

use super::Timestamp;
use std::fmt;
use std::time::Duration;

/// A job's id: 24 hexadecimal digits in lower case. Ids of one queue ascend in the order of insertion.
///
/// 12 digits are the job's number in its queue, 11 the time of its insertion in milliseconds since 1970, and the last is
/// its priority. The time makes an id one of its kind, even when Redis comes back from an older copy of its data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(String);

impl JobId {
    /// How many digits an id has.
    pub const DIGITS: usize = 24;

    /// Takes an id as it was sent; `None` when it cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == Self::DIGITS && text.bytes().all(digit)).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The job's running number in its queue, from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        u64::from_str_radix(self.0.get(..12).unwrap_or_default(), 16).unwrap_or_default()
    }

    /// When the job was inserted.
    #[must_use]
    pub fn inserted(&self) -> Timestamp {
        let digits = self.0.get(12..23).unwrap_or_default();
        Timestamp::from_millis(i64::from_str_radix(digits, 16).unwrap_or_default())
    }

    /// The job's priority.
    #[must_use]
    pub fn priority(&self) -> Priority {
        let digit = self.0.chars().last().and_then(|last| last.to_digit(16));
        digit
            .and_then(|digit| u8::try_from(digit).ok())
            .and_then(Priority::new)
            .unwrap_or_default()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a claim gives with each job, and what finishes it: the job's id and the number of the claim. It is good until the
/// job is finished or cancelled, or its lease was found to have ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Receipt(String);

impl Receipt {
    /// The receipt of a job's nth claim.
    #[must_use]
    pub fn new(id: &JobId, claim: u64) -> Self {
        Self(format!("{id}-{claim}"))
    }

    /// Takes a receipt as it was sent; `None` when it cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, claim) = text.split_once('-')?;
        JobId::parse(id)?;
        let is_number = (1..=10).contains(&claim.len()) && claim.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && !claim.starts_with('0')).then(|| Self(text.to_owned()))
    }

    /// The receipt as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How urgent a job is: 9 goes first, 0 last, and 4 when nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Priority(u8);

impl Priority {
    /// A priority from 0 to 9, `None` for another number.
    #[must_use]
    pub fn new(number: u8) -> Option<Self> {
        (number <= 9).then_some(Self(number))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self(4)
    }
}

/// The state of a job. It is in one at a time: `docs/jobs.md` has the diagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not to be handed out before its time.
    Scheduled,
    /// The next claim can have it.
    Ready,
    /// A worker holds a lease on it.
    Active,
    /// Acknowledged.
    Done,
    /// Failed too often, expired or rejected.
    Dead,
    /// Cancelled.
    Cancelled,
}

impl State {
    /// All states.
    pub const ALL: [Self; 6] = [
        Self::Scheduled,
        Self::Ready,
        Self::Active,
        Self::Done,
        Self::Dead,
        Self::Cancelled,
    ];

    /// The state's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Ready => "ready",
            Self::Active => "active",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// When a job is to be handed out at the earliest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Due {
    /// At once.
    #[default]
    Now,
    /// At a time; a past one is at once.
    At(Timestamp),
    /// So long after its insertion.
    In(Duration),
}

/// A key that only one job of a queue can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unique<'a> {
    /// The key: any bytes but none.
    pub key: &'a [u8],
    /// How long it is held.
    pub hold: Hold,
}

/// How long a job holds its unique key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Until it is first claimed.
    UntilClaimed,
    /// Until it is done, dead or cancelled.
    UntilEnded,
    /// For so long after its insertion, unless it is cancelled.
    For(Duration),
}

/// When a job is tried again after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backoff {
    /// After the same delay each time.
    Fixed {
        /// The delay.
        delay: Duration,
    },
    /// After twice the delay each time, less a part of up to a half.
    Exponential {
        /// The delay after the first failure.
        delay: Duration,
        /// The longest delay.
        max: Duration,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_its_number_the_time_of_insertion_and_the_priority() {
        let id = JobId::parse("00000000002a019a3f0c2b7e9").unwrap_or_else(|| JobId("x".into()));
        assert_eq!(id.as_str(), "x", "25 digits are no id");
        let id = JobId::parse("00000000002a19a3f0c2b7e9").unwrap();
        assert_eq!(id.number(), 42);
        assert_eq!(id.inserted().as_millis(), 0x19a_3f0c_2b7e);
        assert_eq!(id.priority().get(), 9);
    }

    #[test]
    fn only_lower_case_hexadecimal_digits_are_an_id() {
        for text in [
            "",
            "00000000002A19a3f0c2b7e9",
            "00000000002g19a3f0c2b7e9",
            "0000000000219a3f0c2b7e9",
        ] {
            assert_eq!(JobId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_receipt_is_an_id_and_a_number_from_1() {
        let id = "00000000002a19a3f0c2b7e9";
        let receipt = Receipt::parse(&format!("{id}-12")).unwrap();
        assert_eq!(receipt.as_str(), format!("{id}-12"));
        for tail in ["", "-", "-0", "-01", "--1", "-1x", "-99999999999", "-+1"] {
            assert_eq!(Receipt::parse(&format!("{id}{tail}")), None, "{tail}");
        }
    }

    #[test]
    fn every_state_has_its_own_name() {
        for state in State::ALL {
            assert_eq!(State::named(state.name()), Some(state));
        }
    }
}
