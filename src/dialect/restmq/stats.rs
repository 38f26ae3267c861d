//! `/stats/` and `/stats/{queue}`: how many messages there are.

use super::queues::{Queues, STORE};
use super::request::{fields_of_query, queue_in_path};
use super::text::{Object, callback, json};
use super::{Refusal, options};
use crate::queue::{Policy, QueueName, Status};
use crate::store::{Counts, Redis};
use crate::web::{Context, Response};
use http::Method;
use http::request::Parts;

const METHODS: &str = "GET, HEAD, OPTIONS";

/// What stands for what is not known.
const NOTHING: &str = "\"\"";

/// Answers a request to `/stats/` or `/stats/{queue}`.
pub(super) async fn handle<R: Redis>(parts: &Parts, context: &Context<R>) -> Result<Response, Refusal> {
    match parts.method {
        Method::GET | Method::HEAD => show(parts, context).await,
        Method::OPTIONS => Ok(options(METHODS)),
        _ => Err(Refusal::MethodNotAllowed(METHODS)),
    }
}

async fn show<R: Redis>(parts: &Parts, context: &Context<R>) -> Result<Response, Refusal> {
    context.access.consumer.check(&parts.headers)?;
    let fields = fields_of_query(parts)?;
    let callback = callback(&fields)?;
    let text = match queue_in_path(parts, "/stats")? {
        Some(queue) => {
            let len = context.store.counts(&queue).await?.size;
            Object::new()
                .text("queue", queue.as_str())
                .text("redis", STORE)
                .plain("len", len)
        }
        None => {
            let queues = Queues::count(context).await?;
            let each = queues.first.iter().fold(Object::new(), |each, (queue, counts)| {
                each.plain(queue.as_str(), told(queue, counts))
            });
            Object::new()
                .plain("count", queues.size)
                .plain("queues", each.end())
                .text("redis", STORE)
        }
    };
    Ok(json(match callback {
        Some(name) => format!("{name}({})", text.end()),
        None => text.end(),
    }))
}

fn told(queue: &QueueName, counts: &Counts) -> String {
    let status = if counts.status == Some(Status::Open) {
        "1"
    } else {
        NOTHING
    };
    let policy = match counts.policy {
        Some(Policy::Broadcast) => "1",
        Some(Policy::RoundRobin) => "2",
        None => NOTHING,
    };
    Object::new()
        .plain("status", status)
        .plain("policy", policy)
        .text("name", queue.as_str())
        .plain("len", counts.size)
        .end()
}
