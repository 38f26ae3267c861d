//! `/v1/queues` and `/v1/queues/{q}`: what queues there are, what they have, and what is set for them.

use super::headers::{Wanted, unmet, wanted};
use super::members::Members;
use super::numbers::{seconds, thousandths};
use super::problem::{Kind, Problem};
use super::request::{SMALL_BYTES, number, read};
use super::settings::{take_settings, write_settings};
use super::told;
use crate::queue::QueueName;
use crate::store::{Condition, Configured, Delete, Description, Listed, Redis};
use crate::web::json::push_string;
use crate::web::{Context, Response, empty, with_header};
use http::StatusCode;
use http::header::ETAG;
use http::request::Parts;

pub(super) async fn list<R: Redis>(parts: &Parts, context: &Context<R>) -> Result<Response, Problem> {
    let most = number(parts, "limit", 1..=Listed::MAX_NAMES)?.unwrap_or(Listed::MAX_NAMES);
    let listed = context.store.queues().await?;
    Ok(told(StatusCode::OK, |o| {
        o.array("queues", listed.names.iter().take(most), |out, name| {
            push_string(out, name)
        });
        o.plain("size", listed.size);
    }))
}

pub(super) async fn show<R: Redis>(queue: &QueueName, context: &Context<R>) -> Result<Response, Problem> {
    let described = context.store.describe(queue).await?;
    let described = described.ok_or_else(|| {
        let detail = "The queue has had no job yet, nothing was set for it, or it was deleted.";
        Problem::new(Kind::NoSuchQueue, detail)
    })?;
    Ok(tell(queue, &described))
}

fn tell(queue: &QueueName, described: &Description) -> Response {
    let (totals, rates) = (described.totals, described.last_minute);
    let response = told(StatusCode::OK, |o| {
        write_settings(o, queue, &described.effective.settings);
        o.object("counts", |o| {
            for (state, count) in &described.jobs {
                o.plain(state.name(), count);
            }
        });
        let age = described.oldest_ready.map_or_else(|| "null".to_owned(), seconds);
        o.plain("oldest_ready_age", age);
        o.object("totals", |o| {
            o.plain("claimed", totals.claimed).plain("done", totals.done);
            o.plain("failed", totals.failed)
                .plain("lost_leases", totals.lost_leases);
        });
        o.object("rates", |o| {
            o.plain("inserted", rate(rates.inserted))
                .plain("claimed", rate(rates.claimed));
            o.plain("done", rate(rates.done)).plain("failed", rate(rates.failed));
        });
        o.plain("workers", described.workers);
    });
    with_tag(response, &described.effective.tag)
}

/// So many in a minute, as so many a second.
fn rate(a_minute: u64) -> String {
    thousandths(u128::from(a_minute) * 1000 / 60)
}

fn with_tag(response: Response, tag: &str) -> Response {
    with_header(response, ETAG, format!("\"{tag}\""))
}

pub(super) async fn configure<B: http_body::Body, R: Redis>(
    parts: &Parts,
    body: B,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let wanted = wanted(&parts.headers)?;
    let body = read(parts, body, SMALL_BYTES).await?;
    let settings = take_settings(&mut Members::of_body(&body)?)?;
    let condition = condition(queue, &wanted, context).await?.ok_or_else(others)?;
    let (status, effective) = match context.store.configure(queue, &settings, condition).await? {
        Configured::Created(effective) => (StatusCode::CREATED, effective),
        Configured::Changed(effective) => (StatusCode::OK, effective),
        Configured::Mismatch => return Err(others()),
    };
    let response = told(status, |o| write_settings(o, queue, &effective.settings));
    Ok(with_tag(response, &effective.tag))
}

/// What the store is to compare the settings with; `None` where that cannot be met. Of several tags it is the one that they
/// have now, since the store compares with one.
async fn condition<'a, R: Redis>(
    queue: &QueueName,
    wanted: &'a Wanted,
    context: &Context<R>,
) -> Result<Option<Condition<'a>>, Problem> {
    let tags = match wanted {
        Wanted::Anything => return Ok(Some(Condition::Always)),
        Wanted::There => return Ok(Some(Condition::There)),
        Wanted::NotThere => return Ok(Some(Condition::NotThere)),
        Wanted::Tags(tags) => tags,
    };
    if let [] | [_] = &tags[..] {
        return Ok(tags.first().map(|tag| Condition::Tag(tag)));
    }
    let described = context.store.describe(queue).await?;
    let now = described.map(|described| described.effective.tag);
    let one = tags.iter().find(|tag| now.as_ref() == Some(*tag));
    Ok(one.map(|tag| Condition::Tag(tag)))
}

fn others() -> Problem {
    unmet(
        "If-Match must have the ETag that GET gives for this queue now; If-None-Match: * is for a queue that is not there.",
    )
}

pub(super) async fn delete<R: Redis>(
    parts: &Parts,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let wanted = wanted(&parts.headers)?;
    let condition = condition(queue, &wanted, context).await?.ok_or_else(others)?;
    let deleted = context.store.delete_if(queue, Delete::Queue, condition).await?;
    if deleted.is_some() {
        Ok(empty(StatusCode::NO_CONTENT))
    } else {
        Err(others())
    }
}
