//! `/v1/queues/{q}/dead`: dead jobs are made ready again, or forgotten.

use super::members::Members;
use super::problem::Problem;
use super::request::{SMALL_BYTES, read};
use super::told;
use crate::queue::{JobId, QueueName};
use crate::store::{Dead, Purged, Redis};
use crate::web::{Context, Response};
use http::StatusCode;
use http::request::Parts;
use serde_json::value::RawValue;

/// Which dead jobs, as it was sent.
enum Sent {
    Ids(Vec<JobId>),
    First(usize),
}

pub(super) async fn redrive<B: http_body::Body, R: Redis>(
    parts: &Parts,
    body: B,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let body = read(parts, body, SMALL_BYTES).await?;
    let mut members = Members::of_body(&body)?;
    let sent = take(&mut members)?.unwrap_or(Sent::First(Dead::MAX_JOBS));
    let redriven = context.store.redrive(queue, sent.dead()).await?;
    Ok(told(StatusCode::OK, |o| {
        o.plain("redriven", redriven.redriven)
            .plain("conflicts", redriven.conflicts)
            .plain("unknown", redriven.unknown)
            .plain("dead", redriven.dead);
    }))
}

pub(super) async fn delete<B: http_body::Body, R: Redis>(
    parts: &Parts,
    body: B,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let body = read(parts, body, SMALL_BYTES).await?;
    let mut members = Members::of_body(&body)?;
    // Nothing said does not mean all of them here.
    let sent = take(&mut members)?.ok_or_else(|| members.wrong("Either `ids` or `limit` must be given."))?;
    Ok(tell(context.store.purge_dead(queue, sent.dead()).await?))
}

pub(super) async fn delete_all<R: Redis>(queue: &QueueName, context: &Context<R>) -> Result<Response, Problem> {
    let purged = context.store.purge_dead(queue, Dead::First(Dead::MAX_JOBS)).await?;
    Ok(tell(purged))
}

fn tell(purged: Purged) -> Response {
    told(StatusCode::OK, |o| {
        o.plain("removed", purged.removed)
            .plain("unknown", purged.unknown)
            .plain("dead", purged.dead);
    })
}

/// All members of the request: either ids, or how many; `None` when there are none.
fn take(members: &mut Members<'_>) -> Result<Option<Sent>, Problem> {
    let ids = members.list("ids", 1..=Dead::MAX_JOBS)?;
    let limit = members.whole("limit", 1..=u32::try_from(Dead::MAX_JOBS).unwrap_or(u32::MAX))?;
    members.finish()?;
    match (ids, limit) {
        (Some(_), Some(_)) => Err(members.conflict("limit", "ids")),
        (Some(ids), None) => {
            let ids: Result<Vec<_>, _> = ids.into_iter().map(id).collect();
            Ok(Some(Sent::Ids(ids?)))
        }
        (None, limit) => Ok(limit.map(|limit| Sent::First(limit as usize))),
    }
}

fn id((value, pointer): (&RawValue, String)) -> Result<JobId, Problem> {
    let text = serde_json::from_str::<String>(value.get()).ok();
    text.and_then(|text| JobId::parse(&text))
        .ok_or_else(|| Problem::member(pointer, "A job's id is a string of 24 hexadecimal digits."))
}

impl Sent {
    fn dead(&self) -> Dead<'_> {
        match self {
            Self::Ids(ids) => Dead::Ids(ids),
            Self::First(most) => Dead::First(*most),
        }
    }
}
