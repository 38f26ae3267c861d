//! Writing responses.
//!
//! Every response that may have a body carries its `content-length`: without it the platform would send it in chunks,
//! which costs a kept connection 44 ms a request.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::Full;

/// The body of a response.
pub type Body = Full<Bytes>;

/// A response.
pub type Response = http::Response<Body>;

/// A response without a body. It is called JSON all the same: legacy clients look at the type alone.
#[must_use]
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if status != StatusCode::NO_CONTENT {
        // 204 must not have one: RFC 9110, section 8.6.
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(0));
    }
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

/// The same response with the methods that its route has.
#[must_use]
pub fn allow(response: Response, methods: &'static str) -> Response {
    with_header(response, ALLOW, methods)
}
