//! The requests that are measured: how each is made, and how its response is checked.

use crate::jobs::{self, Jobs};
use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use http::{Method, StatusCode};
use std::cell::{Cell, RefCell};

/// A kind of request. Where it has a number, it is for so many jobs at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// `POST /q/{queue}`
    Insert,
    /// `GET /q/{queue}`
    Fetch,
    /// `POST /qb/{queue}`
    InsertBatch(usize),
    /// `GET /qb/{queue}`
    FetchBatch(usize),
    /// `POST /v1/queues/{queue}/jobs`
    InsertV1(usize),
    /// `POST /v1/queues/{queue}/claims`
    Claim(usize),
    /// `POST /v1/queues/{queue}/claims/ack`, or with the receipt in the path for one job.
    Ack(usize),
    /// A claim that acknowledges what its worker had before.
    Turn(usize),
    /// `POST` to the bare script.
    Push,
    /// `GET` from the bare script.
    Pop,
    /// `LPUSH` of Webdis.
    ListPush,
    /// `RPOP` of Webdis.
    ListPop,
}

/// A request.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) body: Bytes,
}

/// One round on one server: a queue, and the jobs that go through it.
pub(crate) struct Round {
    pub(crate) queue: String,
    /// Where the bare script is served.
    pub(crate) bare: &'static str,
    pub(crate) jobs: Jobs,
    /// Of the jobs that were claimed, for the acks of a later step.
    receipts: RefCell<Vec<String>>,
    /// How many jobs were handed out under a lease, and how many acks are done.
    claimed: Cell<u64>,
    acked: Cell<u64>,
}

impl Round {
    /// A round with payloads of so many bytes.
    pub(crate) fn new(queue: String, bare: &'static str, payload: usize) -> Self {
        Self {
            queue,
            bare,
            jobs: Jobs::new(payload),
            receipts: RefCell::default(),
            claimed: Cell::new(0),
            acked: Cell::new(0),
        }
    }

    /// How many acks are done.
    pub(crate) fn acked(&self) -> u64 {
        self.acked.get()
    }

    /// Notes the response to a claim, to acks of these receipts, or to both in one. Gives the receipts of its jobs.
    ///
    /// # Errors
    /// A job is not the right one or has no receipt, or an ack is not done.
    pub(crate) fn note(&self, response: &[u8], acks: &[String]) -> Result<Vec<String>> {
        let jobs = usize::try_from(self.jobs.note(response)?)?;
        let mut receipts: Vec<_> = jobs::receipts(response).collect();
        let done = memchr::memmem::find_iter(response, "\"status\":\"done\"").count();
        // Those of the acks stand behind those of the jobs, in the order of the request.
        ensure!(
            done == acks.len() && receipts.get(jobs..) == Some(acks),
            "{jobs} jobs and {} acks were answered with {} receipts and {done} acks done: {}",
            acks.len(),
            receipts.len(),
            String::from_utf8_lossy(response)
        );
        receipts.truncate(jobs);
        self.claimed.set(self.claimed.get() + jobs as u64);
        self.acked.set(self.acked.get() + done as u64);
        Ok(receipts)
    }

    /// # Errors
    /// A job that went in did not come out, or was claimed and not acknowledged.
    pub(crate) fn check(&self) -> Result<()> {
        let (claimed, acked) = (self.claimed.get(), self.acked.get());
        ensure!(
            claimed == acked,
            "{claimed} jobs were claimed, and {acked} acknowledged"
        );
        self.jobs.check()
    }
}

impl Call {
    /// Whether it brings jobs into the queue: then it goes on for as long as it is wanted. Others end when nothing is left.
    pub(crate) fn inserts(self) -> bool {
        matches!(
            self,
            Self::Insert | Self::InsertBatch(_) | Self::InsertV1(_) | Self::Push | Self::ListPush
        )
    }

    /// The next request of a client that holds these receipts. `None` when nothing is left.
    pub(crate) fn request(self, round: &Round, held: &mut Vec<String>) -> Option<Request> {
        let queue = &round.queue;
        let post = |target: String, body: String| Request {
            method: Method::POST,
            target,
            body: body.into(),
        };
        let get = |target: String| Request {
            method: Method::GET,
            target,
            body: Bytes::new(),
        };
        Some(match self {
            Self::Insert => post(format!("/q/{queue}"), payloads(round, 1, "", ",", "")),
            Self::Fetch => get(format!("/q/{queue}")),
            Self::InsertBatch(count) => post(format!("/qb/{queue}"), payloads(round, count, "{\"jobs\":[", ",", "]}")),
            Self::FetchBatch(count) => get(format!("/qb/{queue}?batch_size={count}")),
            Self::InsertV1(count) => {
                let body = match count {
                    1 => payloads(round, 1, "{\"payload\":", ",", "}"),
                    _ => payloads(round, count, "{\"jobs\":[{\"payload\":", "},{\"payload\":", "}]}"),
                };
                post(format!("/v1/queues/{queue}/jobs"), body)
            }
            Self::Claim(count) => post(
                format!("/v1/queues/{queue}/claims"),
                format!("{{\"count\":{count},\"lease\":600}}"),
            ),
            Self::Ack(1) => {
                held.clear();
                held.push(round.receipts.borrow_mut().pop()?);
                let receipt = held.first()?;
                post(format!("/v1/queues/{queue}/claims/{receipt}/ack"), String::new())
            }
            Self::Ack(count) => {
                let mut receipts = round.receipts.borrow_mut();
                let rest = receipts.len().saturating_sub(count);
                *held = receipts.split_off(rest);
                if held.is_empty() {
                    return None;
                }
                post(format!("/v1/queues/{queue}/claims/ack"), format!("{{{}}}", acks(held)))
            }
            Self::Turn(count) => post(
                format!("/v1/queues/{queue}/claims"),
                format!("{{\"count\":{count},\"lease\":600,{}}}", acks(held)),
            ),
            Self::Push => post(round.bare.to_owned(), payloads(round, 1, "", ",", "")),
            Self::Pop => get(round.bare.to_owned()),
            Self::ListPush => post("/".to_owned(), payloads(round, 1, &format!("LPUSH/{queue}/"), ",", "")),
            Self::ListPop => get(format!("/RPOP/{queue}")),
        })
    }

    /// Checks the response to a request of a client that held these receipts, and gives how many jobs it was about. None
    /// means that the queue is empty.
    ///
    /// # Errors
    /// It is not the right one.
    pub(crate) fn read(self, round: &Round, held: &mut Vec<String>, status: StatusCode, body: &[u8]) -> Result<u64> {
        match (self, status.as_u16()) {
            (Self::Insert | Self::Push, 201) => Ok(1),
            (Self::InsertBatch(count) | Self::InsertV1(count), 201) => Ok(count as u64),
            (Self::ListPush, 200) => Ok(1),
            (Self::Fetch | Self::Pop | Self::FetchBatch(_), 404) | (Self::Claim(_), 204) => Ok(0),
            (Self::Fetch | Self::Pop | Self::FetchBatch(_) | Self::ListPop, 200) => round.jobs.note(body),
            (Self::Claim(_), 200) => {
                let receipts = round.note(body, &[])?;
                let count = receipts.len() as u64;
                round.receipts.borrow_mut().extend(receipts);
                Ok(count)
            }
            (Self::Ack(_), 200) => {
                round.note(body, held)?;
                Ok(held.len() as u64)
            }
            (Self::Turn(_), 200) => {
                *held = round.note(body, held)?;
                Ok(held.len() as u64)
            }
            _ => bail!("{self:?} was answered with {status}: {}", String::from_utf8_lossy(body)),
        }
    }
}

/// The next payloads, with these texts before, between and behind them.
fn payloads(round: &Round, count: usize, before: &str, between: &str, behind: &str) -> String {
    let each = round.jobs.size() + between.len();
    let mut text = String::with_capacity(before.len() + count * each + behind.len());
    text.push_str(before);
    for index in 0..count {
        if index > 0 {
            text.push_str(between);
        }
        round.jobs.write_next(&mut text);
    }
    text.push_str(behind);
    text
}

/// The member `acks` for these receipts.
pub(crate) fn acks(receipts: &[String]) -> String {
    let items: Vec<_> = receipts
        .iter()
        .map(|receipt| format!("{{\"receipt\":\"{receipt}\"}}"))
        .collect();
    format!("\"acks\":[{}]", items.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: &str = r#"{"receipt":"a-1","status":"done"}"#;

    #[test]
    fn each_ack_must_be_done_and_each_job_have_a_receipt() {
        let round = Round::new("q".to_owned(), "/", 32);
        let payload = payloads(&round, 1, "", ",", "");
        let job = format!(r#"{{"payload":{payload},"receipt":"b-1"}}"#);
        let held = ["a-1".to_owned()];
        for wrong in [
            format!(r#"{{"jobs":[{{"payload":{payload}}}],"acks":[]}}"#),
            r#"{"jobs":[],"acks":[]}"#.to_owned(),
            r#"{"jobs":[],"acks":[{"receipt":"a-1","status":"stale"}]}"#.to_owned(),
            r#"{"jobs":[],"acks":[{"receipt":"c-1","status":"done"}]}"#.to_owned(),
        ] {
            // Each for itself: the job may come once.
            let round = Round::new("q".to_owned(), "/", 32);
            payloads(&round, 1, "", ",", "");
            assert!(round.note(wrong.as_bytes(), &held).is_err(), "{wrong}");
        }
        let right = format!(r#"{{"jobs":[{job}],"acks":[{HELD}]}}"#);
        assert_eq!(round.note(right.as_bytes(), &held).unwrap(), ["b-1"]);
    }

    #[test]
    fn a_job_that_was_claimed_and_not_acknowledged_is_an_error() {
        let round = Round::new("q".to_owned(), "/", 32);
        let payload = payloads(&round, 1, "", ",", "");
        let job = format!(r#"{{"jobs":[{{"payload":{payload},"receipt":"a-1"}}]}}"#);
        let held = round.note(job.as_bytes(), &[]).unwrap();
        assert!(round.check().is_err());
        round.note(HELD.as_bytes(), &held).unwrap();
        round.check().unwrap();
    }

    #[test]
    fn a_claim_with_acks_is_never_answered_with_nothing() {
        let round = Round::new("q".to_owned(), "/", 32);
        let read = Call::Turn(1).read(&round, &mut vec!["a-1".to_owned()], StatusCode::NO_CONTENT, b"");
        assert!(read.is_err());
    }
}
