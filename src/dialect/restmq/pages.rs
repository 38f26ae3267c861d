//! The web pages: the lists of the queues, and `/j/{queue}`.

use super::queues::Queues;
use super::request::queue_in_path;
use super::text::html;
use super::{Refusal, options};
use crate::store::Redis;
use crate::web::html::{escape, page};
use crate::web::{Context, Response, encode_segment};
use http::Method;
use http::request::Parts;
use std::fmt::Write;

const METHODS: &str = "GET, HEAD, OPTIONS";

/// How many keys the page of a queue shows.
const KEYS: usize = 10;

/// Answers a request to `/j/{queue}`.
pub(in crate::dialect) async fn handle<R: Redis>(parts: &Parts, context: &Context<R>) -> Result<Response, Refusal> {
    match parts.method {
        Method::GET | Method::HEAD => queue(parts, context).await,
        Method::OPTIONS => Ok(options(METHODS)),
        _ => Err(Refusal::MethodNotAllowed(METHODS)),
    }
}

/// Answers a request to `/q/`: the queues, each with a link to its page.
pub(super) async fn list<R: Redis>(parts: &Parts, context: &Context<R>) -> Result<Response, Refusal> {
    match parts.method {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => return Ok(options(METHODS)),
        _ => return Err(Refusal::MethodNotAllowed(METHODS)),
    }
    context.access.consumer.check(&parts.headers)?;
    let listed = context.store.queues().await?;
    let names: Vec<_> = listed.names.iter().map(|name| String::from_utf8_lossy(name)).collect();
    let items = names.iter().map(|name| {
        let path = encode_segment(name);
        format!("<a href=\"/j/{path}\">{}</a>", escape(name))
    });
    Ok(html(page("Queues", &list_of(items, listed.size))))
}

/// The queues and how many messages are in each, for who looks at the root of a server.
pub(in crate::dialect) async fn sizes<R: Redis>(parts: &Parts, context: &Context<R>) -> Result<Response, Refusal> {
    context.access.consumer.check(&parts.headers)?;
    let queues = Queues::count(context).await?;
    let items = queues
        .first
        .iter()
        .map(|(queue, counts)| format!("{}: {}", escape(queue.as_str()), counts.size));
    Ok(html(page("Queues", &list_of(items, queues.size))))
}

async fn queue<R: Redis>(parts: &Parts, context: &Context<R>) -> Result<Response, Refusal> {
    context.access.consumer.check(&parts.headers)?;
    let queue = queue_in_path(parts, "/j")?.ok_or(Refusal::NotFound)?;
    let newest = context.store.newest(&queue, KEYS).await?;
    let name = escape(queue.as_str());
    let keys = newest.numbers.iter().map(|number| format!("{name}:{number}"));
    let body = format!(
        "<h1>{name}</h1>\n<p>Messages: {}</p>\n<ul>\n{}</ul>\n",
        newest.size,
        items(keys)
    );
    Ok(html(page(queue.as_str(), &body)))
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
