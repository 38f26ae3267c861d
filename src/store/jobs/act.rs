//! Acting on all jobs that match: redrive, promote, cancel, delete.

use super::filter::Filter;
use super::insert_parts::MAX_TRIES;
use super::search::{Cursor, begin_behind, beginning_of, by_partition, left_of, place_args, read_place};
use super::{MAX_BYTES, MAX_SLICE};
use crate::queue::{JobId, QueueName, State, Timestamp};
use crate::store::redis::{Redis, RedisError, Store, scripts};

/// How many jobs are cancelled in one call: each may let a hundred others be forgotten.
const MAX_CANCELLED: usize = 100;

/// What is done with jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Dead jobs are ready again, as if they had never failed or expired.
    Redrive,
    /// Scheduled jobs are ready now, as if they had just become due.
    Promote,
    /// Jobs that have not ended are not handed out any more, or their worker learns of it.
    Cancel,
    /// Jobs that are not active are forgotten.
    Delete,
}

impl Action {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redrive => "redrive",
            Self::Promote => "promote",
            Self::Cancel => "cancel",
            Self::Delete => "delete",
        }
    }

    /// In which states it takes jobs.
    #[must_use]
    pub const fn states(self) -> &'static [State] {
        match self {
            Self::Redrive => &[State::Dead],
            Self::Promote => &[State::Scheduled],
            Self::Cancel => &[State::Ready, State::Scheduled, State::Active],
            Self::Delete => &[
                State::Ready,
                State::Scheduled,
                State::Done,
                State::Dead,
                State::Cancelled,
            ],
        }
    }
}

/// A request to act on jobs, some at a time.
#[derive(Clone, Copy, Debug)]
pub struct Act<'a> {
    /// Whose jobs. Need not exist.
    pub queue: &'a QueueName,
    /// What is done with them.
    pub action: Action,
    /// On which of them.
    pub on: ActOn<'a>,
    /// Those of them that match.
    pub filter: &'a Filter,
    /// How many are changed at most. No more than 100 are cancelled in one call.
    pub max_jobs: usize,
}

/// On which jobs of a queue to act.
#[derive(Clone, Copy, Debug)]
pub enum ActOn<'a> {
    /// These, at most [`MAX_SLICE`]; and only if they are in this state, where there is one.
    Ids(&'a [JobId], Option<State>),
    /// Those in a state, from behind a place on: [`Acted::next`].
    State(State, Option<&'a ActPlace>),
}

/// Where the next call goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActPlace {
    /// When the first call was. Jobs that were inserted, claimed, or ended later are passed over: so none is taken twice, and the
    /// calls come to an end.
    pub began: Timestamp,
    /// Behind which job, `None` for the first one.
    pub after: Option<Cursor>,
}

/// What became of jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acted {
    /// How many were changed.
    pub changed: u64,
    /// How many stay dead because another job holds their unique key.
    pub conflicts: u64,
    /// How many ids are not of jobs in a state that the action takes.
    pub unknown: u64,
    /// At how many jobs this call looked.
    pub looked_at: u64,
    /// How many jobs of the state are left to be looked at; of ids, how many of the last ones were not.
    pub left: u64,
    /// How many jobs are in the state now. 0 where ids were given without a state.
    pub in_state: u64,
    /// Where the next call goes on, `None` when nothing is left.
    pub next: Option<ActPlace>,
}

/// What the script takes beside the queue.
#[derive(Clone, Copy)]
struct Step<'a> {
    act: Act<'a>,
    state: Option<State>,
    ids: Option<&'a [JobId]>,
    max_jobs: usize,
    max_looked_at: usize,
    began: Option<Timestamp>,
    after: Option<Cursor>,
    /// The version of the layout by which nobody else holds the unique keys of these jobs.
    cleared_by: Option<u64>,
}

/// What it says, and the dead jobs that it left alone since their unique keys may be held in another partition.
struct Stepped {
    acted: Acted,
    began: Timestamp,
    after: Option<Cursor>,
    left_alone: Vec<(JobId, String)>,
}

impl<R: Redis> Store<R> {
    /// Acts on the next jobs that match: it looks at no more than [`MAX_SLICE`], nor at more than 4 MiB of payloads of a partition. It
    /// looks at none while jobs are still to become ready that might come before others. One command, and where the queue has several
    /// partitions one for each; of ids, some for each partition that they are of.
    ///
    /// After the number of partitions was changed, some commands more for each dead job with a unique key: it is looked for in
    /// all partitions to which the key belonged, and no other job gets the key for a minute.
    ///
    /// # Errors
    /// [`RedisError`]. Repeated, it goes on to further jobs, where more match than `max_jobs`.
    pub async fn act(&self, act: Act<'_>) -> Result<Acted, RedisError> {
        match act.on {
            ActOn::Ids(ids, state) => self.act_on_ids(act, ids, state).await,
            ActOn::State(state, place) => self.act_on_state(act, state, place).await,
        }
    }

    async fn act_on_state(&self, act: Act<'_>, state: State, place: Option<&ActPlace>) -> Result<Acted, RedisError> {
        let (first, after) = begin_behind(place.and_then(|place| place.after));
        let mut began = place.map(|place| place.began);
        let max_jobs = act.max_jobs();
        let mut all = Acted::default();
        let mut partition = 0;
        while partition == 0 || partition < self.layout(act.queue).span {
            let is_before = partition < first;
            let is_over = is_before || all.next.is_some();
            let step = Step {
                act,
                state: Some(state),
                ids: None,
                max_jobs: left_of(max_jobs, all.changed),
                max_looked_at: if is_over { 0 } else { left_of(MAX_SLICE, all.looked_at) },
                began,
                after: after.filter(|_| partition == first),
                cleared_by: None,
            };
            let stepped = self.step(partition, step).await;
            let stepped = stepped.map_err(|error| if all.changed > 0 { error.after_a_change() } else { error })?;
            began = began.or(Some(stepped.began));
            let part = stepped.acted;
            if !is_before {
                all.left += part.left;
            }
            if !is_over && part.left > 0 {
                let after = stepped.after.or_else(|| beginning_of(partition));
                all.next = Some(ActPlace {
                    began: began.unwrap_or(stepped.began),
                    after,
                });
            }
            all.add(&part);
            partition += 1;
        }
        Ok(all)
    }

    async fn act_on_ids(&self, act: Act<'_>, ids: &[JobId], state: Option<State>) -> Result<Acted, RedisError> {
        let mut all = Acted::default();
        let mut partitions = by_partition(ids);
        let is_spread = partitions.len() > 1;
        if is_spread && act.action == Action::Cancel {
            // The last ones are left.
            let (now, later) = ids.split_at(ids.len().min(MAX_CANCELLED));
            partitions = by_partition(now);
            all.left = later.len() as u64;
        }
        for (partition, ids) in &partitions {
            let mut ids = &ids[..];
            loop {
                let step = Step {
                    act,
                    state,
                    ids: Some(ids),
                    max_jobs: act.max_jobs(),
                    max_looked_at: MAX_SLICE,
                    began: None,
                    after: None,
                    cleared_by: None,
                };
                let stepped = self.step(*partition, step).await;
                let part = stepped.map_err(|error| if all.changed > 0 { error.after_a_change() } else { error })?;
                let left = left_of(ids.len(), ids.len() as u64 - part.acted.left.min(ids.len() as u64));
                let is_last = left == 0 || !is_spread;
                all.add(&Acted {
                    in_state: if is_last { part.acted.in_state } else { 0 },
                    ..part.acted
                });
                if is_last {
                    all.left += part.acted.left;
                    break;
                }
                ids = ids.get(ids.len() - left..).unwrap_or_default();
            }
        }
        let others = (0..self.layout(act.queue).span).filter(|other| partitions.iter().all(|(of, _)| of != other));
        for partition in others.filter(|_| state.is_some()) {
            // How many are in the state there.
            let step = Step {
                act,
                state,
                ids: Some(&[]),
                max_jobs: 0,
                max_looked_at: 0,
                began: None,
                after: None,
                cleared_by: None,
            };
            all.add(&self.step_once(partition, step).await?.acted);
        }
        Ok(all)
    }

    /// Acts in one partition. What it leaves alone is acted on when nobody else holds the keys.
    async fn step(&self, partition: u8, step: Step<'_>) -> Result<Stepped, RedisError> {
        let mut stepped = self.step_once(partition, step).await?;
        let mut open = std::mem::take(&mut stepped.left_alone);
        for _ in 0..MAX_TRIES {
            if open.is_empty() {
                return Ok(stepped);
            }
            let tried = self.step_with_keys(partition, step, &mut stepped.acted, open).await;
            open = tried.map_err(RedisError::after_a_change)?;
        }
        Err(super::never_settled().after_a_change())
    }

    /// Acts on jobs, each with its unique key, once nobody else holds that. Gives those that are to be tried again, since the layout was
    /// changed meanwhile, or they were too many.
    async fn step_with_keys(
        &self,
        partition: u8,
        step: Step<'_>,
        acted: &mut Acted,
        jobs: Vec<(JobId, String)>,
    ) -> Result<Vec<(JobId, String)>, RedisError> {
        let (mut free, mut version) = (Vec::new(), 0);
        for (id, key) in jobs {
            match self.reserve_key(step.act.queue, &id, &key).await? {
                Some(by) => {
                    version = by.max(version);
                    free.push((id, key, by));
                }
                None => acted.conflicts += 1,
            }
        }
        let cleared: Vec<JobId> = free
            .iter()
            .filter(|(_, _, by)| *by == version)
            .map(|(id, _, _)| *id)
            .collect();
        if cleared.is_empty() {
            return Ok(Vec::new());
        }
        let again = Step {
            ids: Some(&cleared),
            max_jobs: cleared.len(),
            max_looked_at: cleared.len(),
            after: None,
            cleared_by: Some(version),
            ..step
        };
        let again = self.step_once(partition, again).await?.acted;
        acted.changed += again.changed;
        acted.conflicts += again.conflicts;
        acted.in_state = again.in_state;
        if again.looked_at == 0 {
            self.follow(step.act.queue, partition, version).await?;
        }
        let done = cleared.get(..left_of(cleared.len(), again.left)).unwrap_or_default();
        free.retain(|(id, _, _)| !done.contains(id));
        Ok(free.into_iter().map(|(id, key, _)| (id, key)).collect())
    }

    async fn step_once(&self, partition: u8, step: Step<'_>) -> Result<Stepped, RedisError> {
        let max_jobs = step.max_jobs.to_string();
        let max_looked_at = step.max_looked_at.to_string();
        let max_bytes = MAX_BYTES.to_string();
        let filter = step.act.filter.pack()?;
        let began = step.began.map(|began| began.as_millis().to_string());
        let began = began.unwrap_or_default();
        let (position, id) = place_args(step.after.as_ref());
        let flag = |flag| if flag { &b"1"[..] } else { b"" };
        let cleared_by = step.cleared_by.map(|version| version.to_string()).unwrap_or_default();
        let mut args = vec![
            step.act.action.name().as_bytes(),
            step.state.map_or("", State::name).as_bytes(),
            max_jobs.as_bytes(),
            max_looked_at.as_bytes(),
            max_bytes.as_bytes(),
            &filter,
            began.as_bytes(),
            position.as_bytes(),
            id,
            flag(step.ids.is_some()),
            cleared_by.as_bytes(),
        ];
        args.extend(step.ids.unwrap_or_default().iter().map(JobId::as_bytes));

        let mut reply = self.run_in(&scripts::ACT, step.act.queue, partition, &args).await?;
        let (changed, conflicts, unknown) = (reply.count()?, reply.count()?, reply.count()?);
        let (looked_at, left, in_state) = (reply.count()?, reply.count()?, reply.count()?);
        let began = Timestamp::from_millis(reply.integer()?);
        let after = read_place(&mut reply)?;
        let mut left_alone = Vec::new();
        while !reply.is_empty() {
            left_alone.push((reply.job_id()?, reply.text()?.unwrap_or_default()));
        }
        Ok(Stepped {
            acted: Acted {
                changed,
                conflicts,
                unknown,
                looked_at,
                left,
                in_state,
                next: None,
            },
            began,
            after,
            left_alone,
        })
    }
}

impl Act<'_> {
    /// How many jobs are changed at most.
    fn max_jobs(&self) -> usize {
        match self.action {
            Action::Cancel => self.max_jobs.min(MAX_CANCELLED),
            _ => self.max_jobs,
        }
    }
}

impl Acted {
    /// Adds what became of others, without those that are left.
    fn add(&mut self, part: &Self) {
        self.changed += part.changed;
        self.conflicts += part.conflicts;
        self.unknown += part.unknown;
        self.looked_at += part.looked_at;
        self.in_state += part.in_state;
    }
}
