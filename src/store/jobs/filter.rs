//! Filters: which jobs of a queue a request is about.

use super::job::DeathReason;
use crate::store::redis::{RedisError, millis, pack, pack_unique_key};
use serde::Serialize;
use std::time::Duration;

/// Which jobs. A job matches when it meets all that is given; the default matches every job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Its payload contains this text. The case of ASCII letters does not matter, nor whether the payload has the text as it is
    /// or as it stands in a JSON string.
    pub text: Option<String>,
    /// The text of its last error contains this, likewise.
    pub error: Option<String>,
    /// Its last error is of this group: see [`DeadGroup::group`](super::DeadGroup::group).
    pub group: Option<String>,
    /// Why it is dead.
    pub reason: Option<DeathReason>,
    /// The unique key that it was inserted with.
    pub unique: Option<String>,
    /// Its metadata has each member of this JSON object, with an equal value. The values are strings, numbers (which compare as
    /// doubles), `true`, `false` or `null`.
    pub metadata: Option<String>,
    /// It was inserted so long ago, or longer.
    pub older_than: Option<Duration>,
    /// It was inserted less long ago.
    pub newer_than: Option<Duration>,
}

/// A filter as `lua/filter.lua` has it.
#[derive(Serialize)]
struct Packed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    older_than: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newer_than: Option<u64>,
}

impl Filter {
    /// Whether it matches every job.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What the scripts take: nothing where every job matches.
    pub(super) fn pack(&self) -> Result<Vec<u8>, RedisError> {
        if self.is_empty() {
            return Ok(Vec::new());
        }
        pack(&Packed {
            text: self.text.as_deref().map(spellings),
            error: self.error.as_deref().map(|text| vec![text.to_ascii_lowercase()]),
            group: self.group.as_deref(),
            reason: self.reason.map(DeathReason::name),
            unique: self.unique.as_deref().map(|key| pack_unique_key(key.as_bytes())),
            metadata: self.metadata.as_deref(),
            older_than: self.older_than.map(millis),
            newer_than: self.newer_than.map(millis),
        })
    }
}

/// How a text may stand in a payload, in lower case: as it is, and inside of a JSON string, with other letters than those of ASCII as
/// they are or escaped.
fn spellings(text: &str) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    // A string has no way to fail; the type says it could.
    let quoted = serde_json::to_string(&lower).unwrap_or_default();
    let escaped = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let escaped = escaped.unwrap_or_default().to_owned();
    let ascii = escaped.chars().map(|char| match char {
        '\0'..='\x7f' => char.to_string(),
        _ => char
            .encode_utf16(&mut [0; 2])
            .iter()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect(),
    });
    let ascii = ascii.collect();
    let mut all = vec![lower, escaped, ascii];
    // PHP writes a slash so.
    let of_php: Vec<_> = all.iter().skip(1).map(|text| text.replace('/', "\\/")).collect();
    all.extend(of_php);
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_looked_for_as_it_is_and_as_json_has_it() {
        assert_eq!(spellings("Mail 7"), ["mail 7"]);
        assert_eq!(spellings("http://a"), ["http://a", r"http:\/\/a"]);
        assert_eq!(spellings(r#"say "Hi""#), [r#"say "hi""#, r#"say \"hi\""#]);
        assert_eq!(spellings("caf\u{e9}"), [r"caf\u00e9", "caf\u{e9}"]);
        assert_eq!(
            spellings("\"\u{1f600}"),
            ["\"\u{1f600}", r#"\"\ud83d\ude00"#, "\\\"\u{1f600}"]
        );
    }
}
