//! Insert, very many jobs at once.

use crate::queue::{Priority, QueueName, Timestamp};
use crate::store::redis::{QueueKeys, Redis, RedisError, Store, Turn, scripts};
use std::hash::{BuildHasher, Hasher, RandomState};

/// Jobs to insert, all of them or none. They have no options.
#[derive(Clone, Copy, Debug)]
pub struct InsertBatch<'a> {
    /// Where they go.
    pub queue: &'a QueueName,
    /// Each job's bytes, in order.
    pub payloads: &'a [&'a [u8]],
    /// Not handed out before this time; their order is kept.
    pub due: Option<Timestamp>,
}

impl InsertBatch<'_> {
    /// How many jobs a batch should have at most.
    pub const MAX_JOBS: usize = 100_000;
}

/// How many jobs, and how many bytes of them, one script stores: meanwhile Redis does nothing else. A job that is larger comes
/// alone.
const SLICE_JOBS: usize = 1000;
const SLICE_BYTES: usize = 1024 * 1024;

/// How often a batch is sent anew since its queue has another layout.
const MAX_TRIES: usize = 20;

/// What became of an [`InsertBatch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertedBatch {
    /// All jobs are stored.
    Stored,
    /// A payload is over the queue's `max_bytes`. Nothing was changed.
    TooLarge,
}

impl<R: Redis> Store<R> {
    /// Inserts jobs, in their order, at the back of a queue; where that has several partitions, of one of these. No jobs are no
    /// error, and make no queue.
    ///
    /// One command for up to 1,000 jobs or 1 MiB. A larger batch takes one for each slice of that size, one more for all, and
    /// then one for each slice again; others are served in between. Either all jobs are inserted or none is. Those of a large
    /// batch may be handed out, and are counted, from the first of the last commands on.
    ///
    /// A queue's first jobs take two more, and about once a minute there is one more, as with [`insert`](Store::insert).
    ///
    /// # Errors
    /// When the effect is [unknown](crate::store::Effect::Unknown) the jobs may have been stored.
    pub async fn insert_batch(&self, batch: InsertBatch<'_>) -> Result<InsertedBatch, RedisError> {
        let slices = slices(batch.payloads);
        for _ in 0..MAX_TRIES {
            let layout = self.layout(batch.queue);
            let turn = self
                .hints
                .next_turn(QueueKeys::new(batch.queue).owner().1, Turn::Insert, layout.partitions);
            // By which layout it goes to this partition.
            let version = if layout.version == 0 {
                String::new()
            } else {
                layout.version.to_string()
            };
            let keys = QueueKeys::partition(batch.queue, turn);
            let inserted = match &slices[..] {
                [] => Some(InsertedBatch::Stored),
                [slice] => self.insert_slice(batch, &keys, &version, slice).await?,
                slices => self.insert_slices(batch, &keys, &version, slices).await?,
            };
            match inserted {
                Some(inserted) => return Ok(inserted),
                None => self.follow(batch.queue, turn, layout.version).await?,
            }
        }
        Err(super::never_settled())
    }

    /// `None` when the partition has another layout.
    async fn insert_slice(
        &self,
        batch: InsertBatch<'_>,
        keys: &QueueKeys,
        version: &str,
        slice: &[&[u8]],
    ) -> Result<Option<InsertedBatch>, RedisError> {
        let (joined, largest) = join(slice);
        let [count, due, priority] = describe(batch);
        let args = [
            &joined[..],
            count.as_bytes(),
            largest.as_bytes(),
            due.as_bytes(),
            priority.as_bytes(),
            version.as_bytes(),
        ];
        let mut reply = self
            .run_in_with(&scripts::INSERT_BATCH, keys, Vec::new(), &args)
            .await?;
        let outcome = reply.one_of(&[
            ("inserted", Some(InsertedBatch::Stored)),
            ("too-large", Some(InsertedBatch::TooLarge)),
            ("moved", None),
        ])?;
        self.enter_in_catalog(batch.queue, keys.owner().0, reply.integer()?)
            .await;
        Ok(outcome)
    }

    /// The same.
    async fn insert_slices(
        &self,
        batch: InsertBatch<'_>,
        keys: &QueueKeys,
        version: &str,
        slices: &[&[&[u8]]],
    ) -> Result<Option<InsertedBatch>, RedisError> {
        // Each time another, for all instances: it begins with random bits.
        let staged = keys.staged(RandomState::new().build_hasher().finish());
        for (index, slice) in slices.iter().enumerate() {
            let (joined, largest) = join(slice);
            let args = [&joined[..], largest.as_bytes()];
            let staging = self.run_with(&scripts::STAGE_SLICE, keys, vec![staged.clone()], &args);
            let mut reply = staging.await.map_err(RedisError::without_effect)?;
            match reply.integer()? {
                -1 => return Ok(Some(InsertedBatch::TooLarge)),
                count if usize::try_from(count) == Ok(index + 1) => {}
                _ => return Err(lost()),
            }
        }
        let [count, due, priority] = describe(batch);
        let number_of_slices = slices.len().to_string();
        let [count, slices, due, priority] = [&count, &number_of_slices, &due, &priority].map(String::as_bytes);
        let args = [count, slices, due, priority, version.as_bytes()];
        let mut reply = self
            .run_in_with(&scripts::COMMIT_BATCH, keys, vec![staged], &args)
            .await?;
        match reply.one_of(&[("committed", Some(true)), ("lost", Some(false)), ("moved", None)])? {
            None => return Ok(None),
            Some(false) => return Err(lost()),
            Some(true) => {}
        }
        self.enter_in_catalog(batch.queue, keys.owner().0, reply.integer()?)
            .await;
        // The jobs are inserted. Should this break off, whoever asks for jobs goes on with it. Slices of another batch that
        // broke off come first.
        while let Ok(mut reply) = self.run_with(&scripts::TAKE_IN, keys, Vec::new(), &[]).await {
            if !reply.flag()? {
                break;
            }
        }
        Ok(Some(InsertedBatch::Stored))
    }
}

/// Cuts payloads into slices.
fn slices<'a, 'p>(payloads: &'a [&'p [u8]]) -> Vec<&'a [&'p [u8]]> {
    let (mut slices, mut rest) = (Vec::new(), payloads);
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |payload: &&&[u8]| {
            bytes += payload.len();
            bytes <= SLICE_BYTES
        };
        let count = rest.iter().take(SLICE_JOBS).take_while(fits).count();
        let (slice, others) = rest.split_at(count.max(1));
        slices.push(slice);
        rest = others;
    }
    slices
}

/// A slice as scripts take it: each payload after its length and a colon. And how many bytes the largest has.
fn join(slice: &[&[u8]]) -> (Vec<u8>, String) {
    let mut joined = Vec::with_capacity(slice.iter().map(|payload| payload.len() + 8).sum());
    for payload in slice {
        joined.extend_from_slice(payload.len().to_string().as_bytes());
        joined.push(b':');
        joined.extend_from_slice(payload);
    }
    let largest = slice.iter().map(|payload| payload.len()).max().unwrap_or_default();
    (joined, largest.to_string())
}

/// What is the same for all jobs of a batch: how many they are, when they are due, their priority.
fn describe(batch: InsertBatch<'_>) -> [String; 3] {
    [
        batch.payloads.len().to_string(),
        batch.due.map_or_else(String::new, |due| due.as_millis().to_string()),
        Priority::default().get().to_string(),
    ]
}

fn lost() -> RedisError {
    RedisError::Unreachable("the server has lost what it was sent of a batch: it was restarted, or more than a minute passed between two parts".into())
}
