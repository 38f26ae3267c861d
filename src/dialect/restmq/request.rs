//! What the routes of this dialect have in common when they read a request.

use super::Refusal;
use super::form::Fields;
use crate::queue::{Limits, NameError, QueueName};
use crate::web::{Request, decode};
use bytes::Bytes;

/// The largest body of a request without messages, in bytes.
pub(in crate::dialect) const MAX_SMALL_BODY_BYTES: usize = 64 * 1024;

/// The largest body of a request with a message, in bytes: other fields, and a value in which every byte is written as up to
/// six, as those of `&amp;` and `%5C%5C` are.
pub(in crate::dialect) fn max_message_body_bytes(limits: &Limits) -> usize {
    limits
        .max_job_bytes
        .saturating_mul(6)
        .saturating_add(MAX_SMALL_BODY_BYTES)
}

/// The queue that the path names: all that follows the prefix and its slash, as a form writes it. `None` when nothing
/// follows.
pub(super) fn parse_queue(request: &Request, prefix: &str) -> Result<Option<QueueName>, Refusal> {
    let rest = request.path().strip_prefix(prefix).unwrap_or_default();
    let name = rest.strip_prefix('/').unwrap_or_default();
    match QueueName::new(decode(name.as_bytes())) {
        Err(NameError::Missing) => Ok(None),
        name => Ok(Some(name?)),
    }
}

/// The fields of a request whose body is not read.
pub(super) fn parse_query_fields(request: &Request) -> Result<Fields, Refusal> {
    Ok(Fields::parse(request.raw_query(), request.headers(), &Bytes::new())?)
}

/// The fields of a request, with a body of at most `limit` bytes.
pub(super) async fn parse_fields(request: &mut Request, limit: usize) -> Result<Fields, Refusal> {
    let body = request.body(limit).await?;
    Ok(Fields::parse(request.raw_query(), request.headers(), &body)?)
}
