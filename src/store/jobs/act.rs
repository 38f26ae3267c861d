//! Acting on all jobs that match: redrive, promote, cancel, delete.

use super::filter::Filter;
use super::search::{Cursor, place_args, read_place};
use super::{MAX_BYTES, MAX_SLICE};
use crate::queue::{JobId, QueueName, State, Timestamp};
use crate::store::redis::{Redis, RedisError, Store, scripts};

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
#[derive(Clone, Debug, PartialEq, Eq)]
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

impl<R: Redis> Store<R> {
    /// Acts on the next jobs that match: it looks at no more than [`MAX_SLICE`], nor at more than 4 MiB of payloads. It looks at
    /// none while jobs are still to become ready that might come before others. One command.
    ///
    /// # Errors
    /// [`RedisError`]. Repeated, it goes on to further jobs, where more match than `max_jobs`.
    pub async fn act(&self, act: Act<'_>) -> Result<Acted, RedisError> {
        let (ids, state, place) = match act.on {
            ActOn::Ids(ids, state) => (ids, state, None),
            ActOn::State(state, place) => (&[][..], Some(state), place),
        };
        let max_jobs = act.max_jobs.to_string();
        let max_looked_at = MAX_SLICE.to_string();
        let max_bytes = MAX_BYTES.to_string();
        let filter = act.filter.pack()?;
        let began = place.map(|place| place.began.as_millis().to_string());
        let began = began.unwrap_or_default();
        let (position, id) = place_args(place.and_then(|place| place.after.as_ref()));
        let mut args = vec![
            act.action.name().as_bytes(),
            state.map_or("", State::name).as_bytes(),
            max_jobs.as_bytes(),
            max_looked_at.as_bytes(),
            max_bytes.as_bytes(),
            &filter,
            began.as_bytes(),
            position.as_bytes(),
            id,
            if matches!(act.on, ActOn::Ids(..)) { b"1" } else { b"" },
        ];
        args.extend(ids.iter().map(JobId::as_bytes));

        let mut reply = self.run(&scripts::ACT, act.queue, &args).await?;
        let (changed, conflicts, unknown) = (reply.count()?, reply.count()?, reply.count()?);
        let (looked_at, left, in_state) = (reply.count()?, reply.count()?, reply.count()?);
        let began = Timestamp::from_millis(reply.integer()?);
        let after = read_place(&mut reply)?;
        Ok(Acted {
            changed,
            conflicts,
            unknown,
            looked_at,
            left,
            in_state,
            next: (left > 0 && ids.is_empty()).then_some(ActPlace { began, after }),
        })
    }
}
