//! A point in time.

use std::time::Duration;

/// A point in time in whole milliseconds since 1970, as the Redis server counts them.
///
/// Kept within ±2^53, where Redis (whose scores are doubles) still distinguishes milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    const MAX_MILLIS_F64: f64 = 9_007_199_254_740_992.0;
    const MAX_MILLIS: i64 = 1 << 53;

    /// From seconds since 1970. A fraction of a millisecond is rounded up, so that nothing is due too early; a time
    /// beyond the range becomes the end of the range.
    ///
    /// `None` when the number is not finite.
    #[must_use]
    pub fn from_epoch_seconds(seconds: f64) -> Option<Self> {
        if !seconds.is_finite() {
            return None;
        }
        let millis = (seconds * 1000.0)
            .ceil()
            .clamp(-Self::MAX_MILLIS_F64, Self::MAX_MILLIS_F64);
        // The clamp keeps the value inside i64, and `ceil` made it whole.
        #[allow(clippy::cast_possible_truncation)]
        Some(Self(millis as i64))
    }

    /// From milliseconds since 1970; a time beyond the range becomes the end of the range.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(-Self::MAX_MILLIS, Self::MAX_MILLIS))
    }

    /// So much later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self::from_millis(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How much later this is than another time; nothing when it is earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(seconds: f64) -> Option<i64> {
        Timestamp::from_epoch_seconds(seconds).map(Timestamp::as_millis)
    }

    #[test]
    fn a_fraction_of_a_millisecond_is_rounded_up_so_that_nothing_is_due_too_early() {
        assert_eq!(millis(1.5), Some(1500));
        assert_eq!(millis(1.000_000_1), Some(1001));
        assert_eq!(millis(-1.000_9), Some(-1000));
    }

    #[test]
    fn times_beyond_the_range_become_its_ends() {
        assert_eq!(millis(1e300), Some(1 << 53));
        assert_eq!(millis(f64::MAX), Some(1 << 53));
        assert_eq!(millis(f64::MIN), Some(-(1 << 53)));
    }

    #[test]
    fn a_number_that_is_not_finite_is_no_time() {
        for seconds in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(millis(seconds), None);
        }
    }
}
