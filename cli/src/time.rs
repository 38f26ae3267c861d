//! Times as the interface writes them, `2026-11-21T04:20:20.123Z`, in milliseconds since 1970.
//!
//! Written out here: the library's would bring all that a component needs.

use std::time::{SystemTime, UNIX_EPOCH};

const MILLIS_A_DAY: i64 = 86_400_000;

/// The time now, by this machine's clock.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A time as text.
pub(crate) fn format(millis: i64) -> String {
    let (days, rest) = (millis.div_euclid(MILLIS_A_DAY), millis.rem_euclid(MILLIS_A_DAY));
    // Years that begin in March: a leap day is then the last day of its year. 1970-01-01 is day 719468 of these.
    let (era, day) = (
        (days + 719_468).div_euclid(146_097),
        (days + 719_468).rem_euclid(146_097),
    );
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = match month < 10 {
        true => (era * 400 + year, month + 3),
        false => (era * 400 + year + 1, month - 9),
    };
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, millis) = (rest / 1000 % 60, rest % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// What [`format`](fn@format) writes. `None` if it is no such text.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let is_shaped = text.len() == 24
        && text
            .bytes()
            .zip("0000-00-00T00:00:00.000Z".bytes())
            .all(|(is, shape)| match shape {
                b'0' => is.is_ascii_digit(),
                _ => is == shape,
            });
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok().filter(|_| is_shaped);
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second, millis) = (number(11, 13)?, number(14, 16)?, number(17, 19)?, number(20, 23)?);
    let (year, month) = match month > 2 {
        true => (year, month - 3),
        false => (year - 1, month + 9),
    };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = days + (153 * month + 2) / 5 + day - 1 - 719_468;
    let time = days * MILLIS_A_DAY + ((hour * 60 + minute) * 60 + second) * 1000 + millis;
    // What is no day or hour would be written otherwise.
    (format(time) == text).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_read_as_it_was_written() {
        assert_eq!(format(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(format(951_825_599_999), "2000-02-29T11:59:59.999Z");
        assert_eq!(parse("2026-11-21T04:20:20.123Z"), Some(1_795_234_820_123));
        for day in (-300_000..300_000).step_by(17) {
            let time = day * MILLIS_A_DAY + 86_399_999;
            assert_eq!(parse(&format(time)), Some(time), "{day}");
        }
        for wrong in [
            "",
            "2026-02-29T00:00:00.000Z",
            "2026-01-01T24:00:00.000Z",
            "2026-01-01 00:00:00.000Z",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
