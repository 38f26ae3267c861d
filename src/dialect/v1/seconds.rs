//! Numbers as answers have them.

use std::time::Duration;

/// A duration as a number of seconds, with its milliseconds.
pub(super) fn seconds(duration: Duration) -> String {
    thousandths(duration.as_millis())
}

/// A number of thousandths as a decimal number, without zeros at its end.
pub(super) fn thousandths(number: u128) -> String {
    let (whole, fraction) = (number / 1000, number % 1000);
    if fraction == 0 {
        return whole.to_string();
    }
    format!("{whole}.{fraction:03}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_no_more_digits_than_they_need() {
        for (millis, text) in [(0, "0"), (60_000, "60"), (250, "0.25"), (1_001, "1.001"), (10, "0.01")] {
            assert_eq!(seconds(Duration::from_millis(millis)), text);
        }
    }
}
