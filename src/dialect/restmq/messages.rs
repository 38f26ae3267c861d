//! `/` and `/q/{queue}`: messages in and out.

use super::request::{fields, fields_of_query, message_bytes, queue_in_path};
use super::text::{Object, callback, line};
use super::value::{to_payload, to_value};
use super::{Refusal, options, pages};
use crate::queue::{JobId, QueueName};
use crate::store::{Delete, Insert, Inserted, InsertedJob, NewJob, Redis};
use crate::web::{Context, Fields, Response, with_header};
use http::header::LOCATION;
use http::request::Parts;
use http::{Method, StatusCode};
use std::time::Duration;

const METHODS_OF_ROOT: &str = "GET, HEAD, OPTIONS, POST";

/// HEAD is none of them: it must never take a message.
const METHODS: &str = "DELETE, GET, OPTIONS, POST";

/// The longest time that a message stays: 100 years. A longer one is cut to this.
const LONGEST_TTL: u64 = 100 * 365 * 24 * 60 * 60;

/// Answers a request to `/`, `/q/` or `/q/{queue}`.
pub(in crate::dialect) async fn handle<B: http_body::Body, R: Redis>(
    parts: &Parts,
    body: B,
    context: &Context<R>,
) -> Result<Response, Refusal> {
    if parts.uri.path() == "/" {
        return at_root(parts, body, context).await;
    }
    if !parts.uri.path().starts_with("/q") {
        return Err(Refusal::NotFound);
    }
    match queue_in_path(parts, "/q")? {
        Some(queue) => of_queue(parts, body, &queue, context).await,
        None => pages::list(parts, context).await,
    }
}

/// The queue is a field here.
async fn at_root<B: http_body::Body, R: Redis>(
    parts: &Parts,
    body: B,
    context: &Context<R>,
) -> Result<Response, Refusal> {
    match parts.method {
        Method::POST => {
            context.access.producer.check(&parts.headers)?;
            let fields = fields(parts, body, message_bytes(&context.limits)).await?;
            let queue = fields.get("queue").ok_or(Refusal::BadRequest)?;
            post_fields(&fields, queue, context).await
        }
        Method::GET | Method::HEAD => {
            context.access.consumer.check(&parts.headers)?;
            let fields = fields_of_query(parts)?;
            match fields.get("queue") {
                None => Ok(redirect("/q/")),
                Some(_) if parts.method == Method::HEAD => Err(Refusal::MethodNotAllowed(METHODS_OF_ROOT)),
                Some(queue) => take_next(&fields, queue, context).await?.ok_or(Refusal::NotFound),
            }
        }
        Method::OPTIONS => Ok(options(METHODS_OF_ROOT)),
        _ => Err(Refusal::MethodNotAllowed(METHODS_OF_ROOT)),
    }
}

async fn of_queue<B: http_body::Body, R: Redis>(
    parts: &Parts,
    body: B,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Refusal> {
    let name = queue.as_str().as_bytes();
    match parts.method {
        Method::POST => {
            context.access.producer.check(&parts.headers)?;
            let fields = fields(parts, body, message_bytes(&context.limits)).await?;
            post_fields(&fields, name, context).await
        }
        Method::GET => {
            context.access.consumer.check(&parts.headers)?;
            let next = take_next(&fields_of_query(parts)?, name, context).await?;
            Ok(next.unwrap_or_else(nothing))
        }
        Method::DELETE => {
            context.access.producer.check(&parts.headers)?;
            let fields = fields_of_query(parts)?;
            let callback = callback(&fields)?;
            let had_jobs = context.store.delete(queue, Delete::Jobs).await?;
            let text = Object::new().text("queue", name).plain("status", u8::from(had_jobs));
            Ok(line(&text.end(), callback))
        }
        Method::OPTIONS => Ok(options(METHODS)),
        _ => Err(Refusal::MethodNotAllowed(METHODS)),
    }
}

async fn post_fields<R: Redis>(fields: &Fields, queue: &[u8], context: &Context<R>) -> Result<Response, Refusal> {
    let callback = callback(fields)?;
    let value = fields.get("msg").or_else(|| fields.get("value"));
    let key = post(context, queue, value.ok_or(Refusal::BadRequest)?, fields.get("ttl")).await?;
    Ok(line(&key, callback))
}

async fn take_next<R: Redis>(fields: &Fields, queue: &[u8], context: &Context<R>) -> Result<Option<Response>, Refusal> {
    let callback = callback(fields)?;
    let taken = take(context, queue).await?;
    Ok(taken.map(|(key, value)| {
        let text = Object::new().plain("count", 0).text("key", key).text("value", value);
        line(&text.end(), callback)
    }))
}

/// Puts a message into a queue, and gives its key. `ttl` is a text: whole seconds, above 0, after which it is gone.
pub(super) async fn post<R: Redis>(
    context: &Context<R>,
    queue: &[u8],
    value: &[u8],
    ttl: Option<&[u8]>,
) -> Result<String, Refusal> {
    let queue = QueueName::new(queue)?;
    let expires_in = ttl.map(seconds).transpose()?;
    let (payload, is_text) = to_payload(value);
    if payload.len() > context.limits.max_job_bytes {
        return Err(Refusal::TooLarge);
    }
    let job = NewJob {
        payload: &payload,
        is_text,
        expires_in,
        ..NewJob::default()
    };
    let insert = Insert {
        queue: &queue,
        jobs: &[job],
        failed: None,
        idempotency: None,
    };
    match context.store.insert(insert).await? {
        Inserted::Jobs(jobs) => match &jobs[..] {
            [InsertedJob::Stored(id) | InsertedJob::Duplicate(id)] => Ok(key(&queue, id)),
            _ => Err(Refusal::StoreLost),
        },
        Inserted::TooLarge => Err(Refusal::TooLarge),
        // An insert that has no idempotency key has no other request.
        Inserted::OtherRequest => Err(Refusal::StoreLost),
    }
}

/// Takes the next message of a queue, its key and its value; `None` when there is none.
pub(super) async fn take<R: Redis>(context: &Context<R>, queue: &[u8]) -> Result<Option<(String, Vec<u8>)>, Refusal> {
    let queue = QueueName::new(queue)?;
    let taken = context.store.take_next(&queue).await?;
    Ok(taken.map(|job| (key(&queue, &job.id), to_value(&job.payload, job.is_text).into_owned())))
}

/// A message's key.
pub(super) fn key(queue: &QueueName, id: &JobId) -> String {
    format!("{queue}:{}", id.number())
}

fn seconds(text: &[u8]) -> Result<Duration, Refusal> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(text).ok().filter(|_| is_number);
    // A number that is too great to be read is a number all the same.
    let seconds = text.map(|text| text.parse().unwrap_or(LONGEST_TTL).min(LONGEST_TTL));
    let seconds = seconds.filter(|seconds| *seconds > 0).ok_or(Refusal::BadRequest)?;
    Ok(Duration::from_secs(seconds))
}

/// There is no message, and no body.
fn nothing() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// What is asked for is elsewhere.
pub(super) fn redirect(to: &'static str) -> Response {
    let mut response = with_header(super::text::html(""), LOCATION, to);
    *response.status_mut() = StatusCode::FOUND;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_is_a_whole_number_of_seconds_above_0() {
        assert_eq!(seconds(b"1"), Ok(Duration::from_secs(1)));
        assert_eq!(seconds(b"007"), Ok(Duration::from_secs(7)));
        for long in [&b"99999999999"[..], b"99999999999999999999999999"] {
            assert_eq!(seconds(long), Ok(Duration::from_secs(LONGEST_TTL)));
        }
        for wrong in [
            &b""[..],
            b"0",
            b"00",
            b"-1",
            b"+1",
            b"1.5",
            b"1s",
            b"\xff",
            b"1e3",
            "１".as_bytes(),
        ] {
            assert_eq!(seconds(wrong), Err(Refusal::BadRequest), "{wrong:?}");
        }
    }
}
