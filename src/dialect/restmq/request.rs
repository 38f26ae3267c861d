//! What the routes of this dialect have in common when they read a request.

use super::Refusal;
use crate::queue::{Limits, NameError, QueueName};
use crate::web::{Fields, decode, read_body};
use bytes::Bytes;
use http::request::Parts;

/// The largest body of a request without messages, in bytes.
pub(in crate::dialect) const SMALL_BYTES: usize = 64 * 1024;

/// The largest body of a request with a message, in bytes: other fields, and a value in which every byte is written as up to
/// six, as those of `&amp;` and `%5C%5C` are.
pub(in crate::dialect) fn message_bytes(limits: &Limits) -> usize {
    limits.max_job_bytes.saturating_mul(6).saturating_add(SMALL_BYTES)
}

/// The queue that the path names: all that follows the prefix and its slash, as a form writes it. `None` when nothing
/// follows.
pub(super) fn queue_in_path(parts: &Parts, prefix: &str) -> Result<Option<QueueName>, Refusal> {
    let rest = parts.uri.path().strip_prefix(prefix).unwrap_or_default();
    let name = rest.strip_prefix('/').unwrap_or_default();
    match QueueName::new(decode(name.as_bytes())) {
        Err(NameError::Missing) => Ok(None),
        name => Ok(Some(name?)),
    }
}

/// The fields of a request whose body is not looked at.
pub(super) fn fields_of_query(parts: &Parts) -> Result<Fields, Refusal> {
    Ok(Fields::parse(parts.uri.query(), &parts.headers, &Bytes::new())?)
}

/// The fields of a request, with a body of at most `limit` bytes.
pub(super) async fn fields<B: http_body::Body>(parts: &Parts, body: B, limit: usize) -> Result<Fields, Refusal> {
    let body = read_body(&parts.headers, body, limit).await?;
    Ok(Fields::parse(parts.uri.query(), &parts.headers, &body)?)
}
