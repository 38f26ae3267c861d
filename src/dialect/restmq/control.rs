//! `/control/{queue}`: whether a queue hands out its messages.

use super::access::Access;
use super::queues::{QueueCounts, REDIS_DRIVER};
use super::request::{MAX_SMALL_BODY_BYTES, parse_fields, parse_queue};
use super::text::{html_response, json_response, parse_callback, spaced};
use super::{Refusal, respond_options};
use crate::gate::Operation;
use crate::queue::{QueueName, Status};
use crate::store::Redis;
use crate::web::json::Object;
use crate::web::{Context, Request, Response, as_script};
use http::Method;

const METHODS: &str = "GET, HEAD, OPTIONS, POST";
const METHODS_OF_LIST: &str = "GET, HEAD, OPTIONS";

/// Responds to a request to `/control/` or `/control/{queue}`.
pub(in crate::dialect) async fn respond<R: Redis>(
    request: &mut Request,
    context: &Context<R>,
    access: &Access,
) -> Result<Response, Refusal> {
    let queue = parse_queue(request, "/control")?;
    let methods = if queue.is_some() { METHODS } else { METHODS_OF_LIST };
    match (request.method(), queue) {
        (&Method::GET | &Method::HEAD, queue) => {
            access.consumer.check(request.headers(), &context.caller)?;
            match queue {
                Some(queue) => show(&context.caller.queue(Operation::RestmqShowStatus, queue)?, context).await,
                None => {
                    context.caller.check_scope(Operation::RestmqListStatus)?;
                    list(context).await
                }
            }
        }
        (&Method::POST, Some(queue)) => {
            access.producer.check(request.headers(), &context.caller)?;
            change(
                request,
                &context.caller.queue(Operation::RestmqSetStatus, queue)?,
                context,
            )
            .await
        }
        (&Method::OPTIONS, _) => Ok(respond_options(methods)),
        _ => Err(Refusal::MethodNotAllowed(methods)),
    }
}

async fn show<R: Redis>(queue: &QueueName, context: &Context<R>) -> Result<Response, Refusal> {
    let status = context.store.counts(queue).await?.status;
    let text = spaced(|o| {
        o.text("queue", queue.as_str());
        o.object("status", |o| render_status(o, queue, status));
        o.text("redis", REDIS_DRIVER);
    });
    Ok(json_response(format!("{text}\r\n")))
}

async fn list<R: Redis>(context: &Context<R>) -> Result<Response, Refusal> {
    let queues = QueueCounts::load(Operation::RestmqListStatus, context).await?;
    let text = spaced(|o| {
        o.text("redis", REDIS_DRIVER);
        o.object("queues", |o| {
            for (queue, counts) in &queues.first {
                o.object(queue.as_str(), |o| render_status(o, queue, counts.status));
            }
        });
        o.plain("count", queues.size);
    });
    Ok(json_response(format!("{text}\r\n")))
}

async fn change<R: Redis>(request: &mut Request, queue: &QueueName, context: &Context<R>) -> Result<Response, Refusal> {
    let fields = parse_fields(request, MAX_SMALL_BODY_BYTES).await?;
    let callback = parse_callback(&fields)?;
    let status = match fields.get("status") {
        Some(b"start") => Ok(Status::Open),
        Some(b"stop") => Ok(Status::Stopped),
        other => Err([b"invalid status: ", other.unwrap_or(b"None")].concat()),
    };
    if let Ok(status) = status {
        context.store.set_status(queue, status).await?;
    }
    let text = spaced(|o| {
        match status {
            Ok(status) => o.object("stat", |o| render_status(o, queue, Some(status))),
            Err(why) => o.text("stat", why),
        };
    });
    // No semicolon here, other than on messages.
    Ok(match callback {
        Some(name) => as_script(html_response(format!("{name}({text})\r\n"))),
        None => html_response(format!("{text}\r\n")),
    })
}

fn render_status(o: &mut Object<'_>, queue: &QueueName, status: Option<Status>) {
    let number = match status {
        Some(Status::Open) => "1",
        Some(Status::Stopped) => "0",
        None => "null",
    };
    o.text("queue", queue.as_str()).plain("status", number);
}
