//! The API of `/v1`: jobs under leases, in JSON. `docs/api.md` shows it, `docs/openapi.yaml` is its contract, and
//! `docs/jobs.md` the model behind it.
//!
//! One file per resource; each function of theirs answers one method of one route. What is wrong with a request is told
//! in this order: the path, the method, headers, the content type, the size of the body, the JSON, the members.

mod backoff;
mod claims;
mod dead;
mod finish;
mod headers;
mod health;
mod insert;
mod jobs;
mod members;
mod numbers;
mod problem;
mod queues;
mod request;
mod route;
mod settings;
mod view;
mod workers;

use crate::store::Redis;
use crate::web::json::{Object, object};
use crate::web::{Context, Response, allow, empty, with_body};
use http::request::Parts;
use http::{Method, Request, StatusCode};
use problem::Problem;
use route::Route;

/// Answers a request to a path under `/v1/`.
pub async fn handle<B: http_body::Body, R: Redis>(request: Request<B>, context: &Context<R>) -> Response {
    let (parts, body) = request.into_parts();
    answer(&parts, body, context).await.unwrap_or_else(Response::from)
}

async fn answer<B: http_body::Body, R: Redis>(
    parts: &Parts,
    body: B,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let route = Route::of(parts.uri.path())?;
    let method = match parts.method {
        Method::HEAD => &Method::GET,
        ref method => method,
    };
    match (&route, method) {
        (Route::Jobs(queue), &Method::POST) => insert::insert(parts, body, queue, context).await,
        (Route::Jobs(queue), &Method::GET) => jobs::list(parts, queue, context).await,
        (Route::Job(queue, id), &Method::GET) => jobs::show(queue, id, context).await,
        (Route::Job(queue, id), &Method::DELETE) => jobs::remove(queue, id, context).await,
        (Route::Claims(queue), &Method::POST) => claims::claim(parts, body, queue, context).await,
        (Route::ClaimsOfMany, &Method::POST) => claims::claim_of_many(parts, body, context).await,
        (Route::Finish(verb, queue, receipt), &Method::POST) => {
            finish::one(*verb, parts, body, queue, receipt, context).await
        }
        (Route::FinishMany(verb, queue), &Method::POST) => finish::many(*verb, parts, body, queue, context).await,
        (Route::Queues, &Method::GET) => queues::list(parts, context).await,
        (Route::Queue(queue), &Method::GET) => queues::show(queue, context).await,
        (Route::Queue(queue), &Method::PUT) => queues::configure(parts, body, queue, context).await,
        (Route::Queue(queue), &Method::DELETE) => queues::delete(parts, queue, context).await,
        (Route::Dead(queue), &Method::DELETE) => dead::delete_all(queue, context).await,
        (Route::DeleteDead(queue), &Method::POST) => dead::delete(parts, body, queue, context).await,
        (Route::Redrive(queue), &Method::POST) => dead::redrive(parts, body, queue, context).await,
        (Route::Workers, &Method::GET) => workers::list(context).await,
        (Route::Health, &Method::GET) => health::show(context).await,
        (route, &Method::OPTIONS) => Ok(allow(empty(StatusCode::NO_CONTENT), route.methods())),
        (route, _) => Err(Problem::method_not_allowed(route.methods())),
    }
}

/// An answer with an object whose members `fill` writes.
fn told(status: StatusCode, fill: impl FnOnce(&mut Object<'_>)) -> Response {
    with_body(status, object(fill))
}
