//! What the routes have in common when they read a request.

use super::problem::{Problem, ProblemType};
use crate::queue::{JobId, QueueName, Receipt};
use crate::web::{BodyError, JsonError, Request, decode_segment};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use std::ops::RangeInclusive;

/// The largest body of a request without jobs or results.
pub(super) const MAX_SMALL_BODY_BYTES: usize = 64 * 1024;

/// The largest body of a request that may have results of many jobs.
pub(super) const MAX_RESULTS_BODY_BYTES: usize = 8 * 1024 * 1024;

/// The largest result of a job.
pub(super) const MAX_RESULT_BYTES: usize = 64 * 1024;

/// How long a lease may be, in seconds.
pub(super) const LEASE: RangeInclusive<f64> = 0.1..=86_400.0;

/// How long a delay may be, in seconds: ten years.
pub(super) const DELAY: RangeInclusive<f64> = 0.0..=315_360_000.0;

/// The body, which is said to be JSON. One that is empty needs no content type.
pub(super) async fn parse_body(request: &mut Request, limit: usize) -> Result<Bytes, Problem> {
    if request.headers().contains_key(CONTENT_TYPE) {
        return Ok(request.json(limit).await?);
    }
    match request.body(0).await {
        Err(BodyError::TooLarge) => Err(JsonError::ContentType.into()),
        body => Ok(body?),
    }
}

/// The queue that a segment of the path names.
pub(super) fn parse_queue(segment: &str) -> Result<QueueName, Problem> {
    Ok(QueueName::new(decode_segment(segment))?)
}

/// The job that a segment of the path names.
pub(super) fn parse_job_id(segment: &str) -> Result<JobId, Problem> {
    let id = std::str::from_utf8(&decode_segment(segment))
        .ok()
        .and_then(JobId::parse);
    id.ok_or_else(no_such_job)
}

/// There is no job of this id, or not any more.
pub(super) fn no_such_job() -> Problem {
    Problem::new(
        ProblemType::NoSuchJob,
        "The queue has no job with this id. Jobs that have ended are deleted after their retention.",
    )
}

/// The receipt that a segment of the path is.
pub(super) fn parse_receipt(segment: &str) -> Result<Receipt, Problem> {
    let receipt = std::str::from_utf8(&decode_segment(segment))
        .ok()
        .and_then(Receipt::parse);
    receipt.ok_or_else(|| {
        let detail = "A receipt comes from a claim: 24 hexadecimal digits, a dash, and a number.";
        Problem::new(ProblemType::InvalidReceipt, detail)
    })
}

/// A query parameter that is a whole number.
pub(super) fn parse_number(
    request: &Request,
    name: &'static str,
    range: RangeInclusive<usize>,
) -> Result<Option<usize>, Problem> {
    let Some(value) = request.query().get(name) else {
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

/// Refuses parameters that the route does not have, so that a misspelt one is noticed.
pub(in crate::dialect) fn reject_unknown_parameters(request: &Request, known: &[&str]) -> Result<(), Problem> {
    for (name, _) in request.query().pairs() {
        if !known.iter().any(|known| known.as_bytes() == &*name) {
            let name = String::from_utf8_lossy(&name).into_owned();
            return Err(Problem::unknown_parameter(name, known));
        }
    }
    Ok(())
}
