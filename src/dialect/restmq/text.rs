//! What the clients of this dialect read: JSON with spaces and in ASCII, lines, calls of a function of theirs.

use super::Refusal;
use crate::web::{Fields, Response, with_body, with_header, with_type};
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_SECURITY_POLICY;
use std::fmt::{Display, Write};

/// The longest name of a function to call, in bytes.
const CALLBACK_BYTES: usize = 256;

/// What a text may do that is shown in a browser. Messages are text that anybody wrote, and go out as `text/html`: no
/// script of theirs is to run in the name of this server.
const CONTENT_POLICY: &str = "script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'";

/// The type of nearly all answers, also where the text is JSON: what clients of 2009 know.
const HTML: &str = "text/html; charset=UTF-8";

/// A JSON object, written member by member with a space after `:` and `,`.
#[derive(Debug)]
pub(super) struct Object(String);

impl Object {
    pub(super) fn new() -> Self {
        Self("{".into())
    }

    /// Adds a string, see [`push_string`].
    pub(super) fn text(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.name(name.as_ref());
        push_string(&mut self.0, value.as_ref());
        self
    }

    /// Adds what is JSON as it is written: a number, `true`, `null`, an object.
    pub(super) fn plain(mut self, name: impl AsRef<[u8]>, value: impl Display) -> Self {
        self.name(name.as_ref());
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{value}");
        self
    }

    pub(super) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn name(&mut self, name: &[u8]) {
        if self.0.len() > 1 {
            self.0.push_str(", ");
        }
        push_string(&mut self.0, name);
        self.0.push_str(": ");
    }
}

/// Appends bytes as a JSON string in ASCII, in which `</` is `<\/`. A byte that is not UTF-8 is the character of that
/// number in Latin-1.
fn push_string(out: &mut String, bytes: &[u8]) {
    out.reserve(bytes.len() + 2);
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|c| push_char(out, c));
        chunk
            .invalid()
            .iter()
            .for_each(|&byte| push_char(out, char::from(byte)));
    }
    out.push('"');
}

fn push_char(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '/' if out.ends_with('<') => out.push_str("\\/"),
        ' '..='~' => out.push(c),
        c => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}

/// The function that the field `callback` names, if any: what a script element calls with the answer.
pub(super) fn callback(fields: &Fields) -> Result<Option<&str>, Refusal> {
    let Some(name) = fields.get("callback") else {
        return Ok(None);
    };
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_$.[]".contains(byte);
    match std::str::from_utf8(name) {
        Ok(name) if name.len() <= CALLBACK_BYTES && name.bytes().all(|byte| is_part(&byte)) => Ok(Some(name)),
        _ => Err(Refusal::BadRequest),
    }
}

/// An answer whose text ends a line, or is what a function is called with.
pub(super) fn line(text: &str, callback: Option<&str>) -> Response {
    html(match callback {
        None => format!("{text}\r\n"),
        Some(name) => format!("{name}({text});\r\n"),
    })
}

/// An answer that is called HTML.
pub(super) fn html(text: impl Into<Bytes>) -> Response {
    let response = with_type(with_body(StatusCode::OK, text), HTML);
    with_header(response, CONTENT_SECURITY_POLICY, CONTENT_POLICY)
}

/// An answer that is called JSON.
pub(super) fn json(text: impl Into<Bytes>) -> Response {
    with_body(StatusCode::OK, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    #[test]
    fn an_object_has_spaces_and_its_members_in_order() {
        let inner = Object::new().plain("c", 1).end();
        let object = Object::new()
            .text("a\"", "b")
            .plain("d", inner)
            .plain("e", "null")
            .end();
        assert_eq!(object, r#"{"a\"": "b", "d": {"c": 1}, "e": null}"#);
        assert_eq!(Object::new().end(), "{}");
    }

    #[test]
    fn a_string_is_ascii_and_ends_no_script_element() {
        let written = |bytes: &[u8]| {
            let mut out = String::new();
            push_string(&mut out, bytes);
            out
        };
        assert_eq!(
            written("</b></ é\u{7f}€😀".as_bytes()),
            r#""<\/b><\/ \u00e9\u007f\u20ac\ud83d\ude00""#
        );
        assert_eq!(
            written(b"/\"\\\n\r\t\x08\x0c\x00\x1f"),
            r#""/\"\\\n\r\t\b\f\u0000\u001f""#
        );
        assert_eq!(written(b"caf\xe9\xff"), r#""caf\u00e9\u00ff""#);
        assert_eq!(written(b""), "\"\"");
        for text in ["", "</script>", "<//</", "é€😀\u{0}\u{7f}\u{ffff}\"\\"] {
            assert_eq!(serde_json::from_str::<String>(&written(text.as_bytes())).unwrap(), text);
        }
    }

    #[test]
    fn a_callback_is_a_name_of_javascript() {
        let of = |value: &str| {
            let fields = Fields::parse(Some(&format!("callback={value}")), &HeaderMap::new(), &Bytes::new()).unwrap();
            callback(&fields).map(|name| name.map(str::to_owned))
        };
        for name in ["cb", "$", "_a.b[0]", "jQuery1_2", &"c".repeat(256)] {
            assert_eq!(of(name), Ok(Some(name.to_owned())), "{name}");
        }
        assert_eq!(of("%20cb%0A"), Ok(Some("cb".into())));
        for none in ["", "+", "%20"] {
            assert_eq!(of(none), Ok(None));
        }
        for wrong in [
            "a(",
            "a;b",
            "<script>",
            "a b",
            "a=",
            "é",
            "%ff",
            "a-b",
            "a'",
            "a%00",
            &"c".repeat(257),
        ] {
            assert_eq!(of(wrong), Err(Refusal::BadRequest), "{wrong}");
        }
    }
}
