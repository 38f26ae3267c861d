//! The parameters after the question mark, and forms written in the same way.

use percent_encoding::percent_decode;
use std::borrow::Cow;

/// The parameters of a query string or a URL-encoded form, read as forgivingly as clients write them: a stray `?`, a
/// leading `&` and a parameter without `=` do no harm. Values are bytes; `+` is a space.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a>(&'a [u8]);

impl<'a> Query<'a> {
    /// The query of a URI, `None` when it has none.
    #[must_use]
    pub fn new(query: Option<&'a str>) -> Self {
        Self::of_form(query.unwrap_or_default().as_bytes())
    }

    /// The body of a URL-encoded form.
    #[must_use]
    pub fn of_form(body: &'a [u8]) -> Self {
        Self(body)
    }

    /// The names and values, as they come.
    pub fn pairs(self) -> impl DoubleEndedIterator<Item = (Cow<'a, [u8]>, Cow<'a, [u8]>)> {
        self.parts().map(|(name, value)| (decode(name), decode(value)))
    }

    /// The value of a parameter. Of two equal parameters the last counts.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.parts()
            .rfind(|(key, _)| decode(key) == name.as_bytes())
            .map(|(_, value)| decode(value).into_owned())
    }

    /// Like [`get`](Self::get), and an empty value counts as none.
    #[must_use]
    pub fn get_filled(&self, name: &str) -> Option<Vec<u8>> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// The names and values, not decoded.
    fn parts(self) -> impl DoubleEndedIterator<Item = (&'a [u8], &'a [u8])> {
        let pairs = self.0.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        pairs.map(|pair| {
            let equals = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (mut name, value) = pair.split_at(equals);
            while let Some(rest) = name.strip_prefix(b"?") {
                name = rest;
            }
            (name, value.strip_prefix(b"=").unwrap_or_default())
        })
    }
}

/// The bytes that are written as a form writes them: percent-encoded, and `+` is a space.
#[must_use]
pub fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if text.contains(&b'+') {
        let spaced: Vec<u8> = text
            .iter()
            .map(|&byte| if byte == b'+' { b' ' } else { byte })
            .collect();
        Cow::Owned(percent_decode(&spaced).collect())
    } else {
        percent_decode(text).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_percent_decoded_and_a_plus_is_a_space() {
        let query = Query::new(Some("uniq=a%2Bb+c%FF&x"));
        assert_eq!(query.get("uniq").unwrap(), b"a+b c\xff");
        assert_eq!(query.get("x").unwrap(), b"");
        assert_eq!(query.get("y"), None);
    }

    #[test]
    fn of_two_equal_parameters_the_last_counts() {
        assert_eq!(Query::new(Some("a=1&b=2&a=3")).get("a").unwrap(), b"3");
    }

    #[test]
    fn stray_signs_do_no_harm() {
        for query in ["&a=1", "?a=1", "&&a=1&", "%61=1", "=&a=1", "a=0&a=1&=2", "??a=1"] {
            assert_eq!(Query::new(Some(query)).get("a").unwrap(), b"1", "{query}");
        }
        assert_eq!(Query::new(Some("a=b=?c")).get("a").unwrap(), b"b=?c");
    }

    #[test]
    fn an_empty_value_is_no_filled_one() {
        assert_eq!(Query::new(Some("a=&b")).get_filled("a"), None);
        assert_eq!(Query::new(None).get_filled("a"), None);
    }

    #[test]
    fn the_pairs_come_in_order_and_any_byte_is_let_through() {
        let pairs: Vec<_> = Query::of_form(b"a=\xff%00&&b+c&=d").pairs().collect();
        let expected: [(&[u8], &[u8]); 3] = [(b"a", b"\xff\0"), (b"b c", b""), (b"", b"d")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.into(), value.into())));
    }
}
