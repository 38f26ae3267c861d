//! What a worker does with the receipt of a claim: ack, nack, extend.

use crate::queue::{QueueName, Receipt, Timestamp};
use crate::store::redis::{Redis, RedisError, ReplyReader, Store, millis, scripts};
use std::time::Duration;

/// How many receipts one call may have.
pub const MAX_RECEIPTS: usize = 100;

/// A job is done.
#[derive(Clone, Copy, Debug)]
pub struct Ack<'a> {
    /// What the claim gave.
    pub receipt: &'a Receipt,
    /// What came out, as a JSON text. Kept as long as the job.
    pub result: Option<&'a str>,
}

/// A job failed.
#[derive(Clone, Copy, Debug)]
pub struct Nack<'a> {
    /// What the claim gave.
    pub receipt: &'a Receipt,
    /// What went wrong.
    pub error: &'a str,
    /// How long from now until the next attempt. `None`: as the backoff of the job, else of the queue, says.
    pub delay: Option<Duration>,
    /// The job is dead, and is not tried again.
    pub is_rejected: bool,
}

/// A job needs more time.
#[derive(Clone, Copy, Debug)]
pub struct Extend<'a> {
    /// What the claim gave.
    pub receipt: &'a Receipt,
    /// How long from now. `None`: as long as before.
    pub lease: Option<Duration>,
    /// How far the work is, as a JSON text.
    pub progress: Option<&'a str>,
}

/// What became of an [`Ack`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acked {
    /// The job is done.
    Done,
    /// This receipt has acknowledged the job before.
    Repeated,
    /// The job was cancelled.
    Cancelled,
    /// The receipt is not good any more. Nothing was changed.
    Stale,
}

/// What became of a [`Nack`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nacked {
    /// The next attempt is at this time.
    Scheduled(Timestamp),
    /// The next claim can have it.
    Ready,
    /// The job is dead.
    Dead,
    /// This receipt has reported the failure before.
    Repeated,
    /// The job was cancelled.
    Cancelled,
    /// The receipt is not good any more. Nothing was changed.
    Stale,
}

/// What became of an [`Extend`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extended {
    /// The lease ends at this time.
    Until(Timestamp),
    /// The job was cancelled.
    Cancelled,
    /// The receipt is not good any more. Nothing was changed.
    Stale,
}

/// A receipt as `lua/receipt.lua` has it.
pub(in crate::store) fn receipt_arg(receipt: &Receipt) -> Vec<u8> {
    [receipt.id().as_bytes(), receipt.claim().to_string().as_bytes()].concat()
}

/// The arguments of acknowledgements.
pub(in crate::store) fn ack_args(acks: &[Ack<'_>]) -> Vec<Vec<u8>> {
    let args = |ack: &Ack<'_>| [receipt_arg(ack.receipt), ack.result.unwrap_or_default().into()];
    acks.iter().flat_map(args).collect()
}

impl Acked {
    pub(in crate::store) fn read(reply: &mut ReplyReader) -> Result<Self, RedisError> {
        reply.one_of(&[
            ("done", Self::Done),
            ("repeated", Self::Repeated),
            ("cancelled", Self::Cancelled),
            ("stale", Self::Stale),
        ])
    }
}

impl<R: Redis> Store<R> {
    /// Acknowledges jobs of one queue, each on its own. One command, or none where there are none.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn ack(&self, queue: &QueueName, acks: &[Ack<'_>]) -> Result<Vec<Acked>, RedisError> {
        if acks.is_empty() {
            return Ok(Vec::new());
        }
        let args = ack_args(acks);
        let args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        let mut reply = self.run(&scripts::ACK, queue, &args).await?;
        acks.iter().map(|_| Acked::read(&mut reply)).collect()
    }

    /// Reports that jobs of one queue failed, each on its own. One command, or none where there are none.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn nack(&self, queue: &QueueName, nacks: &[Nack<'_>]) -> Result<Vec<Nacked>, RedisError> {
        if nacks.is_empty() {
            return Ok(Vec::new());
        }
        let delays = decimals(nacks.iter().map(|nack| nack.delay));
        let receipts: Vec<_> = nacks.iter().map(|nack| receipt_arg(nack.receipt)).collect();
        let mut args: Vec<&[u8]> = Vec::with_capacity(nacks.len() * 4);
        for ((nack, delay), receipt) in nacks.iter().zip(&delays).zip(&receipts) {
            let is_rejected: &[u8] = if nack.is_rejected { b"1" } else { b"" };
            args.extend([receipt, nack.error.as_bytes(), delay.as_bytes(), is_rejected]);
        }
        let mut reply = self.run(&scripts::NACK, queue, &args).await?;
        let read = |_| {
            let outcome = reply.one_of(&[
                ("scheduled", None),
                ("ready", Some(Nacked::Ready)),
                ("dead", Some(Nacked::Dead)),
                ("repeated", Some(Nacked::Repeated)),
                ("cancelled", Some(Nacked::Cancelled)),
                ("stale", Some(Nacked::Stale)),
            ])?;
            let at = Timestamp::from_millis(reply.integer()?);
            Ok(outcome.unwrap_or(Nacked::Scheduled(at)))
        };
        nacks.iter().map(read).collect()
    }

    /// Gives leases on jobs of one queue a new end, each on its own. One command, or none where there are none.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn extend(&self, queue: &QueueName, extensions: &[Extend<'_>]) -> Result<Vec<Extended>, RedisError> {
        if extensions.is_empty() {
            return Ok(Vec::new());
        }
        let leases = decimals(extensions.iter().map(|extend| extend.lease));
        let receipts: Vec<_> = extensions.iter().map(|extend| receipt_arg(extend.receipt)).collect();
        let mut args: Vec<&[u8]> = Vec::with_capacity(extensions.len() * 3);
        for ((extend, lease), receipt) in extensions.iter().zip(&leases).zip(&receipts) {
            let progress = extend.progress.unwrap_or_default();
            args.extend([receipt, lease.as_bytes(), progress.as_bytes()]);
        }
        let mut reply = self.run(&scripts::EXTEND, queue, &args).await?;
        let read = |_| {
            let outcome = reply.one_of(&[
                ("active", None),
                ("cancelled", Some(Extended::Cancelled)),
                ("stale", Some(Extended::Stale)),
            ])?;
            let end = Timestamp::from_millis(reply.integer()?);
            Ok(outcome.unwrap_or(Extended::Until(end)))
        };
        extensions.iter().map(read).collect()
    }
}

/// Durations in milliseconds as text, empty for none.
fn decimals(durations: impl Iterator<Item = Option<Duration>>) -> Vec<String> {
    durations
        .map(|duration| {
            duration
                .map(|duration| millis(duration).to_string())
                .unwrap_or_default()
        })
        .collect()
}
