//! `/p/{queue}`: how a queue's subscribers share its messages.

use super::access::Access;
use super::request::{MAX_SMALL_BODY_BYTES, parse_fields, parse_query_fields, parse_queue};
use super::text::{line_response, parse_callback, spaced};
use super::{Refusal, respond_options};
use crate::gate::Operation;
use crate::queue::Policy;
use crate::store::Redis;
use crate::web::{Context, Request, Response};
use http::Method;

const METHODS: &str = "GET, HEAD, OPTIONS, POST";

/// Responds to a request to `/p/{queue}`.
pub(super) async fn respond<R: Redis>(
    request: &mut Request,
    context: &Context<R>,
    access: &Access,
) -> Result<Response, Refusal> {
    match *request.method() {
        Method::GET | Method::HEAD => show(request, context, access).await,
        Method::POST => change(request, context, access).await,
        Method::OPTIONS => Ok(respond_options(METHODS)),
        _ => Err(Refusal::MethodNotAllowed(METHODS)),
    }
}

async fn show<R: Redis>(request: &Request, context: &Context<R>, access: &Access) -> Result<Response, Refusal> {
    access.consumer.check(request.headers(), &context.caller)?;
    let queue = parse_queue(request, "/p")?.ok_or(Refusal::NotFound)?;
    let queue = context.caller.queue(Operation::RestmqShowPolicy, queue)?;
    let fields = parse_query_fields(request)?;
    let callback = parse_callback(&fields)?;
    let policy = context.store.counts(&queue).await?.policy;
    let text = spaced(|o| {
        o.text("queue", queue.as_str());
        o.text("value", policy.map_or("unknown", Policy::name));
    });
    Ok(line_response(&text, callback))
}

async fn change<R: Redis>(request: &mut Request, context: &Context<R>, access: &Access) -> Result<Response, Refusal> {
    access.producer.check(request.headers(), &context.caller)?;
    let queue = parse_queue(request, "/p")?.ok_or(Refusal::NotFound)?;
    let queue = context.caller.queue(Operation::RestmqSetPolicy, queue)?;
    let fields = parse_fields(request, MAX_SMALL_BODY_BYTES).await?;
    let callback = parse_callback(&fields)?;
    let name = fields.get("policy").ok_or(Refusal::BadRequest)?;
    let Some(policy) = std::str::from_utf8(name).ok().and_then(Policy::named) else {
        return Ok(line_response("null", callback));
    };
    context.store.set_policy(&queue, policy).await?;
    Ok(line_response("OK", callback))
}
