//! A job of the model.

use super::call::{Bytes, Spec};
use super::rules::{duration, millis, rounded};
use presque::queue::{Hold, JobId, State, Timestamp};
use presque::store::{self, DeathReason, JobError};

#[derive(Clone, Debug)]
pub struct Job {
    pub id: String,
    /// Its number in its queue.
    pub number: u64,
    pub inserted: i64,
    pub spec: Spec,
    pub at: Place,
    pub claims: u64,
    pub failures: u64,
    pub lost: u64,
    pub worker: Option<Bytes>,
    pub claimed: Option<i64>,
    /// How long the last lease was given for.
    pub lease: i64,
    pub ended: Option<i64>,
    pub reason: Option<DeathReason>,
    pub progress: Option<String>,
    pub result: Option<String>,
    pub errors: Vec<JobError>,
    pub released: Option<(u64, JobError)>,
    pub redriven: bool,
    /// How often it was shown as the next one.
    pub shown: u64,
}

/// The state of a job, with its time there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Scheduled {
        due: i64,
    },
    /// With the date that it was scheduled for, if it was.
    Ready {
        date: Option<i64>,
    },
    Active {
        until: i64,
    },
    Done {
        until: i64,
    },
    Dead {
        until: i64,
    },
    Cancelled {
        until: i64,
    },
}

/// How a job that is not there any more has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    Fetched,
    Acknowledged,
    Cancelled,
    /// Its time was over.
    Forgotten,
    /// Other dead jobs took its room.
    MadeRoom,
    /// Done or dead, and removed.
    Removed,
    QueueDeleted,
}

impl Job {
    pub fn new(number: u64, now: i64, spec: Spec, at: Place) -> Self {
        Self {
            id: format!("{number:012x}{now:011x}{:x}", spec.priority),
            number,
            inserted: now,
            spec,
            at,
            claims: 0,
            failures: 0,
            lost: 0,
            worker: None,
            claimed: None,
            lease: 0,
            ended: None,
            reason: None,
            progress: None,
            result: None,
            errors: Vec::new(),
            released: None,
            redriven: false,
            shown: 0,
        }
    }

    /// The state as it is told: what is due is ready.
    pub fn state(&self, now: i64) -> State {
        match self.at {
            Place::Scheduled { due } if due > now => State::Scheduled,
            Place::Scheduled { .. } | Place::Ready { .. } => State::Ready,
            Place::Active { .. } => State::Active,
            Place::Done { .. } => State::Done,
            Place::Dead { .. } => State::Dead,
            Place::Cancelled { .. } => State::Cancelled,
        }
    }

    /// The time that its state has; 0 for ready ones.
    pub fn time(&self) -> i64 {
        match self.at {
            Place::Scheduled { due } => due,
            Place::Ready { .. } => 0,
            Place::Active { until } | Place::Done { until } | Place::Dead { until } | Place::Cancelled { until } => {
                until
            }
        }
    }

    /// Whether its time in an ended state is over.
    pub fn is_over(&self, now: i64) -> bool {
        let ended = matches!(
            self.at,
            Place::Done { .. } | Place::Dead { .. } | Place::Cancelled { .. }
        );
        ended && self.time() <= now
    }

    pub fn has_expired(&self, now: i64) -> bool {
        let expires = self.spec.expires_in.map(|time| self.inserted + millis(time));
        !self.redriven && expires.is_some_and(|time| time <= now)
    }

    /// The key that it gives back when it ends.
    pub fn key_until_end(&self) -> Option<&Bytes> {
        let (key, hold) = self.spec.unique.as_ref()?;
        (!matches!(hold, Hold::For(_))).then_some(key)
    }

    pub fn receipt(&self) -> String {
        format!("{}-{}", self.id, self.claims)
    }

    /// What is told when it is taken or shown alone.
    pub fn taken(&self) -> store::NextJob {
        store::NextJob {
            id: JobId::parse(&self.id).unwrap(),
            payload: self.spec.payload.0.clone(),
            is_text: self.spec.is_text,
        }
    }

    /// As the store tells it. Of a ready one the time has no meaning, and the position is the store's own.
    pub fn view(&self, now: i64, payload: bool) -> store::Job {
        let state = self.state(now);
        let time = if state == State::Ready { 0 } else { self.time() };
        let spec = &self.spec;
        let whole = |time| duration(millis(time));
        let hold = |hold| match hold {
            Hold::For(time) => Hold::For(whole(time)),
            other => other,
        };
        store::Job {
            id: JobId::parse(&self.id).unwrap(),
            state,
            state_time: Timestamp::from_millis(time),
            position: 0,
            claims: self.claims,
            failures: self.failures,
            lost_leases: self.lost,
            worker: self.worker.as_ref().map(|worker| worker.0.clone()),
            claimed: self.claimed.map(Timestamp::from_millis),
            ended: self.ended.map(Timestamp::from_millis),
            reason: self.reason,
            progress: self.progress.clone(),
            result: self.result.clone(),
            errors: self.errors.clone(),
            released: self.released.clone(),
            max_attempts: spec.max_attempts,
            backoff: spec.backoff.map(rounded),
            lease: spec.timeout.map(whole),
            expires_in: spec.expires_in.map(whole),
            unique: spec.unique.as_ref().map(|(key, held)| (key.0.clone(), hold(*held))),
            metadata: spec.metadata.clone(),
            traceparent: spec.traceparent.clone(),
            tracestate: spec.tracestate.clone(),
            payload: if payload { spec.payload.0.clone() } else { Vec::new() },
        }
    }
}
