//! Writing responses.
//!
//! Every response that may have a body carries its `content-length`: without it the platform would send it in chunks,
//! which costs a kept connection 44 ms a request.
//!
//! No response may be kept by a cache, since each takes or shows what changes, and no browser may take it for anything but
//! what its content type says. The exceptions are [`as_script`], and the files of the page (`dialect::dashboard`), which a cache may
//! keep and must ask for each time.

use crate::gate::CHALLENGES;
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::Full;

/// The body of a response.
pub type Body = Full<Bytes>;

/// A response.
pub type Response = http::Response<Body>;

/// Sets what every response says to caches and browsers.
pub fn restrict(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// The same response, which a script element may run whatever its content type says. Pages of 2009 read responses so, and
/// name a function that is called with the answer; browsers would refuse the types that those responses have.
#[must_use]
pub fn as_script(mut response: Response) -> Response {
    response.headers_mut().remove(X_CONTENT_TYPE_OPTIONS);
    response
}

/// A response without a body. It is called JSON all the same: legacy clients look at the type alone.
#[must_use]
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED {
        // 204 must not have one, and that of 304 would be of the content that is not sent: RFC 9110, section 8.6.
        headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
    }
    restrict(headers);
    response
}

/// A response whose body is the JSON text given, as it stands.
#[must_use]
pub fn with_body(status: StatusCode, text: impl Into<Bytes>) -> Response {
    let text = text.into();
    let length = HeaderValue::from(text.len());
    let mut response = Response::new(Full::new(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, length);
    restrict(headers);
    response
}

/// The same response, and its body is of this media type.
#[must_use]
pub fn with_type(response: Response, media_type: &'static str) -> Response {
    with_header(response, CONTENT_TYPE, media_type)
}

/// The same response with one more header. A value that no header can have is left out.
#[must_use]
pub fn with_header(mut response: Response, name: HeaderName, value: impl TryInto<HeaderValue>) -> Response {
    if let Ok(value) = value.try_into() {
        response.headers_mut().insert(name, value);
    }
    response
}

/// The same response, which says that the body of a request must not be encoded: RFC 9110, section 15.5.16.
#[must_use]
pub fn accept_identity(response: Response) -> Response {
    with_header(response, ACCEPT_ENCODING, "identity")
}

/// The same response, which says how a key is sent.
#[must_use]
pub fn challenge(mut response: Response) -> Response {
    for challenge in CHALLENGES {
        let value = HeaderValue::from_static(challenge);
        response.headers_mut().append(WWW_AUTHENTICATE, value);
    }
    response
}

/// Takes the challenges of HTTP Basic out of a response to a script of a page, where another one is left: its browser would ask
/// its user for a login, while the page asks for a key.
pub fn drop_basic_challenge(headers: &mut HeaderMap) {
    let is_basic = |value: &HeaderValue| {
        value
            .as_bytes()
            .get(..5)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"basic"))
    };
    let all = headers.get_all(WWW_AUTHENTICATE).iter();
    let others: Vec<_> = all.filter(|value| !is_basic(value)).cloned().collect();
    if !others.is_empty() {
        headers.remove(WWW_AUTHENTICATE);
        for other in others {
            headers.append(WWW_AUTHENTICATE, other);
        }
    }
}

/// The same response with the methods that its route has.
#[must_use]
pub fn allow(response: Response, methods: &'static str) -> Response {
    with_header(response, ALLOW, methods)
}
