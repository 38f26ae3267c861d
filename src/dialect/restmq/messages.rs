//! `/` and `/q/{queue}`: messages in and out.

use super::access::Access;
use super::form::Fields;
use super::request::{max_message_body_bytes, parse_fields, parse_query_fields, parse_queue};
use super::text::{line_response, parse_callback, spaced};
use super::value::{to_payload, to_value};
use super::{Refusal, pages, respond_options};
use crate::gate::Operation;
use crate::queue::{JobId, QueueName};
use crate::store::{Delete, Effect, Insert, Inserted, InsertedJob, NewJob, Redis};
use crate::web::{Context, Request, Response, restrict, with_header};
use http::header::LOCATION;
use http::{Method, StatusCode};
use std::time::Duration;

const METHODS_OF_ROOT: &str = "GET, HEAD, OPTIONS, POST";

/// HEAD is not one of them: it must never take a message.
const METHODS: &str = "DELETE, GET, OPTIONS, POST";

/// The longest time that a message stays, in seconds: 100 years. A longer one is cut to this.
const MAX_TTL: u64 = 100 * 365 * 24 * 60 * 60;

/// Responds to a request to `/`, `/q/` or `/q/{queue}`.
pub(in crate::dialect) async fn respond<R: Redis>(
    request: &mut Request,
    context: &Context<R>,
    access: &Access,
) -> Result<Response, Refusal> {
    if request.path() == "/" {
        return at_root(request, context, access).await;
    }
    if !request.path().starts_with("/q") {
        return Err(Refusal::NotFound);
    }
    match parse_queue(request, "/q")? {
        Some(queue) => of_queue(request, queue, context, access).await,
        None => pages::list(request, context, access).await,
    }
}

/// The queue is a field here.
async fn at_root<R: Redis>(request: &mut Request, context: &Context<R>, access: &Access) -> Result<Response, Refusal> {
    match *request.method() {
        Method::POST => {
            access.producer.check(request.headers(), &context.caller)?;
            context.caller.check_scope(Operation::RestmqPostAtRoot)?;
            let fields = parse_fields(request, max_message_body_bytes(&context.limits)).await?;
            let queue = QueueName::new(fields.get("queue").ok_or(Refusal::BadRequest)?)?;
            post_fields(
                &fields,
                &context.caller.queue(Operation::RestmqPostAtRoot, queue)?,
                context,
            )
            .await
        }
        Method::GET | Method::HEAD => {
            access.consumer.check(request.headers(), &context.caller)?;
            let fields = parse_query_fields(request)?;
            match fields.get("queue") {
                None => Ok(redirect("/q/")),
                Some(_) if *request.method() == Method::HEAD => Err(Refusal::MethodNotAllowed(METHODS_OF_ROOT)),
                Some(queue) => {
                    let queue = context
                        .caller
                        .queue(Operation::RestmqTakeAtRoot, QueueName::new(queue)?)?;
                    take_next(&fields, &queue, context).await?.ok_or(Refusal::NotFound)
                }
            }
        }
        Method::OPTIONS => Ok(respond_options(METHODS_OF_ROOT)),
        _ => Err(Refusal::MethodNotAllowed(METHODS_OF_ROOT)),
    }
}

async fn of_queue<R: Redis>(
    request: &mut Request,
    queue: QueueName,
    context: &Context<R>,
    access: &Access,
) -> Result<Response, Refusal> {
    match *request.method() {
        Method::POST => {
            access.producer.check(request.headers(), &context.caller)?;
            let queue = context.caller.queue(Operation::RestmqPost, queue)?;
            let fields = parse_fields(request, max_message_body_bytes(&context.limits)).await?;
            post_fields(&fields, &queue, context).await
        }
        Method::GET => {
            access.consumer.check(request.headers(), &context.caller)?;
            let queue = context.caller.queue(Operation::RestmqTake, queue)?;
            let next = take_next(&parse_query_fields(request)?, &queue, context).await?;
            Ok(next.unwrap_or_else(no_message))
        }
        Method::DELETE => {
            access.producer.check(request.headers(), &context.caller)?;
            let queue = context.caller.queue(Operation::RestmqDelete, queue)?;
            let fields = parse_query_fields(request)?;
            let callback = parse_callback(&fields)?;
            let had_jobs = context.store.delete(&queue, Delete::JobsButNumbers).await?;
            let text = spaced(|o| {
                o.text("queue", queue.as_str()).plain("status", u8::from(had_jobs));
            });
            Ok(line_response(&text, callback))
        }
        Method::OPTIONS => Ok(respond_options(METHODS)),
        _ => Err(Refusal::MethodNotAllowed(METHODS)),
    }
}

async fn post_fields<R: Redis>(fields: &Fields, queue: &QueueName, context: &Context<R>) -> Result<Response, Refusal> {
    let callback = parse_callback(fields)?;
    let value = fields.get("msg").or_else(|| fields.get("value"));
    let key = post(context, queue, value.ok_or(Refusal::BadRequest)?, fields.get("ttl")).await?;
    Ok(line_response(&key, callback))
}

async fn take_next<R: Redis>(
    fields: &Fields,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Option<Response>, Refusal> {
    let callback = parse_callback(fields)?;
    let taken = take(context, queue).await?;
    Ok(taken.map(|(key, value)| {
        let text = spaced(|o| {
            o.plain("count", 0).text("key", key).text("value", value);
        });
        line_response(&text, callback)
    }))
}

/// Puts a message into a queue, and gives its key. `ttl` is a text: whole seconds, above 0, after which it is gone.
pub(super) async fn post<R: Redis>(
    context: &Context<R>,
    queue: &QueueName,
    value: &[u8],
    ttl: Option<&[u8]>,
) -> Result<String, Refusal> {
    let expires_in = ttl.map(parse_ttl).transpose()?;
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
        queue,
        jobs: &[job],
        failed: None,
        idempotency: None,
    };
    match context.store.insert(insert).await? {
        Inserted::Jobs(jobs) => match &jobs[..] {
            [InsertedJob::Stored(id) | InsertedJob::Duplicate(id)] => Ok(key_of(queue, id)),
            _ => Err(Refusal::Store(Effect::Unknown)),
        },
        Inserted::TooLarge => Err(Refusal::TooLarge),
        // An insert that has no idempotency key has no other request.
        Inserted::OtherRequest => Err(Refusal::Store(Effect::Unknown)),
    }
}

/// Takes the next message of a queue, its key and its value; `None` when there is none.
pub(super) async fn take<R: Redis>(
    context: &Context<R>,
    queue: &QueueName,
) -> Result<Option<(String, Vec<u8>)>, Refusal> {
    let taken = context.store.take_next(queue).await?;
    Ok(taken.map(|job| (key_of(queue, &job.id), to_value(&job.payload, job.is_text).into_owned())))
}

/// A message's key.
pub(super) fn key_of(queue: &QueueName, id: &JobId) -> String {
    format!("{queue}:{}", id.number())
}

fn parse_ttl(text: &[u8]) -> Result<Duration, Refusal> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(text).ok().filter(|_| is_number);
    // A number that is too great to be read is a number all the same.
    let seconds = text.map(|text| text.parse().unwrap_or(MAX_TTL).min(MAX_TTL));
    let seconds = seconds.filter(|seconds| *seconds > 0).ok_or(Refusal::BadRequest)?;
    Ok(Duration::from_secs(seconds))
}

/// There is no message, and no body.
fn no_message() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    restrict(response.headers_mut());
    response
}

/// What is asked for is elsewhere.
pub(super) fn redirect(to: &'static str) -> Response {
    let mut response = with_header(super::text::html_response(""), LOCATION, to);
    *response.status_mut() = StatusCode::FOUND;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_is_a_whole_number_of_seconds_above_0() {
        assert_eq!(parse_ttl(b"1"), Ok(Duration::from_secs(1)));
        assert_eq!(parse_ttl(b"007"), Ok(Duration::from_secs(7)));
        for long in [&b"99999999999"[..], b"99999999999999999999999999"] {
            assert_eq!(parse_ttl(long), Ok(Duration::from_secs(MAX_TTL)));
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
            assert_eq!(parse_ttl(wrong), Err(Refusal::BadRequest), "{wrong:?}");
        }
    }
}
