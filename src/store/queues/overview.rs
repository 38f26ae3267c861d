//! How many queues are at once, in short.
//!
//! Of very many queues not all are looked at for each overview: what was found is remembered beside the queues, in
//! [`OVERVIEW`](crate::store::redis::OVERVIEW), and each overview looks anew at those that were not looked at for longest.

use super::settings::LastMinute;
use crate::queue::{QueueName, State, Status, Timestamp};
use crate::store::redis::{QueueKeys, Redis, RedisError, Reply, ReplyReader, Store, scripts};
use std::collections::HashMap;
use std::time::Duration;

/// At how many queues [`Store::overview`] looks at most.
pub const MAX_LOOKED_AT: usize = 1000;

/// How many queues one command looks at: some milliseconds of Redis' time.
const MAX_QUEUES: usize = 100;

/// How old a summary is that nobody has found anew, so that its queue may be gone, in milliseconds.
const MAX_AGE: i64 = 600_000;

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
    /// How long the oldest ready job has been ready.
    pub oldest_ready: Option<Duration>,
    /// What happened in the last minute.
    pub last_minute: LastMinute,
    /// How many workers claimed by name within the last hour.
    pub workers: u64,
}

impl Summary {
    /// How many jobs are in a state.
    #[must_use]
    pub fn count(&self, state: State) -> u64 {
        let counts = self.jobs.iter();
        counts.filter(|(of, _)| *of == state).map(|(_, count)| count).sum()
    }
}

/// The states, in the order of the script's reply.
const STATES: [State; 6] = [
    State::Ready,
    State::Scheduled,
    State::Active,
    State::Done,
    State::Dead,
    State::Cancelled,
];

/// What the script replies for one queue that exists, in its order. It is remembered as text, with spaces between.
#[derive(Clone, Copy, Default)]
struct Found([Option<i64>; 14]);

impl Found {
    /// Reads one queue's part of the script's reply. `None` for a queue that does not exist.
    fn read(reply: &mut ReplyReader) -> Result<Option<Self>, RedisError> {
        let Some(status) = reply.optional_count()? else {
            return Ok(None);
        };
        let mut found = Self::default();
        found.0[0] = i64::try_from(status).ok();
        for value in &mut found.0[1..] {
            *value = reply.time()?.map(Timestamp::as_millis);
        }
        Ok(Some(found))
    }

    /// What [`to_text`](Self::to_text) gave. What cannot be read is left out.
    fn from_text(text: &[u8]) -> Self {
        let mut found = Self::default();
        for (value, text) in found.0.iter_mut().zip(text.split(|byte| *byte == b' ')) {
            *value = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        }
        found
    }

    fn to_text(self) -> String {
        let texts = self
            .0
            .map(|value| value.map_or_else(String::new, |value| value.to_string()));
        texts.join(" ")
    }

    fn at(self) -> i64 {
        self.0[1].unwrap_or(i64::MIN)
    }

    fn summary(self, queue: QueueName) -> Summary {
        let [
            status,
            at,
            jobs @ ..,
            ready_since,
            inserted,
            claimed,
            done,
            failed,
            workers,
        ] = self.0;
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
            oldest_ready: ready_since.map(|since| at.since(Timestamp::from_millis(since))),
            last_minute: LastMinute {
                inserted: count(inserted),
                claimed: count(claimed),
                done: count(done),
                failed: count(failed),
            },
            workers: count(workers),
        }
    }
}

impl<R: Redis> Store<R> {
    /// How queues are now; those that do not exist are left out. One command for each 100.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn summaries(&self, queues: &[QueueName]) -> Result<Vec<Summary>, RedisError> {
        let looked = self.look_at(queues).await?;
        Ok(looked
            .into_iter()
            .map(|(queue, found)| found.summary(queue.clone()))
            .collect())
    }

    /// How very many queues are: at most [`MAX_LOOKED_AT`] of them as they are now, the others as they were when they were last
    /// looked at, which may be a minute ago where this is asked every few seconds; those that never were are left out. The order
    /// is another one.
    ///
    /// Where there are no more than so many queues: one command for each 100. Else two more.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn overview(&self, queues: Vec<QueueName>) -> Result<Vec<Summary>, RedisError> {
        if queues.len() <= MAX_LOOKED_AT {
            return self.summaries(&queues).await;
        }
        let mut remembered = self.remembered().await?;
        let known = queues.into_iter().map(|queue| {
            let found = remembered.remove(queue.stored().as_bytes());
            (queue, found.unwrap_or_default())
        });
        let mut known: Vec<_> = known.collect();
        known.sort_unstable_by_key(|(_, found)| found.at());
        let looked_at: Vec<_> = known.drain(..MAX_LOOKED_AT).map(|(queue, _)| queue).collect();
        let looked = self.look_at(&looked_at).await?;

        // What is left is of queues that were deleted, or that this caller does not see. The latter are soon found anew.
        let now = looked.iter().map(|(_, found)| found.at()).max().unwrap_or_default();
        let forgotten = remembered.iter().filter(|(_, found)| now - found.at() > MAX_AGE);
        let forgotten: Vec<_> = forgotten.map(|(name, _)| &name[..]).take(MAX_LOOKED_AT).collect();
        self.remember(&looked, &forgotten).await?;

        let known = known.into_iter().filter(|(_, found)| found.0[0].is_some());
        let known = known.map(|(queue, found)| found.summary(queue));
        let looked = looked.into_iter().map(|(queue, found)| found.summary(queue.clone()));
        Ok(looked.chain(known).collect())
    }

    async fn look_at<'a>(&self, queues: &'a [QueueName]) -> Result<Vec<(&'a QueueName, Found)>, RedisError> {
        let mut all = Vec::with_capacity(queues.len());
        for some in queues.chunks(MAX_QUEUES) {
            let mut reply = self.run_for_each(&scripts::SUMMARY, some, &[]).await?;
            for queue in some {
                all.extend(Found::read(&mut reply)?.map(|found| (queue, found)));
            }
        }
        Ok(all)
    }

    /// What is remembered, by the stored names of queues.
    async fn remembered(&self) -> Result<HashMap<Vec<u8>, Found>, RedisError> {
        let keys = QueueKeys::default();
        let reply = scripts::REMEMBERED.run(&self.redis, &keys, Vec::new(), &[]).await?;
        let mut remembered = HashMap::with_capacity(reply.len() / 2);
        let mut reply = reply.into_iter();
        while let (Some(Reply::Bytes(name)), Some(Reply::Bytes(text))) = (reply.next(), reply.next()) {
            remembered.insert(name, Found::from_text(&text));
        }
        Ok(remembered)
    }

    async fn remember(&self, all: &[(&QueueName, Found)], forgotten: &[&[u8]]) -> Result<(), RedisError> {
        let count = forgotten.len().to_string();
        let texts: Vec<_> = all.iter().map(|(_, found)| found.to_text()).collect();
        let mut args = vec![count.as_bytes()];
        args.extend(forgotten);
        for ((queue, _), text) in all.iter().zip(&texts) {
            args.extend([queue.stored().as_bytes(), text.as_bytes()]);
        }
        let keys = QueueKeys::default();
        scripts::REMEMBER.run(&self.redis, &keys, Vec::new(), &args).await?;
        Ok(())
    }
}
