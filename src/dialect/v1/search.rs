//! `POST /v1/queues/{q}/jobs/search`: the jobs that match, a page at a time.

use super::filter::{parse_filter, parse_ids, parse_place, parse_state, render_place, split_place};
use super::job_view::{render_job, render_payload};
use super::jobs::PAGE;
use super::members::Members;
use super::problem::Problem;
use super::request::{MAX_SMALL_BODY_BYTES, parse_body};
use super::respond;
use crate::queue::{QueueName, State};
use crate::store::{ListJobs, Redis, Search, SearchPlace};
use crate::web::json::push_object;
use crate::web::{Context, Request, Response};
use http::StatusCode;

pub(super) async fn search<R: Redis>(
    request: &mut Request,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let body = parse_body(request, MAX_SMALL_BODY_BYTES).await?;
    let mut members = Members::of_body(&body)?;
    let state = parse_state(&mut members, &State::ALL)?;
    let ids = parse_ids(&mut members, Search::MAX_IDS)?;
    let filter = parse_filter(&mut members)?;
    let limit = members.whole("limit", 1..=u32::try_from(ListJobs::MAX_JOBS).unwrap_or(u32::MAX))?;
    let after = parse_place(&mut members, read_place)?;
    let has_payloads = members.flag("payload")?.unwrap_or(false);
    members.reject_unknown()?;
    if ids.is_some() {
        for (name, is_given) in [
            ("limit", limit.is_some()),
            ("cursor", after.is_some()),
            ("payload", has_payloads),
        ] {
            if is_given {
                return Err(members.conflict(name, "ids"));
            }
        }
    }
    if let (Some(after), Some(state)) = (&after, state)
        && after.state != state
    {
        let detail = "`cursor` must be the `next` of an answer to the same search.";
        return Err(Problem::member(members.pointer_to("cursor"), detail));
    }
    let search = Search {
        queue,
        state,
        ids: ids.as_deref().unwrap_or_default(),
        filter: &filter,
        max_jobs: limit.map_or(PAGE, |limit| limit as usize),
        after: after.as_ref(),
        has_payloads,
    };
    let page = context.store.search(search).await?;
    Ok(respond(StatusCode::OK, |o| {
        o.array("jobs", &page.jobs, |out, job| {
            push_object(out, |o| {
                render_job(o, queue, job);
                if has_payloads {
                    render_payload(o, job);
                }
            });
        });
        o.plain("looked_at", page.looked_at).plain("left", page.left);
        o.plain("passed_over", page.passed_over);
        match &page.next {
            Some(next) => o.text("next", cursor(next)),
            None => o.plain("next", "null"),
        };
    }))
}

/// The text that stands for a place: the state, at how many of its jobs was looked, and the last of these.
fn cursor(place: &SearchPlace) -> String {
    format!(
        "{}-{}{}",
        place.state.name(),
        place.looked_at,
        render_place(place.after.as_ref())
    )
}

/// What [`cursor`] wrote.
fn read_place(text: &str) -> Option<SearchPlace> {
    let (head, after) = split_place(text)?;
    let (state, looked_at) = head.split_once('-')?;
    Some(SearchPlace {
        state: State::named(state)?,
        after,
        looked_at: looked_at
            .parse()
            .ok()
            .filter(|count| *count <= Search::MAX_IN_STATE as u64)?,
    })
}
