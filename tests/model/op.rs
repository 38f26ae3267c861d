//! Operations as they are made at random: what they refer to is found when they are run, so that a sequence still makes
//! sense when others are left out of it.

use super::call::{Bytes, Call, Spec};
use presque::queue::Settings;
use presque::store::NackKind;
use std::time::Duration;

/// What happens at one step: time passes, then a call.
#[derive(Clone, Debug)]
pub struct Step {
    pub wait: Wait,
    pub op: Op,
}

/// How much time passes.
#[derive(Clone, Copy, Debug)]
pub enum Wait {
    No,
    Millis(i64),
    /// Until so many things have changed by themselves, and so much longer (or, negative, not quite).
    Event(u8, i64),
}

/// A receipt.
#[derive(Clone, Copy, Debug)]
pub enum Pick {
    /// Of a job that is active.
    Good(u8),
    /// Any that was given, for whichever queue, counted from the last one.
    Given(u8),
    /// The next one of some job, which was not given yet.
    Next(u8),
    MadeUp,
}

/// A job.
#[derive(Clone, Copy, Debug)]
pub enum JobPick {
    There(u8),
    Dead(u8),
    /// One whose time was over, counted from the last one.
    Gone(u8),
    /// Any that ever was, in whichever queue.
    Any(u8),
    MadeUp,
}

#[derive(Clone, Debug)]
pub enum DeadPick {
    First(usize),
    Ids(Vec<JobPick>),
}

#[derive(Clone, Copy, Debug)]
pub enum ConditionPick {
    Always,
    Exists,
    Absent,
    CurrentTag,
    OtherTag,
}

#[derive(Clone, Debug)]
pub enum Op {
    /// The payloads are made up when it is run; `large` ones are over the limits that are set.
    Insert {
        queue: usize,
        jobs: Vec<(Spec, bool)>,
        failed: Option<Option<Bytes>>,
        idempotency: Option<(Bytes, Bytes)>,
    },
    Batch {
        queue: usize,
        count: usize,
        large: bool,
        due_in: Option<i64>,
    },
    Claim {
        queues: Vec<usize>,
        max_jobs: usize,
        lease: Option<Duration>,
        worker: Option<Bytes>,
        acks: Vec<(Pick, bool)>,
    },
    Ack {
        queue: usize,
        acks: Vec<(Pick, bool)>,
    },
    Nack {
        queue: usize,
        nacks: Vec<(Pick, Option<Duration>, NackKind)>,
    },
    Extend {
        queue: usize,
        extensions: Vec<(Pick, Option<Duration>, bool)>,
    },
    Remove {
        queue: usize,
        job: JobPick,
    },
    Look {
        queue: usize,
        job: JobPick,
    },
    Redrive {
        queue: usize,
        dead: DeadPick,
    },
    Purge {
        queue: usize,
        dead: DeadPick,
    },
    Configure {
        queue: usize,
        settings: Settings,
        condition: ConditionPick,
    },
    /// Refers to nothing.
    Plain(Call),
    /// The last call that may change something, once more: its answer was lost.
    Again,
}
