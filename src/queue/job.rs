//! What a job is known by, and the state it is in.

use super::Timestamp;
use std::fmt;
use std::time::Duration;

/// A job's id: 12 bytes, which clients see as 24 hexadecimal digits in lower case. Ids of one queue ascend in the order of
/// insertion.
///
/// 6 bytes are the job's number in its queue, 5½ the time of its insertion in milliseconds since 1970, and the last half is
/// its priority. The time makes an id one of its kind, even when Redis comes back from an older copy of its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId([u8; 12]);

impl JobId {
    /// Takes an id as it was sent; `None` when it cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |digit: &u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        let mut id = [0; 12];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != id.len() || !rest.is_empty() {
            return None;
        }
        for (byte, [high, low]) in id.iter_mut().zip(pairs) {
            *byte = digit(high)? << 4 | digit(low)?;
        }
        Some(Self(id))
    }

    /// Takes the bytes of an id; `None` when there are not as many as it has.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes of the id.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn halves(self) -> (u64, u64) {
        let [a, b, c, d, e, f, rest @ ..] = self.0;
        let [g, h, i, j, k, l] = rest;
        let number = |half: [u8; 6]| half.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        (number([a, b, c, d, e, f]), number([g, h, i, j, k, l]))
    }

    /// The job's running number in its queue, from 1. Where a queue has several partitions each has numbers of its own: they
    /// begin behind [`first_number`](Self::first_number).
    #[must_use]
    pub fn number(&self) -> u64 {
        self.halves().0
    }

    /// The partition of the queue that the job is in: the first 6 of the 48 bits of its number.
    #[must_use]
    pub fn partition(&self) -> u8 {
        Self::partition_of(self.number())
    }

    /// The partition that a job of this number is in.
    #[must_use]
    pub fn partition_of(number: u64) -> u8 {
        u8::try_from(number >> Self::PARTITION_SHIFT & 63).unwrap_or_default()
    }

    /// The number before the first one of a partition.
    #[must_use]
    pub fn first_number(partition: u8) -> u64 {
        u64::from(partition) << Self::PARTITION_SHIFT
    }

    /// How many bits of a number count the jobs of a partition.
    const PARTITION_SHIFT: u32 = 42;

    /// What no job has as its id: it stands before all jobs of a partition, for cursors.
    #[must_use]
    pub(crate) fn before_partition(partition: u8) -> Self {
        let [_, _, a, b, c, d, e, f] = Self::first_number(partition).to_be_bytes();
        Self([a, b, c, d, e, f, 0, 0, 0, 0, 0, 0])
    }

    /// Whether it is [`before_partition`](Self::before_partition) of some partition.
    pub(crate) fn is_before_partition(&self) -> bool {
        *self == Self::before_partition(self.partition())
    }

    /// When the job was inserted.
    #[must_use]
    pub fn inserted(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.halves().1 >> 4).unwrap_or_default())
    }

    /// The job's priority.
    #[must_use]
    pub fn priority(&self) -> Priority {
        let digit = u8::try_from(self.halves().1 & 15).ok();
        digit.and_then(Priority::new).unwrap_or_default()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, rest) = self.halves();
        write!(f, "{number:012x}{rest:012x}")
    }
}

/// What a claim gives with each job, and what finishes it: the job's id and the number of the claim, which clients see with a
/// hyphen between them. It is good until the job is finished or cancelled, or its lease was found to have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Receipt {
    id: JobId,
    claim: u64,
}

impl Receipt {
    /// The receipt of a job's nth claim.
    #[must_use]
    pub fn new(id: JobId, claim: u64) -> Self {
        Self { id, claim }
    }

    /// Takes a receipt as it was sent; `None` when it cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, claim) = text.split_once('-')?;
        let id = JobId::parse(id)?;
        let is_number = (1..=10).contains(&claim.len()) && claim.bytes().all(|byte| byte.is_ascii_digit());
        let claim = claim.parse().ok().filter(|_| is_number && !claim.starts_with('0'))?;
        Some(Self { id, claim })
    }

    /// The job.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.id
    }

    /// The number of the claim, from 1.
    #[must_use]
    pub fn claim(&self) -> u64 {
        self.claim
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.id, self.claim)
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
        assert_eq!(JobId::parse("00000000002a019a3f0c2b7e9"), None, "25 digits are no id");
        let text = "00000000002a19a3f0c2b7e9";
        let id = JobId::parse(text).unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(JobId::from_bytes(id.as_bytes()), Some(id));
        assert_eq!(id.number(), 42);
        assert_eq!(id.inserted().as_millis(), 0x19a_3f0c_2b7e);
        assert_eq!(id.priority().get(), 9);
    }

    #[test]
    fn the_top_bits_of_a_number_tell_the_partition() {
        let id = JobId::parse("fc000000000119a3f0c2b7e9").unwrap();
        assert_eq!((id.partition(), id.number()), (63, JobId::first_number(63) + 1));
        assert_eq!(JobId::parse("03ffffffffff19a3f0c2b7e9").unwrap().partition(), 0);
        assert!(JobId::before_partition(5).is_before_partition() && !id.is_before_partition());
        assert_eq!(JobId::before_partition(5).partition(), 5);
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
        assert_eq!(receipt.to_string(), format!("{id}-12"));
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
