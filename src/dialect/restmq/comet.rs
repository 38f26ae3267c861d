//! `/c/{queue}`: messages as they come, for as long as somebody reads.

use super::access::Access;
use super::request::{parse_query_fields, parse_queue};
use super::subscription::{Format, Subscription};
use super::text::parse_callback;
use super::{CometResponse, Refusal, respond_options};
use crate::gate::Operation;
use crate::queue::QueueName;
use crate::store::{Redis, SubscriberKind};
use crate::web::{Context, Request, restrict};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Method};
use std::time::Instant;

const METHODS: &str = "GET, OPTIONS";

/// What a browser's `EventSource` asks for.
const EVENT_STREAM: &str = "text/event-stream";

/// Subscribes before the response begins: a reader that has its head is sent what comes from then on.
pub(super) async fn respond<R: Redis>(
    request: &Request,
    context: &Context<R>,
    access: &Access,
) -> Result<CometResponse, Refusal> {
    match *request.method() {
        Method::GET => {}
        Method::OPTIONS => return Ok(CometResponse::Whole(respond_options(METHODS))),
        _ => return Err(Refusal::MethodNotAllowed(METHODS)),
    }
    access.comet.check(request.headers(), &context.caller)?;
    let queue = parse_queue(request, "/c")?.ok_or(Refusal::NotFound)?;
    let queue = context.caller.queue(Operation::RestmqSubscribe, queue)?;
    let fields = parse_query_fields(request)?;
    let callback = parse_callback(&fields)?.map(str::to_owned);
    let last = parse_last_event(&queue, request.headers());
    let (kind, format) = if accepts_events(request.headers()) {
        let ends = context.limits.max_wait.is_some();
        (SubscriberKind::Events { last: &last, ends }, Format::Events)
    } else {
        (SubscriberKind::Plain, Format::Lines { callback })
    };
    let head = render_head(&format);
    let subscribed = context.store.subscribe(&queue, kind).await?;
    let (subscriber, missed) = subscribed.ok_or(Refusal::TooManySubscribers)?;
    let subscription = Subscription {
        queue,
        format,
        subscriber,
        missed,
        last,
        // Too far ahead to be told is no end.
        end: context
            .limits
            .max_wait
            .and_then(|wait| Instant::now().checked_add(wait)),
    };
    Ok(CometResponse::Stream(head, subscription))
}

fn render_head(format: &Format) -> http::Response<()> {
    let media = match format {
        Format::Events => EVENT_STREAM,
        Format::Lines { .. } => "text/plain",
    };
    let mut head = http::Response::new(());
    let headers = head.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    restrict(headers);
    if matches!(format, Format::Lines { callback: Some(_) }) {
        headers.remove(X_CONTENT_TYPE_OPTIONS);
    }
    // Tells proxies not to gather chunks.
    let no_buffering = HeaderName::from_static("x-accel-buffering");
    headers.insert(no_buffering, HeaderValue::from_static("no"));
    head
}

fn accepts_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .map(|media| media.split(';').next().unwrap_or_default().trim())
        .any(|media| media.eq_ignore_ascii_case(EVENT_STREAM))
}

/// The numbers of the messages that a reader got last, by the id of its last event: that of the last one, and where the queue has
/// several partitions those of the others. None where there is no such id.
fn parse_last_event(queue: &QueueName, headers: &HeaderMap) -> Vec<u64> {
    let numbers = || {
        let id = headers.get("last-event-id")?.as_bytes();
        let numbers = id.strip_prefix(queue.as_str().as_bytes())?.strip_prefix(b":")?;
        let numbers = std::str::from_utf8(numbers).ok()?.split(',');
        numbers.map(|number| number.parse().ok()).collect::<Option<Vec<u64>>>()
    };
    numbers().unwrap_or_default()
}
