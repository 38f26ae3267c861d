//! Taking the members out of a request's objects, each with its check.

use super::problem::{Problem, ProblemType};
use crate::queue::Timestamp;
use crate::queue::rfc3339;
use crate::web::json;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How much of a wrong value an answer shows.
const MAX_QUOTED: usize = 40;

/// The members of one object that have not been taken yet. Values keep their bytes. Of two equal names the last counts.
///
/// What takes one gives `None` when it is not there, and a [`Problem`] that points to it when it is wrong.
pub(super) struct Members<'a> {
    /// Where the object is in the request, as a JSON pointer.
    pointer: String,
    left: BTreeMap<String, &'a RawValue>,
    /// The names that were asked for.
    known: Vec<&'static str>,
}

impl<'a> Members<'a> {
    /// The members of a request. Nothing counts as an object without members.
    pub(super) fn of_body(body: &'a [u8]) -> Result<Self, Problem> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::new(String::new(), BTreeMap::new()));
        }
        match serde_json::from_slice(body) {
            Ok(left) => Ok(Self::new(String::new(), left)),
            Err(error) if error.is_data() && json::utf8_text(body).is_some() => Err(no_object(String::new())),
            Err(error) => {
                let detail = format!("The body must be JSON in UTF-8: {error}.");
                Err(Problem::new(ProblemType::MalformedJson, detail))
            }
        }
    }

    /// The members of an object inside a request.
    pub(super) fn of(value: &'a RawValue, pointer: String) -> Result<Self, Problem> {
        match serde_json::from_str(value.get()) {
            Ok(left) => Ok(Self::new(pointer, left)),
            Err(_) => Err(no_object(pointer)),
        }
    }

    fn new(pointer: String, left: BTreeMap<String, &'a RawValue>) -> Self {
        Self {
            pointer,
            left,
            known: Vec::new(),
        }
    }

    /// Something is wrong with the object as a whole.
    pub(super) fn wrong(&self, detail: &str) -> Problem {
        Problem::member(self.pointer.clone(), detail)
    }

    /// Where a member is in the request.
    pub(super) fn pointer_to(&self, name: &str) -> String {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        format!("{}/{escaped}", self.pointer)
    }

    /// Whether there is such a member.
    pub(super) fn has(&self, name: &str) -> bool {
        self.left.contains_key(name)
    }

    /// Any value.
    pub(super) fn any(&mut self, name: &'static str) -> Option<&'a RawValue> {
        self.known.push(name);
        self.left.remove(name)
    }

    /// Takes a member when it is null, and says whether it was.
    pub(super) fn skip_null(&mut self, name: &'static str) -> bool {
        let is_null = self.left.get(name).is_some_and(|value| value.get() == "null");
        is_null && self.any(name).is_some()
    }

    /// A value that `read` can read; `must` says what that is.
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        must: impl Display,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.any(name) else {
            return Ok(None);
        };
        let read = read(value.get()).ok_or_else(|| {
            let detail = format!("`{name}` must be {must}, not {}.", shown(value.get()));
            Problem::member(self.pointer_to(name), detail)
        })?;
        Ok(Some(read))
    }

    /// A whole number.
    pub(super) fn whole(&mut self, name: &'static str, range: RangeInclusive<u32>) -> Result<Option<u32>, Problem> {
        let must = format_args!("a whole number from {} to {}", range.start(), range.end());
        self.read(name, must, |text| {
            let number: f64 = serde_json::from_str(text).ok()?;
            let in_range = f64::from(*range.start()) <= number && number <= f64::from(*range.end());
            // Inside u32 and whole.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            (in_range && number.fract() == 0.0).then_some(number as u32)
        })
    }

    /// A number of seconds. A fraction of a millisecond is rounded up.
    pub(super) fn seconds(
        &mut self,
        name: &'static str,
        range: RangeInclusive<f64>,
    ) -> Result<Option<Duration>, Problem> {
        let must = format_args!("a number of seconds from {} to {}", range.start(), range.end());
        self.read(name, must, |text| {
            let seconds: f64 = serde_json::from_str(text).ok()?;
            range.contains(&seconds).then(|| duration(seconds))
        })
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Problem> {
        self.read(name, "true or false", |text| serde_json::from_str(text).ok())
    }

    /// A string of so many bytes, in UTF-8.
    pub(super) fn text(
        &mut self,
        name: &'static str,
        length: RangeInclusive<usize>,
    ) -> Result<Option<String>, Problem> {
        let must = format_args!("a string of {} to {} bytes", length.start(), length.end());
        self.read(name, must, |text| {
            let text: String = serde_json::from_str(text).ok()?;
            length.contains(&text.len()).then_some(text)
        })
    }

    /// A string, of which at most so many bytes are kept: it is cut at the end of a character. What is no character, half of
    /// a surrogate pair, becomes U+FFFD.
    pub(super) fn cut_text(&mut self, name: &'static str, max_bytes: usize) -> Result<Option<String>, Problem> {
        self.read(name, "a string", |text| {
            let mut text: String = serde_json::from_str(&json::without_lone_surrogates(text)).ok()?;
            text.truncate(text.floor_char_boundary(max_bytes));
            Some(text)
        })
    }

    /// One of these words.
    pub(super) fn word<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Result<Option<T>, Problem> {
        let all: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
        self.read(name, all.join(" or "), |text| {
            let text: String = serde_json::from_str(text).ok()?;
            words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
        })
    }

    /// A point in time.
    pub(super) fn time(&mut self, name: &'static str) -> Result<Option<Timestamp>, Problem> {
        let must = "a time as in \"2026-11-21T04:20:20Z\" (RFC 3339)";
        self.read(name, must, |text| {
            rfc3339::parse(&serde_json::from_str::<String>(text).ok()?)
        })
    }

    /// Any JSON, of at most so many bytes, with its bytes.
    pub(super) fn json(&mut self, name: &'static str, max_bytes: usize) -> Result<Option<&'a str>, Problem> {
        let must = format_args!("JSON of at most {max_bytes} bytes");
        self.read(name, must, |text| (text.len() <= max_bytes).then_some(text))
    }

    /// An object, with its members.
    pub(super) fn object(&mut self, name: &'static str) -> Result<Option<Self>, Problem> {
        let pointer = self.pointer_to(name);
        self.any(name).map(|value| Self::of(value, pointer)).transpose()
    }

    /// An array of so many elements, each with where it is.
    pub(super) fn list(
        &mut self,
        name: &'static str,
        length: RangeInclusive<usize>,
    ) -> Result<Option<Vec<(&'a RawValue, String)>>, Problem> {
        let must = format_args!("an array of {} to {} elements", length.start(), length.end());
        let elements = self.read(name, must, |text| {
            let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            length.contains(&elements.len()).then_some(elements)
        })?;
        let pointer = self.pointer_to(name);
        let placed = |(at, element)| (element, format!("{pointer}/{at}"));
        Ok(elements.map(|elements| elements.into_iter().enumerate().map(placed).collect()))
    }

    /// What was taken must have been there.
    pub(super) fn required<T>(&self, name: &str, taken: Option<T>) -> Result<T, Problem> {
        taken.ok_or_else(|| Problem::member(self.pointer_to(name), format!("`{name}` is missing.")))
    }

    /// Two members that cannot go together were both given.
    pub(super) fn conflict(&self, name: &str, other: &str) -> Problem {
        let detail = format!("`{name}` and `{other}` cannot both be given.");
        Problem::member(self.pointer_to(name), detail)
    }

    /// Refuses a member that nobody asked for.
    pub(super) fn reject_unknown(&self) -> Result<(), Problem> {
        let Some(name) = self.left.keys().next() else {
            return Ok(());
        };
        let known = self.known.join("`, `");
        let detail = format!(
            "The member {} is not known. Known members: `{known}`.",
            shown(&format!("{name:?}"))
        );
        Err(Problem::member(self.pointer_to(name), detail))
    }
}

fn no_object(pointer: String) -> Problem {
    Problem::member(pointer, "This must be a JSON object.")
}

/// The beginning of a wrong value.
fn shown(text: &str) -> String {
    let mut beginning: String = text.chars().take(MAX_QUOTED).collect();
    if beginning.len() < text.len() {
        beginning.push('…');
    }
    beginning
}

/// Whole milliseconds; a part of one is rounded up. 0.07 * 1000 is a little above 70 in binary: that does not count.
fn duration(seconds: f64) -> Duration {
    // Checked: not negative, and far from the ends of u64.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Duration::from_millis((seconds * 1000.0 - 1e-4).ceil().max(0.0) as u64)
}

#[cfg(test)]
mod tests;
