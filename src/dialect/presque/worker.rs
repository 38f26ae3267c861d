//! `/w/{queue}`: workers register, and are looked at.

use super::request::{is_worker_id, query, queue_name, worker_id};
use super::{Refusal, options};
use crate::queue::QueueName;
use crate::store::Redis;
use crate::web::{Context, Response, empty, json, read_body, with_body};
use http::request::Parts;
use http::{Method, Request, StatusCode};
use serde_json::{Map, Value};

const METHODS: &str = "DELETE, GET, HEAD, OPTIONS, POST";

/// How much of a body is read that may name a worker.
const CONTENT_BYTES: usize = 64 * 1024;

/// Answers a request to `/w/` or `/w/{queue}`.
pub async fn handle<B: http_body::Body, R: Redis>(request: Request<B>, context: &Context<R>) -> Response {
    let (parts, body) = request.into_parts();
    let answer = match parts.method {
        Method::GET | Method::HEAD => show(&parts, context).await,
        Method::POST => register(&parts, body, context).await,
        Method::DELETE => unregister(&parts, context).await,
        Method::OPTIONS => Ok(options(METHODS)),
        _ => Err(Refusal::MethodNotAllowed(METHODS)),
    };
    answer.unwrap_or_else(Response::from)
}

async fn register<B: http_body::Body, R: Redis>(
    parts: &Parts,
    body: B,
    context: &Context<R>,
) -> Result<Response, Refusal> {
    let queue = queue_name(parts, "/w")?;
    let worker = match worker_id(parts) {
        Some(worker) => worker,
        None => worker_in_body(parts, body).await.ok_or(Refusal::WorkerMissing)?,
    };
    context.store.register(&queue, &worker).await?;
    Ok(empty(StatusCode::CREATED))
}

/// The protocol of May 2010: `{"worker_id":"..."}`, whatever the content type.
async fn worker_in_body<B: http_body::Body>(parts: &Parts, body: B) -> Option<Vec<u8>> {
    let content = read_body(&parts.headers, body, CONTENT_BYTES).await.ok()?;
    let members: Map<String, Value> = serde_json::from_slice(&content).ok()?;
    let id = match members.get("worker_id")? {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => return None,
    };
    Some(id.into_bytes()).filter(|id| is_worker_id(id))
}

async fn unregister<R: Redis>(parts: &Parts, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = queue_name(parts, "/w")?;
    let worker = worker_id(parts).ok_or(Refusal::WorkerMissing)?;
    context.store.unregister(&queue, &worker).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// The parameters say what to look at; what follows the prefix says nothing here.
async fn show<R: Redis>(parts: &Parts, context: &Context<R>) -> Result<Response, Refusal> {
    if let Some(name) = query(parts).get_filled("queue_name") {
        return show_queue(QueueName::new(name)?, context).await;
    }
    if let Some(id) = query(parts).get_filled("worker_id") {
        return show_worker(&id, context).await;
    }
    let workers = context.store.workers().await?;
    Ok(with_body(StatusCode::OK, json::strings(&workers.names)))
}

async fn show_queue<R: Redis>(queue: QueueName, context: &Context<R>) -> Result<Response, Refusal> {
    let shown = context.store.queue_workers(&queue).await?;
    let count = |count: Option<u64>| count.map_or_else(|| "null".into(), |count| format!("\"{count}\""));
    let text = format!(
        "{{\"queue_name\":{},\"workers_list\":{},\"processed\":{},\"failed\":{}}}",
        json::string(queue.as_str().as_bytes()),
        json::strings(&shown.workers),
        count(shown.processed),
        count(shown.failed),
    );
    Ok(with_body(StatusCode::OK, text))
}

async fn show_worker<R: Redis>(id: &[u8], context: &Context<R>) -> Result<Response, Refusal> {
    let worker = context.store.worker(id).await?.ok_or(Refusal::NoSuchWorker)?;
    let text = format!(
        "{{\"worker_id\":{},\"started_at\":{},\"processed\":\"{}\",\"failed\":\"{}\"}}",
        json::string(id),
        worker.started,
        worker.processed,
        worker.failed,
    );
    Ok(with_body(StatusCode::OK, text))
}
