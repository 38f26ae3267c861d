//! `/v1/queues/{q}/claims/{receipt}/{verb}` and `/v1/queues/{q}/claims/{verb}`: a worker acknowledges a job that it claimed,
//! gives it back, or extends its lease.

use super::job_view::render_time;
use super::members::Members;
use super::problem::{Problem, ProblemType};
use super::request::{DELAY, LEASE, MAX_RESULT_BYTES, MAX_RESULTS_BODY_BYTES, parse_body};
use super::respond;
use crate::queue::{QueueName, Receipt, Timestamp};
use crate::store::{Ack, Acked, Extend, Extended, MAX_RECEIPTS, Nack, NackKind, Nacked, Redis};
use crate::web::json::{Object, push_object};
use crate::web::{Context, Request, Response};
use http::StatusCode;
use std::time::Duration;

/// How much of the text of an error is kept, in bytes.
const MAX_ERROR_BYTES: usize = 4096;

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
    let item = (*receipt, Members::of_body(&body)?);
    let mut outcomes = run(verb, queue, vec![Ok(item)], context).await?;
    match outcomes.pop() {
        Some(Err(wrong)) => Err(wrong.problem),
        Some(Ok((_, Outcome::Stale))) => Err(Problem::new(
            ProblemType::StaleReceipt,
            "The receipt is not valid: the job was finished or deleted, its lease ended, or the receipt is from another queue. Nothing was changed.",
        )),
        Some(Ok((_, Outcome::Cancelled))) => Err(Problem::new(
            ProblemType::JobCancelled,
            "The job was cancelled. Nothing was changed.",
        )),
        Some(outcome) => Ok(respond(StatusCode::OK, |o| render_outcome(o, &outcome))),
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
    let items = parse_items(&mut members, verb.member(), 1)?;
    let items = members.required(verb.member(), items)?;
    members.reject_unknown()?;
    let outcomes = run(verb, queue, items, context).await?;
    Ok(respond(StatusCode::OK, |o| render_outcomes(o, "results", &outcomes)))
}

/// An item of a list: a receipt with what goes with it, or what is wrong. A wrong item does not keep the others from being
/// carried out.
pub(super) type Item<T> = Result<(Receipt, T), WrongItem>;

/// An item that cannot be carried out.
pub(super) struct WrongItem {
    /// `None` where that is what is wrong.
    receipt: Option<Receipt>,
    problem: Problem,
}

/// An array of objects with a receipt each: the receipts, and the other members, which are still to be taken.
fn parse_items<'a>(
    members: &mut Members<'a>,
    name: &'static str,
    min_receipts: usize,
) -> Result<Option<Vec<Item<Members<'a>>>>, Problem> {
    let parse = |(value, pointer)| {
        let mut members = Members::of(value, pointer)?;
        let receipt = members.read("receipt", "what a claim gave", |text| {
            Receipt::parse(&serde_json::from_str::<String>(text).ok()?)
        })?;
        Ok((members.required("receipt", receipt)?, members))
    };
    let without_receipt = |problem| WrongItem { receipt: None, problem };
    let list = members.list(name, min_receipts..=MAX_RECEIPTS)?;
    Ok(list.map(|list| {
        list.into_iter()
            .map(|item| parse(item).map_err(without_receipt))
            .collect()
    }))
}

/// A receipt to acknowledge, and the job's result.
type AckRequest<'a> = (Receipt, Option<&'a str>);

/// The receipts to acknowledge, and what is wrong with others.
pub(super) type AckItems<'a> = Vec<Item<Option<&'a str>>>;

/// The member `acks`: receipts and results. `None` where there is none.
pub(super) fn parse_acks<'a>(members: &mut Members<'a>, min_receipts: usize) -> Result<Option<AckItems<'a>>, Problem> {
    let items = parse_items(members, Verb::Ack.member(), min_receipts)?;
    Ok(items.map(|items| parse_each(items, parse_result)))
}

fn parse_result<'a>(members: &mut Members<'a>) -> Result<Option<&'a str>, Problem> {
    members.json("result", MAX_RESULT_BYTES)
}

struct NackRequest {
    error: String,
    delay: Option<Duration>,
    kind: NackKind,
}

fn parse_nack(members: &mut Members<'_>) -> Result<NackRequest, Problem> {
    Ok(NackRequest {
        error: members.cut_text("error", MAX_ERROR_BYTES)?.unwrap_or_default(),
        delay: members.seconds("delay", DELAY)?,
        kind: parse_kind(members)?,
    })
}

fn parse_kind(members: &mut Members<'_>) -> Result<NackKind, Problem> {
    let is_dead = members.flag("dead")?.unwrap_or(false);
    let has_failed = members.flag("failed")?.unwrap_or(true);
    match (has_failed, is_dead) {
        (true, false) => Ok(NackKind::Failed),
        (true, true) => Ok(NackKind::Rejected),
        (false, false) => Ok(NackKind::Released),
        (false, true) => Err(members.wrong("A job with `failed` false cannot have `dead` true: give one of them.")),
    }
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
    items: Vec<Item<Members<'a>>>,
    parse: impl Fn(&mut Members<'a>) -> Result<T, Problem>,
) -> Vec<Item<T>> {
    let parse_all = |mut members: Members<'a>| {
        let parsed = parse(&mut members)?;
        members.reject_unknown()?;
        Ok(parsed)
    };
    let parse_one = |(receipt, members)| match parse_all(members) {
        Ok(parsed) => Ok((receipt, parsed)),
        Err(problem) => Err(WrongItem {
            receipt: Some(receipt),
            problem,
        }),
    };
    items.into_iter().map(|item| item.and_then(parse_one)).collect()
}

async fn run<R: Redis>(
    verb: Verb,
    queue: &QueueName,
    items: Vec<Item<Members<'_>>>,
    context: &Context<R>,
) -> Result<Vec<Item<Outcome>>, Problem> {
    let store = &context.store;
    Ok(match verb {
        Verb::Ack => {
            let items = parse_each(items, parse_result);
            let acked = store.ack(queue, &acks(&items)).await?;
            with_outcomes(items, acked)
        }
        Verb::Nack => {
            let items = parse_each(items, parse_nack);
            let nacks: Vec<_> = items.iter().flatten().map(nack).collect();
            let nacked = store.nack(queue, &nacks).await?;
            with_outcomes(items, nacked)
        }
        Verb::Extend => {
            let items = parse_each(items, parse_extend);
            let extensions: Vec<_> = items.iter().flatten().map(extend).collect();
            let extended = store.extend(queue, &extensions).await?;
            with_outcomes(items, extended)
        }
    })
}

/// Each item with what became of it. The outcomes are those of the items that are not wrong.
pub(super) fn with_outcomes<T>(items: Vec<Item<T>>, outcomes: Vec<impl Into<Outcome>>) -> Vec<Item<Outcome>> {
    let mut outcomes = outcomes.into_iter();
    let with_outcome = |item: Item<T>| match item {
        Ok((receipt, _)) => Some(Ok((receipt, outcomes.next()?.into()))),
        Err(wrong) => Some(Err(wrong)),
    };
    items.into_iter().filter_map(with_outcome).collect()
}

/// Acknowledgements as the store takes them.
pub(super) fn acks<'a>(items: &'a AckItems<'a>) -> Vec<Ack<'a>> {
    items.iter().flatten().map(ack).collect()
}

fn ack<'a>((receipt, result): &'a AckRequest<'a>) -> Ack<'a> {
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
        kind: request.kind,
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

/// Writes what became of each item of a list.
pub(super) fn render_outcomes(o: &mut Object<'_>, name: &str, outcomes: &[Item<Outcome>]) {
    o.array(name, outcomes, |out, outcome| {
        push_object(out, |o| render_outcome(o, outcome));
    });
}

fn render_outcome(o: &mut Object<'_>, outcome: &Item<Outcome>) {
    let (receipt, outcome) = match outcome {
        Ok((receipt, outcome)) => (receipt, *outcome),
        Err(WrongItem { receipt, problem }) => {
            if let Some(receipt) = receipt {
                o.text("receipt", receipt.to_string());
            }
            o.text("status", "invalid");
            return problem.render_detail(o);
        }
    };
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
    o.text("receipt", receipt.to_string()).text("status", status);
    if let Some((name, at)) = time {
        render_time(o, name, at);
    }
}
