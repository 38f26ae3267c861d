//! `POST /v1/queues/{q}/jobs/{action}`: all jobs that match are redriven, promoted, cancelled or deleted, some at a time.

use super::filter::{parse_filter, parse_ids, parse_place, parse_state, render_place, split_place};
use super::members::Members;
use super::problem::Problem;
use super::request::{MAX_SMALL_BODY_BYTES, parse_body};
use super::respond;
use crate::gate::Operation;
use crate::queue::{QueueName, Timestamp};
use crate::store::{Act, ActOn, ActPlace, Action, MAX_SLICE, Redis};
use crate::web::{Context, Request, Response};
use http::StatusCode;

/// The action that a segment of the path names.
pub(super) fn action_named(segment: &str) -> Option<Action> {
    let all = [Action::Redrive, Action::Promote, Action::Cancel, Action::Delete];
    all.into_iter().find(|action| action.name() == segment)
}

/// What a key must be for to do it.
pub(super) fn operation(action: Action) -> Operation {
    match action {
        Action::Redrive => Operation::RedriveJobs,
        Action::Promote => Operation::PromoteJobs,
        Action::Cancel => Operation::CancelJobs,
        Action::Delete => Operation::DeleteJobs,
    }
}

pub(super) async fn act<R: Redis>(
    action: Action,
    request: &mut Request,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let body = parse_body(request, MAX_SMALL_BODY_BYTES).await?;
    let mut members = Members::of_body(&body)?;
    let state = parse_state(&mut members, action.states())?;
    let ids = parse_ids(&mut members, MAX_SLICE)?;
    let filter = parse_filter(&mut members)?;
    let limit = members.whole("limit", 1..=u32::try_from(MAX_SLICE).unwrap_or(u32::MAX))?;
    let place = parse_place(&mut members, read_place)?;
    members.reject_unknown()?;
    let on = match (&ids, state, action.states()) {
        (Some(_), ..) if limit.is_some() => return Err(members.conflict("limit", "ids")),
        (Some(_), ..) if place.is_some() => return Err(members.conflict("cursor", "ids")),
        (Some(ids), state, _) => ActOn::Ids(ids, state),
        (None, Some(state), _) | (None, None, &[state]) => ActOn::State(state, place.as_ref()),
        (None, None, _) => return Err(members.wrong("Either `state` or `ids` must be given.")),
    };
    let act = Act {
        queue,
        action,
        on,
        filter: &filter,
        max_jobs: limit.map_or(MAX_SLICE, |limit| limit as usize),
    };
    let acted = context.store.act(act).await?;
    Ok(respond(StatusCode::OK, |o| {
        o.plain(done_name(action), acted.changed);
        if action == Action::Redrive {
            o.plain("conflicts", acted.conflicts);
        }
        o.plain("unknown", acted.unknown);
        o.plain("looked_at", acted.looked_at).plain("left", acted.left);
        match &acted.next {
            Some(next) => o.text("next", cursor(next)),
            None => o.plain("next", "null"),
        };
    }))
}

/// The member that tells how many jobs were changed.
fn done_name(action: Action) -> &'static str {
    match action {
        Action::Redrive => "redriven",
        Action::Promote => "promoted",
        Action::Cancel => "cancelled",
        Action::Delete => "deleted",
    }
}

/// The text that stands for a place: when the first call was, and the last job that was looked at.
fn cursor(place: &ActPlace) -> String {
    format!("{}{}", place.began.as_millis(), render_place(place.after.as_ref()))
}

/// What [`cursor`] wrote.
fn read_place(text: &str) -> Option<ActPlace> {
    let (began, after) = split_place(text)?;
    Some(ActPlace {
        began: Timestamp::from_millis(began.parse().ok()?),
        after,
    })
}
