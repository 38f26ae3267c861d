//! Writing JSON objects and arrays, member by member.

use super::json::{push_ascii_string, push_string};
use std::fmt::{Display, Write};

/// How JSON is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Without spaces, in UTF-8.
    #[default]
    Compact,
    /// As Python writes it: with a space after `,` and `:`, in ASCII. RestMQ's clients may compare the text.
    Python,
}

/// A JSON object that is being written. Its members come in the order of the calls.
#[derive(Debug)]
pub struct Object<'a> {
    out: &'a mut String,
    style: Style,
    is_empty: bool,
}

/// Appends an object whose members `fill` writes.
pub fn push_object(out: &mut String, fill: impl FnOnce(&mut Object<'_>)) {
    push_styled(out, Style::Compact, fill);
}

/// An object whose members `fill` writes.
#[must_use]
pub fn object(style: Style, fill: impl FnOnce(&mut Object<'_>)) -> String {
    let mut out = String::new();
    push_styled(&mut out, style, fill);
    out
}

fn push_styled(out: &mut String, style: Style, fill: impl FnOnce(&mut Object<'_>)) {
    out.push('{');
    let mut object = Object {
        out,
        style,
        is_empty: true,
    };
    fill(&mut object);
    object.out.push('}');
}

/// Appends an array whose elements `write` appends, one for each item.
pub fn push_array<T>(out: &mut String, items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut String, T)) {
    out.push('[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

impl Object<'_> {
    /// Begins a member. Its value is to be appended to what this gives.
    fn member(&mut self, name: &str) -> &mut String {
        let (comma, colon) = match self.style {
            Style::Compact => (",", ":"),
            Style::Python => (", ", ": "),
        };
        if !self.is_empty {
            self.out.push_str(comma);
        }
        self.is_empty = false;
        self.string(name.as_bytes());
        self.out.push_str(colon);
        self.out
    }

    fn string(&mut self, bytes: &[u8]) {
        match self.style {
            Style::Compact => push_string(self.out, bytes),
            Style::Python => push_ascii_string(self.out, bytes),
        }
    }

    /// Adds a member whose value is this JSON text, as it stands.
    pub fn json(&mut self, name: &str, text: &str) -> &mut Self {
        self.member(name).push_str(text);
        self
    }

    /// Adds a string, see [`push_string`] and [`push_ascii_string`].
    pub fn text(&mut self, name: &str, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.member(name);
        self.string(bytes.as_ref());
        self
    }

    /// Adds what is written as a number or a word: a number, `true`, `false`.
    pub fn plain(&mut self, name: &str, value: impl Display) -> &mut Self {
        // Writing to a string cannot fail.
        let _ = write!(self.member(name), "{value}");
        self
    }

    /// Adds an object whose members `fill` writes.
    pub fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        let style = self.style;
        push_styled(self.member(name), style, fill);
        self
    }

    /// Adds an array whose elements `write` appends, one for each item.
    pub fn array<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        write: impl FnMut(&mut String, T),
    ) -> &mut Self {
        push_array(self.member(name), items, write);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_order_and_json_stays_as_it_is() {
        let text = object(Style::Compact, |o| {
            o.text("a\"", b"caf\xe9").json("b", "{ \"x\":1.50 }").plain("c", 7);
            o.object("d", |o| {
                o.plain("e", true);
            });
            o.array("f", [1, 2], |out, item| out.push_str(&item.to_string()));
        });
        assert_eq!(
            text,
            r#"{"a\"":"café","b":{ "x":1.50 },"c":7,"d":{"e":true},"f":[1,2]}"#
        );
    }

    #[test]
    fn a_spaced_object_is_in_ascii_and_so_are_those_within_it() {
        let text = object(Style::Python, |o| {
            o.text("a\"", "é").object("d", |o| {
                o.plain("c", 1).text("e", "€");
            });
            o.plain("f", "null");
        });
        assert_eq!(text, r#"{"a\"": "\u00e9", "d": {"c": 1, "e": "\u20ac"}, "f": null}"#);
    }

    #[test]
    fn without_members_it_is_empty() {
        assert_eq!(object(Style::Compact, |_| {}), "{}");
        let text = object(Style::Compact, |o| {
            o.array("none", [0; 0], |_, _| {});
        });
        assert_eq!(text, r#"{"none":[]}"#);
    }
}
