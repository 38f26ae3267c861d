//! Dead jobs: made ready again, forgotten, and grouped by what they died of.

use super::MAX_SLICE;
use super::act::{Act, ActOn, Acted, Action};
use super::filter::Filter;
use super::job::DeathReason;
use super::search::{Cursor, begin_behind, beginning_of, left_of, place_args, read_place};
use crate::queue::{JobId, QueueName, State, Timestamp};
use crate::store::redis::{Redis, RedisError, Store, scripts};

/// Which dead jobs of a queue.
#[derive(Clone, Copy, Debug)]
pub enum DeadJobs<'a> {
    /// These, at most [`MAX_SLICE`].
    Ids(&'a [JobId]),
    /// So many at most of those that would be forgotten first.
    First(usize),
}

/// What became of dead jobs that were to be redriven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redriven {
    /// How many are ready again.
    pub redriven: u64,
    /// How many stay dead because another job holds their unique key.
    pub conflicts: u64,
    /// How many of the ids are not of dead jobs.
    pub unknown: u64,
    /// How many are dead now.
    pub dead: u64,
}

/// What became of dead jobs that were to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purged {
    /// How many were forgotten.
    pub removed: u64,
    /// How many of the ids are not of dead jobs.
    pub unknown: u64,
    /// How many are dead now.
    pub dead: u64,
}

/// Some dead jobs, grouped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadGroups {
    /// The groups, that of the newest job first. Other calls may find more jobs of the same groups.
    pub groups: Vec<DeadGroup>,
    /// At how many dead jobs this call looked.
    pub looked_at: u64,
    /// At how many further calls would look.
    pub left: u64,
    /// Where the next call goes on, `None` when nothing is left.
    pub next: Option<Cursor>,
}

/// Dead jobs whose errors are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadGroup {
    /// Why they are dead.
    pub reason: Option<DeathReason>,
    /// What their last errors have in common: the first line, at most 200 bytes of it, with `#` for each number or identifier and
    /// with nothing between quotes. Empty where no error was told.
    pub group: String,
    /// How many there are.
    pub jobs: u64,
    /// The newest of them.
    pub newest: JobId,
    /// When that one died.
    pub newest_ended: Timestamp,
    /// The beginning of its last error.
    pub newest_error: String,
    /// When the oldest of them died.
    pub oldest_ended: Timestamp,
}

impl<R: Redis> Store<R> {
    /// Makes dead jobs ready again, as if they had never failed or expired. As many commands as [`act`](Store::act) takes.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn redrive(&self, queue: &QueueName, dead: DeadJobs<'_>) -> Result<Redriven, RedisError> {
        let acted = self.act_on_dead(queue, Action::Redrive, dead).await?;
        Ok(Redriven {
            redriven: acted.changed,
            conflicts: acted.conflicts,
            unknown: acted.unknown,
            dead: acted.in_state,
        })
    }

    /// Forgets dead jobs. As many commands as [`act`](Store::act) takes.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn purge_dead(&self, queue: &QueueName, dead: DeadJobs<'_>) -> Result<Purged, RedisError> {
        let acted = self.act_on_dead(queue, Action::Delete, dead).await?;
        Ok(Purged {
            removed: acted.changed,
            unknown: acted.unknown,
            dead: acted.in_state,
        })
    }

    async fn act_on_dead(&self, queue: &QueueName, action: Action, dead: DeadJobs<'_>) -> Result<Acted, RedisError> {
        let (on, max_jobs) = match dead {
            DeadJobs::Ids(ids) => (ActOn::Ids(ids, Some(State::Dead)), MAX_SLICE),
            DeadJobs::First(max_jobs) => (ActOn::State(State::Dead, None), max_jobs),
        };
        let filter = &Filter::default();
        let act = Act {
            queue,
            action,
            on,
            filter,
            max_jobs,
        };
        self.act(act).await
    }

    /// Groups the next dead jobs, the newest first: at most [`MAX_SLICE`] of them. One command, and one for each further partition of
    /// the queue, which come one after the other.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn dead_groups(&self, queue: &QueueName, after: Option<&Cursor>) -> Result<DeadGroups, RedisError> {
        let (first, after) = begin_behind(after.copied());
        let mut all = DeadGroups::default();
        let mut partition = first;
        while partition == first || partition < self.layout(queue).span {
            let max_looked_at = if all.next.is_some() {
                0
            } else {
                left_of(MAX_SLICE, all.looked_at)
            };
            let after = after.filter(|_| partition == first);
            let part = self
                .dead_groups_in(queue, partition, after.as_ref(), max_looked_at)
                .await?;
            all.looked_at += part.looked_at;
            all.left += part.left;
            if all.next.is_none() && part.left > 0 {
                all.next = part.next.or_else(|| beginning_of(partition));
            }
            all.add_groups(part.groups);
            partition += 1;
        }
        Ok(all)
    }

    async fn dead_groups_in(
        &self,
        queue: &QueueName,
        partition: u8,
        after: Option<&Cursor>,
        max_looked_at: usize,
    ) -> Result<DeadGroups, RedisError> {
        let max_looked_at = max_looked_at.to_string();
        let (position, id) = place_args(after);
        let args = [max_looked_at.as_bytes(), position.as_bytes(), id];
        let mut reply = self.run_in(&scripts::GROUP_DEAD, queue, partition, &args).await?;
        let (looked_at, left) = (reply.count()?, reply.count()?);
        let next = read_place(&mut reply)?;
        let mut groups = Vec::new();
        while !reply.is_empty() {
            let reason = reply.text()?;
            groups.push(DeadGroup {
                reason: reason.as_deref().and_then(DeathReason::named),
                group: reply.text()?.unwrap_or_default(),
                jobs: reply.count()?,
                newest: reply.job_id()?,
                newest_ended: Timestamp::from_millis(reply.integer()?),
                newest_error: reply.text()?.unwrap_or_default(),
                oldest_ended: Timestamp::from_millis(reply.integer()?),
            });
        }
        Ok(DeadGroups {
            groups,
            looked_at,
            left,
            next: next.filter(|_| left > 0),
        })
    }
}

impl DeadGroups {
    /// Adds the groups of another partition.
    fn add_groups(&mut self, groups: Vec<DeadGroup>) {
        if self.groups.is_empty() {
            self.groups = groups;
            return;
        }
        for group in groups {
            let mut known = self.groups.iter_mut();
            let Some(same) = known.find(|known| known.reason == group.reason && known.group == group.group) else {
                self.groups.push(group);
                continue;
            };
            same.jobs += group.jobs;
            same.oldest_ended = same.oldest_ended.min(group.oldest_ended);
            if group.newest_ended > same.newest_ended {
                same.newest = group.newest;
                same.newest_ended = group.newest_ended;
                same.newest_error = group.newest_error;
            }
        }
        self.groups.sort_by_key(|group| std::cmp::Reverse(group.newest_ended));
    }
}
