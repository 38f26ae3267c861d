//! What the routes of this dialect have in common when they read a request.

use super::Refusal;
use crate::gate::Operation;
use crate::queue::{QueueName, Timestamp};
use crate::web::{Context, Query, Request, is_json, name_after};
use bytes::Bytes;

/// The longest worker id, in bytes.
const MAX_WORKER_BYTES: usize = 1024;

/// The queue that the path names behind this route's prefix, for this operation on it.
pub(super) fn parse_queue<R>(
    request: &Request,
    prefix: &str,
    operation: Operation,
    context: &Context<R>,
) -> Result<QueueName, Refusal> {
    context.caller.check_scope(operation)?;
    Ok(context.caller.queue(operation, name_after(prefix, request.path())?)?)
}

/// A job, or jobs, as a body that is said to be JSON. Whether it is, is not checked.
pub(super) async fn parse_job(request: &mut Request, limit: usize) -> Result<Bytes, Refusal> {
    let job = request.json(limit).await?;
    if !job.is_empty() {
        Ok(job)
    } else if is_json(request.headers()) {
        Err(Refusal::JobMissing)
    } else {
        Err(Refusal::ContentType)
    }
}

/// `delayed`: seconds since 1970. Empty and zero mean not delayed.
pub(super) fn parse_due(query: Query<'_>) -> Result<Option<Timestamp>, Refusal> {
    let Some(value) = query.get_filled("delayed") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&value).map_err(|_| Refusal::Delayed)?;
    let seconds: f64 = text.trim().parse().map_err(|_| Refusal::Delayed)?;
    if seconds == 0.0 {
        return Ok(None);
    }
    Timestamp::from_epoch_seconds(seconds).map(Some).ok_or(Refusal::Delayed)
}

/// The worker that sends the request, where it names itself: by the header, else by the parameter of the protocol of May 2010.
pub(super) fn parse_worker(request: &Request) -> Option<Vec<u8>> {
    let header = request.headers().get("x-presque-workerid");
    header
        .map(|value| value.as_bytes().to_vec())
        .filter(|worker| !worker.is_empty())
        .or_else(|| request.query().get_filled("worker_id"))
        .filter(|worker| is_worker(worker))
}

/// Whether a worker can be called so. What cannot be a worker's id counts as none.
pub(super) fn is_worker(id: &[u8]) -> bool {
    (1..=MAX_WORKER_BYTES).contains(&id.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(query: &str) -> Result<Option<i64>, Refusal> {
        parse_due(Query::new(Some(query))).map(|due| due.map(Timestamp::as_millis))
    }

    #[test]
    fn delayed_is_a_finite_number_of_seconds_with_fraction_or_exponent() {
        assert_eq!(due("delayed=1273923534"), Ok(Some(1_273_923_534_000)));
        assert_eq!(due("delayed=1.5e3"), Ok(Some(1_500_000)));
        assert_eq!(due("delayed=0.25"), Ok(Some(250)));
        assert_eq!(due("delayed=-5"), Ok(Some(-5000)));
        for not_delayed in ["", "delayed", "delayed=", "delayed=0", "delayed=0.0", "delayed=-0"] {
            assert_eq!(due(not_delayed), Ok(None), "{not_delayed}");
        }
        for wrong in [
            "delayed=soon",
            "delayed=inf",
            "delayed=nan",
            "delayed=1e999",
            "delayed=%ff",
            "delayed=1+2",
        ] {
            assert_eq!(due(wrong), Err(Refusal::Delayed), "{wrong}");
        }
    }
}
