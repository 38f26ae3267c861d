//! `/v1/queues/{q}/claims/{receipt}/{verb}` and `/v1/queues/{q}/claims/{verb}`: what a worker does with a job that it
//! holds.

use super::members::Members;
use super::problem::{Kind, Problem};
use super::request::{DELAY, LEASE, RESULT_BYTES, RESULTS_BYTES, read};
use super::told;
use super::view::write_time;
use crate::queue::{QueueName, Receipt, Timestamp};
use crate::store::{Ack, Acked, Extend, Extended, MAX_RECEIPTS, Nack, Nacked, Redis};
use crate::web::json::{Object, push_object};
use crate::web::{Context, Response};
use http::StatusCode;
use http::request::Parts;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How long the text of an error may be, in bytes.
const ERROR_BYTES: RangeInclusive<usize> = 0..=4096;

/// How large a job's progress may be, in bytes.
const PROGRESS_BYTES: usize = 16 * 1024;

/// What can be done with jobs that are held.
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
pub(super) struct Outcome {
    status: &'static str,
    time: Option<(&'static str, Timestamp)>,
}

pub(super) async fn one<B: http_body::Body, R: Redis>(
    verb: Verb,
    parts: &Parts,
    body: B,
    queue: &QueueName,
    receipt: &Receipt,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let body = read(parts, body, RESULTS_BYTES).await?;
    let sent = [(receipt.clone(), Members::of_body(&body)?)];
    let outcomes = carry_out(verb, queue, sent.into(), context).await?;
    match outcomes.first() {
        Some((_, outcome)) if outcome.status == STALE => Err(Problem::new(
            Kind::StaleReceipt,
            "The job was finished or taken back, or this queue never gave the receipt. Nothing was changed.",
        )),
        Some((_, outcome)) if outcome.status == CANCELLED => Err(Problem::new(
            Kind::JobCancelled,
            "The job was cancelled. Nothing was changed.",
        )),
        Some((receipt, outcome)) => Ok(told(StatusCode::OK, |o| write_outcome(o, receipt, outcome))),
        None => Err(Problem::new(Kind::StoreLost, "Redis gave no answer for the receipt.")),
    }
}

pub(super) async fn many<B: http_body::Body, R: Redis>(
    verb: Verb,
    parts: &Parts,
    body: B,
    queue: &QueueName,
    context: &Context<R>,
) -> Result<Response, Problem> {
    let body = read(parts, body, RESULTS_BYTES).await?;
    let mut members = Members::of_body(&body)?;
    let sent = take_receipts(&mut members, verb.member(), 1)?;
    let sent = members.required(verb.member(), sent)?;
    members.finish()?;
    let outcomes = carry_out(verb, queue, sent, context).await?;
    Ok(told(StatusCode::OK, |o| {
        o.array("results", &outcomes, |out, (receipt, outcome)| {
            push_object(out, |o| write_outcome(o, receipt, outcome));
        });
    }))
}

/// An array of objects with a receipt each: the receipts, and the other members, which are still to be taken.
fn take_receipts<'a>(
    members: &mut Members<'a>,
    name: &'static str,
    least: usize,
) -> Result<Option<Vec<(Receipt, Members<'a>)>>, Problem> {
    let take = |(value, pointer)| {
        let mut members = Members::of(value, pointer)?;
        let receipt = members.read("receipt", "what a claim gave", |text| {
            Receipt::parse(&serde_json::from_str::<String>(text).ok()?)
        })?;
        Ok((members.required("receipt", receipt)?, members))
    };
    let list = members.list(name, least..=MAX_RECEIPTS)?;
    list.map(|list| list.into_iter().map(take).collect()).transpose()
}

/// A receipt to acknowledge, and the job's result.
pub(super) type SentAck<'a> = (Receipt, Option<&'a str>);

/// The member `acks`: receipts and results. `None` where there is none.
pub(super) fn take_acks<'a>(members: &mut Members<'a>, least: usize) -> Result<Option<Vec<SentAck<'a>>>, Problem> {
    let sent = take_receipts(members, Verb::Ack.member(), least)?;
    sent.map(|sent| take_each(sent, take_result)).transpose()
}

fn take_result<'a>(members: &mut Members<'a>) -> Result<Option<&'a str>, Problem> {
    members.json("result", RESULT_BYTES)
}

struct SentNack {
    error: String,
    delay: Option<Duration>,
    dead: bool,
}

fn take_nack(members: &mut Members<'_>) -> Result<SentNack, Problem> {
    Ok(SentNack {
        error: members.text("error", ERROR_BYTES)?.unwrap_or_default(),
        delay: members.seconds("delay", DELAY)?,
        dead: members.flag("dead")?.unwrap_or(false),
    })
}

type SentExtend<'a> = (Option<Duration>, Option<&'a str>);

fn take_extend<'a>(members: &mut Members<'a>) -> Result<SentExtend<'a>, Problem> {
    Ok((
        members.seconds("lease", LEASE)?,
        members.json("progress", PROGRESS_BYTES)?,
    ))
}

/// Takes what goes with each receipt.
fn take_each<'a, T>(
    sent: Vec<(Receipt, Members<'a>)>,
    take: impl Fn(&mut Members<'a>) -> Result<T, Problem>,
) -> Result<Vec<(Receipt, T)>, Problem> {
    let take = |(receipt, mut members): (Receipt, Members<'a>)| {
        let taken = take(&mut members)?;
        members.finish()?;
        Ok((receipt, taken))
    };
    sent.into_iter().map(take).collect()
}

async fn carry_out<R: Redis>(
    verb: Verb,
    queue: &QueueName,
    sent: Vec<(Receipt, Members<'_>)>,
    context: &Context<R>,
) -> Result<Vec<(Receipt, Outcome)>, Problem> {
    Ok(match verb {
        Verb::Ack => {
            let sent = take_each(sent, take_result)?;
            let acks: Vec<_> = sent.iter().map(ack).collect();
            paired(sent.iter(), context.store.ack(queue, &acks).await?)
        }
        Verb::Nack => {
            let sent = take_each(sent, take_nack)?;
            let nacks: Vec<_> = sent.iter().map(nack).collect();
            paired(sent.iter(), context.store.nack(queue, &nacks).await?)
        }
        Verb::Extend => {
            let sent = take_each(sent, take_extend)?;
            let extensions: Vec<_> = sent.iter().map(extend).collect();
            paired(sent.iter(), context.store.extend(queue, &extensions).await?)
        }
    })
}

/// Each receipt with what became of it.
fn paired<'a, T: 'a>(
    sent: impl Iterator<Item = &'a (Receipt, T)>,
    outcomes: Vec<impl Into<Outcome>>,
) -> Vec<(Receipt, Outcome)> {
    let receipts = sent.map(|(receipt, _)| receipt.clone());
    receipts.zip(outcomes.into_iter().map(Into::into)).collect()
}

/// An acknowledgement as the store takes it.
pub(super) fn ack<'a>((receipt, result): &'a SentAck<'a>) -> Ack<'a> {
    Ack {
        receipt,
        result: *result,
    }
}

fn nack((receipt, sent): &(Receipt, SentNack)) -> Nack<'_> {
    Nack {
        receipt,
        error: &sent.error,
        delay: sent.delay,
        dead: sent.dead,
    }
}

fn extend<'a>((receipt, (lease, progress)): &'a (Receipt, SentExtend<'a>)) -> Extend<'a> {
    Extend {
        receipt,
        lease: *lease,
        progress: *progress,
    }
}

const STALE: &str = "stale";
const CANCELLED: &str = "cancelled";
const REPEATED: &str = "repeated";

impl Outcome {
    fn new(status: &'static str) -> Self {
        Self { status, time: None }
    }
}

impl From<Acked> for Outcome {
    fn from(acked: Acked) -> Self {
        Self::new(match acked {
            Acked::Done => "done",
            Acked::Repeated => REPEATED,
            Acked::Cancelled => CANCELLED,
            Acked::Stale => STALE,
        })
    }
}

impl From<Nacked> for Outcome {
    fn from(nacked: Nacked) -> Self {
        Self::new(match nacked {
            Nacked::Scheduled(at) => {
                return Self {
                    status: "scheduled",
                    time: Some(("run_at", at)),
                };
            }
            Nacked::Ready => "ready",
            Nacked::Dead => "dead",
            Nacked::Repeated => REPEATED,
            Nacked::Cancelled => CANCELLED,
            Nacked::Stale => STALE,
        })
    }
}

impl From<Extended> for Outcome {
    fn from(extended: Extended) -> Self {
        match extended {
            Extended::Until(end) => Self {
                status: "active",
                time: Some(("lease_ends_at", end)),
            },
            Extended::Cancelled => Self::new(CANCELLED),
            Extended::Stale => Self::new(STALE),
        }
    }
}

/// Writes what became of a receipt.
pub(super) fn write_outcome(o: &mut Object<'_>, receipt: &Receipt, outcome: &Outcome) {
    o.text("receipt", receipt.as_str()).text("status", outcome.status);
    if let Some((name, at)) = outcome.time {
        write_time(o, name, at);
    }
}
