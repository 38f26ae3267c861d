//! Looks for keys where former numbers of partitions put them: see `insert_parts.rs`.

use super::insert::{Idempotency, Inserted, InsertedJob};
use super::insert_parts::{Call, MAX_TRIES, Part, Tried, read_jobs};
use crate::queue::{JobId, QueueName};
use crate::store::redis::{Layout, QueueKeys, Redis, RedisError, Store, pack_unique_key, scripts, unpack_unique_key};
use std::collections::BTreeMap;

/// How long a dead job holds its unique key, in ms, where that belongs to another partition, until it is redriven. An insert must not
/// take longer between its look at the dead job's partition and what it stores.
const RESERVED_FOR: &str = "60000";

/// What a partition has of an idempotency key, or of others.
enum Found {
    Moved,
    Replayed(Vec<InsertedJob>),
    OtherRequest,
    Held(Vec<Option<JobId>>),
}

impl<R: Redis> Store<R> {
    /// The answer to the same request, by one of the former numbers of partitions.
    pub(super) async fn find_remembered(&self, layout: &Layout, call: &Call<'_>) -> Result<Option<Tried>, RedisError> {
        let Some(named) = call.insert.idempotency.filter(|_| !call.has_stored()) else {
            return Ok(None);
        };
        for number in &layout.former {
            let mut answers = vec![None; call.answers.len()];
            for part in call.parts_by(*number, || 0) {
                match self
                    .look_up(layout, call.insert.queue, part.partition, Some(named), &[])
                    .await?
                {
                    Found::Moved => return Ok(Some(Tried::Moved(part.partition))),
                    Found::OtherRequest => return Ok(Some(Tried::Done(Inserted::OtherRequest))),
                    Found::Replayed(jobs) if jobs.len() == part.jobs.len() => {
                        for (at, job) in part.jobs.iter().zip(jobs) {
                            if let Some(answer) = answers.get_mut(*at) {
                                *answer = Some(job);
                            }
                        }
                    }
                    Found::Replayed(_) | Found::Held(_) => break,
                }
            }
            if answers.iter().all(Option::is_some) {
                return Ok(Some(Tried::Done(Inserted::Jobs(
                    answers.into_iter().flatten().collect(),
                ))));
            }
        }
        Ok(None)
    }

    /// Finds the unique keys that are held where former numbers of partitions put them. Gives a partition that has another layout.
    pub(super) async fn find_held(
        &self,
        layout: &Layout,
        call: &Call<'_>,
        held: &mut [Option<JobId>],
    ) -> Result<Option<u8>, RedisError> {
        let mut places: BTreeMap<u8, Vec<usize>> = BTreeMap::new();
        for (at, job) in call.insert.jobs.iter().enumerate() {
            let is_open = call.answers.get(at).is_some_and(Option::is_none);
            for partition in job
                .unique
                .filter(|_| is_open)
                .map(|unique| layout.former_places(unique.key))
                .unwrap_or_default()
            {
                places.entry(partition).or_default().push(at);
            }
        }
        for (partition, jobs) in places {
            let key = |at: &usize| {
                call.insert
                    .jobs
                    .get(*at)
                    .and_then(|job| job.unique)
                    .map(|unique| unique.key)
            };
            let keys: Vec<&[u8]> = jobs.iter().filter_map(key).collect();
            let Found::Held(holders) = self.look_up(layout, call.insert.queue, partition, None, &keys).await? else {
                return Ok(Some(partition));
            };
            for (at, holder) in jobs.into_iter().zip(holders) {
                if let (Some(held), Some(_)) = (held.get_mut(at), holder) {
                    *held = holder;
                }
            }
        }
        Ok(None)
    }

    /// Whether one of the parts meets another request of the same idempotency key, before any of them is stored.
    pub(super) async fn find_other_request(
        &self,
        layout: &Layout,
        call: &Call<'_>,
        parts: &[Part],
    ) -> Result<Option<Tried>, RedisError> {
        let Some(named) = call.insert.idempotency.filter(|_| !call.has_stored()) else {
            return Ok(None);
        };
        for part in parts {
            match self
                .look_up(layout, call.insert.queue, part.partition, Some(named), &[])
                .await?
            {
                Found::Moved => return Ok(Some(Tried::Moved(part.partition))),
                Found::OtherRequest => return Ok(Some(Tried::Done(Inserted::OtherRequest))),
                Found::Replayed(_) | Found::Held(_) => {}
            }
        }
        Ok(None)
    }

    /// Makes sure that no other job of the queue has the unique key of a dead one, `packed` as the scripts have it, and none gets
    /// it for a minute. Gives whether that is so.
    pub(super) async fn reserve_key(&self, queue: &QueueName, id: &JobId, packed: &str) -> Result<bool, RedisError> {
        let key = unpack_unique_key(packed);
        for _ in 0..MAX_TRIES {
            let layout = self.layout(queue);
            let version = layout.version.to_string();
            let own = layout.place(&key);
            let mut places = layout.former_places(&key);
            places.retain(|place| *place != id.partition());
            let (mut moved, mut is_free) = (None, true);
            for place in places {
                match self.look_up(&layout, queue, place, None, &[&key]).await? {
                    Found::Held(holders) => is_free &= holders.iter().all(Option::is_none),
                    _ => moved = Some(place),
                }
            }
            // Last, so that nothing is reserved in vain.
            if own != id.partition() && is_free && moved.is_none() {
                let args = [
                    version.as_bytes(),
                    packed.as_bytes(),
                    id.as_bytes(),
                    RESERVED_FOR.as_bytes(),
                ];
                let keys = QueueKeys::partition(queue, own);
                let mut reply = self.run_with(&scripts::RESERVE_KEY, &keys, Vec::new(), &args).await?;
                let reserved = reply.one_of(&[("reserved", Some(true)), ("held", Some(false)), ("moved", None)])?;
                is_free = reserved.unwrap_or_default();
                moved = reserved.is_none().then_some(own);
            }
            match moved {
                None => return Ok(is_free),
                Some(partition) => self.follow(queue, partition, layout.version).await?,
            }
        }
        Err(super::never_settled())
    }

    async fn look_up(
        &self,
        layout: &Layout,
        queue: &QueueName,
        partition: u8,
        named: Option<Idempotency<'_>>,
        unique_keys: &[&[u8]],
    ) -> Result<Found, RedisError> {
        let keys = QueueKeys::partition(queue, partition);
        let version = layout.version.to_string();
        let unique_keys: Vec<String> = unique_keys.iter().map(|key| pack_unique_key(key)).collect();
        let mut args = vec![version.as_bytes(), named.map_or(&[][..], |named| named.fingerprint)];
        args.extend(unique_keys.iter().map(String::as_bytes));
        let call_keys = named.map(|named| keys.idempotency(named.key)).into_iter().collect();
        let mut reply = self.run_with(&scripts::LOOK_UP, &keys, call_keys, &args).await?;
        let outcome = reply.bytes()?;
        reply.integer()?;
        Ok(match &outcome[..] {
            b"moved" => Found::Moved,
            b"mismatch" => Found::OtherRequest,
            b"replayed" => Found::Replayed(read_jobs(reply)?),
            b"held" => Found::Held(reply.all_bytes()?.iter().map(|id| JobId::from_bytes(id)).collect()),
            _ => return Err(RedisError::Unexpected("an unknown outcome of a look".into())),
        })
    }
}
