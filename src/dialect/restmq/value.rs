//! Values and payloads. A value that is JSON is a job's payload as it stands, so that workers of all dialects can read it;
//! any other is a text, and its payload the JSON string that stands for it.

use crate::web::json;
use std::borrow::Cow;

/// The payload of a message with this value, and whether it stands for a text.
pub(super) fn to_payload(value: &[u8]) -> (Cow<'_, [u8]>, bool) {
    if json::is_text(value) {
        (value.into(), false)
    } else {
        (json::string(value).into_bytes().into(), true)
    }
}

/// The value of a message with this payload.
pub(super) fn to_value(payload: &[u8], is_text: bool) -> Cow<'_, [u8]> {
    if is_text && let Ok(text) = serde_json::from_slice::<String>(payload) {
        return text.into_bytes().into();
    }
    payload.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stands_as_it_is() {
        for value in ["12", " {\"a\" : 1.50}", "\"x\"", "null", "{\"n\":\"\\ud800\"}"] {
            let (payload, is_text) = to_payload(value.as_bytes());
            assert_eq!((&*payload, is_text), (value.as_bytes(), false));
            assert_eq!(&*to_value(&payload, is_text), value.as_bytes());
        }
        assert_eq!(to_payload(b"{\"n\":\"\xe9\"}"), (b"{\"n\":\"\xe9\"}".into(), false));
    }

    #[test]
    fn a_text_becomes_a_json_string_and_a_text_again() {
        for value in ["00012", "foo", "", "a\"b\\\n\u{0}é😀", "{nope", "1 2"] {
            let (payload, is_text) = to_payload(value.as_bytes());
            assert!(is_text && json::utf8_text(&payload).is_some(), "{value}");
            assert_eq!(&*to_value(&payload, is_text), value.as_bytes());
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_become_the_characters_that_latin1_has_for_them() {
        let (payload, is_text) = to_payload(b"caf\xe9");
        assert_eq!((&*payload, is_text), ("\"café\"".as_bytes(), true));
        assert_eq!(&*to_value(&payload, is_text), "café".as_bytes());
    }

    #[test]
    fn a_payload_that_is_no_json_string_is_its_own_value() {
        for payload in ["12", "\"x", ""] {
            assert_eq!(&*to_value(payload.as_bytes(), true), payload.as_bytes());
        }
    }
}
