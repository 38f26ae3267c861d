//! The parameters after the question mark.

use percent_encoding::percent_decode;
use std::borrow::Cow;

/// The parameters of a query string, read as forgivingly as clients write them: a stray `?`, a leading `&` and a
/// parameter without `=` do no harm. Values are bytes; `+` is a space.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    /// The query of a URI, `None` when it has none.
    #[must_use]
    pub fn new(query: Option<&'a str>) -> Self {
        Self(query.unwrap_or_default())
    }

    /// The value of a parameter. Of two equal parameters the last counts.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.0
            .rsplit('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .find(|(key, _)| decode(key.trim_start_matches('?')) == name.as_bytes())
            .map(|(_, value)| decode(value).into_owned())
    }

    /// Like [`get`](Self::get), and an empty value counts as none.
    #[must_use]
    pub fn get_filled(&self, name: &str) -> Option<Vec<u8>> {
        self.get(name).filter(|value| !value.is_empty())
    }
}

fn decode(text: &str) -> Cow<'_, [u8]> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        Cow::Owned(percent_decode(spaced.as_bytes()).collect())
    } else {
        percent_decode(text.as_bytes()).into()
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
        for query in ["&a=1", "?a=1", "&&a=1&", "%61=1", "=&a=1", "a=0&a=1&=2"] {
            assert_eq!(Query::new(Some(query)).get("a").unwrap(), b"1", "{query}");
        }
    }

    #[test]
    fn an_empty_value_is_no_filled_one() {
        assert_eq!(Query::new(Some("a=&b")).get_filled("a"), None);
        assert_eq!(Query::new(None).get_filled("a"), None);
    }
}
