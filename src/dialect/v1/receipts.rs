//! `/v1/queues/{q}/claims/{receipt}/{verb}` and `/v1/queues/{q}/claims/{verb}`: a worker acknowledges a job that it claimed,
//! reports a failure, or extends its lease.

use super::job_view::render_time;
use super::members::Members;
use super::problem::{Problem, ProblemType};
use super::request::{DELAY, LEASE, MAX_RESULT_BYTES, MAX_RESULTS_BODY_BYTES, parse_body};
use super::respond;
use crate::queue::{QueueName, Receipt, Timestamp};
use crate::store::{Ack, Acked, Extend, Extended, MAX_RECEIPTS, Nack, Nacked, Redis};
use crate::web::json::{Object, push_object};
use crate::web::{Context, Request, Response};
use http::StatusCode;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How long the text of an error may be, in bytes.
const ERROR_BYTES: RangeInclusive<usize> = 0..=4096;

/// How large a job's progress may be, in bytes.
const MAX_PROGRESS_BYTES: usize = 16 * 1024;

/// What a worker can do with a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Ack,
    Nack,
    Extend,
}

impl Verb {
    /// The verb of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "ack" => Some(Self::Ack),
            "nack" => Some(Self::Nack),
            "extend" => Some(Self::Extend),
            _ => None,
        }
    }

    /// The member that has the receipts, where there are many.
    fn member(self) -> &'static str {
        match self {
            Self::Ack => "acks",
            Self::Nack => "nacks",
            Self::Extend => "extensions",
        }
    }
}

/// What became of one receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Dead,
    Ready,
    /// Until this time.
    Scheduled(Timestamp),
    /// Its lease ends at this time.
    Extended(Timestamp),
    Repeated,
    Cancelled,
    Stale,
}

pub(super) async fn use_one<R: Redis>(
    verb: Verb,
    request: &mut Request,
    queue: &QueueName,
    receipt: &Receipt,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let body = parse_body(request, MAX_RESULTS_BODY_BYTES).await?;
    let requests = [(receipt.clone(), Members::of_body(&body)?)];
    let outcomes = run(verb, queue, requests.into(), context).await?;
    match outcomes.first() {
        Some((_, Outcome::Stale)) => Err(Problem::new(
            ProblemType::StaleReceipt,
            "The receipt is not valid: the job was finished or deleted, its lease ended, or the receipt is from another queue. Nothing was changed.",
        )),
        Some((_, Outcome::Cancelled)) => Err(Problem::new(
            ProblemType::JobCancelled,
            "The job was cancelled. Nothing was changed.",
        )),
        Some((receipt, outcome)) => Ok(respond(StatusCode::OK, |o| render_outcome(o, receipt, *outcome))),
        None => Err(Problem::new(
            ProblemType::StoreLost,
            "Redis gave no result for the receipt. The request may have been carried out.",
        )),
    }
}

pub(super) async fn use_many<R: Redis>(
    verb: Verb,
    request: &mut Request,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let body = parse_body(request, MAX_RESULTS_BODY_BYTES).await?;
    let mut members = Members::of_body(&body)?;
    let requests = parse_receipts(&mut members, verb.member(), 1)?;
    let requests = members.required(verb.member(), requests)?;
    members.reject_unknown()?;
    let outcomes = run(verb, queue, requests, context).await?;
    Ok(respond(StatusCode::OK, |o| {
        o.array("results", &outcomes, |out, (receipt, outcome)| {
            push_object(out, |o| render_outcome(o, receipt, *outcome));
        });
    }))
}

/// An array of objects with a receipt each: the receipts, and the other members, which are still to be taken.
fn parse_receipts<'a>(
    members: &mut Members<'a>,
    name: &'static str,
    min_receipts: usize,
) -> Result<Option<Vec<(Receipt, Members<'a>)>>, Problem> {
    let parse = |(value, pointer)| {
        let mut members = Members::of(value, pointer)?;
        let receipt = members.read("receipt", "what a claim gave", |text| {
            Receipt::parse(&serde_json::from_str::<String>(text).ok()?)
        })?;
        Ok((members.required("receipt", receipt)?, members))
    };
    let list = members.list(name, min_receipts..=MAX_RECEIPTS)?;
    list.map(|list| list.into_iter().map(parse).collect()).transpose()
}

/// A receipt to acknowledge, and the job's result.
pub(super) type AckRequest<'a> = (Receipt, Option<&'a str>);

/// The member `acks`: receipts and results. `None` where there is none.
pub(super) fn parse_acks<'a>(
    members: &mut Members<'a>,
    min_receipts: usize,
) -> Result<Option<Vec<AckRequest<'a>>>, Problem> {
    let requests = parse_receipts(members, Verb::Ack.member(), min_receipts)?;
    requests.map(|requests| parse_each(requests, parse_result)).transpose()
}

fn parse_result<'a>(members: &mut Members<'a>) -> Result<Option<&'a str>, Problem> {
    members.json("result", MAX_RESULT_BYTES)
}

struct NackRequest {
    error: String,
    delay: Option<Duration>,
    is_rejected: bool,
}

fn parse_nack(members: &mut Members<'_>) -> Result<NackRequest, Problem> {
    Ok(NackRequest {
        error: members.text("error", ERROR_BYTES)?.unwrap_or_default(),
        delay: members.seconds("delay", DELAY)?,
        is_rejected: members.flag("dead")?.unwrap_or(false),
    })
}

type ExtendRequest<'a> = (Option<Duration>, Option<&'a str>);

fn parse_extend<'a>(members: &mut Members<'a>) -> Result<ExtendRequest<'a>, Problem> {
    Ok((
        members.seconds("lease", LEASE)?,
        members.json("progress", MAX_PROGRESS_BYTES)?,
    ))
}

/// Takes what goes with each receipt.
fn parse_each<'a, T>(
    requests: Vec<(Receipt, Members<'a>)>,
    parse: impl Fn(&mut Members<'a>) -> Result<T, Problem>,
) -> Result<Vec<(Receipt, T)>, Problem> {
    let parse_one = |(receipt, mut members): (Receipt, Members<'a>)| {
        let parsed = parse(&mut members)?;
        members.reject_unknown()?;
        Ok((receipt, parsed))
    };
    requests.into_iter().map(parse_one).collect()
}

async fn run<R: Redis>(
    verb: Verb,
    queue: &QueueName,
    requests: Vec<(Receipt, Members<'_>)>,
    context: &Context<R>,
) -> Result<Vec<(Receipt, Outcome)>, Problem> {
    Ok(match verb {
        Verb::Ack => {
            let requests = parse_each(requests, parse_result)?;
            let acks: Vec<_> = requests.iter().map(ack).collect();
            with_receipts(requests.iter(), context.store.ack(queue, &acks).await?)
        }
        Verb::Nack => {
            let requests = parse_each(requests, parse_nack)?;
            let nacks: Vec<_> = requests.iter().map(nack).collect();
            with_receipts(requests.iter(), context.store.nack(queue, &nacks).await?)
        }
        Verb::Extend => {
            let requests = parse_each(requests, parse_extend)?;
            let extensions: Vec<_> = requests.iter().map(extend).collect();
            with_receipts(requests.iter(), context.store.extend(queue, &extensions).await?)
        }
    })
}

/// Each receipt with what became of it.
fn with_receipts<'a, T: 'a>(
    requests: impl Iterator<Item = &'a (Receipt, T)>,
    outcomes: Vec<impl Into<Outcome>>,
) -> Vec<(Receipt, Outcome)> {
    let receipts = requests.map(|(receipt, _)| receipt.clone());
    receipts.zip(outcomes.into_iter().map(Into::into)).collect()
}

/// An acknowledgement as the store takes it.
pub(super) fn ack<'a>((receipt, result): &'a AckRequest<'a>) -> Ack<'a> {
    Ack {
        receipt,
        result: *result,
    }
}

fn nack((receipt, request): &(Receipt, NackRequest)) -> Nack<'_> {
    Nack {
        receipt,
        error: &request.error,
        delay: request.delay,
        is_rejected: request.is_rejected,
    }
}

fn extend<'a>((receipt, (lease, progress)): &'a (Receipt, ExtendRequest<'a>)) -> Extend<'a> {
    Extend {
        receipt,
        lease: *lease,
        progress: *progress,
    }
}

impl From<Acked> for Outcome {
    fn from(acked: Acked) -> Self {
        match acked {
            Acked::Done => Self::Done,
            Acked::Repeated => Self::Repeated,
            Acked::Cancelled => Self::Cancelled,
            Acked::Stale => Self::Stale,
        }
    }
}

impl From<Nacked> for Outcome {
    fn from(nacked: Nacked) -> Self {
        match nacked {
            Nacked::Scheduled(at) => Self::Scheduled(at),
            Nacked::Ready => Self::Ready,
            Nacked::Dead => Self::Dead,
            Nacked::Repeated => Self::Repeated,
            Nacked::Cancelled => Self::Cancelled,
            Nacked::Stale => Self::Stale,
        }
    }
}

impl From<Extended> for Outcome {
    fn from(extended: Extended) -> Self {
        match extended {
            Extended::Until(end) => Self::Extended(end),
            Extended::Cancelled => Self::Cancelled,
            Extended::Stale => Self::Stale,
        }
    }
}

/// Writes what became of a receipt.
pub(super) fn render_outcome(o: &mut Object<'_>, receipt: &Receipt, outcome: Outcome) {
    let (status, time) = match outcome {
        Outcome::Done => ("done", None),
        Outcome::Dead => ("dead", None),
        Outcome::Ready => ("ready", None),
        Outcome::Scheduled(at) => ("scheduled", Some(("run_at", at))),
        Outcome::Extended(end) => ("active", Some(("lease_ends_at", end))),
        Outcome::Repeated => ("repeated", None),
        Outcome::Cancelled => ("cancelled", None),
        Outcome::Stale => ("stale", None),
    };
    o.text("receipt", receipt.as_str()).text("status", status);
    if let Some((name, at)) = time {
        render_time(o, name, at);
    }
}
