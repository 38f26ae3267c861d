//! `/v1/queues/{q}/dead`: dead jobs are made ready again, or forgotten.

use super::members::Members;
use super::problem::Problem;
use super::request::{MAX_SMALL_BODY_BYTES, parse_body};
use super::respond;
use crate::queue::{JobId, QueueName};
use crate::store::{DeadJobs, Purged, Redis};
use crate::web::{Context, Request, Response};
use http::StatusCode;
use serde_json::value::RawValue;

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
    let selection = parse(&mut members)?.unwrap_or(DeadSelection::First(DeadJobs::MAX_JOBS));
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
    let purged = context
        .store
        .purge_dead(queue, DeadJobs::First(DeadJobs::MAX_JOBS))
        .await?;
    Ok(render(purged))
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
    let ids = members.list("ids", 1..=DeadJobs::MAX_JOBS)?;
    let limit = members.whole("limit", 1..=u32::try_from(DeadJobs::MAX_JOBS).unwrap_or(u32::MAX))?;
    members.reject_unknown()?;
    match (ids, limit) {
        (Some(_), Some(_)) => Err(members.conflict("limit", "ids")),
        (Some(ids), None) => {
            let ids: Result<Vec<_>, _> = ids.into_iter().map(parse_id).collect();
            Ok(Some(DeadSelection::Ids(ids?)))
        }
        (None, limit) => Ok(limit.map(|limit| DeadSelection::First(limit as usize))),
    }
}

fn parse_id((value, pointer): (&RawValue, String)) -> Result<JobId, Problem> {
    let text = serde_json::from_str::<String>(value.get()).ok();
    text.and_then(|text| JobId::parse(&text))
        .ok_or_else(|| Problem::member(pointer, "A job's id is a string of 24 hexadecimal digits."))
}

impl DeadSelection {
    fn as_store(&self) -> DeadJobs<'_> {
        match self {
            Self::Ids(ids) => DeadJobs::Ids(ids),
            Self::First(max_jobs) => DeadJobs::First(*max_jobs),
        }
    }
}
