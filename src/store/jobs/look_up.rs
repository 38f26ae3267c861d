//! Looks for keys where former numbers of partitions put them: see `insert_parts.rs`.

use super::insert::{Idempotency, Inserted, InsertedJob};
use super::insert_parts::{Call, MAX_TRIES, Tried, read_jobs};
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
    /// Finds what is remembered of the same request: by former numbers of partitions, and by this one where it has several parts. What
    /// came of its jobs is noted.
    pub(super) async fn find_remembered(
        &self,
        layout: &Layout,
        call: &mut Call<'_>,
    ) -> Result<Option<Tried>, RedisError> {
        let Some(named) = call.insert.idempotency.filter(|_| !call.has_stored()) else {
            return Ok(None);
        };
        loop {
            let open = call.count_open();
            for number in layout.former.iter().rev().chain([&layout.partitions]) {
                let parts = call.open_parts(*number, || 0);
                if *number == layout.partitions && parts.len() < 2 {
                    // The insert itself finds it.
                    continue;
                }
                for part in parts {
                    let name = call.name(&part);
                    let queue = call.insert.queue;
                    match self
                        .look_up(layout, queue, part.partition, Some((named, &name)), &[])
                        .await?
                    {
                        Found::Moved => return Ok(Some(Tried::Moved(part.partition))),
                        Found::OtherRequest => return Ok(Some(Tried::Done(Inserted::OtherRequest))),
                        Found::Replayed(jobs) => {
                            if let Some(inserted) = call.note_answers(&part, jobs)? {
                                return Ok(Some(Tried::Done(inserted)));
                            }
                        }
                        Found::Held(_) => {}
                    }
                }
            }
            // Of a request that broke off, and was repeated by another number, the later parts are those that were left open.
            match call.count_open() {
                0 => return Ok(Some(Tried::Done(call.inserted()))),
                left if left == open => return Ok(None),
                _ => {}
            }
        }
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

    /// Makes sure that no other job of the queue has the unique key of a dead one, `packed` as the scripts have it, and none gets
    /// it for a minute. Gives by which version of the layout that is so: in the dead job's own partition another one must not hold.
    /// `None` when another job has the key.
    pub(super) async fn reserve_key(
        &self,
        queue: &QueueName,
        id: &JobId,
        packed: &str,
    ) -> Result<Option<u64>, RedisError> {
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
                    // It may have been reserved for this job by an earlier layout.
                    Found::Held(holders) => is_free &= holders.iter().flatten().all(|holder| holder == id),
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
                None => return Ok(is_free.then_some(layout.version)),
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
        named: Option<(Idempotency<'_>, &str)>,
        unique_keys: &[&[u8]],
    ) -> Result<Found, RedisError> {
        let keys = QueueKeys::partition(queue, partition);
        let (named, part) = named.unzip();
        let version = layout.version.to_string() + part.unwrap_or_default();
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
