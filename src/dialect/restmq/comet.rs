//! `/c/{queue}`: messages as they come, for as long as somebody reads.

use super::reading::{Format, Reading};
use super::request::{fields_of_query, queue_in_path};
use super::text::{Object, callback};
use super::value::to_value;
use super::{Refusal, options};
use crate::queue::QueueName;
use crate::store::{Delivery, Redis, SubscriberKind};
use crate::web::{Answer, Context};
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderMap};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method};
use std::time::Duration;

const METHODS: &str = "GET, OPTIONS";

/// What a browser's `EventSource` asks for.
const EVENT_STREAM: &str = "text/event-stream";

/// How long an event stream is silent at most.
const SILENCE: Duration = Duration::from_secs(15);

/// Lets a reader join before its answer begins: one that has the answer's head is sent what comes from then on.
pub(super) async fn handle<R: Redis>(parts: &Parts, context: &Context<R>) -> Result<Answer<Reading<Chunked>>, Refusal> {
    match parts.method {
        Method::GET => {}
        Method::OPTIONS => return Ok(Answer::Whole(options(METHODS))),
        _ => return Err(Refusal::MethodNotAllowed(METHODS)),
    }
    context.access.comet.check(&parts.headers)?;
    let queue = queue_in_path(parts, "/c")?.ok_or(Refusal::NotFound)?;
    let callback = callback(&fields_of_query(parts)?)?.map(str::to_owned);
    let events = accepts_events(&parts.headers);
    let kind = if events {
        SubscriberKind::Events {
            last: last_number(&queue, &parts.headers),
        }
    } else {
        SubscriberKind::Plain
    };
    let subscribed = context.store.subscribe(&queue, kind).await?;
    let (subscriber, missed) = subscribed.ok_or(Refusal::TooManyReaders)?;
    let format = if events {
        Chunked::Events { queue }
    } else {
        Chunked::Lines { queue, callback }
    };
    let mut head = http::Response::new(());
    let media = if events { EVENT_STREAM } else { "text/plain" };
    let headers = head.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that would gather chunks are told not to.
    let no_gathering = HeaderName::from_static("x-accel-buffering");
    headers.insert(no_gathering, HeaderValue::from_static("no"));
    let reading = Reading {
        subscriber,
        missed,
        format,
    };
    Ok(Answer::Stream(head, reading))
}

fn accepts_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .map(|media| media.split(';').next().unwrap_or_default().trim())
        .any(|media| media.eq_ignore_ascii_case(EVENT_STREAM))
}

/// The number of the message that a reader got last, by its key.
fn last_number(queue: &QueueName, headers: &HeaderMap) -> Option<u64> {
    let id = headers.get("last-event-id")?.as_bytes();
    let number = id.strip_prefix(queue.as_str().as_bytes())?.strip_prefix(b":")?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

/// How the messages of a queue are written, each in a chunk of its own.
#[derive(Debug)]
pub(super) enum Chunked {
    /// As RestMQ has them: JSON and a line's end, or a call of a function with that.
    Lines {
        /// The queue.
        queue: QueueName,
        /// The function's name.
        callback: Option<String>,
    },
    /// As server-sent events.
    Events {
        /// The queue.
        queue: QueueName,
    },
}

impl Chunked {
    fn line(&self, text: &str) -> Vec<u8> {
        let line = match self {
            Self::Lines { callback: None, .. } => format!("{text}\r\n"),
            Self::Lines {
                callback: Some(name), ..
            } => format!("{name}({text});\r\n"),
            Self::Events { .. } => format!("data: {text}\n\n"),
        };
        line.into_bytes()
    }
}

impl Format for Chunked {
    fn message(&self, delivery: &Delivery) -> Vec<u8> {
        let (Self::Lines { queue, .. } | Self::Events { queue }) = self;
        let key = format!("{queue}:{}", delivery.number);
        let value = to_value(&delivery.payload, delivery.is_text);
        let mut chunk = match self {
            Self::Lines { .. } => Vec::new(),
            Self::Events { .. } => format!("id: {key}\n").into_bytes(),
        };
        chunk.extend(self.line(&Object::new().text("key", &key).text("value", &value).end()));
        chunk
    }

    fn end(&self) -> Vec<u8> {
        self.line("null")
    }

    fn idle(&self) -> Option<(Duration, Vec<u8>)> {
        match self {
            Self::Lines { .. } => None,
            Self::Events { .. } => Some((SILENCE, b":\n\n".to_vec())),
        }
    }
}
