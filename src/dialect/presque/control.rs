//! `/control/{queue}`: whether a queue hands out its jobs.

use super::request::queue_name;
use super::{Refusal, options};
use crate::queue::Status;
use crate::store::Redis;
use crate::web::{BodyError, Context, Response, json, read_body, with_body};
use http::request::Parts;
use http::{Method, Request, StatusCode};
use serde_json::{Map, Value};

const METHODS: &str = "GET, HEAD, OPTIONS, POST";

/// The longest order, in bytes.
const CONTENT_BYTES: usize = 64 * 1024;

/// Answers a request to `/control/{queue}`.
pub async fn handle<B: http_body::Body, R: Redis>(request: Request<B>, context: &Context<R>) -> Response {
    let (parts, body) = request.into_parts();
    let answer = match parts.method {
        Method::GET | Method::HEAD => show(&parts, context).await,
        Method::POST => change(&parts, body, context).await,
        Method::OPTIONS => Ok(options(METHODS)),
        _ => Err(Refusal::MethodNotAllowed(METHODS)),
    };
    answer.unwrap_or_else(Response::from)
}

async fn show<R: Redis>(parts: &Parts, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = queue_name(parts, "/control")?;
    let status = match context.store.counts(&queue).await?.status {
        Some(Status::Open) => "\"1\"",
        Some(Status::Stopped) => "\"0\"",
        None => "null",
    };
    let queue = json::string(queue.as_str().as_bytes());
    Ok(with_body(
        StatusCode::OK,
        format!("{{\"queue\":{queue},\"status\":{status}}}"),
    ))
}

async fn change<B: http_body::Body, R: Redis>(
    parts: &Parts,
    body: B,
    context: &Context<R>,
) -> Result<Response, Refusal> {
    let queue = queue_name(parts, "/control")?;
    let content = match read_body(&parts.headers, body, CONTENT_BYTES).await {
        Err(BodyError::TooLarge) => return Err(Refusal::ContentTooLarge),
        content => content?,
    };
    if content.is_empty() {
        return Err(Refusal::ContentMissing);
    }
    let order: Map<String, Value> = serde_json::from_slice(&content).map_err(|_| Refusal::ContentNotJson)?;
    let status = match order.get("status") {
        Some(Value::String(word)) if word == "start" => Status::Open,
        Some(Value::String(word)) if word == "stop" => Status::Stopped,
        Some(Value::String(word)) => return Err(Refusal::InvalidStatus(word.clone())),
        other => return Err(Refusal::InvalidStatus(other.unwrap_or(&Value::Null).to_string())),
    };
    context.store.set_status(&queue, status).await?;
    let queue = json::string(queue.as_str().as_bytes());
    Ok(with_body(
        StatusCode::OK,
        format!("{{\"queue\":{queue},\"response\":\"updated\"}}"),
    ))
}
