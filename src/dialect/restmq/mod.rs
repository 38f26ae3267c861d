//! The RestMQ dialect: messages as fields of forms, responses as text. One module per route group.
//!
//! A message is a job like any other. Its key is its queue's name and its running number.

mod access;
mod base64;
mod comet;
pub(super) mod control;
pub(super) mod form;
mod html;
mod json_protocol;
pub(super) mod messages;
pub(super) mod pages;
mod policy;
mod poller;
mod queues;
pub(super) mod refusal;
pub(super) mod request;
mod stats;
mod stream;
mod subscription;
pub(super) mod text;
mod value;
mod xmlrpc;

pub use access::{Access, Denied, Group};
pub use form::{Fields, FormError};
pub use stream::{ChunkSink, Gone};
pub use subscription::Subscription;

use crate::store::Redis;
use crate::web::{Context, Request, Response, allow, restrict};
use http::StatusCode;
use refusal::Refusal;

/// What `/c/{queue}` responds with: all of it at once, or a stream.
#[derive(Debug)]
pub enum CometResponse {
    /// All of it.
    Whole(Response),
    /// The head of a stream, and what sends the rest.
    Stream(http::Response<()>, Subscription),
}

/// Responds to a request to any path of the dialect but `/c/`.
pub async fn handle<B: http_body::Body + 'static, R: Redis>(
    request: http::Request<B>,
    context: &Context<R>,
    access: &Access,
) -> Response {
    if let Err(denied) = context.caller.check_entry() {
        return Refusal::from(denied).into();
    }
    let mut request = Request::new(request);
    let response = match request.path().split('/').nth(1).unwrap_or_default() {
        "" | "q" => messages::respond(&mut request, context, access).await,
        "queue" => json_protocol::respond(&mut request, context, access).await,
        "p" => policy::respond(&mut request, context, access).await,
        "j" => pages::respond(&request, context, access).await,
        "stats" => stats::respond(&request, context, access).await,
        "control" => control::respond(&mut request, context, access).await,
        "xmlrpc" => xmlrpc::respond(&mut request, context, access).await,
        "ws" => Err(Refusal::of_upgrade(request.path())),
        _ => Err(Refusal::NotFound),
    };
    response.unwrap_or_else(Response::from)
}

/// Responds to a request to `/c/{queue}`.
pub async fn handle_comet<B: http_body::Body + 'static, R: Redis>(
    request: http::Request<B>,
    context: &Context<R>,
    access: &Access,
) -> CometResponse {
    if let Err(denied) = context.caller.check_entry() {
        return CometResponse::Whole(Refusal::from(denied).into());
    }
    let response = comet::respond(&Request::new(request), context, access).await;
    response.unwrap_or_else(|refusal| CometResponse::Whole(refusal.into()))
}

/// The response to OPTIONS on a route with these methods.
pub(super) fn respond_options(methods: &'static str) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    restrict(response.headers_mut());
    allow(response, methods)
}
