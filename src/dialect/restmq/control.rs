//! `/control/{queue}`: whether a queue hands out its messages.

use super::queues::{Queues, STORE};
use super::request::{SMALL_BYTES, fields, queue_in_path};
use super::text::{Object, callback, html, json};
use super::{Refusal, options};
use crate::queue::{QueueName, Status};
use crate::store::Redis;
use crate::web::{Context, Response};
use http::Method;
use http::request::Parts;

const METHODS: &str = "GET, HEAD, OPTIONS, POST";
const METHODS_OF_LIST: &str = "GET, HEAD, OPTIONS";

/// Answers a request to `/control/` or `/control/{queue}`.
pub(in crate::dialect) async fn handle<B: http_body::Body, R: Redis>(
    parts: &Parts,
    body: B,
    context: &Context<R>,
) -> Result<Response, Refusal> {
    let queue = queue_in_path(parts, "/control")?;
    let methods = if queue.is_some() { METHODS } else { METHODS_OF_LIST };
    match (&parts.method, queue) {
        (&Method::GET | &Method::HEAD, queue) => {
            context.access.consumer.check(&parts.headers)?;
            match queue {
                Some(queue) => show(&queue, context).await,
                None => list(context).await,
            }
        }
        (&Method::POST, Some(queue)) => {
            context.access.producer.check(&parts.headers)?;
            change(parts, body, &queue, context).await
        }
        (&Method::OPTIONS, _) => Ok(options(methods)),
        _ => Err(Refusal::MethodNotAllowed(methods)),
    }
}

async fn show<R: Redis>(queue: &QueueName, context: &Context<R>) -> Result<Response, Refusal> {
    let status = context.store.counts(queue).await?.status;
    let text = Object::new()
        .text("queue", queue.as_str())
        .plain("status", told(queue, status))
        .text("redis", STORE);
    Ok(json(format!("{}\r\n", text.end())))
}

async fn list<R: Redis>(context: &Context<R>) -> Result<Response, Refusal> {
    let queues = Queues::count(context).await?;
    let each = queues.first.iter().fold(Object::new(), |each, (queue, counts)| {
        each.plain(queue.as_str(), told(queue, counts.status))
    });
    let text = Object::new()
        .text("redis", STORE)
        .plain("queues", each.end())
        .plain("count", queues.size);
    Ok(json(format!("{}\r\n", text.end())))
}

async fn change<B: http_body::Body, R: Redis>(
    parts: &Parts,
    body: B,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Refusal> {
    let fields = fields(parts, body, SMALL_BYTES).await?;
    let callback = callback(&fields)?;
    let status = match fields.get("status") {
        Some(b"start") => Ok(Status::Open),
        Some(b"stop") => Ok(Status::Stopped),
        other => Err([b"invalid status: ", other.unwrap_or(b"None")].concat()),
    };
    let text = match status {
        Ok(status) => {
            context.store.set_status(queue, status).await?;
            Object::new().plain("stat", told(queue, Some(status)))
        }
        Err(why) => Object::new().text("stat", why),
    };
    // No semicolon here, other than on messages.
    Ok(html(match callback {
        Some(name) => format!("{name}({})\r\n", text.end()),
        None => format!("{}\r\n", text.end()),
    }))
}

fn told(queue: &QueueName, status: Option<Status>) -> String {
    let number = match status {
        Some(Status::Open) => "1",
        Some(Status::Stopped) => "0",
        None => "null",
    };
    Object::new()
        .text("queue", queue.as_str())
        .plain("status", number)
        .end()
}
