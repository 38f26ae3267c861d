//! The RestMQ dialect: messages as fields of forms, answers as text. One module per route group.
//!
//! A message is a job like any other. Its key is its queue's name and its running number.

mod comet;
pub(super) mod control;
mod json_protocol;
pub(super) mod messages;
pub(super) mod pages;
mod policy;
mod queues;
mod reading;
pub(super) mod refusal;
pub(super) mod request;
mod stats;
mod text;
mod value;
mod xmlrpc;

use crate::store::Redis;
use crate::web::{Answer, Context, Response, Stream, allow};
use http::{Request, StatusCode};
use refusal::Refusal;

/// Answers a request to any path of the dialect.
pub async fn handle<B: http_body::Body, R: Redis>(
    request: Request<B>,
    context: &Context<R>,
) -> Answer<impl Stream + use<B, R>> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let answer = match path.split('/').nth(1).unwrap_or_default() {
        "c" => comet::handle(&parts, context).await,
        "" | "q" => messages::handle(&parts, body, context).await.map(Answer::Whole),
        "queue" => json_protocol::handle(&parts, body, context).await.map(Answer::Whole),
        "p" => policy::handle(&parts, body, context).await.map(Answer::Whole),
        "j" => pages::handle(&parts, context).await.map(Answer::Whole),
        "stats" => stats::handle(&parts, context).await.map(Answer::Whole),
        "control" => control::handle(&parts, body, context).await.map(Answer::Whole),
        "xmlrpc" => xmlrpc::handle(&parts, body, context).await.map(Answer::Whole),
        "ws" => Err(Refusal::of_upgrade(path)),
        _ => Err(Refusal::NotFound),
    };
    answer.unwrap_or_else(|refusal| Answer::Whole(refusal.into()))
}

/// What OPTIONS gives on a route with these methods.
pub(super) fn options(methods: &'static str) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    allow(response, methods)
}
