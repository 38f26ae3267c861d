//! `/w/{queue}`: workers register, and are shown.

use super::request::{is_worker, parse_queue, parse_worker};
use super::{Refusal, respond_options};
use crate::queue::QueueName;
use crate::store::Redis;
use crate::web::json::{self, Style, object};
use crate::web::{BodyError, Context, Request, Response, empty, with_body};
use http::{Method, StatusCode};
use serde_json::{Map, Value};

const METHODS: &str = "DELETE, GET, HEAD, OPTIONS, POST";

/// The longest body that is read for a worker's id, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Responds to a request to `/w/` or `/w/{queue}`.
pub async fn handle<B: http_body::Body + 'static, R: Redis>(
    request: http::Request<B>,
    context: &Context<R>,
) -> Response {
    let mut request = Request::new(request);
    let response = match *request.method() {
        Method::GET | Method::HEAD => show(&request, context).await,
        Method::POST => register(&mut request, context).await,
        Method::DELETE => unregister(&request, context).await,
        Method::OPTIONS => Ok(respond_options(METHODS)),
        _ => Err(Refusal::MethodNotAllowed(METHODS)),
    };
    response.unwrap_or_else(Response::from)
}

async fn register<R: Redis>(request: &mut Request, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = parse_queue(request, "/w")?;
    let worker = match parse_worker(request) {
        Some(worker) => worker,
        None => parse_worker_in_body(request).await?.ok_or(Refusal::WorkerMissing)?,
    };
    context.store.register(&queue, &worker).await?;
    Ok(empty(StatusCode::CREATED))
}

/// The protocol of May 2010: `{"worker_id":"..."}`, whatever the content type.
async fn parse_worker_in_body(request: &mut Request) -> Result<Option<Vec<u8>>, Refusal> {
    let content = match request.body(MAX_BODY_BYTES).await {
        Err(BodyError::Encoded) => return Err(BodyError::Encoded.into()),
        // As a body that names no worker.
        content => content.unwrap_or_default(),
    };
    let members: Map<String, Value> = serde_json::from_slice(&content).unwrap_or_default();
    let worker = match members.get("worker_id") {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => return Ok(None),
    };
    Ok(Some(worker.into_bytes()).filter(|worker| is_worker(worker)))
}

async fn unregister<R: Redis>(request: &Request, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = parse_queue(request, "/w")?;
    let worker = parse_worker(request).ok_or(Refusal::WorkerMissing)?;
    context.store.unregister(&queue, &worker).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// The parameters say what is shown; what follows the prefix says nothing here.
async fn show<R: Redis>(request: &Request, context: &Context<R>) -> Result<Response, Refusal> {
    if let Some(name) = request.query().get_filled("queue_name") {
        return show_queue(QueueName::new(name)?, context).await;
    }
    if let Some(worker) = request.query().get_filled("worker_id") {
        return show_worker(&worker, context).await;
    }
    let workers = context.store.workers().await?;
    Ok(with_body(StatusCode::OK, json::strings(&workers.names)))
}

async fn show_queue<R: Redis>(queue: QueueName, context: &Context<R>) -> Result<Response, Refusal> {
    let shown = context.store.queue_workers(&queue).await?;
    let count = |count: Option<u64>| count.map_or_else(|| "null".into(), |count| format!("\"{count}\""));
    let text = object(Style::Compact, |o| {
        o.text("queue_name", queue.as_str());
        o.json("workers_list", &json::strings(&shown.workers));
        o.json("processed", &count(shown.processed));
        o.json("failed", &count(shown.failed));
    });
    Ok(with_body(StatusCode::OK, text))
}

async fn show_worker<R: Redis>(id: &[u8], context: &Context<R>) -> Result<Response, Refusal> {
    let worker = context.store.worker(id).await?.ok_or(Refusal::NoSuchWorker)?;
    let text = object(Style::Compact, |o| {
        o.text("worker_id", id).plain("started_at", worker.started);
        o.text("processed", worker.processed.to_string());
        o.text("failed", worker.failed.to_string());
    });
    Ok(with_body(StatusCode::OK, text))
}
