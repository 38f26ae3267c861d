//! `/metrics`: numbers for Prometheus and what reads the same, as OpenMetrics text.
//!
//! The largest queues are told of one by one and the others together, so the answer does not grow without bounds.

mod families;
mod text;

use super::v1::{Problem, no_such_queue, reject_unknown_parameters};
use crate::gate::Operation;
use crate::queue::QueueName;
use crate::store::{Redis, RedisError, Summary};
use crate::web::{Context, Request, Response, allow, empty, with_body, with_type};
use families::{Others, render_others, render_queues, render_server};
use http::{Method, StatusCode};
use text::{MEDIA_TYPE, Text};

const METHODS: &str = "GET, HEAD, OPTIONS";

/// Responds to a request to `/metrics`.
pub async fn handle<B: http_body::Body + 'static, R: Redis>(
    request: http::Request<B>,
    context: &Context<R>,
) -> Response {
    let response = respond(&Request::new(request), context).await;
    response.unwrap_or_else(Response::from)
}

async fn respond<R: Redis>(request: &Request, context: &Context<R>) -> Result<Response, Problem> {
    context.caller.check_entry()?;
    match *request.method() {
        Method::GET | Method::HEAD => show(request, context).await,
        Method::OPTIONS => Ok(allow(empty(StatusCode::NO_CONTENT), METHODS)),
        _ => Err(Problem::method_not_allowed(METHODS)),
    }
}

async fn show<R: Redis>(request: &Request, context: &Context<R>) -> Result<Response, Problem> {
    context.caller.check_scope(Operation::ShowMetrics)?;
    reject_unknown_parameters(request, &["queue"])?;
    let mut text = Text::default();
    let found = match request.query().get("queue") {
        Some(name) => {
            let queue = context.caller.queue(Operation::ShowMetrics, QueueName::new(name)?)?;
            run_one(queue, context).await
        }
        None => run_all(context).await,
    };
    if let Err(error @ RedisError::Unexpected(_)) = &found {
        context.store.log(&format!("cannot tell metrics: {error}"));
    }
    // That Redis is away is what a scrape must tell, so it is no failure of the scrape.
    render_server(&mut text, found.is_ok());
    if let Ok((queues, others)) = found {
        if queues.is_empty() && others.is_none() {
            return Err(no_such_queue());
        }
        render_queues(&mut text, &queues);
        if let Some(others) = others {
            render_others(&mut text, &others);
        }
    }
    Ok(with_type(with_body(StatusCode::OK, text.end()), MEDIA_TYPE))
}

/// Queues that are told of one by one, and what there is to tell of the others, where somebody asked for all.
type Found = (Vec<Summary>, Option<Others>);

async fn run_one<R: Redis>(queue: QueueName, context: &Context<R>) -> Result<Found, RedisError> {
    Ok((context.store.summaries(&[queue]).await?, None))
}

async fn run_all<R: Redis>(context: &Context<R>) -> Result<Found, RedisError> {
    let listed = context.visible_queues().await?;
    let unlisted = listed.size.saturating_sub(listed.names.len() as u64);
    let names = listed.names.into_iter().filter_map(|name| QueueName::new(name).ok());
    // All of them are visible, so none is left out here.
    let queues = names.filter_map(|name| context.caller.queue(Operation::ShowMetrics, name).ok());
    let mut largest = context.store.largest(queues.collect()).await?;
    let others = Others::of(&largest, unlisted);
    largest
        .queues
        .sort_unstable_by(|one, other| one.queue.as_str().cmp(other.queue.as_str()));
    Ok((largest.queues, Some(others)))
}
