//! `/p/{queue}`: how a queue's permanent readers share its messages.

use super::request::{SMALL_BYTES, fields, fields_of_query, queue_in_path};
use super::text::{Object, callback, line};
use super::{Refusal, options};
use crate::queue::Policy;
use crate::store::Redis;
use crate::web::{Context, Response};
use http::Method;
use http::request::Parts;

const METHODS: &str = "GET, HEAD, OPTIONS, POST";

/// Answers a request to `/p/{queue}`.
pub(super) async fn handle<B: http_body::Body, R: Redis>(
    parts: &Parts,
    body: B,
    context: &Context<R>,
) -> Result<Response, Refusal> {
    match parts.method {
        Method::GET | Method::HEAD => show(parts, context).await,
        Method::POST => change(parts, body, context).await,
        Method::OPTIONS => Ok(options(METHODS)),
        _ => Err(Refusal::MethodNotAllowed(METHODS)),
    }
}

async fn show<R: Redis>(parts: &Parts, context: &Context<R>) -> Result<Response, Refusal> {
    context.access.consumer.check(&parts.headers)?;
    let queue = queue_in_path(parts, "/p")?.ok_or(Refusal::NotFound)?;
    let fields = fields_of_query(parts)?;
    let callback = callback(&fields)?;
    let policy = context.store.counts(&queue).await?.policy;
    let text = Object::new()
        .text("queue", queue.as_str())
        .text("value", policy.map_or("unknown", Policy::name));
    Ok(line(&text.end(), callback))
}

async fn change<B: http_body::Body, R: Redis>(
    parts: &Parts,
    body: B,
    context: &Context<R>,
) -> Result<Response, Refusal> {
    context.access.producer.check(&parts.headers)?;
    let queue = queue_in_path(parts, "/p")?.ok_or(Refusal::NotFound)?;
    let fields = fields(parts, body, SMALL_BYTES).await?;
    let callback = callback(&fields)?;
    let name = fields.get("policy").ok_or(Refusal::BadRequest)?;
    let Some(policy) = std::str::from_utf8(name).ok().and_then(Policy::named) else {
        return Ok(line("null", callback));
    };
    context.store.set_policy(&queue, policy).await?;
    Ok(line("OK", callback))
}
