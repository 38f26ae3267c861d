//! What a worker does with the receipt of a claim: ack, nack, extend.

use crate::queue::{QueueName, Receipt, Timestamp};
use crate::store::redis::{QueueKeys, Redis, RedisError, ReplyReader, Script, Store, millis, scripts};
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

/// Why a worker gives a job back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NackKind {
    /// The job failed, which is counted. It is tried again, unless that was its last attempt.
    Failed,
    /// It failed, and is not tried again: it is dead.
    Rejected,
    /// It did not fail: its worker ends, say. That is counted apart, neither as a failure nor as a lost lease.
    Released,
}

/// A job is given back.
#[derive(Clone, Copy, Debug)]
pub struct Nack<'a> {
    /// What the claim gave.
    pub receipt: &'a Receipt,
    /// What went wrong.
    pub error: &'a str,
    /// How long from now until the next attempt. `None`: as the backoff of the job, else of the queue, says; or at once, if the job
    /// did not fail.
    pub delay: Option<Duration>,
    /// Why.
    pub kind: NackKind,
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
    /// This receipt has given the job back before.
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
    /// Acknowledges jobs of one queue, each on its own. One command for each partition that they are in, or none where there are
    /// none.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn ack(&self, queue: &QueueName, acks: &[Ack<'_>]) -> Result<Vec<Acked>, RedisError> {
        let args = ack_args(acks);
        let args = acks
            .iter()
            .zip(args.chunks(2))
            .map(|(ack, args)| (ack.receipt, args.to_vec()));
        self.finish(&scripts::ACK, queue, args.collect(), Acked::read).await
    }

    /// Gives jobs of one queue back, each on its own. One command for each partition that they are in, or none where there
    /// are none.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn nack(&self, queue: &QueueName, nacks: &[Nack<'_>]) -> Result<Vec<Nacked>, RedisError> {
        let args = nacks.iter().map(|nack| {
            let kind = match nack.kind {
                NackKind::Failed => "",
                NackKind::Rejected => "rejected",
                NackKind::Released => "released",
            };
            let (error, delay) = (nack.error.as_bytes().to_vec(), decimal(nack.delay));
            (nack.receipt, vec![receipt_arg(nack.receipt), error, delay, kind.into()])
        });
        let read = |reply: &mut ReplyReader| {
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
        self.finish(&scripts::NACK, queue, args.collect(), read).await
    }

    /// Gives leases on jobs of one queue a new end, each on its own. One command for each partition that they are in, or none where
    /// there are none.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn extend(&self, queue: &QueueName, extensions: &[Extend<'_>]) -> Result<Vec<Extended>, RedisError> {
        let args = extensions.iter().map(|extend| {
            let progress = extend.progress.unwrap_or_default().into();
            (
                extend.receipt,
                vec![receipt_arg(extend.receipt), decimal(extend.lease), progress],
            )
        });
        let read = |reply: &mut ReplyReader| {
            let outcome = reply.one_of(&[
                ("active", None),
                ("cancelled", Some(Extended::Cancelled)),
                ("stale", Some(Extended::Stale)),
            ])?;
            let end = Timestamp::from_millis(reply.integer()?);
            Ok(outcome.unwrap_or(Extended::Until(end)))
        };
        self.finish(&scripts::EXTEND, queue, args.collect(), read).await
    }

    /// Runs a script for receipts, each with its arguments, in the partitions that they are of. Gives what became of each.
    async fn finish<T>(
        &self,
        script: &Script,
        queue: &QueueName,
        receipts: Vec<(&Receipt, Vec<Vec<u8>>)>,
        read: impl Fn(&mut ReplyReader) -> Result<T, RedisError>,
    ) -> Result<Vec<T>, RedisError> {
        let partition_of = |receipt: &Receipt| receipt.id().partition();
        let mut partitions: Vec<u8> = receipts.iter().map(|(receipt, _)| partition_of(receipt)).collect();
        partitions.sort_unstable();
        partitions.dedup();
        let mut outcomes: Vec<Option<T>> = receipts.iter().map(|_| None).collect();
        for (index, partition) in partitions.iter().enumerate() {
            let of_partition = || {
                receipts
                    .iter()
                    .filter(|(receipt, _)| partition_of(receipt) == *partition)
            };
            let args: Vec<&[u8]> = of_partition().flat_map(|(_, args)| args).map(Vec::as_slice).collect();
            let keys = QueueKeys::partition(queue, *partition);
            let reply = self.run_with(script, &keys, Vec::new(), &args).await;
            let mut reply = reply.map_err(|error| if index > 0 { error.after_a_change() } else { error })?;
            for ((receipt, _), outcome) in receipts.iter().zip(&mut outcomes) {
                if partition_of(receipt) == *partition {
                    *outcome = Some(read(&mut reply)?);
                }
            }
        }
        Ok(outcomes.into_iter().flatten().collect())
    }
}

/// A duration in milliseconds as text, empty for none.
fn decimal(duration: Option<Duration>) -> Vec<u8> {
    duration
        .map(|duration| millis(duration).to_string())
        .unwrap_or_default()
        .into()
}
