//! The responses to calls.

use super::document::is_char;
use crate::web::latin1_chars;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The answer to `set`: the message's key.
pub(super) fn key(key: &str) -> String {
    response(&value(key.as_bytes()))
}

/// The answer to `get`: a struct of the message and a count, which is always 0.
pub(super) fn message(key: &str, text: &[u8]) -> String {
    let members = [
        member("count", "<value><int>0</int></value>"),
        member("value", &value(text)),
        member("key", &value(key.as_bytes())),
    ];
    response(&format!("<value><struct>\n{}</struct></value>", members.concat()))
}

/// Why there is no other answer.
pub(super) fn fault(code: u16, text: &str) -> String {
    let possible = |c| if is_char(c) { c } else { char::REPLACEMENT_CHARACTER };
    let text: String = text.chars().map(possible).collect();
    let members = [
        member("faultCode", &format!("<value><int>{code}</int></value>")),
        member("faultString", &value(text.as_bytes())),
    ];
    let fault = format!(
        "<fault>\n<value><struct>\n{}</struct></value>\n</fault>\n",
        members.concat()
    );
    document(&fault)
}

fn response(value: &str) -> String {
    document(&format!("<params>\n<param>\n{value}\n</param>\n</params>\n"))
}

fn document(content: &str) -> String {
    format!("<?xml version='1.0'?>\n<methodResponse>\n{content}</methodResponse>\n")
}

fn member(name: &str, value: &str) -> String {
    format!("<member>\n<name>{name}</name>\n{value}\n</member>\n")
}

/// A string, where XML can hold it; else these bytes.
fn value(bytes: &[u8]) -> String {
    match escaped(bytes) {
        Some(text) => format!("<value><string>{text}</string></value>"),
        None => format!("<value><base64>{}</base64></value>", STANDARD.encode(bytes)),
    }
}

/// Bytes as a text of XML; those that are not UTF-8 are characters of Latin-1. `None` when there is a character that XML
/// cannot hold.
fn escaped(bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(bytes.len());
    for c in latin1_chars(bytes) {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            // Whoever reads it would make a line feed of it.
            '\r' => text.push_str("&#13;"),
            c if is_char(c) => text.push(c),
            _ => return None,
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::super::document::read;
    use super::*;

    /// The type and the text of the value that a key's answer has.
    fn written(bytes: &[u8]) -> (String, String) {
        let root = read(&format!("<a>{}</a>", value(bytes))).unwrap();
        let typed = &root.children[0].children[0];
        (typed.name.clone(), typed.text.clone())
    }

    #[test]
    fn an_answer_has_the_shape_that_clients_read() {
        assert_eq!(
            key("q:1"),
            "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><string>q:1</string></value>\n</param>\n\
             </params>\n</methodResponse>\n"
        );
        assert_eq!(
            message("q:1", b"V"),
            "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><struct>\n\
             <member>\n<name>count</name>\n<value><int>0</int></value>\n</member>\n\
             <member>\n<name>value</name>\n<value><string>V</string></value>\n</member>\n\
             <member>\n<name>key</name>\n<value><string>q:1</string></value>\n</member>\n\
             </struct></value>\n</param>\n</params>\n</methodResponse>\n"
        );
        assert_eq!(
            fault(8002, "error"),
            "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n\
             <member>\n<name>faultCode</name>\n<value><int>8002</int></value>\n</member>\n\
             <member>\n<name>faultString</name>\n<value><string>error</string></value>\n</member>\n\
             </struct></value>\n</fault>\n</methodResponse>\n"
        );
    }

    #[test]
    fn a_text_reads_back_as_it_was() {
        for text in ["", " a ", "<b>&amp;]]></b>", "a\r\nb\rc\td", "é€😀\u{85}\u{fffd}\"'"] {
            assert_eq!(written(text.as_bytes()), ("string".into(), text.into()));
        }
        assert_eq!(written(b"caf\xe9"), ("string".into(), "café".into()));
    }

    #[test]
    fn what_xml_cannot_hold_is_sent_as_bytes() {
        for bytes in [
            &b"a\0b"[..],
            b"\x1b[0m",
            b"\xe9\x01",
            "\u{fffe}".as_bytes(),
            "\u{ffff}".as_bytes(),
        ] {
            assert_eq!(written(bytes), ("base64".into(), STANDARD.encode(bytes)));
        }
    }

    #[test]
    fn a_fault_has_a_text_whatever_it_quotes() {
        let root = read(&fault(8001, "function <\0> not found")).unwrap();
        let text = &root.children[0].children[0].children[0].children[1].children[1].children[0];
        assert_eq!((&*text.name, &*text.text), ("string", "function <\u{fffd}> not found"));
    }
}
