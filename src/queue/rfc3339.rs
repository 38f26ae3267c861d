//! Points in time as RFC 3339 writes them.
//!
//! Written out here: what crates there are end at the year 9999, and a [`Timestamp`] does not.

use super::Timestamp;

const MILLIS_A_DAY: i64 = 86_400_000;

/// The first and the last millisecond of the years that RFC 3339 can write: 0000 and 9999.
const FIRST: i64 = -62_167_219_200_000;
const LAST: i64 = 253_402_300_799_999;

/// The time in UTC with milliseconds, as in `2026-11-21T04:20:20.123Z`. One before the year 0 or after 9999 is written as
/// the first or last millisecond of these.
#[must_use]
pub fn format(time: Timestamp) -> String {
    let millis = time.as_millis().clamp(FIRST, LAST);
    let (year, month, day) = date_of(millis.div_euclid(MILLIS_A_DAY));
    let rest = millis.rem_euclid(MILLIS_A_DAY);
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, millis) = (rest / 1000 % 60, rest % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// The time that an RFC 3339 text says, with any offset. A fraction of a millisecond is rounded up; a leap second is the
/// second after it. `None` when it is no such text, or no such day.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    let mut scanner = Scanner(text.as_bytes());
    let year = scanner.number(4)?;
    scanner.one_of(b"-")?;
    let month = scanner.number(2)?;
    scanner.one_of(b"-")?;
    let day = scanner.number(2)?;
    scanner.one_of(b"Tt ")?;
    let (hour, minute) = scanner.hour_and_minute()?;
    scanner.one_of(b":")?;
    let second = scanner.number(2)?;
    let fraction = scanner.fraction()?;
    let offset = scanner.offset()?;
    if !scanner.0.is_empty() || !(1..=12).contains(&month) || second > 60 {
        return None;
    }
    let days = days_until(year, month, day);
    if date_of(days) != (year, month, day) {
        return None;
    }
    let minutes = hour * 60 + minute - offset;
    Some(Timestamp::from_millis(
        days * MILLIS_A_DAY + minutes * 60_000 + second * 1000 + fraction,
    ))
}

struct Scanner<'a>(&'a [u8]);

impl Scanner<'_> {
    fn one_of(&mut self, wanted: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        wanted.contains(first).then_some(*first)
    }

    /// A number of just so many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        (0..digits).try_fold(0, |number, _| {
            Some(number * 10 + i64::from(self.one_of(b"0123456789")? - b'0'))
        })
    }

    fn hour_and_minute(&mut self) -> Option<(i64, i64)> {
        let hour = self.number(2)?;
        self.one_of(b":")?;
        let minute = self.number(2)?;
        (hour <= 23 && minute <= 59).then_some((hour, minute))
    }

    /// Milliseconds, where there is a fraction of a second.
    fn fraction(&mut self) -> Option<i64> {
        if self.0.first() != Some(&b'.') {
            return Some(0);
        }
        let (_, after) = self.0.split_first()?;
        let length = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = after.split_at(length);
        self.0 = rest;
        let kept = (0..3).fold(0, |number, at| {
            number * 10 + digits.get(at).map_or(0, |digit| i64::from(digit - b'0'))
        });
        let more = digits.iter().skip(3).any(|digit| *digit != b'0');
        (length > 0).then_some(kept + i64::from(more))
    }

    /// How many minutes local time is ahead of UTC.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.one_of(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let (hours, minutes) = self.hour_and_minute()?;
        Some(sign * (hours * 60 + minutes))
    }
}

// Between dates and days since 1970-01-01. The years begin with March here, so that the leap day is the last of its year;
// 400 of them are an era of always 146,097 days.

/// Days from 1970-01-01 until a date. A day beyond its month runs over into the next.
fn days_until(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> Option<i64> {
        parse(text).map(Timestamp::as_millis)
    }

    #[test]
    fn known_times_are_written_and_read() {
        let known = [
            ("1970-01-01T00:00:00.000Z", 0),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2000-02-29T12:00:00.000Z", 951_825_600_000),
            ("2010-05-15T11:38:54.250Z", 1_273_923_534_250),
            ("2026-11-21T04:20:20.123Z", 1_795_234_820_123),
            ("0000-01-01T00:00:00.000Z", FIRST),
            ("9999-12-31T23:59:59.999Z", LAST),
        ];
        for (text, time) in known {
            assert_eq!(format(Timestamp::from_millis(time)), text);
            assert_eq!(millis(text), Some(time), "{text}");
        }
    }

    #[test]
    fn every_day_of_the_calendar_reads_back() {
        let (mut year, mut month, mut day) = (0, 1, 1);
        for days in FIRST / MILLIS_A_DAY..=LAST / MILLIS_A_DAY {
            assert_eq!(date_of(days), (year, month, day));
            assert_eq!(days_until(year, month, day), days);
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 => 28 + i64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }

    #[test]
    fn an_offset_is_taken_off_and_a_fraction_rounded_up() {
        let reference = millis("2026-11-21T04:20:20Z").unwrap();
        for (text, more) in [
            ("2026-11-21T05:20:20+01:00", 0),
            ("2026-11-20T23:50:20-04:30", 0),
            ("2026-11-21 04:20:20z", 0),
            ("2026-11-21t04:20:20.5Z", 500),
            ("2026-11-21T04:20:20.1230Z", 123),
            ("2026-11-21T04:20:20.12300001Z", 124),
            ("2026-11-21T04:19:60Z", -20_000),
        ] {
            assert_eq!(millis(text), Some(reference + more), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "soon",
            "2026-11-21",
            "2026-11-21T04:20Z",
            "2026-11-21T04:20:20",
            "2026-11-21T04:20:20.Z",
            "2026-11-21T04:20:20Zx",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:61Z",
            "2026-01-01T00:00:00+24:00",
            "+2026-01-01T00:00:00Z",
            "1795234820",
            "２026-01-01T00:00:00Z",
        ] {
            assert_eq!(millis(text), None, "{text}");
        }
    }

    #[test]
    fn times_beyond_the_years_with_four_digits_are_written_as_their_ends() {
        for (time, text) in [
            (i64::MAX, "9999-12-31T23:59:59.999Z"),
            (i64::MIN, "0000-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(format(Timestamp::from_millis(time)), text);
        }
    }
}
