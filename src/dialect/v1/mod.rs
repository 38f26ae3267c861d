//! The API of `/v1`: jobs under leases, in JSON. `docs/api.md` shows it, `docs/openapi.yaml` is its contract, and
//! `docs/jobs.md` the model behind it.
//!
//! One file per resource; each function of theirs responds to one method of one route. Of several errors of a request the
//! first in this order is reported: the path, the method, headers, the content type, the size of the body, the JSON, the members.

mod act;
mod backoff;
mod claims;
mod dead;
mod filter;
mod headers;
mod health;
mod history;
mod insert;
mod job_view;
mod jobs;
mod key;
mod members;
mod overview;
mod problem;
mod queues;
mod receipts;
mod request;
mod route;
mod search;
mod seconds;
mod settings;
mod workers;

use crate::gate::Operation;
use crate::store::Redis;
use crate::web::json::{Object, Style, object};
use crate::web::{Context, Request, Response, allow, empty, with_body};
use http::{Method, StatusCode};
use route::Route;

pub(super) use problem::Problem;
pub(super) use queues::no_such_queue;
pub(super) use request::reject_unknown_parameters;

/// Responds to a request to a path under `/v1/`.
pub async fn handle<B: http_body::Body + 'static, R: Redis>(
    request: http::Request<B>,
    context: &Context<R>,
) -> Response {
    let response = route(&mut Request::new(request), context).await;
    response.unwrap_or_else(Response::from)
}

async fn route<R: Redis>(request: &mut Request, context: &Context<R>) -> Result<Response, Problem> {
    let caller = &context.caller;
    caller.check_entry()?;
    let route = Route::of(request.path())?;
    let method = match request.method() {
        &Method::HEAD => Method::GET,
        method => method.clone(),
    };
    match (route, method) {
        (Route::Jobs(queue), Method::POST) => {
            insert::insert(request, &caller.queue(Operation::Insert, queue)?, context).await
        }
        (Route::Jobs(queue), Method::GET) => {
            jobs::list(request, &caller.queue(Operation::ListJobs, queue)?, context).await
        }
        (Route::Job(queue, id), Method::GET) => {
            jobs::show(&caller.queue(Operation::ShowJob, queue)?, &id, context).await
        }
        (Route::Job(queue, id), Method::DELETE) => {
            jobs::remove(&caller.queue(Operation::CancelJob, queue)?, &id, context).await
        }
        (Route::Search(queue), Method::POST) => {
            search::search(request, &caller.queue(Operation::SearchJobs, queue)?, context).await
        }
        (Route::Act(action, queue), Method::POST) => {
            act::act(action, request, &caller.queue(act::operation(action), queue)?, context).await
        }
        (Route::Claims(queue), Method::POST) => {
            claims::claim(request, &caller.queue(Operation::Claim, queue)?, context).await
        }
        (Route::ClaimsOfMany, Method::POST) => {
            caller.check_scope(Operation::ClaimOfMany)?;
            claims::claim_of_many(request, context).await
        }
        (Route::UseReceipt(verb, queue, receipt), Method::POST) => {
            let queue = caller.queue(Operation::UseReceipt, queue)?;
            receipts::use_one(verb, request, &queue, &receipt, context).await
        }
        (Route::UseReceipts(verb, queue), Method::POST) => {
            receipts::use_many(verb, request, &caller.queue(Operation::UseReceipts, queue)?, context).await
        }
        (Route::Queues, Method::GET) => {
            caller.check_scope(Operation::ListQueues)?;
            queues::list(request, context).await
        }
        (Route::Queue(queue), Method::GET) => queues::show(&caller.queue(Operation::ShowQueue, queue)?, context).await,
        (Route::Queue(queue), Method::PUT) => {
            queues::configure(request, &caller.queue(Operation::ConfigureQueue, queue)?, context).await
        }
        (Route::Queue(queue), Method::DELETE) => {
            queues::delete(request, &caller.queue(Operation::DeleteQueue, queue)?, context).await
        }
        (Route::Dead(queue), Method::DELETE) => {
            dead::purge_all(&caller.queue(Operation::DeleteAllDead, queue)?, context).await
        }
        (Route::DeleteDead(queue), Method::POST) => {
            dead::purge(request, &caller.queue(Operation::DeleteDead, queue)?, context).await
        }
        (Route::Redrive(queue), Method::POST) => {
            dead::redrive(request, &caller.queue(Operation::Redrive, queue)?, context).await
        }
        (Route::DeadGroups(queue), Method::GET) => {
            dead::groups(request, &caller.queue(Operation::GroupDead, queue)?, context).await
        }
        (Route::History(queue), Method::GET) => {
            history::show(request, &caller.queue(Operation::ShowHistory, queue)?, context).await
        }
        (Route::Overview, Method::GET) => {
            caller.check_scope(Operation::ShowOverview)?;
            overview::show(request, context).await
        }
        (Route::Workers, Method::GET) => {
            caller.check_scope(Operation::ListWorkers)?;
            workers::list(context).await
        }
        (Route::Key, Method::GET) => {
            caller.check_scope(Operation::ShowKey)?;
            key::show(context)
        }
        (Route::Health, Method::GET) => {
            caller.check_scope(Operation::ShowHealth)?;
            health::show(context).await
        }
        (route, Method::OPTIONS) => Ok(allow(empty(StatusCode::NO_CONTENT), route.methods())),
        (route, _) => Err(Problem::method_not_allowed(route.methods())),
    }
}

/// A response with an object whose members `fill` writes.
fn respond(status: StatusCode, fill: impl FnOnce(&mut Object<'_>)) -> Response {
    with_body(status, object(Style::Compact, fill))
}
