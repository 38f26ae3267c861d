//! `/v1/queues/{q}/dead`: dead jobs are made ready again, forgotten, and grouped by error.

use super::filter::parse_ids;
use super::job_view::render_time;
use super::jobs::{parse_cursor, push_cursor};
use super::members::Members;
use super::problem::Problem;
use super::request::{MAX_SMALL_BODY_BYTES, parse_body, reject_unknown_parameters};
use super::respond;
use crate::queue::{JobId, QueueName};
use crate::store::{DeadGroup, DeadJobs, MAX_SLICE, Purged, Redis};
use crate::web::json::{Object, push_object};
use crate::web::{Context, Request, Response};
use http::StatusCode;

/// Which dead jobs a request names.
enum DeadSelection {
    Ids(Vec<JobId>),
    First(usize),
}

pub(super) async fn redrive<R: Redis>(
    request: &mut Request,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let body = parse_body(request, MAX_SMALL_BODY_BYTES).await?;
    let mut members = Members::of_body(&body)?;
    let selection = parse(&mut members)?.unwrap_or(DeadSelection::First(MAX_SLICE));
    let redriven = context.store.redrive(queue, selection.as_store()).await?;
    Ok(respond(StatusCode::OK, |o| {
        o.plain("redriven", redriven.redriven)
            .plain("conflicts", redriven.conflicts)
            .plain("unknown", redriven.unknown)
            .plain("dead", redriven.dead);
    }))
}

pub(super) async fn purge<R: Redis>(
    request: &mut Request,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let body = parse_body(request, MAX_SMALL_BODY_BYTES).await?;
    let mut members = Members::of_body(&body)?;
    // Unlike a redrive, a deletion without `ids` and `limit` does not mean all.
    let selection = parse(&mut members)?.ok_or_else(|| members.wrong("Either `ids` or `limit` must be given."))?;
    Ok(render(context.store.purge_dead(queue, selection.as_store()).await?))
}

pub(super) async fn purge_all<R: Redis>(queue: &QueueName, context: &Context<R>) -> Result<Response, Problem> {
    let purged = context.store.purge_dead(queue, DeadJobs::First(MAX_SLICE)).await?;
    Ok(render(purged))
}

pub(super) async fn groups<R: Redis>(
    request: &Request,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    reject_unknown_parameters(request, &["cursor"])?;
    let after = parse_cursor(request)?;
    let found = context.store.dead_groups(queue, after.as_ref()).await?;
    Ok(respond(StatusCode::OK, |o| {
        o.array("groups", &found.groups, |out, group| {
            push_object(out, |o| render_group(o, group));
        });
        o.plain("looked_at", found.looked_at).plain("left", found.left);
        push_cursor(o, found.next.as_ref());
    }))
}

fn render_group(o: &mut Object<'_>, group: &DeadGroup) {
    o.text("group", &group.group);
    if let Some(reason) = group.reason {
        o.text("reason", reason.name());
    }
    o.plain("jobs", group.jobs);
    o.object("newest", |o| {
        o.text("id", group.newest.to_string());
        render_time(o, "ended_at", group.newest_ended);
        o.text("error", &group.newest_error);
    });
    render_time(o, "oldest_ended_at", group.oldest_ended);
}

fn render(purged: Purged) -> Response {
    respond(StatusCode::OK, |o| {
        o.plain("removed", purged.removed)
            .plain("unknown", purged.unknown)
            .plain("dead", purged.dead);
    })
}

/// All members of the request: either ids, or how many; `None` when there are none.
fn parse(members: &mut Members<'_>) -> Result<Option<DeadSelection>, Problem> {
    let ids = parse_ids(members, MAX_SLICE)?;
    let limit = members.whole("limit", 1..=u32::try_from(MAX_SLICE).unwrap_or(u32::MAX))?;
    members.reject_unknown()?;
    match (ids, limit) {
        (Some(_), Some(_)) => Err(members.conflict("limit", "ids")),
        (Some(ids), None) => Ok(Some(DeadSelection::Ids(ids))),
        (None, limit) => Ok(limit.map(|limit| DeadSelection::First(limit as usize))),
    }
}

impl DeadSelection {
    fn as_store(&self) -> DeadJobs<'_> {
        match self {
            Self::Ids(ids) => DeadJobs::Ids(ids),
            Self::First(max_jobs) => DeadJobs::First(*max_jobs),
        }
    }
}
