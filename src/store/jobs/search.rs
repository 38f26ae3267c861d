//! Search: the jobs of a queue that match, a page at a time, without changing them.

use super::filter::Filter;
use super::job::Job;
use super::{MAX_BYTES, MAX_SLICE};
use crate::queue::{JobId, QueueName, State};
use crate::store::redis::{Redis, RedisError, ReplyReader, Store, scripts};

/// A page without payloads ends when Redis has read so many bytes of them: it does nothing else meanwhile.
const MAX_BYTES_READ: usize = 32 * 1024 * 1024;

/// A request for a page of the jobs in one state.
#[derive(Clone, Copy, Debug)]
pub struct ListJobs<'a> {
    /// Whose jobs. Need not exist.
    pub queue: &'a QueueName,
    /// In which state.
    pub state: State,
    /// How many at most, from 1 to [`ListJobs::MAX_JOBS`].
    pub max_jobs: usize,
    /// The last job of the page before, `None` for the first page.
    pub after: Option<&'a Cursor>,
    /// Whether the order of the state is turned round.
    pub is_newest_first: bool,
    /// Whether their payloads are wanted. Then there are fewer when they are large: no more than 4 MiB, or one.
    pub has_payloads: bool,
}

impl ListJobs<'_> {
    /// How many jobs a page may have.
    pub const MAX_JOBS: usize = 200;
}

/// A page of jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct JobPage {
    /// The jobs, in their order in their state.
    pub jobs: Vec<Job>,
    /// Whether there are more after these.
    pub has_more: bool,
}

/// Where a page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The last job's position: [`Job::position`].
    pub position: i64,
    /// The last job.
    pub id: JobId,
}

/// A request for jobs that match, one state after the other, in each the newest first: those that would be claimed last, are
/// due last, or ended last.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// Whose jobs. Need not exist.
    pub queue: &'a QueueName,
    /// In which state, `None` for all.
    pub state: Option<State>,
    /// Only these, at most [`Search::MAX_IDS`], empty for all. There is no next page: the last ones are left out when the payloads of
    /// the first take too much.
    pub ids: &'a [JobId],
    /// Which.
    pub filter: &'a Filter,
    /// How many at most, from 1 to [`ListJobs::MAX_JOBS`].
    pub max_jobs: usize,
    /// Where the call before ended: [`SearchPage::next`].
    pub after: Option<&'a SearchPlace>,
    /// Whether their payloads are wanted.
    pub has_payloads: bool,
}

impl Search<'_> {
    /// How many of the newest jobs of each state are looked at in all calls together.
    pub const MAX_IN_STATE: usize = 100_000;

    /// How many jobs a search may name.
    pub const MAX_IDS: usize = 50;
}

/// What one call found: it looks at no more than [`MAX_SLICE`] jobs, nor at more than 4 MiB of payloads of each partition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchPage {
    /// The jobs that match. There may be none although there is a next page.
    pub jobs: Vec<Job>,
    /// At how many jobs this call looked.
    pub looked_at: u64,
    /// At how many jobs further calls would look.
    pub left: u64,
    /// How many jobs are passed over: those that are not among the newest of their state.
    pub passed_over: u64,
    /// Where the next call goes on, `None` when there is nothing left to look at.
    pub next: Option<SearchPlace>,
}

/// Where a search is to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchPlace {
    /// In which state.
    pub state: State,
    /// Behind which job, `None` for the first one of the state. Its id tells the partition.
    pub after: Option<Cursor>,
    /// At how many jobs of the state the calls before looked.
    pub looked_at: u64,
}

/// What the script takes beside the queue.
#[derive(Clone, Copy)]
struct Walk<'a> {
    /// The states in the partition in which the walk begins; in further ones it goes through all of `all_states`.
    states: &'a [State],
    all_states: &'a [State],
    ids: &'a [JobId],
    filter: &'a Filter,
    max_jobs: usize,
    max_looked_at: usize,
    /// `None` for a list: it does not tell how many jobs are left.
    max_in_state: Option<usize>,
    max_bytes: usize,
    has_payloads: bool,
    is_newest_first: bool,
    after: Option<Cursor>,
    looked_at: u64,
}

impl<R: Redis> Store<R> {
    /// The next page of jobs in one state, in their order there: ready ones as they would be claimed, the others by
    /// their time. Where the queue has several partitions, one after the other, each in this order. One command, and one more for each
    /// further partition that is looked in; one more for each 1,000 jobs in a row whose records are gone.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn jobs(&self, list: ListJobs<'_>) -> Result<JobPage, RedisError> {
        let mut after = list.after.copied();
        loop {
            let walk = Walk {
                states: &[list.state],
                all_states: &[list.state],
                ids: &[],
                filter: &Filter::default(),
                max_jobs: list.max_jobs,
                max_looked_at: MAX_SLICE,
                max_in_state: None,
                max_bytes: if list.has_payloads { MAX_BYTES } else { MAX_BYTES_READ },
                has_payloads: list.has_payloads,
                is_newest_first: list.is_newest_first,
                after,
                looked_at: 0,
            };
            let page = self.walk(list.queue, walk).await?;
            if !page.jobs.is_empty() || page.next.is_none() {
                return Ok(JobPage {
                    jobs: page.jobs,
                    has_more: page.next.is_some(),
                });
            }
            after = page.next.and_then(|next| next.after);
        }
    }

    /// The next jobs that match. One command, and one for each further partition of the queue.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn search(&self, search: Search<'_>) -> Result<SearchPage, RedisError> {
        let all_states = search.state.map_or(State::ALL.to_vec(), |state| vec![state]);
        let reached = search
            .after
            .and_then(|place| all_states.iter().position(|state| *state == place.state));
        let walk = Walk {
            states: all_states.get(reached.unwrap_or_default()..).unwrap_or_default(),
            all_states: &all_states,
            ids: search.ids,
            filter: search.filter,
            max_jobs: search.max_jobs,
            max_looked_at: MAX_SLICE,
            max_in_state: Some(Search::MAX_IN_STATE),
            max_bytes: MAX_BYTES,
            has_payloads: search.has_payloads,
            is_newest_first: true,
            after: search.after.and_then(|place| place.after),
            looked_at: search.after.map_or(0, |place| place.looked_at),
        };
        if search.ids.is_empty() {
            self.walk(search.queue, walk).await
        } else {
            self.look_at_ids(search.queue, walk).await
        }
    }

    /// Walks on, from partition to partition.
    async fn walk(&self, queue: &QueueName, walk: Walk<'_>) -> Result<SearchPage, RedisError> {
        let (first, after) = begin_behind(walk.after);
        let max_jobs = walk.max_jobs.clamp(1, ListJobs::MAX_JOBS);
        let mut page = SearchPage::default();
        let mut max_bytes = walk.max_bytes;
        let mut partition = first;
        while partition == first || partition < self.layout(queue).span {
            // Of what is behind the page's end it is only told how many there are.
            let is_full = page.next.is_some() || page.jobs.len() >= max_jobs || max_bytes == 0;
            let is_first = partition == first;
            let part = Walk {
                states: if is_first { walk.states } else { walk.all_states },
                max_jobs: max_jobs.saturating_sub(page.jobs.len()).max(1),
                max_looked_at: if is_full {
                    0
                } else {
                    left_of(walk.max_looked_at, page.looked_at)
                },
                max_bytes,
                after: after.filter(|_| is_first),
                looked_at: if is_first { walk.looked_at } else { 0 },
                ..walk
            };
            let found = self.walk_in(queue, partition, part).await?;
            if walk.has_payloads {
                max_bytes = max_bytes.saturating_sub(found.jobs.iter().map(|job| job.payload.len()).sum());
            }
            page.jobs.extend(found.jobs);
            page.looked_at += found.looked_at;
            page.left += found.left;
            page.passed_over += found.passed_over;
            page.next = page.next.or_else(|| {
                found.next.map(|next| SearchPlace {
                    after: next.after.or_else(|| beginning_of(partition)),
                    ..next
                })
            });
            if page.next.is_some() && walk.max_in_state.is_none() {
                break;
            }
            partition += 1;
        }
        Ok(page)
    }

    /// Looks at the jobs with these ids, each in its partition.
    async fn look_at_ids(&self, queue: &QueueName, walk: Walk<'_>) -> Result<SearchPage, RedisError> {
        let mut page = SearchPage::default();
        for (partition, ids) in by_partition(walk.ids) {
            let found = self.walk_in(queue, partition, Walk { ids: &ids, ..walk }).await?;
            page.jobs.extend(found.jobs);
            page.looked_at += found.looked_at;
            page.left += found.left;
        }
        let place = |job: &Job| walk.ids.iter().position(|id| *id == job.id);
        page.jobs.sort_by_key(place);
        Ok(page)
    }

    async fn walk_in(&self, queue: &QueueName, partition: u8, walk: Walk<'_>) -> Result<SearchPage, RedisError> {
        let flag = |flag| if flag { &b"1"[..] } else { b"" };
        let numbers = [
            walk.max_jobs.clamp(1, ListJobs::MAX_JOBS).to_string(),
            walk.max_looked_at.to_string(),
            walk.max_in_state.map(|max| max.to_string()).unwrap_or_default(),
            walk.max_bytes.to_string(),
        ];
        let (position, id) = place_args(walk.after.as_ref());
        let (looked_at, states) = (walk.looked_at.to_string(), walk.states.len().to_string());
        let filter = walk.filter.pack()?;
        let mut args: Vec<&[u8]> = numbers.iter().map(String::as_bytes).collect();
        args.extend([flag(walk.has_payloads), flag(walk.is_newest_first), &filter]);
        args.extend([position.as_bytes(), id, looked_at.as_bytes(), states.as_bytes()]);
        args.extend(walk.states.iter().map(|state| state.name().as_bytes()));
        args.extend(walk.ids.iter().map(JobId::as_bytes));

        let mut reply = self.run_in(&scripts::SEARCH, queue, partition, &args).await?;
        let (looked_at, left, passed_over) = (reply.count()?, reply.count()?, reply.count()?);
        let state = reply.text()?.and_then(|name| State::named(&name));
        let state = state.ok_or_else(|| RedisError::Unexpected("the state of a search".into()))?;
        let next = SearchPlace {
            state,
            after: read_place(&mut reply)?,
            looked_at: reply.count()?,
        };
        Ok(SearchPage {
            jobs: Job::read_all(&mut reply)?,
            looked_at,
            left,
            passed_over,
            next: (left > 0 && walk.ids.is_empty()).then_some(next),
        })
    }
}

/// The partition in which a walk goes on, and behind which of its jobs: `None` for the first one.
pub(super) fn begin_behind(after: Option<Cursor>) -> (u8, Option<Cursor>) {
    let partition = after.map_or(0, |after| after.id.partition());
    (partition, after.filter(|after| !after.id.is_before_partition()))
}

/// The place before all jobs of a partition: of partition 0 it is none.
pub(super) fn beginning_of(partition: u8) -> Option<Cursor> {
    let id = JobId::before_partition(partition);
    (partition > 0).then_some(Cursor { position: 0, id })
}

/// How many of so many jobs may still be looked at.
pub(super) fn left_of(max: usize, looked_at: u64) -> usize {
    max.saturating_sub(usize::try_from(looked_at).unwrap_or(usize::MAX))
}

/// Ids by the partitions of their jobs, in their order in each.
pub(super) fn by_partition(ids: &[JobId]) -> Vec<(u8, Vec<JobId>)> {
    let mut partitions: Vec<(u8, Vec<JobId>)> = Vec::new();
    for id in ids {
        match partitions
            .iter_mut()
            .find(|(partition, _)| *partition == id.partition())
        {
            Some((_, ids)) => ids.push(*id),
            None => partitions.push((id.partition(), vec![*id])),
        }
    }
    partitions
}

/// A place as scripts take it: a position and an id, both empty for the beginning.
pub(super) fn place_args(after: Option<&Cursor>) -> (String, &[u8]) {
    let position = after.map(|cursor| cursor.position.to_string());
    (
        position.unwrap_or_default(),
        after.map_or(&[], |cursor| cursor.id.as_bytes()),
    )
}

/// A place as scripts reply it.
pub(super) fn read_place(reply: &mut ReplyReader) -> Result<Option<Cursor>, RedisError> {
    let (position, id) = (reply.text()?.unwrap_or_default(), reply.bytes()?);
    if id.is_empty() {
        return Ok(None);
    }
    let cursor = position.parse().ok().zip(JobId::from_bytes(&id));
    let cursor = cursor.map(|(position, id)| Cursor { position, id });
    cursor
        .map(Some)
        .ok_or_else(|| RedisError::Unexpected("the place of a job".into()))
}
