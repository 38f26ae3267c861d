//! `/v1/queues/{q}/dead`: dead jobs are made ready again, or forgotten.

use super::members::Members;
use super::problem::Problem;
use super::request::{MAX_SMALL_BODY_BYTES, parse_body};
use super::respond;
use crate::queue::{JobId, QueueName};
use crate::store::{Dead, Purged, Redis};
use crate::web::{Context, Request, Response};
use http::StatusCode;
use serde_json::value::RawValue;

/// Which dead jobs a request names.
enum Selection {
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
    let selection = parse(&mut members)?.unwrap_or(Selection::First(Dead::MAX_JOBS));
    let redriven = context.store.redrive(queue, selection.dead()).await?;
    Ok(respond(StatusCode::OK, |o| {
        o.plain("redriven", redriven.redriven)
            .plain("conflicts", redriven.conflicts)
            .plain("unknown", redriven.unknown)
            .plain("dead", redriven.dead);
    }))
}

pub(super) async fn delete<R: Redis>(
    request: &mut Request,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let body = parse_body(request, MAX_SMALL_BODY_BYTES).await?;
    let mut members = Members::of_body(&body)?;
    // Nothing said does not mean all of them here.
    let selection = parse(&mut members)?.ok_or_else(|| members.wrong("Either `ids` or `limit` must be given."))?;
    Ok(render(context.store.purge_dead(queue, selection.dead()).await?))
}

pub(super) async fn delete_all<R: Redis>(queue: &QueueName, context: &Context<R>) -> Result<Response, Problem> {
    let purged = context.store.purge_dead(queue, Dead::First(Dead::MAX_JOBS)).await?;
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
fn parse(members: &mut Members<'_>) -> Result<Option<Selection>, Problem> {
    let ids = members.list("ids", 1..=Dead::MAX_JOBS)?;
    let limit = members.whole("limit", 1..=u32::try_from(Dead::MAX_JOBS).unwrap_or(u32::MAX))?;
    members.finish()?;
    match (ids, limit) {
        (Some(_), Some(_)) => Err(members.conflict("limit", "ids")),
        (Some(ids), None) => {
            let ids: Result<Vec<_>, _> = ids.into_iter().map(parse_id).collect();
            Ok(Some(Selection::Ids(ids?)))
        }
        (None, limit) => Ok(limit.map(|limit| Selection::First(limit as usize))),
    }
}

fn parse_id((value, pointer): (&RawValue, String)) -> Result<JobId, Problem> {
    let text = serde_json::from_str::<String>(value.get()).ok();
    text.and_then(|text| JobId::parse(&text))
        .ok_or_else(|| Problem::member(pointer, "A job's id is a string of 24 hexadecimal digits."))
}

impl Selection {
    fn dead(&self) -> Dead<'_> {
        match self {
            Self::Ids(ids) => Dead::Ids(ids),
            Self::First(most) => Dead::First(*most),
        }
    }
}
