//! The fields of a request: those of its query and of a form in its body, as one.

use crate::web::{Query, media_type};
use bytes::Bytes;
use futures_util::{FutureExt, stream};
use http::header::{CONTENT_TYPE, HeaderMap};
use multer::Multipart;
use std::borrow::Cow;
use std::convert::Infallible;

/// The fields of a request, those of the query before those of the body. Values are bytes.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(Vec<u8>, Bytes)>);

/// Why a request's fields cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormError {
    /// There is a body, and its content type says no form.
    ContentType,
    /// The body is said to be a form in parts, and is none.
    Malformed,
    /// More than [`Fields::MAX_FIELDS`] fields.
    TooMany,
}

impl Fields {
    /// How many fields a request may have.
    pub const MAX_FIELDS: usize = 1000;

    /// The longest boundary between the parts of a form: what RFC 2046 allows.
    const MAX_BOUNDARY_BYTES: usize = 70;

    /// Reads the fields of a query and of a body, which is URL-encoded or `multipart/form-data`. A file in a part is a
    /// field like others. An empty body has no fields, whatever its type.
    ///
    /// # Errors
    /// [`FormError`].
    pub fn parse(query: Option<&str>, headers: &HeaderMap, body: &Bytes) -> Result<Self, FormError> {
        let mut fields = Self::default();
        fields.add_pairs(Query::new(query), Bytes::copy_from_slice)?;
        if body.is_empty() {
            return Ok(fields);
        }
        match media_type(headers).as_deref() {
            Some("application/x-www-form-urlencoded") => {
                fields.add_pairs(Query::of_form(body), |part| body.slice_ref(part))?;
            }
            Some("multipart/form-data") => fields.add_parts(headers, body)?,
            _ => return Err(FormError::ContentType),
        }
        Ok(fields)
    }

    /// The value of a field without the ASCII white space around it, `None` when nothing is left. Of equal fields the
    /// last that has something counts.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let equal = self.0.iter().rev().filter(|(key, _)| key == name.as_bytes());
        equal.map(|(_, value)| trim(value)).find(|value| !value.is_empty())
    }

    fn add(&mut self, name: &[u8], value: Bytes) -> Result<(), FormError> {
        if self.0.len() >= Self::MAX_FIELDS {
            return Err(FormError::TooMany);
        }
        self.0.push((name.to_owned(), value));
        Ok(())
    }

    /// Adds URL-encoded fields. What needs no decoding is taken over by `keep`.
    fn add_pairs<'a>(&mut self, pairs: Query<'a>, keep: impl Fn(&'a [u8]) -> Bytes) -> Result<(), FormError> {
        for (name, value) in pairs.pairs() {
            let value = match value {
                Cow::Borrowed(part) => keep(part),
                Cow::Owned(decoded) => decoded.into(),
            };
            self.add(&name, value)?;
        }
        Ok(())
    }

    /// The whole body is here, so nothing of this ever waits.
    fn add_parts(&mut self, headers: &HeaderMap, body: &Bytes) -> Result<(), FormError> {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let boundary = content_type.and_then(|value| multer::parse_boundary(value).ok());
        let boundary = boundary
            .filter(|boundary| (1..=Self::MAX_BOUNDARY_BYTES).contains(&boundary.len()))
            .ok_or(FormError::Malformed)?;
        let delimiter = format!("--{boundary}");
        let pieces = (0..body.len()).step_by(PIECE);
        let pieces = pieces.map(|start| Ok::<_, Infallible>(body.slice(start..body.len().min(start + PIECE))));
        let mut parts = Multipart::new(stream::iter(pieces), boundary);
        let mut place = 0;
        while let Some(mut part) = at_once(parts.next_field())? {
            let name = part.name().unwrap_or_default().to_owned();
            let mut value = Value::expected_at(body, content_start(body, place, delimiter.as_bytes()));
            while let Some(piece) = at_once(part.chunk())? {
                value.push(&piece);
            }
            place = value.end();
            self.add(name.as_bytes(), value.into())?;
        }
        Ok(())
    }
}

/// A form in parts is read in pieces of this size, in bytes: the reader copies a piece.
const PIECE: usize = 64 * 1024;

/// Where the content of the first part begins whose boundary stands here or later.
fn content_start(body: &[u8], from: usize, delimiter: &[u8]) -> usize {
    let after = |from: usize, what: &[u8]| {
        let found = memmem(body.get(from..).unwrap_or_default(), what);
        found.map_or(body.len(), |at| from + at + what.len())
    };
    after(after(from, delimiter), b"\r\n\r\n")
}

fn memmem(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// A value that is put together of pieces. While these are what stands in the body anyway, nothing is copied: large values are
/// in memory only once.
struct Value<'a> {
    body: &'a Bytes,
    start: usize,
    length: usize,
    /// What is not as expected, if anything.
    copied: Option<Vec<u8>>,
}

impl<'a> Value<'a> {
    fn expected_at(body: &'a Bytes, start: usize) -> Self {
        Self {
            body,
            start,
            length: 0,
            copied: None,
        }
    }

    fn push(&mut self, piece: &[u8]) {
        if self.copied.is_none() && !self.body.get(self.end()..).unwrap_or_default().starts_with(piece) {
            self.copied = Some(self.body.get(self.start..self.end()).unwrap_or_default().to_vec());
        }
        match &mut self.copied {
            Some(copied) => copied.extend_from_slice(piece),
            None => self.length += piece.len(),
        }
    }

    fn end(&self) -> usize {
        self.start + self.length
    }
}

impl From<Value<'_>> for Bytes {
    fn from(value: Value<'_>) -> Self {
        match value.copied {
            Some(copied) => copied.into(),
            None => value.body.slice(value.start..value.end()),
        }
    }
}

/// Without white space at both ends, as clients of 2009 know it: that of ASCII, the vertical tab and the separators too.
pub(in crate::dialect) fn trim(mut value: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b'\t'..=b'\r' | 0x1c..=0x1f | b' ');
    while let Some((_, rest)) = value.split_first().filter(|(first, _)| is_space(first)) {
        value = rest;
    }
    while let Some((_, rest)) = value.split_last().filter(|(last, _)| is_space(last)) {
        value = rest;
    }
    value
}

fn at_once<T>(step: impl Future<Output = multer::Result<T>>) -> Result<T, FormError> {
    step.now_or_never().and_then(Result::ok).ok_or(FormError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const URL_ENCODED: &str = "application/x-www-form-urlencoded";

    fn parse(query: &str, media: &str, body: impl Into<Bytes>) -> Result<Fields, FormError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_bytes(media.as_bytes()).unwrap());
        Fields::parse(Some(query), &headers, &body.into())
    }

    fn in_parts(body: &str) -> Result<Fields, FormError> {
        parse(
            "",
            "multipart/form-data; boundary=Bnd",
            body.replace('\n', "\r\n").into_bytes(),
        )
    }

    #[test]
    fn the_last_value_that_is_not_blank_counts_and_the_body_goes_before_the_query() {
        let fields = parse(
            "a=1&a=2&b=3&c=4",
            "Application/X-WWW-Form-URLEncoded; charset=UTF-8",
            "b=5&b=+%0a&c=",
        );
        let fields = fields.unwrap();
        let expected: [(&str, Option<&[u8]>); 4] =
            [("a", Some(b"2")), ("b", Some(b"5")), ("c", Some(b"4")), ("d", None)];
        for (name, value) in expected {
            assert_eq!(fields.get(name), value, "{name}");
        }
    }

    #[test]
    fn white_space_around_a_value_is_left_out_and_bytes_stay() {
        let fields = parse("", URL_ENCODED, &b"v=%20+a+b%09%0D%0A&w=\xe9%ff%00"[..]).unwrap();
        assert_eq!(fields.get("v"), Some(&b"a b"[..]));
        assert_eq!(fields.get("w"), Some(&b"\xe9\xff\0"[..]));
    }

    #[test]
    fn a_body_of_another_type_is_no_form_and_an_empty_one_is() {
        for media in ["text/plain", "application/json", "", "multipart/mixed; boundary=Bnd"] {
            assert_eq!(
                parse("a=1", media, "a=2").err(),
                Some(FormError::ContentType),
                "{media}"
            );
            assert_eq!(parse("a=1", media, "").unwrap().get("a"), Some(&b"1"[..]), "{media}");
        }
        let none = Fields::parse(None, &HeaderMap::new(), &Bytes::from("a=2"));
        assert_eq!(none.err(), Some(FormError::ContentType));
    }

    #[test]
    fn a_form_in_parts_has_files_as_fields_and_the_last_counts() {
        let fields = in_parts(
            "what comes before\n--Bnd\nContent-Disposition: form-data; name=\"queue\"\n\n a\n b \n--Bnd\n\
             content-disposition: form-data; name=value; filename=\"x.bin\"\nContent-Type: application/octet-stream\n\n\
             old\n--Bnd\nContent-Disposition: form-data; name=\"value\"\n\n--Bn\n--Bnd--\nwhat comes after",
        );
        let fields = fields.unwrap();
        assert_eq!(fields.get("queue"), Some(&b"a\r\n b"[..]));
        assert_eq!(fields.get("value"), Some(&b"--Bn"[..]));
        let body = &b"--b b\r\nContent-Disposition: form-data; name=\"v\"\r\n\r\n\xff\0\r\n--b b--"[..];
        let bytes = parse("", "Multipart/Form-Data; charset=x; Boundary=\"b b\"", body).unwrap();
        assert_eq!(bytes.get("v"), Some(&b"\xff\0"[..]));
    }

    #[test]
    fn what_is_no_form_in_parts_is_malformed() {
        for body in [
            "x",
            "--Bnd",
            "--Bnd\n",
            "--Bnd\nContent-Disposition: form-data; name=\"a\"\n\nno end",
            "--Bnd\nContent-Disposition: form-data; name=\"a\"\n--Bnd--",
            "--Bnd\nContent-Disposition\n\nx\n--Bnd--",
            "--Bnd x\n\n--Bnd--",
            &format!("--Bnd\n{}\n\nx\n--Bnd--", "a: b\n".repeat(1000)),
        ] {
            assert_eq!(in_parts(body).err(), Some(FormError::Malformed), "{body}");
        }
    }

    #[test]
    fn a_boundary_is_of_1_to_70_bytes() {
        let with = |boundary: &str| {
            let body = format!("--{boundary}\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--{boundary}--");
            parse("", &format!("multipart/form-data; boundary=\"{boundary}\""), body)
        };
        assert_eq!(with(&"b".repeat(70)).unwrap().get("a"), Some(&b"1"[..]));
        for boundary in ["", &"b".repeat(71), &"b".repeat(300_000)] {
            assert_eq!(with(boundary).err(), Some(FormError::Malformed));
        }
        for media in [
            "multipart/form-data",
            "multipart/form-data; boundary",
            "multipart/form-data; boundary=\u{e9}",
            "multipart/form-data; boundary=\"x",
        ] {
            assert!(parse("", media, "--x--").is_err(), "{media}");
        }
    }

    #[test]
    fn fields_are_limited() {
        let many = |count| "a=1&".repeat(count);
        assert!(parse("", URL_ENCODED, many(Fields::MAX_FIELDS)).is_ok());
        assert_eq!(
            parse("", URL_ENCODED, many(Fields::MAX_FIELDS + 1)).err(),
            Some(FormError::TooMany)
        );
        assert_eq!(
            parse("a", URL_ENCODED, many(Fields::MAX_FIELDS)).err(),
            Some(FormError::TooMany)
        );
        assert!(parse("", URL_ENCODED, "&".repeat(1_000_000)).is_ok());
        let part = "--Bnd\nContent-Disposition: form-data; name=a\n\n1\n";
        let parts = |count| in_parts(&format!("{}--Bnd--", part.repeat(count)));
        assert!(parts(Fields::MAX_FIELDS).is_ok());
        assert_eq!(parts(Fields::MAX_FIELDS + 1).err(), Some(FormError::TooMany));
    }

    #[test]
    fn a_large_value_in_a_part_stands_in_memory_only_once() {
        let large = "a line\r\n--Bn\r\n\r\n".repeat(20_000);
        let head = "--Bnd\r\nContent-Disposition: form-data; name=";
        let body =
            format!("what comes first\r\n\r\n{head}\"a\"\r\n\r\n{large}\r\n{head}\"b\"\r\n\r\n{large}\r\n--Bnd--\r\n");
        let body = Bytes::from(body);
        let fields = parse("", "multipart/form-data; boundary=Bnd", body.clone()).unwrap();
        for name in ["a", "b"] {
            let value = fields.get(name).unwrap();
            assert_eq!(value, large.trim_end().as_bytes());
            assert!(body.as_ptr_range().contains(&value.as_ptr()), "it was copied");
        }
    }
}
