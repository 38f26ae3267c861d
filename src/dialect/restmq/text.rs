//! What the clients of this dialect read: lines, calls of a function of theirs, JSON that is called HTML.

use super::Refusal;
use super::form::Fields;
use crate::web::json::{Object, Style, object};
use crate::web::{Response, as_script, with_body, with_header, with_type};
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_SECURITY_POLICY;

/// The longest name of a function to call, in bytes.
const MAX_CALLBACK_BYTES: usize = 256;

/// What a text may do that is shown in a browser. Messages are text that anybody wrote, and go out as `text/html`: no
/// script of theirs is to run in the name of this server.
const CONTENT_POLICY: &str = "sandbox; default-src 'none'";

/// The type of nearly all responses, also where the text is JSON: what clients of 2009 know.
const HTML: &str = "text/html; charset=UTF-8";

/// A JSON object as the clients read it, whose members `fill` writes.
pub(super) fn spaced(fill: impl FnOnce(&mut Object<'_>)) -> String {
    object(Style::Python, fill)
}

/// The function that the field `callback` names, if any: what a script element calls with the answer.
pub(super) fn parse_callback(fields: &Fields) -> Result<Option<&str>, Refusal> {
    let Some(name) = fields.get("callback").filter(|name| !is_placeholder(name)) else {
        return Ok(None);
    };
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_$.[]".contains(byte);
    match std::str::from_utf8(name) {
        Ok(name) if name.len() <= MAX_CALLBACK_BYTES && name.bytes().all(|byte| is_part(&byte)) => Ok(Some(name)),
        _ => Err(Refusal::BadRequest),
    }
}

/// Whether a callback is the `?` that jQuery puts a name for. RestMQ's own page posts it as it stands, and expects none.
pub(in crate::dialect) fn is_placeholder(callback: &[u8]) -> bool {
    callback == b"?"
}

/// A response whose text ends a line, or is what a function is called with.
pub(super) fn line_response(text: &str, callback: Option<&str>) -> Response {
    match callback {
        None => html_response(format!("{text}\r\n")),
        Some(name) => as_script(html_response(format!("{name}({text});\r\n"))),
    }
}

/// A response that is called HTML.
pub(super) fn html_response(text: impl Into<Bytes>) -> Response {
    let response = with_type(with_body(StatusCode::OK, text), HTML);
    with_header(response, CONTENT_SECURITY_POLICY, CONTENT_POLICY)
}

/// A response that is called JSON.
pub(super) fn json_response(text: impl Into<Bytes>) -> Response {
    with_body(StatusCode::OK, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    #[test]
    fn a_callback_is_a_name_of_javascript() {
        let of = |value: &str| {
            let fields = Fields::parse(Some(&format!("callback={value}")), &HeaderMap::new(), &Bytes::new()).unwrap();
            parse_callback(&fields).map(|name| name.map(str::to_owned))
        };
        for name in ["cb", "$", "_a.b[0]", "jQuery1_2", &"c".repeat(256)] {
            assert_eq!(of(name), Ok(Some(name.to_owned())), "{name}");
        }
        assert_eq!(of("%20cb%0A"), Ok(Some("cb".into())));
        for none in ["", "+", "%20", "?", "%3F"] {
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
            "??",
            "a?",
            "a'",
            "a%00",
            &"c".repeat(257),
        ] {
            assert_eq!(of(wrong), Err(Refusal::BadRequest), "{wrong}");
        }
    }
}
