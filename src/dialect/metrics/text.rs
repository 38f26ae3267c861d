//! The text format of OpenMetrics 1.0: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.

use std::fmt::{Display, Write};

/// The media type of the format.
pub(super) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What a family of metrics is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Only grows, or begins anew. The samples' names end in `_total`.
    Counter,
    Gauge,
    /// How many observations are not above each of some bounds. The samples' names end in `_bucket`.
    Histogram,
    /// Says something by its labels. The samples' names end in `_info`.
    Info,
}

/// A text that is written, family by family.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    /// Begins a family. A name that ends in the word `seconds` has this unit. `help` is a sentence without quotes, backslashes and
    /// line ends.
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Info => "info",
        };
        let _ = writeln!(self.0, "# TYPE {name} {kind}");
        if name.ends_with("_seconds") {
            let _ = writeln!(self.0, "# UNIT {name} seconds");
        }
        let _ = writeln!(self.0, "# HELP {name} {help}");
    }

    /// Adds a sample of the family. Its name is the family's, with the ending of its kind.
    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (place, (label, text)) in labels.iter().enumerate() {
            self.0.push(if place == 0 { '{' } else { ',' });
            self.0.push_str(label);
            self.0.push_str("=\"");
            self.push_escaped(text);
            self.0.push('"');
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{end} {value}");
    }

    fn push_escaped(&mut self, text: &str) {
        for char in text.chars() {
            match char {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                char => self.0.push(char),
            }
        }
    }

    /// The whole text.
    pub(super) fn end(mut self) -> String {
        self.0.push_str("# EOF\n");
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_may_have_any_text() {
        let mut text = Text::default();
        text.family("age_seconds", Kind::Gauge, "An age.");
        text.sample("age_seconds", &[("queue", "a\\b \"c\"\nd é"), ("x", "")], 1.5);
        text.sample("age_seconds", &[], 0);
        assert_eq!(
            text.end(),
            "# TYPE age_seconds gauge\n# UNIT age_seconds seconds\n# HELP age_seconds An age.\n\
             age_seconds{queue=\"a\\\\b \\\"c\\\"\\nd é\",x=\"\"} 1.5\nage_seconds 0\n# EOF\n"
        );
    }
}
