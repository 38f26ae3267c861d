//! How values are shown to people.

use crate::output::printable;
use serde_json::value::RawValue;

/// A time span, in its largest unit: `1.2 s`, `45 s`, `12 min`, `3 h`, `5 d`.
pub(crate) fn span(seconds: f64) -> String {
    match seconds {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3600.0),
        s => format!("{:.0} d", s / 86_400.0),
    }
}

/// A number per second. Where it is large its fractions say nothing.
pub(crate) fn rate(per_second: f64) -> String {
    match per_second {
        0.0 => "0".to_owned(),
        few if few < 10.0 => format!("{few:.2}"),
        some if some < 100.0 => format!("{some:.1}"),
        many => format!("{many:.0}"),
    }
}

/// A JSON value on one line. Between its parts it may have line ends; within its strings it has none, since there they are escaped.
pub(crate) fn one_line(json: &RawValue) -> String {
    json.get().replace(['\n', '\r'], " ")
}

/// A JSON value for people: a string without its quotes, any other value as it is.
pub(crate) fn shown(json: &RawValue) -> String {
    match serde_json::from_str::<String>(json.get()) {
        Ok(text) => printable(&text),
        Err(_) => printable(&one_line(json)),
    }
}

/// The beginning of a text's first line, for a row of a table.
pub(crate) fn brief(text: &str) -> String {
    const MAX_CHARS: usize = 100;
    let line = text.lines().next().unwrap_or_default();
    let mut brief: String = line.chars().take(MAX_CHARS).collect();
    if brief.len() < text.len() {
        brief.push('…');
    }
    printable(&brief)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_the_unit_that_says_most() {
        let spans = [0.04, 9.94, 10.0, 119.0, 120.0, 7199.0, 7200.0, 200_000.0].map(span);
        assert_eq!(
            spans,
            ["0.0 s", "9.9 s", "10 s", "119 s", "2 min", "120 min", "2 h", "2 d"]
        );
    }

    #[test]
    fn json_of_several_lines_is_shown_on_one_and_steers_no_terminal() {
        let json: Box<RawValue> = serde_json::from_str("{\"a\":\n \"\\n\u{9b}\"}").expect("JSON");
        assert_eq!(shown(&json), "{\"a\":  \"\\n\\u{9b}\"}");
    }
}
