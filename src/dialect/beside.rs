//! Paths that both dialects of 2010 have, where they are served beside each other: whose a request is.
//!
//! What cannot be told is the presque dialect's. Only forms are read to find out: its workers say JSON, or send no body.

use super::restmq::refusal::Refusal as RestmqRefusal;
use super::restmq::request::{SMALL_BYTES, message_bytes};
use super::{presque, restmq};
use crate::store::Redis;
use crate::web::{BodyError, Context, Fields, Query, Response, is_form, is_json, is_multipart, json, read_body, trim};
use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_LENGTH, HeaderValue};
use http::request::Parts;
use http::{Method, Request};
use http_body::{Body, Frame};
use http_body_util::StreamBody;

const METHODS_OF_INDEX: &str = "GET, HEAD, OPTIONS, POST";

/// Answers a request to `/q/{queue}` or `/qb/{queue}`. RestMQ's are a POST to `/q/` with a `value` or `msg` in its form or
/// query, unless it is said to be JSON, and a GET with a `callback`.
pub async fn queue<B: Body, R: Redis>(request: Request<B>, context: &Context<R>) -> Response {
    if request.uri().path().starts_with("/qb") {
        return presque::queue::handle(request, context).await;
    }
    match *request.method() {
        Method::GET if has_callback(&request) => messages(request, context).await,
        Method::POST if !is_json(request.headers()) && names_a_queue(&request) => posted(request, context).await,
        _ => presque::queue::handle(request, context).await,
    }
}

/// Answers a request to `/control/` or `/control/{queue}`. RestMQ's are a POST of a form with a `status`, and a GET with a
/// `callback`.
pub async fn control<B: Body, R: Redis>(request: Request<B>, context: &Context<R>) -> Response {
    match *request.method() {
        Method::GET | Method::HEAD if has_callback(&request) => restmq_control(request, context).await,
        Method::POST if may_have_form(&request) && names_a_queue(&request) => {
            let (parts, read) = read(request, SMALL_BYTES).await;
            let is_restmq = has_field(&parts, None, &read, &["status"]);
            let request = again(parts, read);
            if is_restmq {
                restmq_control(request, context).await
            } else {
                presque::control::handle(request, context).await
            }
        }
        _ => presque::control::handle(request, context).await,
    }
}

/// Answers a request to `/status/`, `/status/{queue}` or `/j/{queue}`. RestMQ's is a GET of `/j/` with a `callback`.
pub async fn status<B, R: Redis>(request: Request<B>, context: &Context<R>) -> Response {
    let is_page = request.uri().path().starts_with("/j") && matches!(*request.method(), Method::GET | Method::HEAD);
    if !is_page || !has_callback(&request) {
        return presque::status::handle(request, context).await;
    }
    let (parts, _) = request.into_parts();
    told(restmq::pages::handle(&parts, context).await)
}

/// Answers a request to `/`. RestMQ's are a POST and what names a `queue`; else there is a page with the queues.
pub async fn index<B: Body, R: Redis>(request: Request<B>, context: &Context<R>) -> Response {
    match *request.method() {
        Method::POST => messages(request, context).await,
        Method::GET | Method::HEAD if has(&request, &["queue"]) => messages(request, context).await,
        Method::GET | Method::HEAD => {
            let (parts, _) = request.into_parts();
            told(restmq::pages::sizes(&parts, context).await)
        }
        Method::OPTIONS => restmq::options(METHODS_OF_INDEX),
        _ => RestmqRefusal::MethodNotAllowed(METHODS_OF_INDEX).into(),
    }
}

/// A POST to `/q/` that is not said to be JSON.
async fn posted<B: Body, R: Redis>(request: Request<B>, context: &Context<R>) -> Response {
    let fields = ["value", "msg"];
    if !may_have_form(&request) {
        return if has(&request, &fields) {
            messages(request, context).await
        } else {
            presque::queue::handle(request, context).await
        };
    }
    let (parts, read) = read(request, message_bytes(&context.limits)).await;
    let is_restmq = has_field(&parts, parts.uri.query(), &read, &fields);
    let request = again(parts, read);
    if is_restmq {
        messages(request, context).await
    } else {
        presque::queue::handle(request, context).await
    }
}

async fn messages<B: Body, R: Redis>(request: Request<B>, context: &Context<R>) -> Response {
    let (parts, body) = request.into_parts();
    told(restmq::messages::handle(&parts, body, context).await)
}

async fn restmq_control<B: Body, R: Redis>(request: Request<B>, context: &Context<R>) -> Response {
    let (parts, body) = request.into_parts();
    told(restmq::control::handle(&parts, body, context).await)
}

fn told(answer: Result<Response, RestmqRefusal>) -> Response {
    answer.unwrap_or_else(Response::from)
}

/// Whether anything follows the first segment of the path. Where nothing does, both dialects refuse a POST.
fn names_a_queue<B>(request: &Request<B>) -> bool {
    request
        .uri()
        .path()
        .split('/')
        .nth(2)
        .is_some_and(|rest| !rest.is_empty())
}

fn has_callback<B>(request: &Request<B>) -> bool {
    has(request, &["callback"])
}

/// Whether the query has one of these parameters, and something in it.
fn has<B>(request: &Request<B>, names: &[&str]) -> bool {
    let mut pairs = Query::new(request.uri().query()).pairs();
    pairs.any(|(key, value)| names.iter().any(|name| key == name.as_bytes()) && !trim(&value).is_empty())
}

fn may_have_form<B>(request: &Request<B>) -> bool {
    is_form(request.headers()) || is_multipart(request.headers())
}

async fn read<B: Body>(request: Request<B>, limit: usize) -> (Parts, Result<Bytes, BodyError>) {
    let (parts, body) = request.into_parts();
    let read = read_body(&parts.headers, body, limit).await;
    (parts, read)
}

/// Whether a form with one of these fields was read. A JSON text is none, whatever it is called: that is what
/// `curl -d` sends unless told otherwise.
fn has_field(parts: &Parts, query: Option<&str>, read: &Result<Bytes, BodyError>, names: &[&str]) -> bool {
    let Ok(body) = read else {
        return false;
    };
    if json::is_text(body) {
        return false;
    }
    let fields = Fields::parse(query, &parts.headers, body);
    fields.is_ok_and(|fields| names.iter().any(|name| fields.get(name).is_some()))
}

/// The request anew, for who reads it after all: they meet the same body, or what was wrong with it.
fn again(mut parts: Parts, read: Result<Bytes, BodyError>) -> Request<impl Body> {
    if read == Err(BodyError::TooLarge) {
        // It may not have been announced, and what there was of it is gone.
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(u64::MAX));
    }
    let body = StreamBody::new(stream::iter([read.map(Frame::data)]));
    Request::from_parts(parts, body)
}
