//! A job as the store returns it.

use crate::queue::{Backoff, Hold, JobId, Receipt, State, Timestamp};
use crate::store::redis::{
    Execution, ExecutionError, ExecutionRelease, Options, RedisError, ReplyReader, unpack_backoff, unpack_hold,
    unpack_unique_key,
};
use std::time::Duration;

/// A job, with all that is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its id, which contains its priority and the time of its insertion.
    pub id: JobId,
    /// The state it is in.
    pub state: State,
    /// When it is due (scheduled), when its lease ends (active), when it is forgotten (done, dead, cancelled). Of no
    /// meaning for a ready one.
    pub state_time: Timestamp,
    /// Its position among those of its state, for a [`Cursor`](super::Cursor).
    pub position: i64,
    /// How often it was claimed.
    pub claims: u64,
    /// How often it failed since its insertion or redrive.
    pub failures: u64,
    /// How many leases on it were lost since then.
    pub lost_leases: u64,
    /// Who claimed it last, where that one named itself.
    pub worker: Option<Vec<u8>>,
    /// When it was last claimed.
    pub claimed: Option<Timestamp>,
    /// When it got done, dead or cancelled.
    pub ended: Option<Timestamp>,
    /// Why it is dead.
    pub reason: Option<DeathReason>,
    /// The progress that its worker last reported: JSON.
    pub progress: Option<String>,
    /// What its worker gave with its acknowledgement: JSON.
    pub result: Option<String>,
    /// What it failed of: the last errors, at most 5, oldest first.
    pub errors: Vec<JobError>,
    /// How often it was released since its insertion or redrive, and what was said the last time. `None` for never.
    pub released: Option<(u64, JobError)>,
    /// Its own number of failures after which it is dead.
    pub max_attempts: Option<u32>,
    /// Its own backoff.
    pub backoff: Option<Backoff>,
    /// Its own lease.
    pub lease: Option<Duration>,
    /// After which time from its insertion it is not handed out any more.
    pub expires_in: Option<Duration>,
    /// The unique key that it was inserted with, and how long that is held.
    pub unique: Option<(Vec<u8>, Hold)>,
    /// What its producer noted: JSON.
    pub metadata: Option<String>,
    /// The trace context that it was inserted in.
    pub traceparent: Option<String>,
    /// More of that.
    pub tracestate: Option<String>,
    /// Its bytes. Empty where they were not asked for.
    pub payload: Vec<u8>,
}

/// What a worker said when it gave a job back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobError {
    /// When it said so.
    pub at: Timestamp,
    /// Which claim of the job it was, from 1.
    pub claim: u64,
    /// What the worker said.
    pub text: String,
}

/// Why a job is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeathReason {
    /// It failed too often.
    Failed,
    /// Too many leases on it were lost.
    LostLeases,
    /// It was not handed out in time.
    Expired,
    /// Its worker said that it is not to be tried again.
    Rejected,
}

impl DeathReason {
    /// All reasons.
    pub const ALL: [Self; 4] = [Self::Failed, Self::LostLeases, Self::Expired, Self::Rejected];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::LostLeases => "lost-leases",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
        }
    }

    /// The reason of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

impl Job {
    /// The receipt of its last claim, `None` when it never was claimed.
    #[must_use]
    pub fn receipt(&self) -> Option<Receipt> {
        (self.claims > 0).then(|| Receipt::new(self.id, self.claims))
    }

    /// Reads the fields that `add_job` of `lua/job.lua` appends.
    pub(in crate::store) fn read(reply: &mut ReplyReader) -> Result<Self, RedisError> {
        let unexpected = |what: &str| RedisError::Unexpected(format!("{what} of a job"));
        let id = reply.job_id()?;
        let state = reply.text()?.and_then(|name| State::named(&name));
        let state = state.ok_or_else(|| unexpected("the state"))?;
        let position = reply.text()?.and_then(|position| position.parse().ok());
        let position = position.ok_or_else(|| unexpected("the position"))?;
        let execution: Execution = reply.packed()?.unwrap_or_default();
        let options: Options = reply.packed()?.unwrap_or_default();
        let hold = unpack_hold(options.unique_scope.as_deref(), options.unique_for);
        Ok(Self {
            id,
            state,
            state_time: Timestamp::from_millis(position),
            position,
            claims: execution.claims,
            failures: execution.failures,
            lost_leases: execution.lost_leases,
            worker: execution
                .worker
                .map(serde_bytes::ByteBuf::into_vec)
                .filter(|id| !id.is_empty()),
            claimed: execution.claimed.map(Timestamp::from_millis),
            ended: execution.ended.map(Timestamp::from_millis),
            reason: execution.reason.as_deref().and_then(DeathReason::named),
            progress: execution.progress,
            result: execution.result,
            errors: execution.errors.into_iter().map(JobError::from).collect(),
            released: execution.released.map(unpack_release),
            max_attempts: options.max_attempts,
            backoff: unpack_backoff(options.backoff.as_deref(), options.backoff_delay, options.backoff_max),
            lease: options.lease.map(Duration::from_millis),
            expires_in: options.expires.map(Duration::from_millis),
            unique: options.unique.map(|key| (unpack_unique_key(&key), hold)),
            metadata: options.metadata,
            traceparent: options.traceparent,
            tracestate: options.tracestate,
            payload: reply.bytes()?,
        })
    }

    /// Reads jobs to the reply's end.
    pub(in crate::store) fn read_all(reply: &mut ReplyReader) -> Result<Vec<Self>, RedisError> {
        let mut jobs = Vec::new();
        while !reply.is_empty() {
            jobs.push(Self::read(reply)?);
        }
        Ok(jobs)
    }
}

impl From<ExecutionError> for JobError {
    fn from(ExecutionError { at, claim, text }: ExecutionError) -> Self {
        let at = Timestamp::from_millis(at);
        Self { at, claim, text }
    }
}

fn unpack_release(ExecutionRelease { times, at, claim, text }: ExecutionRelease) -> (u64, JobError) {
    (times, ExecutionError { at, claim, text }.into())
}
