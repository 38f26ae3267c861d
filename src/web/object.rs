//! Writing JSON objects and arrays, member by member.

use super::json::push_string;
use std::fmt::{Display, Write};

/// A JSON object that is being written. Its members come in the order of the calls.
#[derive(Debug)]
pub struct Object<'a> {
    out: &'a mut String,
    /// What comes before the next member.
    separator: char,
}

/// Appends an object whose members `fill` writes.
pub fn push_object(out: &mut String, fill: impl FnOnce(&mut Object<'_>)) {
    let mut object = Object { out, separator: '{' };
    fill(&mut object);
    if object.separator == '{' {
        object.out.push('{');
    }
    object.out.push('}');
}

/// An object whose members `fill` writes.
#[must_use]
pub fn object(fill: impl FnOnce(&mut Object<'_>)) -> String {
    let mut out = String::new();
    push_object(&mut out, fill);
    out
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
        self.out.push(self.separator);
        self.separator = ',';
        push_string(self.out, name.as_bytes());
        self.out.push(':');
        self.out
    }

    /// Adds a member whose value is this JSON text, as it stands.
    pub fn json(&mut self, name: &str, text: &str) -> &mut Self {
        self.member(name).push_str(text);
        self
    }

    /// Adds a string, see [`push_string`].
    pub fn text(&mut self, name: &str, bytes: impl AsRef<[u8]>) -> &mut Self {
        push_string(self.member(name), bytes.as_ref());
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
        push_object(self.member(name), fill);
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
        let text = object(|o| {
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
    fn without_members_it_is_empty() {
        assert_eq!(object(|_| {}), "{}");
        let text = object(|o| {
            o.array("none", [0; 0], |_, _| {});
        });
        assert_eq!(text, r#"{"none":[]}"#);
    }
}
