//! `/w/{queue}`: workers register, and are shown.

use super::request::{is_worker, parse_queue, parse_worker};
use super::{Refusal, refuse, respond_options};
use crate::gate::Operation;
use crate::queue::QueueName;
use crate::store::{NameList, Redis};
use crate::web::json::{self, Style, object};
use crate::web::{BodyError, Context, Request, Response, empty, with_body};
use futures_util::stream::{self, StreamExt};
use http::{Method, StatusCode};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::pin::pin;

const METHODS: &str = "DELETE, GET, HEAD, OPTIONS, POST";

/// The longest body that is read for a worker's id, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// How many queues are asked for their workers at once.
const AT_ONCE: usize = 16;

/// Responds to a request to `/w/` or `/w/{queue}`.
pub async fn handle<B: http_body::Body + 'static, R: Redis>(
    request: http::Request<B>,
    context: &Context<R>,
) -> Response {
    if let Err(denied) = context.caller.check_entry() {
        return refuse(denied);
    }
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
    let queue = parse_queue(request, "/w", Operation::PresqueRegister, context)?;
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
    let queue = parse_queue(request, "/w", Operation::PresqueUnregister, context)?;
    let worker = parse_worker(request).ok_or(Refusal::WorkerMissing)?;
    context.store.unregister(&queue, &worker).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// The parameters say what is shown; what follows the prefix says nothing here.
async fn show<R: Redis>(request: &Request, context: &Context<R>) -> Result<Response, Refusal> {
    if let Some(name) = request.query().get_filled("queue_name") {
        context.caller.check_scope(Operation::PresqueShowQueueWorkers)?;
        let queue = context
            .caller
            .queue(Operation::PresqueShowQueueWorkers, QueueName::new(name)?)?;
        return show_queue(queue, context).await;
    }
    if let Some(worker) = request.query().get_filled("worker_id") {
        return show_worker(&worker, context).await;
    }
    context.caller.check_scope(Operation::PresqueListWorkers)?;
    Ok(with_body(
        StatusCode::OK,
        json::strings(&visible_workers(context).await?),
    ))
}

/// The workers that are registered on a queue that the caller sees.
async fn visible_workers<R: Redis>(context: &Context<R>) -> Result<Vec<Vec<u8>>, Refusal> {
    if context.caller.sees_all() {
        return Ok(context.store.workers().await?.names);
    }
    let names = context
        .visible_queues()
        .await?
        .names
        .into_iter()
        .flat_map(QueueName::new);
    let queues = names.flat_map(|name| context.caller.queue(Operation::PresqueListWorkers, name));
    let workers = stream::iter(queues).map(async |queue| context.store.queue_workers(&queue).await);
    let mut workers = pin!(workers.buffered(AT_ONCE));
    let mut visible = BTreeSet::new();
    while let Some(of_queue) = workers.next().await {
        visible.extend(of_queue?.workers);
        if visible.len() >= NameList::MAX_NAMES {
            break;
        }
    }
    Ok(visible.into_iter().take(NameList::MAX_NAMES).collect())
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
    context.caller.check_scope(Operation::PresqueShowWorker)?;
    let (caller, store) = (&context.caller, &context.store);
    let worker = store.worker(caller.root(), id, |queue| caller.see(queue).is_some());
    let worker = worker.await?.ok_or(Refusal::NoSuchWorker)?;
    let text = object(Style::Compact, |o| {
        o.text("worker_id", id).plain("started_at", worker.started);
        o.text("processed", worker.processed.to_string());
        o.text("failed", worker.failed.to_string());
    });
    Ok(with_body(StatusCode::OK, text))
}
