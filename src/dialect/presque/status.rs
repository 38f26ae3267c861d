//! `/status/`, `/status/{queue}` and `/j/{queue}`: which queues there are, and how many jobs they have.

use super::request::parse_queue;
use super::{Refusal, refuse, respond_options};
use crate::gate::Operation;
use crate::queue::NameError;
use crate::store::Redis;
use crate::web::json::{self, Style, object};
use crate::web::{Context, Request, Response, with_body};
use http::{Method, StatusCode};

const METHODS: &str = "GET, HEAD, OPTIONS";

/// Responds to a request to `/status/`, `/status/{queue}` or `/j/{queue}`.
pub async fn handle<B: http_body::Body + 'static, R: Redis>(
    request: http::Request<B>,
    context: &Context<R>,
) -> Response {
    match context.caller.check_entry() {
        Ok(()) => respond(&Request::new(request), context).await,
        Err(denied) => refuse(denied),
    }
}

pub(in crate::dialect) async fn respond<R: Redis>(request: &Request, context: &Context<R>) -> Response {
    let response = match *request.method() {
        Method::GET | Method::HEAD if request.path().starts_with("/j") => counts(request, context).await,
        Method::GET | Method::HEAD => status(request, context).await,
        Method::OPTIONS => Ok(respond_options(METHODS)),
        _ => Err(Refusal::MethodNotAllowed(METHODS)),
    };
    response.unwrap_or_else(Response::from)
}

async fn counts<R: Redis>(request: &Request, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = parse_queue(request, "/j", Operation::PresqueCount, context)?;
    let counts = context.store.counts(&queue).await?;
    let text = object(Style::Compact, |o| {
        o.text("queue_name", queue.as_str());
        o.json("job_count", &render_count(counts.ready));
        o.json("job_failed", &render_count(counts.failed.unwrap_or(0)));
        o.json("job_processed", &render_count(counts.processed.unwrap_or(0)));
    });
    Ok(with_body(StatusCode::OK, text))
}

/// The number 0, or a string: legacy clients compare them so.
fn render_count(count: u64) -> String {
    if count == 0 { "0".into() } else { format!("\"{count}\"") }
}

async fn status<R: Redis>(request: &Request, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = match parse_queue(request, "/status", Operation::PresqueShowQueue, context) {
        Err(refusal) if refusal == Refusal::from(NameError::Missing) => return queues(context).await,
        queue => queue?,
    };
    let with_jobs = request.query().get_filled("with_desc");
    let (size, jobs) = if with_jobs.is_some_and(|value| value != b"0") {
        let peeked = context.store.peek(&queue).await?;
        (peeked.ready, Some(peeked.jobs))
    } else {
        (context.store.counts(&queue).await?.ready, None)
    };
    let text = object(Style::Compact, |o| {
        o.text("queue", queue.as_str()).text("size", size.to_string());
        if let Some(jobs) = jobs {
            o.json("jobs", &json::strings(&jobs));
        }
    });
    Ok(with_body(StatusCode::OK, text))
}

async fn queues<R: Redis>(context: &Context<R>) -> Result<Response, Refusal> {
    context.caller.check_scope(Operation::PresqueListQueues)?;
    let listed = context.visible_queues().await?;
    let text = object(Style::Compact, |o| {
        o.json("queues", &json::strings(&listed.names))
            .plain("size", listed.size);
    });
    Ok(with_body(StatusCode::OK, text))
}
