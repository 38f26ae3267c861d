//! How many queues are at once, in short.
//!
//! Of very many queues not all are looked at for each overview: what was found is remembered beside the queues, in
//! [`OVERVIEW`](crate::store::redis::OVERVIEW), and each overview looks anew at those that were not looked at for longest.

use super::settings::{LastMinute, STATES, Totals};
use crate::queue::{JobId, QueueName, State, Status, Timestamp};
use crate::store::redis::{OVERVIEW, QueueKeys, Redis, RedisError, Reply, ReplyReader, Store, scripts};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::cmp::Reverse;

/// At how many queues [`Store::overview`] looks at most.
pub const MAX_LOOKED_AT: usize = 250;

/// How many queues are looked at at once.
const AT_ONCE: usize = 16;

/// How many remembered summaries one command reads.
const MAX_READ: usize = 1000;

/// How a queue is, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its name.
    pub queue: QueueName,
    /// When it was looked at.
    pub at: Timestamp,
    /// Whether it is open.
    pub status: Status,
    /// How many jobs are in each state.
    pub jobs: Vec<(State, u64)>,
    /// Since when the oldest ready job is ready.
    pub ready_since: Option<Timestamp>,
    /// What happened in the last minute.
    pub last_minute: LastMinute,
    /// How many workers claimed by name within the last hour.
    pub workers: u64,
    /// What happened since the queue began.
    pub totals: Totals,
    /// How long jobs were ready before they were claimed. `None` where the summary is remembered.
    pub waits: Option<Waits>,
}

/// The times, in seconds, by which [`Waits`] count.
pub const WAIT_BOUNDS: [f64; 12] = [
    0.01, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21_600.0, 86_400.0,
];

/// How many jobs were claimed after they had been ready for no longer than each of [`WAIT_BOUNDS`], and longer than the one before;
/// the last count is of those that were ready for longer than all of them.
pub type Waits = [u64; WAIT_BOUNDS.len() + 1];

impl Summary {
    /// How many jobs are in a state.
    #[must_use]
    pub fn count(&self, state: State) -> u64 {
        let counts = self.jobs.iter();
        counts.filter(|(of, _)| *of == state).map(|(_, count)| count).sum()
    }

    /// How many jobs somebody has to care for: those that are ready, scheduled, active or dead.
    #[must_use]
    pub fn size(&self) -> u64 {
        let states = [State::Ready, State::Scheduled, State::Active, State::Dead];
        states.into_iter().map(|state| self.count(state)).sum()
    }
}

/// What the script replies for one queue that exists, in its order, without the waits. It is remembered as text, with spaces between.
#[derive(Clone, Copy, Default)]
struct Found([Option<i64>; 22]);

/// What a look at a queue finds. `None` for one that does not exist.
type Look = Option<(Found, Waits)>;

/// A queue, and its summary if it was ever looked at.
pub type Known = (QueueName, Option<Summary>);

impl Found {
    /// Reads the script's reply.
    fn read(mut reply: ReplyReader) -> Result<Look, RedisError> {
        if reply.is_empty() {
            return Ok(None);
        }
        let mut found = Self::default();
        for value in &mut found.0 {
            *value = reply.time()?.map(Timestamp::as_millis);
        }
        let mut waits = Waits::default();
        for count in &mut waits {
            *count = reply.optional_count()?.unwrap_or(0);
        }
        Ok(Some((found, waits)))
    }

    /// What [`to_text`](Self::to_text) gave. What cannot be read is left out. `None` for what an older version gave, which knew less.
    fn from_text(text: &[u8]) -> Option<Self> {
        let mut found = Self::default();
        if text.split(|byte| *byte == b' ').count() < found.0.len() {
            return None;
        }
        for (value, text) in found.0.iter_mut().zip(text.split(|byte| *byte == b' ')) {
            *value = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        }
        Some(found)
    }

    fn to_text(self) -> String {
        let texts = self
            .0
            .map(|value| value.map_or_else(String::new, |value| value.to_string()));
        texts.join(" ")
    }

    /// Adds what another partition has, whose job numbers begin behind this one. All workers are known in partition 0.
    fn add(&mut self, part: Self, first_number: u64) {
        let first_number = i64::try_from(first_number).unwrap_or_default();
        for (place, (value, more)) in self.0.iter_mut().zip(part.0).enumerate() {
            match place {
                // Its status, when it was looked at, its workers.
                0 | 1 | 13 => {}
                // Since when the oldest job is ready.
                8 => *value = value.iter().copied().chain(more).min(),
                // How many were inserted.
                14 => *value = Some(value.unwrap_or_default() + (more.unwrap_or_default() - first_number).max(0)),
                _ => *value = Some(value.unwrap_or_default() + more.unwrap_or_default()),
            }
        }
    }

    fn at(self) -> i64 {
        self.0[1].unwrap_or(i64::MIN)
    }

    /// What [`Summary::size`] is.
    fn size(self) -> i64 {
        let [_, _, ready, scheduled, active, _, dead, ..] = self.0;
        [ready, scheduled, active, dead].into_iter().flatten().sum()
    }

    fn summary(self, queue: QueueName, waits: Option<Waits>) -> Summary {
        let [status, at, ready, scheduled, active, done, dead, cancelled, rest @ ..] = self.0;
        let jobs = [ready, scheduled, active, done, dead, cancelled];
        let [ready_since, inserted, claimed, done, failed, workers, totals @ ..] = rest;
        let count = |value: Option<i64>| value.and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
        let at = Timestamp::from_millis(at.unwrap_or_default());
        Summary {
            queue,
            at,
            status: if status == Some(0) {
                Status::Stopped
            } else {
                Status::Open
            },
            jobs: STATES.into_iter().zip(jobs.map(count)).collect(),
            ready_since: ready_since.map(Timestamp::from_millis),
            last_minute: LastMinute {
                inserted: count(inserted),
                claimed: count(claimed),
                done: count(done),
                failed: count(failed),
            },
            workers: count(workers),
            totals: {
                let [inserted, claimed, done, failed, lost_leases, dead, released, orphans] = totals.map(count);
                Totals {
                    inserted,
                    claimed,
                    done,
                    failed,
                    lost_leases,
                    dead,
                    released,
                    orphans,
                }
            },
            waits,
        }
    }
}

impl<R: Redis> Store<R> {
    /// How queues are now; those that do not exist are left out. One command for each partition of each.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn summaries(&self, queues: &[QueueName]) -> Result<Vec<Summary>, RedisError> {
        let looked = self.look_at(queues).await?;
        let summaries = looked.into_iter().filter_map(|(queue, look)| {
            let (found, waits) = look?;
            Some(found.summary(queue.clone(), Some(waits)))
        });
        Ok(summaries.collect())
    }

    /// How very many queues are: at most [`MAX_LOOKED_AT`] of them as they are now, the others as they were when they were last
    /// looked at, which may be a minute ago where this is asked every few seconds. `None` for a queue that was never looked at.
    /// The result is in no order.
    ///
    /// One command for each queue that is looked at. Where there are more queues, another one for each thousand of all, and
    /// one to remember what was found.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn overview(&self, queues: Vec<QueueName>) -> Result<Vec<Known>, RedisError> {
        self.look_at_some(queues, 0, MAX_LOOKED_AT).await
    }

    /// How very many queues are. So many of them are looked at, at most: first of all those that are known as the largest, and then
    /// those that were not looked at for longest.
    pub(super) async fn look_at_some(
        &self,
        queues: Vec<QueueName>,
        largest: usize,
        max_looked_at: usize,
    ) -> Result<Vec<Known>, RedisError> {
        if queues.len() <= max_looked_at {
            let all = self.summaries(&queues).await?;
            return Ok(all
                .into_iter()
                .map(|summary| (summary.queue.clone(), Some(summary)))
                .collect());
        }
        let remembered = self.remembered(&queues).await?;
        let mut known: Vec<_> = queues.into_iter().zip(remembered).collect();
        if largest > 0 {
            known.sort_unstable_by_key(|(_, found)| Reverse(found.map_or(0, Found::size)));
        }
        if let Some(others) = known.get_mut(largest..) {
            others.sort_unstable_by_key(|(_, found)| found.map_or(i64::MIN, Found::at));
        }
        let looked_at: Vec<_> = known.drain(..max_looked_at).map(|(queue, _)| queue).collect();
        let looked = self.look_at(&looked_at).await?;
        // A full Redis refuses it, which is no reason to tell nothing. Then others are looked at less often.
        let _ = self.remember(&looked).await;

        let looked = looked.into_iter().filter_map(|(queue, look)| {
            let (found, waits) = look?;
            Some((queue.clone(), Some(found.summary(queue.clone(), Some(waits)))))
        });
        let known = known.into_iter().map(|(queue, found)| {
            let summary = found.map(|found| found.summary(queue.clone(), None));
            (queue, summary)
        });
        Ok(looked.chain(known).collect())
    }

    async fn look_at<'a>(&self, queues: &'a [QueueName]) -> Result<Vec<(&'a QueueName, Look)>, RedisError> {
        let looks = stream::iter(queues).map(async |queue| Ok((queue, self.look(queue).await?)));
        looks.buffered(AT_ONCE).try_collect().await
    }

    /// Looks at all partitions of a queue.
    async fn look(&self, queue: &QueueName) -> Result<Look, RedisError> {
        let mut look = Found::read(self.run_in(&scripts::SUMMARY, queue, 0, &[]).await?)?;
        for partition in 1..self.layout(queue).extent {
            let part = Found::read(self.run_in(&scripts::SUMMARY, queue, partition, &[]).await?)?;
            if let (Some((found, waits)), Some((part, part_waits))) = (&mut look, part) {
                found.add(part, JobId::first_number(partition));
                for (count, more) in waits.iter_mut().zip(part_waits) {
                    *count += more;
                }
            }
        }
        Ok(look)
    }

    /// What is remembered of queues, in their order.
    async fn remembered(&self, queues: &[QueueName]) -> Result<Vec<Option<Found>>, RedisError> {
        let mut remembered = Vec::with_capacity(queues.len());
        for some in queues.chunks(MAX_READ) {
            let mut args = vec![OVERVIEW.name().as_bytes()];
            args.extend(some.iter().map(|queue| queue.stored().as_bytes()));
            for reply in self.redis.command("HMGET", &args).await? {
                remembered.push(match reply {
                    Reply::Bytes(text) => Found::from_text(&text),
                    _ => None,
                });
            }
        }
        Ok(remembered)
    }

    /// Remembers what was found, and forgets queues that do not exist.
    async fn remember(&self, looked: &[(&QueueName, Look)]) -> Result<(), RedisError> {
        let text = |look: &Look| look.map_or_else(String::new, |(found, _)| found.to_text());
        let texts: Vec<_> = looked.iter().map(|(_, look)| text(look)).collect();
        let pairs = looked.iter().zip(&texts);
        let args: Vec<&[u8]> = pairs
            .flat_map(|((queue, _), text)| [queue.stored().as_bytes(), text.as_bytes()])
            .collect();
        let no_queue = QueueKeys::default();
        self.run_with(&scripts::REMEMBER, &no_queue, Vec::new(), &args).await?;
        Ok(())
    }
}
