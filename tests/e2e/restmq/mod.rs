//! The RestMQ dialect over HTTP.

mod access;
mod comet;
mod json_protocol;
mod legacy_routes;
mod lists;
mod messages;
mod requests;
mod slow;
mod xmlrpc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use presque::dialect::restmq::{self, Access};
use presque::gate::Caller;
use presque::queue::Limits;
use presque::store::{self, Store};
use presque::web::{Context, Response};

/// What an error answers.
fn refusal(status_and_reason: &str) -> String {
    format!("<html><title>{status_and_reason}</title><body>{status_and_reason}</body></html>")
}

/// A request for a handler that is called without a host between.
fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::from(body.to_owned())).unwrap()
}

/// What such a handler works with.
fn context<R>(store: Store<R>, job_bytes: usize) -> Context<R> {
    Context {
        store,
        limits: Limits {
            max_job_bytes: job_bytes,
            ..Limits::default()
        },
        caller: Caller::unrestricted(),
    }
}

/// What the dialect answers.
async fn serve<R: store::Redis>(request: Request<Full<Bytes>>, context: &Context<R>) -> Response {
    restmq::handle(request, context, &Access::default()).await
}

/// The status and the body of an answer.
async fn brief(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}
