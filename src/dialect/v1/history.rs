//! `GET /v1/queues/{q}/history`: what happened on a queue, minute by minute.

use super::job_view::render_time;
use super::problem::Problem;
use super::queues::no_such_queue;
use super::request::{parse_number, reject_unknown_parameters};
use super::respond;
use super::seconds::seconds;
use crate::queue::QueueName;
use crate::store::{History, Minute, Redis};
use crate::web::{Context, Request, Response};
use http::StatusCode;

pub(super) async fn show<R: Redis>(
    request: &Request,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    reject_unknown_parameters(request, &["minutes"])?;
    let minutes = parse_number(request, "minutes", 1..=History::MAX_MINUTES)?.unwrap_or(History::MAX_MINUTES);
    let history = context.store.history(queue, minutes).await?.ok_or_else(no_such_queue)?;
    Ok(respond(StatusCode::OK, |o| {
        o.text("queue", queue.as_str());
        render_time(o, "from", history.from);
        o.plain("step", 60);
        for (name, count) in COUNTS {
            o.array(name, &history.minutes, |out, minute| {
                out.push_str(&count(minute).to_string())
            });
        }
        o.array("oldest_ready_age", &history.minutes, |out, minute| {
            out.push_str(&seconds(minute.oldest_ready));
        });
    }))
}

/// The name of a count, and the count in a minute.
pub(super) type Count = (&'static str, fn(&Minute) -> u64);

/// What is told of each minute.
const COUNTS: [Count; 7] = [
    ("inserted", |minute| minute.inserted),
    ("claimed", |minute| minute.claimed),
    ("done", |minute| minute.done),
    ("failed", |minute| minute.failed),
    ("lost_leases", |minute| minute.lost_leases),
    ("dead", |minute| minute.dead),
    ("released", |minute| minute.released),
];
