//! How an insert goes to the partitions of its queue.
//!
//! A key belongs to the partition that its hash gives, so all jobs with a key go there, and it is held over all partitions. While
//! the number of partitions changes, these hold together:
//!
//! - An insert says by which version of the layout it came. A partition that has another one does nothing and says which.
//! - Where former numbers put a key elsewhere, those partitions are asked first (`look_up.lua`). One that answers has the same
//!   version: no insert by an older one can come there any more.
//!
//! So of two inserts of one key, by two versions, the later one finds what the earlier one stored.

use super::insert::{Insert, Inserted, InsertedJob, pack_fields};
use crate::queue::JobId;
use crate::store::redis::{
    Layout, QueueKeys, Redis, RedisError, ReplyReader, Store, Turn, hex, pack_unique_key, place, scripts,
};

/// How often an insert is sent anew since its queue has another layout than it went by. Each time it learns a later one.
pub(super) const MAX_TRIES: usize = 100;

/// An insert on its way.
pub(super) struct Call<'a> {
    pub insert: Insert<'a>,
    fields: Vec<Vec<u8>>,
    /// What became of each job so far.
    pub answers: Vec<Option<InsertedJob>>,
    /// Whether the failure that it reports is still to be counted.
    is_uncounted: bool,
}

/// Jobs that go to one partition, by their places in the insert.
pub(super) struct Part {
    pub partition: u8,
    pub jobs: Vec<usize>,
}

/// What one try came to.
pub(super) enum Tried {
    Done(Inserted),
    /// This partition has another layout.
    Moved(u8),
}

impl<R: Redis> Store<R> {
    /// Inserts jobs. Their order in the queue is that of their priority and date, else that of their insertion; where the queue
    /// has several partitions, in each of these.
    ///
    /// One command. A queue's first job takes two more, which enter the queue in the catalog, and so does one insert an hour. About once a minute there is one
    /// more, which frees what is over its time; as long as a hundred jobs were, with each insert.
    ///
    /// Where the queue has several partitions, and the jobs unique keys, one for each partition that the keys belong to, and with
    /// an idempotency key another one for each. All jobs of one partition are stored or none. After the number of partitions was
    /// changed one for each partition that a key belonged to, too; and some at the first insert of an instance after that.
    ///
    /// An idempotency key holds over a change of the number of partitions. Where the unique keys belong to several of these, an
    /// answer is remembered for each part of the insert, and tells which jobs these are.
    ///
    /// # Errors
    /// When the effect is [unknown](crate::store::Effect::Unknown) the jobs may have been stored, some or all.
    pub async fn insert(&self, insert: Insert<'_>) -> Result<Inserted, RedisError> {
        let mut call = Call {
            fields: insert.jobs.iter().map(pack_fields).collect::<Result<_, _>>()?,
            answers: vec![None; insert.jobs.len()],
            is_uncounted: insert.failed.is_some(),
            insert,
        };
        for _ in 0..MAX_TRIES {
            let layout = self.layout(insert.queue);
            let tried = async {
                let tried = self.try_to_insert(&layout, &mut call).await?;
                if let Tried::Moved(partition) = tried {
                    self.follow(insert.queue, partition, layout.version).await?;
                }
                Ok(tried)
            };
            match tried.await {
                Ok(Tried::Done(inserted)) => return Ok(inserted),
                Ok(Tried::Moved(_)) => {}
                Err(error) => return Err(call.note_changes(error)),
            }
        }
        Err(call.note_changes(super::never_settled()))
    }

    async fn try_to_insert(&self, layout: &Layout, call: &mut Call<'_>) -> Result<Tried, RedisError> {
        let mut held = vec![None; call.answers.len()];
        if let Some(tried) = self.find_remembered(layout, call).await? {
            return Ok(tried);
        }
        if !layout.former.is_empty()
            && let Some(partition) = self.find_held(layout, call, &mut held).await?
        {
            return Ok(Tried::Moved(partition));
        }
        let parts = self.parts(layout, call);
        for part in &parts {
            if let Some(tried) = self.insert_part(layout, call, part, &held).await? {
                return Ok(tried);
            }
        }
        Ok(Tried::Done(call.inserted()))
    }

    /// The jobs that are not stored yet, by the partitions that they go to.
    fn parts(&self, layout: &Layout, call: &Call<'_>) -> Vec<Part> {
        let turn = || {
            self.hints.next_turn(
                QueueKeys::new(call.insert.queue).owner().1,
                Turn::Insert,
                layout.partitions,
            )
        };
        let mut parts = call.open_parts(layout.partitions, turn);
        // When the largest payload is not too large, none is.
        let largest = |part: &Part| {
            part.jobs
                .iter()
                .filter_map(|job| call.insert.jobs.get(*job))
                .map(|job| job.payload.len())
                .max()
        };
        parts.sort_by_key(|part| std::cmp::Reverse(largest(part)));
        parts
    }

    /// Stores the jobs of one partition. `None` when they are.
    async fn insert_part(
        &self,
        layout: &Layout,
        call: &mut Call<'_>,
        part: &Part,
        held: &[Option<JobId>],
    ) -> Result<Option<Tried>, RedisError> {
        let Insert {
            queue,
            jobs,
            failed,
            idempotency,
        } = call.insert;
        let keys = QueueKeys::partition(queue, part.partition);
        let of_part = || {
            part.jobs
                .iter()
                .filter_map(|at| Some((jobs.get(*at)?, call.fields.get(*at)?)))
        };
        let has_unique = of_part().any(|(job, _)| job.unique.is_some());
        let is_anywhere = layout.version == 0 && !has_unique && idempotency.is_none();
        let version = if is_anywhere {
            String::new()
        } else {
            layout.version.to_string() + &call.name(part)
        };
        let fingerprint = idempotency.map_or(&[][..], |named| named.fingerprint);
        let held = pack_held(
            part.jobs
                .iter()
                .filter_map(|at| Some((jobs.get(*at)?.unique?.key, (*held.get(*at)?)?))),
        );
        let mut args = vec![fingerprint, version.as_bytes()];
        let script = match failed.filter(|_| call.is_uncounted) {
            None if has_unique => {
                args.push(&held);
                &scripts::INSERT_UNIQUE
            }
            None => &scripts::INSERT,
            Some(failure) => {
                args.extend([&held, failure.worker.unwrap_or_default()]);
                &scripts::INSERT_FAILED
            }
        };
        args.extend(of_part().flat_map(|(job, fields)| [job.payload, fields]));
        let call_keys = idempotency.map(|named| keys.idempotency(named.key));
        let mut reply = self
            .run_in_with(script, &keys, call_keys.into_iter().collect(), &args)
            .await?;
        let outcome = reply.bytes()?;
        // For duplicates too: the insert that they repeat may have broken off before its queue was in the catalog.
        self.enter_in_catalog(queue, part.partition, reply.integer()?).await;
        let has_stored = call.has_stored();
        match &outcome[..] {
            b"inserted" | b"replayed" => {
                if let Some(inserted) = call.note_answers(part, read_jobs(reply)?)? {
                    return Ok(Some(Tried::Done(inserted)));
                }
            }
            b"moved" => return Ok(Some(Tried::Moved(part.partition))),
            b"mismatch" if !has_stored => return Ok(Some(Tried::Done(Inserted::OtherRequest))),
            b"too-large" if !has_stored => return Ok(Some(Tried::Done(Inserted::TooLarge))),
            _ => return Err(RedisError::Unexpected("an unknown outcome of insert".into())),
        }
        if let (Some(worker), true) = (failed.and_then(|failed| failed.worker), call.counts_failure(part)) {
            self.ack_legacy_elsewhere(queue, worker, part.partition).await?;
        }
        Ok(None)
    }
}

impl Call<'_> {
    /// All jobs, by the partitions that they go to where there are so many. Those without a unique key go where the idempotency
    /// key belongs, or along with others, or where it is the `turn`.
    fn parts_by(&self, partitions: u8, turn: impl FnOnce() -> u8) -> Vec<Part> {
        let key = |job: &super::NewJob<'_>| job.unique.map(|unique| place(unique.key, partitions));
        let of_keys: Vec<Option<u8>> = self.insert.jobs.iter().map(key).collect();
        let named = self.insert.idempotency.map(|named| place(named.key, partitions));
        let others = named
            .or_else(|| of_keys.iter().flatten().next().copied())
            .unwrap_or_else(turn);
        let mut parts: Vec<Part> = Vec::new();
        for (at, partition) in of_keys.iter().enumerate() {
            let partition = partition.unwrap_or(others);
            match parts.iter_mut().find(|part| part.partition == partition) {
                Some(part) => part.jobs.push(at),
                None => parts.push(Part {
                    partition,
                    jobs: vec![at],
                }),
            }
        }
        parts
    }

    /// The same, without the jobs that have an answer.
    pub(super) fn open_parts(&self, partitions: u8, turn: impl FnOnce() -> u8) -> Vec<Part> {
        let mut parts = self.parts_by(partitions, turn);
        for part in &mut parts {
            part.jobs
                .retain(|job| self.answers.get(*job).is_some_and(Option::is_none));
        }
        parts.retain(|part| !part.jobs.is_empty());
        parts
    }

    /// What stands behind the version where a part is remembered: which jobs of the request it has, a bit for each. Nothing for
    /// all of them. So an answer is never taken for that to other jobs, whatever the number of partitions was.
    pub(super) fn name(&self, part: &Part) -> String {
        if self.insert.idempotency.is_none() || part.jobs.len() == self.insert.jobs.len() {
            return String::new();
        }
        let mut bits = vec![0_u8; self.insert.jobs.len().div_ceil(8)];
        for at in &part.jobs {
            if let Some(byte) = bits.get_mut(at / 8) {
                *byte |= 1 << (at % 8);
            }
        }
        [" ", &hex(&bits)].concat()
    }

    pub(super) fn has_stored(&self) -> bool {
        self.answers.iter().any(Option::is_some)
    }

    /// How many jobs have no answer yet.
    pub(super) fn count_open(&self) -> usize {
        self.answers.iter().filter(|answer| answer.is_none()).count()
    }

    /// The answer, once each job has one.
    pub(super) fn inserted(&self) -> Inserted {
        Inserted::Jobs(self.answers.iter().flatten().cloned().collect())
    }

    /// Notes what became of the jobs of a part. The fingerprint tells requests apart, and nothing else: the answer to a whole request
    /// that had another number of jobs is the answer to this one, and is given back.
    pub(super) fn note_answers(&mut self, part: &Part, jobs: Vec<InsertedJob>) -> Result<Option<Inserted>, RedisError> {
        if jobs.len() != part.jobs.len() {
            return if part.jobs.len() == self.insert.jobs.len() {
                Ok(Some(Inserted::Jobs(jobs)))
            } else {
                Err(RedisError::Unexpected("the answer to an insert of other jobs".into()))
            };
        }
        for (at, job) in part.jobs.iter().zip(jobs) {
            if let Some(answer) = self.answers.get_mut(*at) {
                *answer = Some(job);
            }
        }
        Ok(None)
    }

    /// Whether this part was the one that has counted the failure: it stored a job.
    fn counts_failure(&mut self, part: &Part) -> bool {
        let mut answers = part.jobs.iter().filter_map(|at| self.answers.get(*at)?.as_ref());
        let is_counted = answers.any(|answer| matches!(answer, InsertedJob::Stored(_)));
        let is_by_this = self.is_uncounted && is_counted;
        self.is_uncounted &= !is_counted;
        is_by_this
    }

    /// An error of this insert: when jobs were stored before, something was changed.
    fn note_changes(&self, error: RedisError) -> RedisError {
        if self.has_stored() {
            error.after_a_change()
        } else {
            error
        }
    }
}

pub(super) fn read_jobs(mut reply: ReplyReader) -> Result<Vec<InsertedJob>, RedisError> {
    let mut jobs = Vec::new();
    while !reply.is_empty() {
        let id = reply.job_id()?;
        let is_duplicate = reply.flag()?;
        jobs.push(if is_duplicate {
            InsertedJob::Duplicate(id)
        } else {
            InsertedJob::Stored(id)
        });
    }
    Ok(jobs)
}

/// Unique keys and their holders, as `unpack_held` of `lua/unique_insertion.lua` takes them.
fn pack_held<'a>(held: impl Iterator<Item = (&'a [u8], JobId)>) -> Vec<u8> {
    let mut packed = Vec::new();
    for (key, holder) in held {
        let key = pack_unique_key(key);
        packed.extend(u32::try_from(key.len()).unwrap_or(u32::MAX).to_be_bytes());
        packed.extend(key.as_bytes());
        packed.extend(holder.as_bytes());
    }
    packed
}
