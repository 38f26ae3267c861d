//! What the routes have in common when they read a request.

use super::problem::{Kind, Problem};
use crate::queue::{JobId, QueueName, Receipt};
use crate::web::{BodyError, JsonError, Query, decode_segment, read_body, read_json};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use std::ops::RangeInclusive;

/// The largest body of a request without jobs or results.
pub(super) const SMALL_BYTES: usize = 64 * 1024;

/// The largest body of a request that may have results of many jobs.
pub(super) const RESULTS_BYTES: usize = 8 * 1024 * 1024;

/// The largest result of a job.
pub(super) const RESULT_BYTES: usize = 64 * 1024;

/// How long a lease may be, in seconds.
pub(super) const LEASE: RangeInclusive<f64> = 0.1..=86_400.0;

/// How long a delay may be, in seconds: ten years.
pub(super) const DELAY: RangeInclusive<f64> = 0.0..=315_360_000.0;

/// Reads a body that is said to be JSON. One that is empty needs no content type.
pub(super) async fn read<B: http_body::Body>(parts: &Parts, body: B, limit: usize) -> Result<Bytes, Problem> {
    if parts.headers.contains_key(CONTENT_TYPE) {
        return Ok(read_json(&parts.headers, body, limit).await?);
    }
    match read_body(&parts.headers, body, 0).await {
        Err(BodyError::TooLarge) => Err(JsonError::ContentType.into()),
        body => Ok(body?),
    }
}

/// The queue that a segment of the path names.
pub(super) fn queue_name(segment: &str) -> Result<QueueName, Problem> {
    Ok(QueueName::new(decode_segment(segment))?)
}

/// The job that a segment of the path names.
pub(super) fn job_id(segment: &str) -> Result<JobId, Problem> {
    let id = std::str::from_utf8(&decode_segment(segment))
        .ok()
        .and_then(JobId::parse);
    id.ok_or_else(no_such_job)
}

/// There is no job of this id, or not any more.
pub(super) fn no_such_job() -> Problem {
    Problem::new(
        Kind::NoSuchJob,
        "The queue has no job of this id; it may have been forgotten.",
    )
}

/// The receipt that a segment of the path is.
pub(super) fn receipt(segment: &str) -> Result<Receipt, Problem> {
    let receipt = std::str::from_utf8(&decode_segment(segment))
        .ok()
        .and_then(Receipt::parse);
    receipt.ok_or_else(|| {
        let detail = "A receipt is what a claim gave: 24 hexadecimal digits, a dash, a number.";
        Problem::new(Kind::InvalidReceipt, detail)
    })
}

/// A query parameter that is a whole number.
pub(super) fn number(
    parts: &Parts,
    name: &'static str,
    range: RangeInclusive<usize>,
) -> Result<Option<usize>, Problem> {
    let Some(value) = query(parts).get(name) else {
        return Ok(None);
    };
    let number = std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok());
    match number.filter(|number| range.contains(number)) {
        Some(number) => Ok(Some(number)),
        None => {
            let must = format!("a whole number from {} to {}", range.start(), range.end());
            Err(Problem::parameter(name, &must))
        }
    }
}

/// The parameters of the request.
pub(super) fn query(parts: &Parts) -> Query<'_> {
    Query::new(parts.uri.query())
}
