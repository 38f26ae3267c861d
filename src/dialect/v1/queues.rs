//! `/v1/queues` and `/v1/queues/{q}`: what queues there are, what they have, and what is set for them.

use super::headers::{Precondition, parse_precondition, unmet};
use super::members::Members;
use super::problem::{Problem, ProblemType};
use super::request::{MAX_SMALL_BODY_BYTES, parse_body, parse_number};
use super::respond;
use super::seconds::{seconds, thousandths};
use super::settings::{parse_settings, render_settings};
use crate::queue::QueueName;
use crate::store::{Condition, Configured, Delete, Description, LastMinute, NameList, Redis};
use crate::web::json::{Object, push_string};
use crate::web::{Context, Request, Response, empty, with_header};
use http::StatusCode;
use http::header::ETAG;
use std::time::Duration;

pub(super) async fn list<R: Redis>(request: &Request, context: &Context<R>) -> Result<Response, Problem> {
    let max_queues = parse_number(request, "limit", 1..=NameList::MAX_NAMES)?.unwrap_or(NameList::MAX_NAMES);
    let listed = context.visible_queues().await?;
    Ok(respond(StatusCode::OK, |o| {
        o.array("queues", listed.names.iter().take(max_queues), |out, name| {
            push_string(out, name)
        });
        o.plain("size", listed.size);
    }))
}

pub(super) async fn show<R: Redis>(queue: &QueueName, context: &Context<R>) -> Result<Response, Problem> {
    let described = context.store.describe(queue).await?;
    Ok(render(queue, &described.ok_or_else(no_such_queue)?))
}

pub(in crate::dialect) fn no_such_queue() -> Problem {
    Problem::new(
        ProblemType::NoSuchQueue,
        "A queue exists from its first job or its first settings on, until it is deleted.",
    )
}

fn render(queue: &QueueName, described: &Description) -> Response {
    let (totals, rates) = (described.totals, described.last_minute);
    let response = respond(StatusCode::OK, |o| {
        render_settings(o, queue, &described.effective.settings);
        o.object("counts", |o| {
            for (state, count) in &described.jobs {
                o.plain(state.name(), count);
            }
        });
        render_oldest_ready(o, described.oldest_ready);
        o.object("totals", |o| {
            o.plain("claimed", totals.claimed).plain("done", totals.done);
            o.plain("failed", totals.failed)
                .plain("lost_leases", totals.lost_leases);
            o.plain("dead", totals.dead).plain("released", totals.released);
            o.plain("orphans", totals.orphans);
        });
        render_rates(o, &rates);
        o.plain("workers", described.workers);
    });
    with_tag(response, &described.effective.tag)
}

/// Adds the rates of the last minute.
pub(super) fn render_rates(o: &mut Object<'_>, rates: &LastMinute) {
    o.object("rates", |o| {
        o.plain("inserted", per_second(rates.inserted))
            .plain("claimed", per_second(rates.claimed));
        o.plain("done", per_second(rates.done))
            .plain("failed", per_second(rates.failed));
    });
}

/// Adds how long the oldest ready job has been ready.
pub(super) fn render_oldest_ready(o: &mut Object<'_>, oldest_ready: Option<Duration>) {
    o.plain(
        "oldest_ready_age",
        oldest_ready.map_or_else(|| "null".to_owned(), seconds),
    );
}

/// A count per minute as a rate per second.
fn per_second(per_minute: u64) -> String {
    thousandths(u128::from(per_minute) * 1000 / 60)
}

fn with_tag(response: Response, tag: &str) -> Response {
    with_header(response, ETAG, format!("\"{tag}\""))
}

pub(super) async fn configure<R: Redis>(
    request: &mut Request,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let precondition = parse_precondition(request.headers())?;
    let body = parse_body(request, MAX_SMALL_BODY_BYTES).await?;
    let settings = parse_settings(&mut Members::of_body(&body)?)?;
    let condition = run_precondition(queue, &precondition, context)
        .await?
        .ok_or_else(not_met)?;
    let (status, effective) = match context.store.configure(queue, &settings, condition).await? {
        Configured::Created(effective) => (StatusCode::CREATED, effective),
        Configured::Changed(effective) => (StatusCode::OK, effective),
        Configured::Mismatch => return Err(not_met()),
    };
    let response = respond(status, |o| render_settings(o, queue, &effective.settings));
    Ok(with_tag(response, &effective.tag))
}

/// What the store is to compare the settings with; `None` where that cannot be met. Of several tags it is the one that equals
/// the current one, since the store compares with one.
async fn run_precondition<'a, R: Redis>(
    queue: &QueueName,
    precondition: &'a Precondition,
    context: &Context<R>,
) -> Result<Option<Condition<'a>>, Problem> {
    let tags = match precondition {
        Precondition::Anything => return Ok(Some(Condition::Always)),
        Precondition::Exists => return Ok(Some(Condition::Exists)),
        Precondition::Absent => return Ok(Some(Condition::Absent)),
        Precondition::Tags(tags) => tags,
    };
    if let [] | [_] = &tags[..] {
        return Ok(tags.first().map(|tag| Condition::Tag(tag)));
    }
    let described = context.store.describe(queue).await?;
    let now = described.map(|described| described.effective.tag);
    let one = tags.iter().find(|tag| now.as_ref() == Some(*tag));
    Ok(one.map(|tag| Condition::Tag(tag)))
}

fn not_met() -> Problem {
    unmet(
        "The settings are not those of If-Match, or the queue exists and If-None-Match is *. GET shows the current ETag.",
    )
}

pub(super) async fn delete<R: Redis>(
    request: &Request,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let precondition = parse_precondition(request.headers())?;
    let condition = run_precondition(queue, &precondition, context)
        .await?
        .ok_or_else(not_met)?;
    let deleted = context.store.delete_if(queue, Delete::Queue, condition).await?;
    if deleted.is_some() {
        Ok(empty(StatusCode::NO_CONTENT))
    } else {
        Err(not_met())
    }
}
