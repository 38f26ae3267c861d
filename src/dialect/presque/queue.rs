//! `/q/{queue}`: one job in, one job out.

use super::Refusal;
use crate::http::{Context, Query, Response, allow, empty, is_form, is_json, json, name_after, read_body};
use crate::queue::{QueueName, Timestamp};
use crate::store::{Fetch, Fetched, Insert, Inserted, Redis};
use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, StatusCode};
use serde::de::IgnoredAny;

/// The methods of this route. HEAD is none of them: it must never take a job.
const METHODS: &str = "GET, OPTIONS, POST";

/// Answers a request to `/q/{queue}`.
pub async fn handle<B: http_body::Body, R: Redis>(request: Request<B>, context: &Context<R>) -> Response {
    let (parts, body) = request.into_parts();
    let answer = match parts.method {
        Method::GET => fetch(&parts, context).await,
        Method::POST => insert(&parts, body, context).await,
        Method::OPTIONS => Ok(allow(empty(StatusCode::NO_CONTENT), METHODS)),
        _ => Err(Refusal::MethodNotAllowed(METHODS)),
    };
    answer.unwrap_or_else(Response::from)
}

async fn insert<B: http_body::Body, R: Redis>(
    parts: &Parts,
    body: B,
    context: &Context<R>,
) -> Result<Response, Refusal> {
    let queue = queue_name(parts)?;
    let payload = read_job(parts, body, context.limits.job_bytes).await?;
    let query = Query::new(parts.uri.query());
    let due = due_time(query)?;
    let unique = query.get_filled("uniq");
    let job = Insert {
        queue: &queue,
        payload: &payload,
        unique: unique.as_deref(),
        due,
    };
    match context.store.insert(job).await? {
        Inserted::Stored => Ok(empty(StatusCode::CREATED)),
        Inserted::Duplicate => Err(Refusal::JobExists),
    }
}

async fn fetch<R: Redis>(parts: &Parts, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = queue_name(parts)?;
    let worker = worker_id(parts);
    let fetch = Fetch {
        queue: &queue,
        worker: worker.as_deref(),
    };
    match context.store.fetch(fetch).await? {
        Fetched::Job(payload) => Ok(json(StatusCode::OK, payload)),
        Fetched::Empty => Err(Refusal::NoJob),
        Fetched::Stopped => Err(Refusal::QueueClosed),
    }
}

fn queue_name(parts: &Parts) -> Result<QueueName, Refusal> {
    Ok(name_after("/q", parts.uri.path())?)
}

/// The job in a body: a JSON text, said to be JSON. A body that is said to be a form is a job when it is a JSON text:
/// that is what `curl -d` sends.
async fn read_job<B: http_body::Body>(parts: &Parts, body: B, limit: usize) -> Result<Bytes, Refusal> {
    let says_json = is_json(&parts.headers);
    if !says_json && !is_form(&parts.headers) {
        return Err(Refusal::ContentType);
    }
    let job = read_body(&parts.headers, body, limit).await?;
    match (is_json_text(&job), says_json) {
        (true, _) => Ok(job),
        (false, false) => Err(Refusal::ContentType),
        (false, true) if job.is_empty() => Err(Refusal::JobMissing),
        (false, true) => Err(Refusal::JobNotJson),
    }
}

/// Whether this is a JSON text. Bytes inside its strings need not be UTF-8: the Perl client sends such.
fn is_json_text(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// `delayed`: seconds since 1970. Empty and zero mean not delayed.
fn due_time(query: Query<'_>) -> Result<Option<Timestamp>, Refusal> {
    let Some(value) = query.get_filled("delayed") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&value).map_err(|_| Refusal::Delayed)?;
    let seconds: f64 = text.trim().parse().map_err(|_| Refusal::Delayed)?;
    if seconds == 0.0 {
        return Ok(None);
    }
    Timestamp::from_epoch_seconds(seconds).map(Some).ok_or(Refusal::Delayed)
}

/// Who asks: the header, else the parameter of the protocol of May 2010.
fn worker_id(parts: &Parts) -> Option<Vec<u8>> {
    let header = parts.headers.get("x-presque-workerid");
    header
        .map(|value| value.as_bytes().to_vec())
        .filter(|id| !id.is_empty())
        .or_else(|| Query::new(parts.uri.query()).get_filled("worker_id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_json_value_is_a_job_text_and_bytes_in_strings_are_let_through() {
        let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
        let texts: [&[u8]; 8] = [
            b"{}",
            b" [1,2]\n",
            b"\"s\"",
            b"42",
            b"null",
            b"{\"a\":1,\"a\":2}",
            b"{\"n\":\"\xe9\"}",
            &deep,
        ];
        for text in texts {
            assert!(is_json_text(text), "{}", String::from_utf8_lossy(text));
        }
        for text in [
            &b""[..],
            b" ",
            b"{jobs:1}",
            b"{} {}",
            b"{\"a\":}",
            b"\xe9",
            b"01",
            b"{\"a\":\"\n\"}",
        ] {
            assert!(!is_json_text(text), "{}", String::from_utf8_lossy(text));
        }
    }

    fn due(query: &str) -> Result<Option<i64>, Refusal> {
        due_time(Query::new(Some(query))).map(|due| due.map(Timestamp::as_millis))
    }

    #[test]
    fn delayed_is_a_finite_number_of_seconds_with_fraction_or_exponent() {
        assert_eq!(due("delayed=1273923534"), Ok(Some(1_273_923_534_000)));
        assert_eq!(due("delayed=1.5e3"), Ok(Some(1_500_000)));
        assert_eq!(due("delayed=0.25"), Ok(Some(250)));
        assert_eq!(due("delayed=-5"), Ok(Some(-5000)));
        for not_delayed in ["", "delayed", "delayed=", "delayed=0", "delayed=0.0", "delayed=-0"] {
            assert_eq!(due(not_delayed), Ok(None), "{not_delayed}");
        }
        for wrong in [
            "delayed=soon",
            "delayed=inf",
            "delayed=nan",
            "delayed=1e999",
            "delayed=%ff",
            "delayed=1+2",
        ] {
            assert_eq!(due(wrong), Err(Refusal::Delayed), "{wrong}");
        }
    }
}
