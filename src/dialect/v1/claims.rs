//! `POST /v1/queues/{q}/claims` and `POST /v1/claims`: jobs are handed out under a lease.

use super::headers;
use super::job_view::{render_job, render_payload};
use super::members::Members;
use super::problem::Problem;
use super::receipts::{AckItems, acks, parse_acks, render_outcomes, with_outcomes};
use super::request::{LEASE, MAX_RESULTS_BODY_BYTES, parse_body};
use super::respond;
use crate::gate::{NotGiven, Operation};
use crate::queue::QueueName;
use crate::store::{Ack, Claim, Claimed, Redis};
use crate::web::json::push_object;
use crate::web::{Context, Request, Response, empty};
use http::StatusCode;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How many seconds a claim may wait.
const WAIT: RangeInclusive<f64> = 0.0..=60.0;

/// How long a worker's name may be, in bytes.
const WORKER_BYTES: RangeInclusive<usize> = 1..=255;

/// The longest name of a queue, in bytes.
const NAME_BYTES: RangeInclusive<usize> = 1..=QueueName::MAX_BYTES;

/// What requests for claims on one queue and on many have in common.
struct ClaimRequest {
    max_jobs: usize,
    lease: Option<Duration>,
    worker: Option<String>,
    wait: Duration,
}

pub(super) async fn claim<R: Redis>(
    request: &mut Request,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let body = parse_body(request, MAX_RESULTS_BODY_BYTES).await?;
    let mut members = Members::of_body(&body)?;
    let claim_request = ClaimRequest::parse(request, &mut members)?;
    let ack_items = parse_acks(&mut members, 0)?;
    members.reject_unknown()?;
    let good_acks = ack_items.as_ref().map(acks).unwrap_or_default();
    let queues = std::slice::from_ref(queue);
    let claimed = run(&claim_request, queues, &good_acks, context).await?;
    Ok(render(queues, ack_items, claimed))
}

pub(super) async fn claim_of_many<R: Redis>(request: &mut Request, context: &Context<R>) -> Result<Response, Problem> {
    let body = parse_body(request, MAX_RESULTS_BODY_BYTES).await?;
    let mut members = Members::of_body(&body)?;
    let queues = parse_queues(&mut members, context)?;
    let claim_request = ClaimRequest::parse(request, &mut members)?;
    members.reject_unknown()?;
    let claimed = run(&claim_request, &queues, &[], context).await?;
    Ok(render(&queues, None, claimed))
}

fn parse_queues<R>(members: &mut Members<'_>, context: &Context<R>) -> Result<Vec<QueueName>, Problem> {
    let names = members.list("queues", 1..=Claim::MAX_QUEUES)?;
    let name = |(value, pointer): (&serde_json::value::RawValue, String)| {
        let name = serde_json::from_str::<String>(value.get()).ok();
        let invalid = || {
            let detail = format!(
                "A queue name is a string of {} to {} bytes without control characters.",
                NAME_BYTES.start(),
                NAME_BYTES.end()
            );
            Problem::member(pointer, detail)
        };
        let Some(name) = name.and_then(|name| QueueName::new(name).ok()) else {
            return Err(invalid());
        };
        match context.caller.queue(Operation::ClaimOfMany, name) {
            Err(NotGiven::Name(_)) => Err(invalid()),
            queue => Ok(queue?),
        }
    };
    members.required("queues", names)?.into_iter().map(name).collect()
}

impl ClaimRequest {
    fn parse(request: &Request, members: &mut Members<'_>) -> Result<Self, Problem> {
        // As many as a claim may ask for: far inside u32.
        let max_jobs = u32::try_from(Claim::MAX_JOBS).unwrap_or(u32::MAX);
        let count = members.whole("count", 1..=max_jobs)?.unwrap_or(1);
        let lease = members.seconds("lease", LEASE)?;
        let worker = members.text("worker", WORKER_BYTES)?;
        let preferred =
            || headers::parse_wait(request.headers()).map(|wait| wait.min(Duration::from_secs_f64(*WAIT.end())));
        let wait = members.seconds("wait", WAIT)?.or_else(preferred);
        Ok(Self {
            max_jobs: count as usize,
            lease,
            worker,
            wait: wait.unwrap_or_default(),
        })
    }
}

async fn run<R: Redis>(
    request: &ClaimRequest,
    queues: &[QueueName],
    acks: &[Ack<'_>],
    context: &Context<R>,
) -> Result<Claimed, Problem> {
    let claim = Claim {
        queues,
        max_jobs: request.max_jobs,
        lease: request.lease,
        worker: request.worker.as_deref().map(str::as_bytes),
        wait: context
            .limits
            .max_wait
            .map_or(request.wait, |max| request.wait.min(max)),
        acks,
    };
    Ok(context.store.claim(claim).await?)
}

/// `ack_items` is what the request had as its `acks`, `None` where it had none.
fn render(queues: &[QueueName], ack_items: Option<AckItems<'_>>, claimed: Claimed) -> Response {
    if claimed.jobs.is_empty() && ack_items.is_none() {
        return empty(StatusCode::NO_CONTENT);
    }
    let jobs = claimed
        .jobs
        .iter()
        .filter_map(|(index, job)| Some((queues.get(*index)?, job)));
    respond(StatusCode::OK, |o| {
        o.array("jobs", jobs, |out, (queue, job)| {
            push_object(out, |o| {
                render_job(o, queue, job);
                render_payload(o, job);
                if let Some(receipt) = job.receipt() {
                    o.text("receipt", receipt.to_string());
                }
            });
        });
        if let Some(items) = ack_items {
            render_outcomes(o, "acks", &with_outcomes(items, claimed.acks));
        }
    })
}
