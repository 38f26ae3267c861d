//! `/control/{queue}`: whether a queue hands out its jobs.

use super::request::parse_queue;
use super::{Refusal, refuse, respond_options};
use crate::gate::Operation;
use crate::queue::{QueueName, Status};
use crate::store::Redis;
use crate::web::json::{Style, object};
use crate::web::{BodyError, Context, Request, Response, with_body};
use http::{Method, StatusCode};
use serde_json::{Map, Value};

const METHODS: &str = "GET, HEAD, OPTIONS, POST";

/// The longest body, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Responds to a request to `/control/{queue}`.
pub async fn handle<B: http_body::Body + 'static, R: Redis>(
    request: http::Request<B>,
    context: &Context<R>,
) -> Response {
    match context.caller.check_entry() {
        Ok(()) => respond(&mut Request::new(request), context).await,
        Err(denied) => refuse(denied),
    }
}

pub(in crate::dialect) async fn respond<R: Redis>(request: &mut Request, context: &Context<R>) -> Response {
    let response = match *request.method() {
        Method::GET | Method::HEAD => show(request, context).await,
        Method::POST => change(request, context).await,
        Method::OPTIONS => Ok(respond_options(METHODS)),
        _ => Err(Refusal::MethodNotAllowed(METHODS)),
    };
    response.unwrap_or_else(Response::from)
}

async fn show<R: Redis>(request: &Request, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = parse_queue(request, "/control", Operation::PresqueShowStatus, context)?;
    let counts = context.store.counts(&queue).await?;
    let status = match counts.status {
        Some(Status::Open) => "\"1\"",
        Some(Status::Stopped) => "\"0\"",
        None => "null",
    };
    Ok(render(&queue, "status", status))
}

async fn change<R: Redis>(request: &mut Request, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = parse_queue(request, "/control", Operation::PresqueSetStatus, context)?;
    let status = parse_status(request).await?;
    context.store.set_status(&queue, status).await?;
    Ok(render(&queue, "response", "\"updated\""))
}

async fn parse_status(request: &mut Request) -> Result<Status, Refusal> {
    let content = match request.body(MAX_BODY_BYTES).await {
        Err(BodyError::TooLarge) => return Err(Refusal::ContentTooLarge),
        content => content?,
    };
    if content.is_empty() {
        return Err(Refusal::ContentMissing);
    }
    let order: Map<String, Value> = serde_json::from_slice(&content).map_err(|_| Refusal::ContentNotJson)?;
    match order.get("status") {
        Some(Value::String(word)) if word == "start" => Ok(Status::Open),
        Some(Value::String(word)) if word == "stop" => Ok(Status::Stopped),
        Some(Value::String(word)) => Err(Refusal::InvalidStatus(word.clone())),
        other => Err(Refusal::InvalidStatus(other.unwrap_or(&Value::Null).to_string())),
    }
}

fn render(queue: &QueueName, name: &str, json: &str) -> Response {
    let text = object(Style::Compact, |o| {
        o.text("queue", queue.as_str()).json(name, json);
    });
    with_body(StatusCode::OK, text)
}
