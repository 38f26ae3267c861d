//! The web pages: the lists of the queues, and `/j/{queue}`.

use super::access::Access;
use super::html::{escape, page};
use super::request::parse_queue;
use super::text::html_response;
use super::{Refusal, respond_options};
use crate::gate::Operation;
use crate::store::Redis;
use crate::web::{Context, Request, Response, encode_segment};
use http::Method;
use std::fmt::Write;

const METHODS: &str = "GET, HEAD, OPTIONS";

/// How many keys the page of a queue shows.
const MAX_KEYS: usize = 10;

/// Responds to a request to `/j/{queue}`.
pub(in crate::dialect) async fn respond<R: Redis>(
    request: &Request,
    context: &Context<R>,
    access: &Access,
) -> Result<Response, Refusal> {
    match *request.method() {
        Method::GET | Method::HEAD => queue(request, context, access).await,
        Method::OPTIONS => Ok(respond_options(METHODS)),
        _ => Err(Refusal::MethodNotAllowed(METHODS)),
    }
}

/// Responds to a request to `/q/`: the queues, each with a link to its page.
pub(super) async fn list<R: Redis>(
    request: &Request,
    context: &Context<R>,
    access: &Access,
) -> Result<Response, Refusal> {
    match *request.method() {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => return Ok(respond_options(METHODS)),
        _ => return Err(Refusal::MethodNotAllowed(METHODS)),
    }
    access.consumer.check(request.headers(), &context.caller)?;
    context.caller.check_scope(Operation::RestmqListQueues)?;
    let listed = context.visible_queues().await?;
    let names: Vec<_> = listed.names.iter().map(|name| String::from_utf8_lossy(name)).collect();
    let items = names.iter().map(|name| {
        let path = encode_segment(name);
        format!("<a href=\"/j/{path}\">{}</a>", escape(name))
    });
    Ok(html_response(page("Queues", &list_of(items, listed.size))))
}

async fn queue<R: Redis>(request: &Request, context: &Context<R>, access: &Access) -> Result<Response, Refusal> {
    access.consumer.check(request.headers(), &context.caller)?;
    let queue = parse_queue(request, "/j")?.ok_or(Refusal::NotFound)?;
    let queue = context.caller.queue(Operation::RestmqShowQueue, queue)?;
    let newest = context.store.newest(&queue, MAX_KEYS).await?;
    let name = escape(queue.as_str());
    let keys = newest.numbers.iter().map(|number| format!("{name}:{number}"));
    let body = format!(
        "<h1>{name}</h1>\n<p>Messages: {}</p>\n<ul>\n{}</ul>\n",
        newest.ready,
        items(keys)
    );
    Ok(html_response(page(queue.as_str(), &body)))
}

/// A list of items that are HTML, the first of so many.
fn list_of(all: impl ExactSizeIterator<Item = String>, size: u64) -> String {
    let more = size.saturating_sub(all.len() as u64);
    let mut list = format!("<h1>Queues</h1>\n<p>Queues: {size}</p>\n<ul>\n{}</ul>\n", items(all));
    if more > 0 {
        // Writing to a string cannot fail.
        let _ = writeln!(list, "<p>And {more} more.</p>");
    }
    list
}

fn items(all: impl Iterator<Item = String>) -> String {
    all.fold(String::new(), |mut list, item| {
        let _ = writeln!(list, "<li>{item}</li>");
        list
    })
}
