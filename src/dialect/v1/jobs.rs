//! `/v1/queues/{q}/jobs` and `/v1/queues/{q}/jobs/{id}`: jobs are listed, shown, and removed.

use super::job_view::{render_job, render_payload};
use super::problem::Problem;
use super::request::{no_such_job, parse_number};
use super::respond;
use crate::queue::{JobId, QueueName, State};
use crate::store::{Cursor, JobPage, ListJobs, Redis, Removed};
use crate::web::json::{Object, push_object};
use crate::web::{Context, Request, Response};
use http::StatusCode;

/// How many jobs a page has when nothing else is said.
pub(super) const PAGE: usize = 50;

pub(super) async fn show<R: Redis>(queue: &QueueName, id: &JobId, context: &Context<R>) -> Result<Response, Problem> {
    let job = context.store.job(queue, id).await?.ok_or_else(no_such_job)?;
    Ok(respond(StatusCode::OK, |o| {
        render_job(o, queue, &job);
        render_payload(o, &job);
    }))
}

pub(super) async fn remove<R: Redis>(queue: &QueueName, id: &JobId, context: &Context<R>) -> Result<Response, Problem> {
    let state = match context.store.remove(queue, id).await? {
        Removed::Cancelled => "cancelled",
        Removed::Forgotten => "removed",
        Removed::Unknown => return Err(no_such_job()),
    };
    Ok(respond(StatusCode::OK, |o| {
        o.text("id", id.to_string()).text("state", state);
    }))
}

pub(super) async fn list<R: Redis>(
    request: &Request,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let state = parse_state(request)?;
    let max_jobs = parse_number(request, "limit", 1..=ListJobs::MAX_JOBS)?.unwrap_or(PAGE);
    let after = parse_cursor(request)?;
    let has_payloads = parse_has_payloads(request)?;
    let page = ListJobs {
        queue,
        state,
        max_jobs,
        after: after.as_ref(),
        is_newest_first: parse_is_newest_first(request)?,
        has_payloads,
    };
    let JobPage { jobs, has_more } = context.store.jobs(page).await?;
    let next = jobs.last().filter(|_| has_more).map(|last| Cursor {
        position: last.position,
        id: last.id,
    });
    Ok(respond(StatusCode::OK, |o| {
        o.array("jobs", &jobs, |out, job| {
            push_object(out, |o| {
                render_job(o, queue, job);
                if has_payloads {
                    render_payload(o, job);
                }
            });
        });
        push_cursor(o, next.as_ref());
    }))
}

fn parse_state(request: &Request) -> Result<State, Problem> {
    let name = request.query().get("state").unwrap_or_default();
    let state = std::str::from_utf8(&name).ok().and_then(State::named);
    state.ok_or_else(|| {
        let names = State::ALL.map(State::name).join(", ");
        Problem::parameter("state", &format!("given, and one of {names}"))
    })
}

fn parse_has_payloads(request: &Request) -> Result<bool, Problem> {
    match request.query().get("payload").as_deref() {
        None | Some(b"false") => Ok(false),
        Some(b"true") => Ok(true),
        Some(_) => Err(Problem::parameter("payload", "true or false")),
    }
}

fn parse_is_newest_first(request: &Request) -> Result<bool, Problem> {
    match request.query().get("order").as_deref() {
        None => Ok(false),
        Some(b"newest") => Ok(true),
        Some(_) => Err(Problem::parameter("order", "newest, or absent")),
    }
}

/// Writes where the next page begins, `null` when there is none.
pub(super) fn push_cursor(o: &mut Object<'_>, next: Option<&Cursor>) {
    match next {
        Some(last) => o.text("next", render_cursor(last)),
        None => o.plain("next", "null"),
    };
}

/// The text that stands for a page's last job: its position and its id.
pub(super) fn render_cursor(last: &Cursor) -> String {
    format!("{}.{}", last.position, last.id)
}

/// What [`render_cursor`] wrote.
pub(super) fn read_cursor(text: &str) -> Option<Cursor> {
    let (position, id) = text.split_once('.')?;
    Some(Cursor {
        position: position.parse().ok()?,
        id: JobId::parse(id)?,
    })
}

/// Where the page before ended, as the parameter says.
pub(super) fn parse_cursor(request: &Request) -> Result<Option<Cursor>, Problem> {
    let Some(text) = request.query().get("cursor") else {
        return Ok(None);
    };
    let cursor = std::str::from_utf8(&text).ok().and_then(read_cursor);
    cursor
        .map(Some)
        .ok_or_else(|| Problem::parameter("cursor", "the `next` of the page before"))
}
