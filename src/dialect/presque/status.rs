//! `/status/`, `/status/{queue}` and `/j/{queue}`: what there is, and how much of it.

use super::request::{query, queue_name};
use super::{Refusal, options};
use crate::queue::NameError;
use crate::store::Redis;
use crate::web::{Context, Response, json, with_body};
use http::request::Parts;
use http::{Method, Request, StatusCode};

const METHODS: &str = "GET, HEAD, OPTIONS";

/// Answers a request to `/status/`, `/status/{queue}` or `/j/{queue}`.
pub async fn handle<B, R: Redis>(request: Request<B>, context: &Context<R>) -> Response {
    let (parts, _) = request.into_parts();
    let answer = match parts.method {
        Method::GET | Method::HEAD if parts.uri.path().starts_with("/j") => counts(&parts, context).await,
        Method::GET | Method::HEAD => status(&parts, context).await,
        Method::OPTIONS => Ok(options(METHODS)),
        _ => Err(Refusal::MethodNotAllowed(METHODS)),
    };
    answer.unwrap_or_else(Response::from)
}

async fn counts<R: Redis>(parts: &Parts, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = queue_name(parts, "/j")?;
    let counts = context.store.counts(&queue).await?;
    let text = format!(
        "{{\"queue_name\":{},\"job_count\":{},\"job_failed\":{},\"job_processed\":{}}}",
        json::string(queue.as_str().as_bytes()),
        count(counts.size),
        count(counts.failed.unwrap_or(0)),
        count(counts.processed.unwrap_or(0)),
    );
    Ok(with_body(StatusCode::OK, text))
}

/// The number 0, or a string: clients of 2010 compare them so.
fn count(count: u64) -> String {
    if count == 0 { "0".into() } else { format!("\"{count}\"") }
}

async fn status<R: Redis>(parts: &Parts, context: &Context<R>) -> Result<Response, Refusal> {
    let queue = match queue_name(parts, "/status") {
        Err(refusal) if refusal == Refusal::from(NameError::Missing) => return queues(context).await,
        queue => queue?,
    };
    let name = json::string(queue.as_str().as_bytes());
    let described = query(parts).get_filled("with_desc").is_some_and(|value| value != b"0");
    let text = if described {
        let peeked = context.store.peek(&queue).await?;
        let jobs = json::strings(&peeked.jobs);
        format!("{{\"queue\":{name},\"size\":\"{}\",\"jobs\":{jobs}}}", peeked.size)
    } else {
        let size = context.store.counts(&queue).await?.size;
        format!("{{\"queue\":{name},\"size\":\"{size}\"}}")
    };
    Ok(with_body(StatusCode::OK, text))
}

async fn queues<R: Redis>(context: &Context<R>) -> Result<Response, Refusal> {
    let listed = context.store.queues().await?;
    let names = json::strings(&listed.names);
    let text = format!("{{\"queues\":{names},\"size\":{}}}", listed.size);
    Ok(with_body(StatusCode::OK, text))
}
