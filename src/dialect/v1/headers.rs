//! Header fields that mean something here.

use super::problem::{Problem, ProblemType};
use http::header::{HeaderMap, IF_MATCH, IF_NONE_MATCH};
use std::time::Duration;

/// The longest idempotency key, in bytes.
const MAX_KEY_BYTES: usize = 255;

/// The longest trace context that is kept, in bytes. W3C asks for 512 of `tracestate`.
const MAX_TRACE_BYTES: usize = 2048;

/// The key of `Idempotency-Key`: a string in quotes (RFC 8941), as draft-ietf-httpapi-idempotency-key-header has it, or
/// the key alone, as many clients send it.
pub(super) fn parse_idempotency_key(headers: &HeaderMap) -> Result<Option<Vec<u8>>, Problem> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let key = key_of(value.as_bytes().trim_ascii());
    match key.filter(|key| (1..=MAX_KEY_BYTES).contains(&key.len()) && values.next().is_none()) {
        Some(key) => Ok(Some(key)),
        None => Err(Problem::new(
            ProblemType::InvalidIdempotencyKey,
            "Idempotency-Key must be one string of 1 to 255 bytes of ASCII, such as \"8e03978e-40d5\".",
        )),
    }
}

fn key_of(value: &[u8]) -> Option<Vec<u8>> {
    let Some(quoted) = value.strip_prefix(b"\"") else {
        let bare = |byte: &u8| byte.is_ascii_graphic() && !b"\"\\,;".contains(byte);
        return value.iter().all(bare).then(|| value.to_vec());
    };
    let mut bytes = quoted.strip_suffix(b"\"")?.iter();
    let mut key = Vec::with_capacity(quoted.len());
    while let Some(&byte) = bytes.next() {
        key.push(match byte {
            b'\\' => *bytes.next().filter(|byte| b"\"\\".contains(byte))?,
            b'"' => return None,
            b' '..=b'~' => byte,
            _ => return None,
        });
    }
    Some(key)
}

/// What must hold of a queue's settings for the request to be carried out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Precondition {
    /// Nothing.
    Anything,
    /// The queue exists.
    Exists,
    /// The queue does not exist.
    Absent,
    /// The settings have one of these tags.
    Tags(Vec<String>),
}

/// What `If-Match` and `If-None-Match` say. `If-None-Match` supports only `*`.
pub(super) fn parse_precondition(headers: &HeaderMap) -> Result<Precondition, Problem> {
    let list = |name| {
        let values = headers.get_all(name).iter();
        let texts: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        (!texts.is_empty()).then(|| texts.join(","))
    };
    match (list(IF_MATCH), list(IF_NONE_MATCH)) {
        (None, None) => Ok(Precondition::Anything),
        (None, Some(all)) if all.trim() == "*" => Ok(Precondition::Absent),
        (None, Some(_)) => Err(unmet("If-None-Match must be *.")),
        (Some(all), None) if all.trim() == "*" => Ok(Precondition::Exists),
        (Some(tags), None) => Ok(Precondition::Tags(tags.split(',').filter_map(tag).collect())),
        (Some(_), Some(_)) => Err(unmet("Send either If-Match or If-None-Match, not both.")),
    }
}

/// A strong tag without its quotes, when it can be one of the store's: hexadecimal digits. A weak one matches nothing.
fn tag(text: &str) -> Option<String> {
    let tag = text.trim().strip_prefix('"')?.strip_suffix('"')?;
    let is_tag = !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_tag.then(|| tag.to_owned())
}

pub(super) fn unmet(detail: &str) -> Problem {
    Problem::new(ProblemType::PreconditionFailed, detail)
}

/// How long `Prefer: wait=N` lets the answer wait (RFC 7240). What cannot be understood is as if it were not there.
pub(super) fn parse_wait(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let mut preferences = values.flat_map(|value| value.split(','));
    let seconds = preferences.find_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        name.trim().eq_ignore_ascii_case("wait").then_some(value.trim())
    })?;
    seconds.trim_matches('"').parse().ok().map(Duration::from_secs)
}

/// The trace context of a request: `traceparent`, and `tracestate`, which means nothing without it.
#[derive(Default)]
pub(super) struct Trace {
    pub parent: Option<String>,
    pub state: Option<String>,
}

impl Trace {
    /// What the headers have of it. What is too long or no text is left out, as W3C has it.
    pub(super) fn parse(headers: &HeaderMap) -> Self {
        let joined = |name| {
            let values = headers.get_all(name).iter();
            let texts: Result<Vec<_>, _> = values.map(|value| value.to_str()).collect();
            let joined = texts.ok()?.join(",");
            (1..=MAX_TRACE_BYTES).contains(&joined.len()).then_some(joined)
        };
        let parent = joined("traceparent");
        let state = parent.as_ref().and_then(|_| joined("tracestate"));
        Self { parent, state }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn with(fields: &[(&'static str, &str)]) -> HeaderMap {
        let field = |(name, value): &(&'static str, &str)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            (HeaderName::from_static(name), value)
        };
        fields.iter().map(field).collect()
    }

    fn key(value: &str) -> Result<Option<Vec<u8>>, Problem> {
        parse_idempotency_key(&with(&[("idempotency-key", value)]))
    }

    #[test]
    fn an_idempotency_key_is_a_string_in_quotes_or_a_bare_token() {
        assert_eq!(parse_idempotency_key(&HeaderMap::new()), Ok(None));
        for (value, expected) in [
            ("\"order-7\"", "order-7"),
            ("order-7", "order-7"),
            (" 8e03978e-40d5-43dd ", "8e03978e-40d5-43dd"),
            (r#""a \"b\" \\ c""#, r#"a "b" \ c"#),
            ("\" \"", " "),
            (&format!("\"{}\"", "k".repeat(255)), &"k".repeat(255)),
        ] {
            assert_eq!(key(value).unwrap().unwrap(), expected.as_bytes(), "{value}");
        }
    }

    #[test]
    fn what_is_no_idempotency_key_is_refused() {
        let long = "k".repeat(256);
        for value in [
            "", "\"\"", "\"", "\"a", "a\"", "\"a\"b\"", r#""a\""#, r#""\n""#, "a b", "a,b", "\"é\"", &long,
        ] {
            assert!(key(value).is_err(), "{value}");
        }
        let two = with(&[("idempotency-key", "a"), ("idempotency-key", "b")]);
        assert!(parse_idempotency_key(&two).is_err());
    }

    #[test]
    fn conditions_are_a_star_or_strong_tags() {
        let of = |fields: &[_]| parse_precondition(&with(fields)).ok();
        let tags = |tags: &[&str]| Some(Precondition::Tags(tags.iter().map(|tag| (*tag).to_owned()).collect()));
        assert_eq!(of(&[]), Some(Precondition::Anything));
        assert_eq!(of(&[("if-match", " * ")]), Some(Precondition::Exists));
        assert_eq!(of(&[("if-none-match", "*")]), Some(Precondition::Absent));
        assert_eq!(of(&[("if-match", "\"0a\", W/\"0b\",\"0c\"")]), tags(&["0a", "0c"]));
        assert_eq!(
            of(&[("if-match", "\"0a\""), ("if-match", "\"0b\"")]),
            tags(&["0a", "0b"])
        );
        // What is no tag of ours matches nothing, and above all not everything.
        for none in ["", "0a", "\"\"", "\"*\"", "\"none\"", "\"0a", "\"\u{e9}\""] {
            assert_eq!(of(&[("if-match", none)]), tags(&[]), "{none}");
        }
        assert_eq!(of(&[("if-none-match", "\"0a\"")]), None);
        assert_eq!(of(&[("if-match", "*"), ("if-none-match", "*")]), None);
    }

    #[test]
    fn a_preference_to_wait_is_found_among_others() {
        let of = |fields: &[_]| parse_wait(&with(fields)).map(|wait| wait.as_secs());
        assert_eq!(of(&[("prefer", "wait=20")]), Some(20));
        assert_eq!(of(&[("prefer", "respond-async, Wait = \"5\"; x")]), Some(5));
        assert_eq!(of(&[("prefer", "return=minimal"), ("prefer", "wait=3")]), Some(3));
        for none in ["wait", "wait=", "wait=soon", "wait=-1", "wait=1.5", "waiting=1"] {
            assert_eq!(of(&[("prefer", none)]), None, "{none}");
        }
    }

    #[test]
    fn a_trace_state_needs_its_parent() {
        let trace = Trace::parse(&with(&[
            ("traceparent", "00-1"),
            ("tracestate", "a=1"),
            ("tracestate", "b=2"),
        ]));
        assert_eq!(
            (trace.parent.as_deref(), trace.state.as_deref()),
            (Some("00-1"), Some("a=1,b=2"))
        );
        let trace = Trace::parse(&with(&[("tracestate", "a=1")]));
        assert_eq!((trace.parent, trace.state), (None, None));
        let long = "x".repeat(MAX_TRACE_BYTES + 1);
        assert_eq!(Trace::parse(&with(&[("traceparent", &long)])).parent, None);
    }
}
