//! Reading requests.

use super::{Query, json};
use bytes::{Buf, Bytes, BytesMut};
use http::Method;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use http::request::Parts;
use http_body_util::BodyExt;
use std::fmt;
use std::pin::Pin;

/// A request. Its body is read when it is first asked for, and kept: whoever asks again gets the same.
pub struct Request {
    parts: Parts,
    body: RequestBody,
}

enum RequestBody {
    Unread(Pin<Box<dyn http_body::Body<Data = Bytes, Error = BodyError>>>),
    Read(Result<Bytes, BodyError>),
}

impl Request {
    /// Takes over a request of any body.
    pub fn new<B: http_body::Body + 'static>(request: http::Request<B>) -> Self {
        let (parts, body) = request.into_parts();
        let body = body
            .map_frame(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining())))
            .map_err(|_| BodyError::Broken);
        Self {
            parts,
            body: RequestBody::Unread(Box::pin(body)),
        }
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// The path, as it was sent.
    #[must_use]
    pub fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// The query, as it was sent.
    #[must_use]
    pub fn raw_query(&self) -> Option<&str> {
        self.parts.uri.query()
    }

    /// The parameters of the query.
    #[must_use]
    pub fn query(&self) -> Query<'_> {
        Query::new(self.raw_query())
    }

    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The body, of at most `limit` bytes.
    ///
    /// # Errors
    /// [`BodyError`]. One that was met once is met each time.
    pub async fn body(&mut self, limit: usize) -> Result<Bytes, BodyError> {
        if let RequestBody::Unread(body) = &mut self.body {
            let read = read_body(&self.parts.headers, body.as_mut(), limit).await;
            self.body = RequestBody::Read(read);
        }
        match &self.body {
            RequestBody::Read(Ok(body)) if body.len() > limit => Err(BodyError::TooLarge),
            RequestBody::Read(read) => read.clone(),
            // It was read above.
            RequestBody::Unread(_) => Err(BodyError::Broken),
        }
    }

    /// The body, of at most `limit` bytes, when it is said to be JSON; it may be empty. Whether it is JSON is not checked,
    /// except that a body that is said to be a form is taken when it is a JSON text: that is what `curl -d` sends.
    ///
    /// # Errors
    /// [`JsonError`].
    pub async fn json(&mut self, limit: usize) -> Result<Bytes, JsonError> {
        let says_json = is_json(&self.parts.headers);
        if !says_json && !is_form(&self.parts.headers) {
            return Err(JsonError::ContentType);
        }
        let body = self.body(limit).await?;
        if !says_json && !body.is_empty() && !json::is_text(&body) {
            return Err(JsonError::ContentType);
        }
        Ok(body)
    }
}

/// Shows no body and no header field: these may be secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", self.method())
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

/// Whether the content type says JSON: its media type is `application/json` or ends in `+json`, whatever its case
/// and parameters.
#[must_use]
pub fn is_json(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|media| media == "application/json" || media.ends_with("+json"))
}

/// Whether the content type says a URL-encoded form: what `curl -d` sends by default.
#[must_use]
pub fn is_form(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|media| media == "application/x-www-form-urlencoded")
}

/// Whether the content type says a form in parts: what `curl -F` sends.
#[must_use]
pub fn is_multipart(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|media| media == "multipart/form-data")
}

/// The media type of the body in lower case, without parameters.
#[must_use]
pub fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let media = value.split(';').next().unwrap_or_default();
    Some(media.trim().to_ascii_lowercase())
}

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is longer than the limit. At most the limit was read of it, and nothing when its length was announced.
    TooLarge,
    /// Its `Content-Encoding` is another than identity: it is compressed. Nothing was read of it.
    Encoded,
    /// It ended before its end: the client went away or broke the protocol.
    Broken,
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// [`BodyError`].
async fn read_body<B: http_body::Body>(headers: &HeaderMap, body: B, limit: usize) -> Result<Bytes, BodyError> {
    if is_encoded(headers) {
        return Err(BodyError::Encoded);
    }
    let announced = announced_length(headers).unwrap_or_default();
    if announced > limit {
        return Err(BodyError::TooLarge);
    }
    let mut body = std::pin::pin!(body);
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BodyError::Broken)?;
        let Ok(mut data) = frame.into_data() else {
            continue; // trailers
        };
        if first.len() + whole.len() + data.remaining() > limit {
            return Err(BodyError::TooLarge);
        }
        let chunk = data.copy_to_bytes(data.remaining());
        // Most bodies are one chunk, which is then not copied.
        if first.is_empty() && whole.is_empty() {
            first = chunk;
            continue;
        }
        if whole.is_empty() {
            // In one piece from the beginning: one that grows is copied, and is in memory twice meanwhile.
            whole.reserve(announced.max(first.len() + chunk.len()));
            whole.extend_from_slice(&std::mem::take(&mut first));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

/// Why a body could not be read as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// The content type does not say JSON.
    ContentType,
    /// It could not be read.
    Body(BodyError),
}

impl From<BodyError> for JsonError {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    encodings.any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn announced_length(headers: &HeaderMap) -> Option<usize> {
    let text = headers.get(CONTENT_LENGTH)?.to_str().ok()?;
    // A number too great for usize is too large as well.
    Some(text.parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use http::HeaderValue;
    use http_body::Frame;
    use http_body_util::{Full, StreamBody};

    fn with(name: http::HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        headers
    }

    #[test]
    fn json_is_known_by_its_media_type_alone() {
        for value in [
            "application/json",
            "Application/JSON ; charset=utf-8",
            "application/ld+json",
            "a/b+JSON;x",
        ] {
            assert!(is_json(&with(CONTENT_TYPE, value)), "{value}");
        }
        for value in [
            "",
            "text/plain",
            "application/jsonp",
            "text/plain; a=application/json",
            "json",
            "\u{e9}",
        ] {
            assert!(!is_json(&with(CONTENT_TYPE, value)), "{value}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn a_form_is_taken_when_it_is_json() {
        let read = async |media, text: &'static str| {
            let request = http::Request::builder().header(CONTENT_TYPE, media);
            let body = Full::new(Bytes::from(text));
            Request::new(request.body(body).unwrap()).json(9).await
        };
        let form = "application/x-www-form-urlencoded";
        assert_eq!(read(form, "{}").await.unwrap(), "{}");
        assert_eq!(read(form, "").await.unwrap(), "");
        assert_eq!(read(form, "a=1").await, Err(JsonError::ContentType));
        assert_eq!(read("application/json", "a=1").await.unwrap(), "a=1");
        assert_eq!(read("text/plain", "{}").await, Err(JsonError::ContentType));
        assert_eq!(
            read(form, "[1,2,3,4,5]").await,
            Err(JsonError::Body(BodyError::TooLarge))
        );
    }

    #[tokio::test]
    async fn chunks_are_joined_and_trailers_left_out() {
        let chunks = [&b"ab"[..], b"", b"cd", b"e"].map(|c| Ok::<_, std::io::Error>(Frame::data(Bytes::from(c))));
        let trailers = Ok(Frame::trailers(HeaderMap::new()));
        let body = StreamBody::new(stream::iter(chunks.into_iter().chain([trailers])));
        assert_eq!(read_body(&HeaderMap::new(), body, 5).await.unwrap(), "abcde");
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused() {
        let read = async |length| read_body(&with(CONTENT_LENGTH, length), Full::new(Bytes::from("abc")), 3).await;
        assert_eq!(read("3").await.unwrap(), "abc");
        assert_eq!(read("4").await, Err(BodyError::TooLarge));
        assert_eq!(read("99999999999999999999999").await, Err(BodyError::TooLarge));
        let unannounced = read_body(&HeaderMap::new(), Full::new(Bytes::from("abcd")), 3).await;
        assert_eq!(unannounced, Err(BodyError::TooLarge));
    }

    #[tokio::test]
    async fn an_encoded_body_is_refused() {
        let read =
            async |encoding| read_body(&with(CONTENT_ENCODING, encoding), Full::new(Bytes::from("abc")), 3).await;
        assert_eq!(read("identity").await.unwrap(), "abc");
        assert_eq!(read("Identity").await.unwrap(), "abc");
        for encoding in ["gzip", "br", "identity, gzip", ""] {
            assert_eq!(read(encoding).await, Err(BodyError::Encoded), "{encoding}");
        }
    }

    #[tokio::test]
    async fn an_announced_length_over_the_limit_is_refused_without_reading() {
        let never = StreamBody::new(stream::pending::<Result<Frame<Bytes>, std::io::Error>>());
        let answer = read_body(&with(CONTENT_LENGTH, "4"), never, 3).await;
        assert_eq!(answer, Err(BodyError::TooLarge));
    }

    #[tokio::test]
    async fn a_body_is_read_once_and_given_as_often_as_it_is_asked_for() {
        let chunks = [Ok::<_, std::io::Error>(Frame::data(Bytes::from("abc")))];
        let body = StreamBody::new(stream::iter(chunks));
        let mut request = Request::new(http::Request::new(body));
        assert_eq!(request.body(3).await.unwrap(), "abc");
        assert_eq!(request.body(2).await, Err(BodyError::TooLarge));
        assert_eq!(request.body(4).await.unwrap(), "abc");

        let body = StreamBody::new(stream::iter([Ok::<_, std::io::Error>(Frame::data(Bytes::from("abc")))]));
        let mut request = Request::new(http::Request::new(body));
        assert_eq!(request.body(2).await, Err(BodyError::TooLarge));
        assert_eq!(request.body(9).await, Err(BodyError::TooLarge));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_broken() {
        let chunks = [Ok(Frame::data(Bytes::from("ab"))), Err(std::io::Error::other("gone"))];
        let body = StreamBody::new(stream::iter(chunks));
        assert_eq!(read_body(&HeaderMap::new(), body, 5).await, Err(BodyError::Broken));
    }
}
