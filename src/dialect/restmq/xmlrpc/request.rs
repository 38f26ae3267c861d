//! What a call says.

use super::super::base64;
use super::document::{Element, read};
use crate::web::latin1_chars;

/// How much is quoted of what a client sent, in characters.
const MAX_QUOTED: usize = 100;

/// A call of a method.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Put a message into a queue.
    Set { queue: Vec<u8>, value: Vec<u8> },
    /// Take the next message of a queue.
    Get { queue: Vec<u8> },
    /// A method that there is, with arguments that it does not have.
    WrongArguments,
    /// A method that there is not, or the beginning of its name.
    Unknown(String),
}

/// Reads a call. Bytes that are not UTF-8 are characters of Latin-1, as in all of this dialect.
///
/// # Errors
/// Why it is no call, in a few words.
pub(super) fn parse(body: &[u8]) -> Result<Call, String> {
    let root = read(&latin1_chars(body).collect::<String>()).map_err(|error| beginning(&error))?;
    if root.name != "methodCall" {
        return Err("it is no methodCall".into());
    }
    let method = root
        .child("methodName")
        .ok_or("it has no methodName")?
        .text
        .trim_ascii();
    let params = root.child("params").map_or(&[][..], |params| &params.children);
    let arguments: Option<Vec<_>> = params.iter().map(argument).collect();
    Ok(match (method, arguments) {
        ("set", Some(arguments)) => match <[_; 2]>::try_from(arguments) {
            Ok([queue, value]) => Call::Set { queue, value },
            Err(_) => Call::WrongArguments,
        },
        ("get", Some(arguments)) => match <[_; 1]>::try_from(arguments) {
            Ok([queue]) => Call::Get { queue },
            Err(_) => Call::WrongArguments,
        },
        ("set" | "get", None) => Call::WrongArguments,
        (unknown, _) => Call::Unknown(beginning(unknown)),
    })
}

fn beginning(text: &str) -> String {
    text.chars().take(MAX_QUOTED).collect()
}

/// An argument as a text; `None` when it is nothing that has one. What is no string is written as JSON writes it.
fn argument(param: &Element) -> Option<Vec<u8>> {
    let [value] = &param.children[..] else { return None };
    if param.name != "param" || value.name != "value" {
        return None;
    }
    let typed = match &value.children[..] {
        [] => return Some(value.text.clone().into_bytes()),
        [typed] if typed.children.is_empty() && value.text.trim_ascii().is_empty() => typed,
        _ => return None,
    };
    let written = typed.text.trim_ascii();
    match typed.name.as_str() {
        "string" => Some(typed.text.clone().into_bytes()),
        "int" | "i4" => Some(written.parse::<i64>().ok()?.to_string().into_bytes()),
        "double" => {
            let number = serde_json::Number::from_f64(written.parse().ok()?)?;
            Some(number.to_string().into_bytes())
        }
        "boolean" => match written {
            "0" => Some(b"false".to_vec()),
            "1" => Some(b"true".to_vec()),
            _ => None,
        },
        "base64" => {
            let digits: Vec<u8> = written.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
            base64::decode(digits)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str, values: &[&str]) -> Result<Call, String> {
        let params: String = values
            .iter()
            .map(|v| format!("<param>\n<value>{v}</value>\n</param>\n"))
            .collect();
        let text = format!(
            "<?xml version='1.0'?>\n<methodCall>\n<methodName>{method}</methodName>\n<params>\n{params}</params>\n</methodCall>\n"
        );
        parse(text.as_bytes())
    }

    fn set(value: &str) -> Option<String> {
        match call("set", &["<string>q</string>", value]) {
            Ok(Call::Set { queue, value }) => {
                assert_eq!(queue, b"q");
                Some(String::from_utf8(value).unwrap())
            }
            other => {
                assert_eq!(other, Ok(Call::WrongArguments));
                None
            }
        }
    }

    #[test]
    fn a_string_is_kept_as_it_is() {
        assert_eq!(set("<string>00012</string>").as_deref(), Some("00012"));
        assert_eq!(set(" a &amp; b\n").as_deref(), Some(" a & b\n"));
        assert_eq!(set("<string> é&lt;&#13; </string>").as_deref(), Some(" é<\r "));
        assert_eq!(set("<string></string>").as_deref(), Some(""));
        assert_eq!(set("<string/>").as_deref(), Some(""));
        assert_eq!(set("").as_deref(), Some(""));
        assert_eq!(set(" <string>a</string>\n").as_deref(), Some("a"));
    }

    #[test]
    fn what_is_no_string_is_written_as_json_writes_it() {
        for (value, text) in [
            ("<int>12</int>", "12"),
            ("<i4> -0007\n</i4>", "-7"),
            ("<int>+2147483648</int>", "2147483648"),
            ("<double>1.50</double>", "1.5"),
            ("<double>-1e300</double>", "-1e+300"),
            ("<boolean>1</boolean>", "true"),
            ("<boolean>0</boolean>", "false"),
            ("<base64>\nYW55IGNh\ncm5hbA==\n</base64>", "any carnal"),
            ("<base64>YQ</base64>", "a"),
            ("<base64></base64>", ""),
        ] {
            assert_eq!(set(value).as_deref(), Some(text), "{value}");
        }
    }

    #[test]
    fn what_has_no_text_is_a_wrong_argument() {
        for value in [
            "<nil/>",
            "<int>x</int>",
            "<int></int>",
            "<int>99999999999999999999</int>",
            "<int>1.5</int>",
            "<double>nan</double>",
            "<double>1e999</double>",
            "<boolean>true</boolean>",
            "<base64>!</base64>",
            "<dateTime.iso8601>19980717T14:08:55</dateTime.iso8601>",
            "<array><data></data></array>",
            "<struct><member><name>a</name><value>b</value></member></struct>",
            "<string>a</string><string>b</string>",
            "a<string>b</string>",
            "<string>a<b/></string>",
        ] {
            assert_eq!(set(value), None, "{value}");
        }
        for values in [&[][..], &["q"], &["q", "v", "1"]] {
            assert_eq!(call("set", values), Ok(Call::WrongArguments));
        }
        for values in [&[][..], &["q", "v"]] {
            assert_eq!(call("get", values), Ok(Call::WrongArguments));
        }
        for params in [
            "<param/>",
            "<param>q</param>",
            "<value>q</value>",
            "<param><value>q</value><value>q</value></param>",
        ] {
            let text = format!("<methodCall><methodName>get</methodName><params>{params}</params></methodCall>");
            assert_eq!(parse(text.as_bytes()), Ok(Call::WrongArguments), "{params}");
        }
    }

    #[test]
    fn methods_are_told_apart() {
        let queue = b"q".to_vec();
        assert_eq!(call(" get\n", &["q"]), Ok(Call::Get { queue }));
        assert_eq!(call("nope", &["<nil/>"]), Ok(Call::Unknown("nope".into())));
        assert_eq!(call("Set", &["q", "v"]), Ok(Call::Unknown("Set".into())));
        assert_eq!(call(&"é".repeat(200), &[]), Ok(Call::Unknown("é".repeat(100))));
        let without = parse(b"<methodCall><methodName>get</methodName></methodCall>");
        assert_eq!(without, Ok(Call::WrongArguments));
    }

    #[test]
    fn what_is_no_call_is_told_shortly() {
        for (body, why) in [
            (&b""[..], "it has no element"),
            (b"queue=q&value=v", "there is text outside of its root element"),
            (b"{}", "there is text outside of its root element"),
            (b"<methodResponse/>", "it is no methodCall"),
            (b"<methodCall/>", "it has no methodName"),
        ] {
            let error = parse(body).unwrap_err();
            assert!(error.starts_with(why), "{error}");
        }
        let long = format!("<a></{}>", "b".repeat(100_000));
        assert_eq!(parse(long.as_bytes()).unwrap_err().chars().count(), MAX_QUOTED);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_characters_of_latin1() {
        let body = b"<methodCall><methodName>get</methodName><params><param><value>caf\xe9</value></param></params></methodCall>";
        let queue = "café".as_bytes().to_vec();
        assert_eq!(parse(body), Ok(Call::Get { queue }));
    }
}
