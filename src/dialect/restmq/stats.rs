//! `/stats/` and `/stats/{queue}`: how many messages there are.

use super::access::Access;
use super::queues::{QueueCounts, REDIS_DRIVER};
use super::request::{parse_query_fields, parse_queue};
use super::text::{json_response, parse_callback, spaced};
use super::{Refusal, respond_options};
use crate::gate::Operation;
use crate::queue::{Policy, QueueName, Status};
use crate::store::{Counts, Redis};
use crate::web::json::Object;
use crate::web::{Context, Request, Response, as_script};
use http::Method;

const METHODS: &str = "GET, HEAD, OPTIONS";

/// What stands for what is not known.
const UNKNOWN: &str = "\"\"";

/// Responds to a request to `/stats/` or `/stats/{queue}`.
pub(super) async fn respond<R: Redis>(
    request: &Request,
    context: &Context<R>,
    access: &Access,
) -> Result<Response, Refusal> {
    match *request.method() {
        Method::GET | Method::HEAD => show(request, context, access).await,
        Method::OPTIONS => Ok(respond_options(METHODS)),
        _ => Err(Refusal::MethodNotAllowed(METHODS)),
    }
}

async fn show<R: Redis>(request: &Request, context: &Context<R>, access: &Access) -> Result<Response, Refusal> {
    access.consumer.check(request.headers(), &context.caller)?;
    let fields = parse_query_fields(request)?;
    let callback = parse_callback(&fields)?;
    let text = match parse_queue(request, "/stats")? {
        Some(queue) => {
            let queue = context.caller.queue(Operation::RestmqStatsOfQueue, queue)?;
            let size = context.store.counts(&queue).await?.ready;
            spaced(|o| {
                o.text("queue", queue.as_str())
                    .text("redis", REDIS_DRIVER)
                    .plain("len", size);
            })
        }
        None => {
            context.caller.check_scope(Operation::RestmqStats)?;
            let queues = QueueCounts::load(Operation::RestmqStats, context).await?;
            spaced(|o| {
                o.plain("count", queues.size);
                o.object("queues", |o| {
                    for (queue, counts) in &queues.first {
                        o.object(queue.as_str(), |o| render_queue(o, queue, counts));
                    }
                });
                o.text("redis", REDIS_DRIVER);
            })
        }
    };
    Ok(match callback {
        Some(name) => as_script(json_response(format!("{name}({text})"))),
        None => json_response(text),
    })
}

fn render_queue(o: &mut Object<'_>, queue: &QueueName, counts: &Counts) {
    let status = if counts.status == Some(Status::Open) {
        "1"
    } else {
        UNKNOWN
    };
    let policy = match counts.policy {
        Some(Policy::Broadcast) => "1",
        Some(Policy::RoundRobin) => "2",
        None => UNKNOWN,
    };
    o.plain("status", status).plain("policy", policy);
    o.text("name", queue.as_str()).plain("len", counts.ready);
}
