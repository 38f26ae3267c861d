//! JSON texts as bytes: checked and taken apart without being built, so that every part keeps its bytes.

use super::latin1_chars;
pub use super::object::{Object, Style, object, push_array, push_object};
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::fmt::Write;

/// Whether this is a JSON text. Bytes inside its strings need not be UTF-8: legacy clients send such.
#[must_use]
pub fn is_text(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// These bytes as a text of standard JSON, which is UTF-8; `None` when they are none.
#[must_use]
pub fn utf8_text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| is_text(text.as_bytes()))
}

/// The deepest nesting that common readers of JSON surely take. Deeper texts are no less JSON, but a reader that fails at
/// one of them fails at the whole answer.
pub const MAX_LEVELS: usize = 200;

/// Whether strict readers of JSON take this JSON text, too. They reject deep nesting, half of a surrogate pair (jq 1.6, Perl),
/// and numbers that no double holds (Go, serde, and Python for thousands of digits).
#[must_use]
pub fn is_strict(text: &str) -> bool {
    lone_surrogate(text, 0).is_none() && is_shallow_with_finite_numbers(text.as_bytes())
}

/// Whether a JSON text is nested no deeper than [`MAX_LEVELS`], and a double can hold each of its numbers.
fn is_shallow_with_finite_numbers(text: &[u8]) -> bool {
    let (mut depth, mut rest) = (0_usize, text);
    while let [first, after @ ..] = rest {
        rest = match first {
            b'"' => after.get(string_length(after)..).unwrap_or_default(),
            b'[' | b'{' if depth == MAX_LEVELS => return false,
            b'[' | b'{' => {
                depth += 1;
                after
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                after
            }
            b'-' | b'0'..=b'9' => {
                let (number, after) = rest.split_at(value_length(rest));
                if !is_finite(number) {
                    return false;
                }
                after
            }
            _ => after,
        };
    }
    true
}

/// How many bytes a JSON string has behind its opening mark, with the closing one.
fn string_length(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = text
        .get(at..)
        .unwrap_or_default()
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\'))
    {
        at += found + 1;
        if text.get(at - 1) == Some(&b'"') {
            return at;
        }
        // What is escaped ends nothing.
        at += 1;
    }
    text.len()
}

fn is_finite(number: &[u8]) -> bool {
    // The largest double has 309 digits before its point.
    let may_be_large = number.len() >= 309 || number.iter().any(|byte| matches!(byte, b'e' | b'E'));
    !may_be_large || serde_json::from_slice::<f64>(number).is_ok_and(f64::is_finite)
}

/// How many bytes an escape sequence of four digits has: `\u0020`.
const ESCAPE_BYTES: usize = 6;

/// Where the next escape sequence for half of a surrogate pair is whose other half is missing. JSON has no rule against
/// them, but they stand for no character.
fn lone_surrogate(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += text.get(at..)?.find('\\')?;
        match escaped_unit(text, at) {
            Some(0xd800..=0xdbff) => match escaped_unit(text, at + ESCAPE_BYTES) {
                Some(0xdc00..=0xdfff) => at += 2 * ESCAPE_BYTES,
                _ => return Some(at),
            },
            Some(0xdc00..=0xdfff) => return Some(at),
            Some(_) => at += ESCAPE_BYTES,
            None => at += 2,
        }
    }
}

/// The UTF-16 code unit for which the escape sequence stands that begins here, if it is one of four digits.
fn escaped_unit(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + ESCAPE_BYTES)?.strip_prefix("\\u")?;
    u16::from_str_radix(digits, 16).ok()
}

/// A JSON text in which each half of a surrogate pair whose other half is missing is replaced by U+FFFD.
#[must_use]
pub fn without_lone_surrogates(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    let mut from = 0;
    while let Some(at) = lone_surrogate(&text, from) {
        from = at + ESCAPE_BYTES;
        text.to_mut().replace_range(at..from, "\\ufffd");
    }
    text
}

/// What is wrong with a list that a client sends as a member of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListError {
    /// Not a JSON text, or no object.
    NoObject,
    /// The object has no such member, or that is no array.
    NoArray,
}

/// The members of these names that a JSON object has, each with its bytes as they stand. Of two equal members the last
/// counts. `None` when the text is no JSON object.
#[must_use]
pub fn members<'a, const N: usize>(text: &'a [u8], names: [&str; N]) -> Option<[Option<&'a [u8]>; N]> {
    let mut object = Scanner::new(text);
    if !is_text(text) || object.opening() != Some(b'{') {
        return None;
    }
    let mut found = [None; N];
    while let Some(key) = object.next_part() {
        let value = object.next_part();
        let key: Option<String> = serde_json::from_slice(key).ok();
        let mut pairs = names.iter().zip(&mut found);
        if let Some((_, slot)) = pairs.find(|(name, _)| key.as_deref() == Some(**name)) {
            *slot = value;
        }
    }
    Some(found)
}

/// The elements of the array that a JSON object has as its member `name`, each with its bytes as they stand. Of two
/// equal members the last counts.
///
/// # Errors
/// [`ListError`].
pub fn list_member<'a>(text: &'a [u8], name: &str) -> Result<Vec<&'a [u8]>, ListError> {
    let [found] = members(text, [name]).ok_or(ListError::NoObject)?;
    let mut array = Scanner::new(found.unwrap_or_default());
    if array.opening() != Some(b'[') {
        return Err(ListError::NoArray);
    }
    Ok(std::iter::from_fn(|| array.next_part()).collect())
}

/// Walks over the parts of one object or array, which is known to be valid JSON.
struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// Steps into the text, and gives its first byte.
    fn opening(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.trim_ascii_start().split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// The next key, value or element; `None` at the end.
    fn next_part(&mut self) -> Option<&'a [u8]> {
        let between = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b':');
        let start = self.rest.iter().position(|byte| !between(byte))?;
        let part = self.rest.get(start..)?;
        if matches!(part.first(), Some(b']' | b'}')) {
            return None;
        }
        let (part, rest) = part.split_at(value_length(part));
        self.rest = rest;
        Some(part)
    }
}

/// How long the value is that begins here.
fn value_length(text: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at += string_length(text.get(at + 1..).unwrap_or_default()),
            b'[' | b'{' => depth += 1,
            b']' | b'}' if depth == 0 => return at,
            b']' | b'}' => depth -= 1,
            b',' if depth == 0 => return at,
            _ if depth == 0 && byte.is_ascii_whitespace() => return at,
            _ => {}
        }
        at += 1;
        if depth == 0 && matches!(byte, b'"' | b']' | b'}') {
            break;
        }
    }
    at.min(text.len())
}

/// Appends bytes as a JSON string. Those that are not UTF-8 are read by [`latin1_chars`].
pub fn push_string(out: &mut String, bytes: &[u8]) {
    out.reserve(bytes.len() + 2);
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(at) = rest.bytes().position(|byte| matches!(byte, ..b' ' | b'"' | b'\\')) {
            let (plain, special) = rest.split_at(at);
            out.push_str(plain);
            let mut chars = special.chars();
            chars.next().into_iter().for_each(|c| push_escaped(out, c));
            rest = chars.as_str();
        }
        out.push_str(rest);
        out.extend(latin1_chars(chunk.invalid()));
    }
    out.push('"');
}

/// Appends bytes as a JSON string in ASCII, in which `</` is `<\/`, so that it may stand in a script element. Bytes that are
/// not UTF-8 are read by [`latin1_chars`].
pub fn push_ascii_string(out: &mut String, bytes: &[u8]) {
    out.reserve(bytes.len() + 2);
    out.push('"');
    for c in latin1_chars(bytes) {
        match c {
            '/' if out.ends_with('<') => out.push_str("\\/"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '"' | '\\' => push_escaped(out, c),
            ' '..='~' => out.push(c),
            c => push_escaped(out, c),
        }
    }
    out.push('"');
}

/// Appends a character as an escape sequence.
fn push_escaped(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}

/// Bytes as a JSON string: see [`push_string`].
#[must_use]
pub fn string(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    push_string(&mut out, bytes);
    out
}

/// A JSON array of strings: see [`push_string`].
#[must_use]
pub fn strings(all: &[Vec<u8>]) -> String {
    let mut out = String::with_capacity(all.iter().map(|bytes| bytes.len() + 16).sum());
    out.push('[');
    for (at, bytes) in all.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push_string(&mut out, bytes);
    }
    out.push(']');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_json_value_is_a_text_and_bytes_in_strings_are_let_through() {
        let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
        let texts: [&[u8]; 8] = [
            b"{}",
            b" [1,2]\n",
            b"\"s\"",
            b"42",
            b"null",
            b"{\"a\":1,\"a\":2}",
            b"{\"n\":\"\xe9\"}",
            &deep,
        ];
        for text in texts {
            assert!(is_text(text), "{}", String::from_utf8_lossy(text));
        }
        for text in [
            &b""[..],
            b" ",
            b"{jobs:1}",
            b"{} {}",
            b"{\"a\":}",
            b"\xe9",
            b"01",
            b"{\"a\":\"\n\"}",
        ] {
            assert!(!is_text(text), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn brackets_in_strings_are_no_levels() {
        let nested = |levels: usize| ["[".repeat(levels), "]".repeat(levels)].concat();
        assert!(is_strict(&nested(MAX_LEVELS)) && !is_strict(&nested(MAX_LEVELS + 1)));
        assert!(is_strict(&format!("\"\\\"{}\"", "[".repeat(1000))));
        assert!(is_strict(&vec!["{}"; 1000].join(",")));
    }

    #[test]
    fn strict_readers_reject_half_pairs_numbers_beyond_doubles_and_deep_nesting() {
        let (deep, digits) = ([&*"[".repeat(201), &*"]".repeat(201)].concat(), "9".repeat(309));
        for text in [
            r#"{"a":["cut \ud83d"]}"#,
            r#"{"\ude00":1}"#,
            "1e309",
            "-1E+400",
            r#"{"a":[1.5, 1e309 ]}"#,
            &digits,
            &format!("[0,-{digits}]"),
            &deep,
        ] {
            assert!(is_text(text.as_bytes()) && !is_strict(text), "{text}");
        }
        for text in [
            r#""\ud83d\ude00 \\ud83d 1e309""#,
            r#"{"1e309":"\"1e309", "b":[true,false,null]}"#,
            "[1.7e308,-1e-999, 0.10e+5]",
            &"9".repeat(308),
        ] {
            assert!(is_text(text.as_bytes()) && is_strict(text), "{text}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced_and_all_else_stays() {
        let cases = [
            (r#""cut \ud83d""#, r#""cut \ufffd""#),
            (
                r#"{"\uDE00":"\ud83d\ud83d\ude00\uD83Dx"}"#,
                r#"{"\ufffd":"\ufffd\ud83d\ude00\ufffdx"}"#,
            ),
            (r#""\udc00\ud800""#, r#""\ufffd\ufffd""#),
            (r#""\ud800\n\ud800\\udc00""#, r#""\ufffd\n\ufffd\\udc00""#),
        ];
        for (text, expected) in cases {
            assert_eq!(without_lone_surrogates(text), expected);
            assert!(
                serde_json::from_str::<serde_json::Value>(expected).is_ok(),
                "{expected}"
            );
        }
        for text in [
            r#""\\ud800 \\\\ud800 \ud83d\ude00 \u00e9 é😀 \" x"#,
            "[1,{}]",
            "\"\"",
            r#""\\""#,
        ] {
            assert!(matches!(without_lone_surrogates(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn elements_keep_their_bytes() {
        let text = br#" {"x":[{}], "jobs" : [ {"a" : "]\"}"} ,1.50,"s\\", [ 2,[3]],null ,"caf"#;
        let text = [&text[..], b"\xe9\" ] , \"y\":{\"jobs\":[7]}} "].concat();
        let elements = list_member(&text, "jobs").unwrap();
        let expected: [&[u8]; 6] = [
            br#"{"a" : "]\"}"}"#,
            b"1.50",
            br#""s\\""#,
            b"[ 2,[3]]",
            b"null",
            b"\"caf\xe9\"",
        ];
        assert_eq!(elements, expected);
        assert!(list_member(b"{\"jobs\":[ ]}", "jobs").unwrap().is_empty());
    }

    #[test]
    fn of_two_equal_members_the_last_counts_however_it_is_written() {
        let text = br#"{"jobs":[1],"\u006aobs":[2]}"#;
        assert_eq!(list_member(text, "jobs").unwrap(), [b"2"]);
    }

    #[test]
    fn what_is_no_object_with_a_list_is_told_apart() {
        for text in [&b"[{\"jobs\":[]}]"[..], b"42", b"{jobs:[1]}", b""] {
            assert_eq!(list_member(text, "jobs"), Err(ListError::NoObject));
        }
        for text in [
            &b"{}"[..],
            b"{\"jobs\":{\"a\":1}}",
            b"{\"jobs\":\"x\"}",
            b"{\"jobs\":null}",
            b"{\"job\":[]}",
        ] {
            assert_eq!(list_member(text, "jobs"), Err(ListError::NoArray));
        }
    }

    #[test]
    fn a_string_reads_back_as_it_was() {
        for text in ["", "a\"b\\c\n\r\t\u{1}\u{7f}é€😀</x>"] {
            assert_eq!(serde_json::from_str::<String>(&string(text.as_bytes())).unwrap(), text);
        }
        assert_eq!(string(b"caf\xe9"), "\"café\"");
        let list = strings(&[b"1".to_vec(), b"\"x\"".to_vec()]);
        assert_eq!(list, r#"["1","\"x\""]"#);
        assert_eq!(strings(&[]), "[]");
    }

    #[test]
    fn an_ascii_string_ends_no_script_element() {
        let written = |bytes: &[u8]| {
            let mut out = String::new();
            push_ascii_string(&mut out, bytes);
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
}
