//! What can be done to the store, and what comes of it. The model and the store are given the same calls.

use presque::queue::{Backoff, Due, Hold, Settings, State};
use presque::store;
use std::fmt;
use std::time::Duration;

/// The queues. The second one's name has what a key must not have in it.
pub const QUEUES: [&str; 2] = ["q", "r%{s}:"];

/// Bytes that are shown as text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// A job to insert.
#[derive(Clone)]
pub struct Spec {
    pub payload: Bytes,
    pub priority: u8,
    pub due: Due,
    pub unique: Option<(Bytes, Hold)>,
    pub max_attempts: Option<u32>,
    pub backoff: Option<Backoff>,
    pub timeout: Option<Duration>,
    pub expires_in: Option<Duration>,
    pub metadata: Option<String>,
    pub traceparent: Option<String>,
    pub tracestate: Option<String>,
    pub is_text: bool,
}

impl Spec {
    pub fn plain(payload: Bytes, due: Due) -> Self {
        Self {
            payload,
            priority: 4,
            due,
            unique: None,
            max_attempts: None,
            backoff: None,
            timeout: None,
            expires_in: None,
            metadata: None,
            traceparent: None,
            tracestate: None,
            is_text: false,
        }
    }
}

/// Only what is said of the job: a sequence of calls is to be read by a person.
impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.payload)?;
        if self.priority != 4 {
            write!(f, " priority {}", self.priority)?;
        }
        if self.due != Due::Now {
            write!(f, " due {:?}", self.due)?;
        }
        if let Some((key, hold)) = &self.unique {
            write!(f, " unique {key:?} {hold:?}")?;
        }
        let durations = [("timeout", self.timeout), ("expires", self.expires_in)];
        for (name, duration) in durations {
            if let Some(duration) = duration {
                write!(f, " {name} {duration:?}")?;
            }
        }
        if let Some(number) = self.max_attempts {
            write!(f, " max_attempts {number}")?;
        }
        if let Some(backoff) = self.backoff {
            write!(f, " backoff {backoff:?}")?;
        }
        Ok(())
    }
}

/// Names an insert: a key and a digest of the request.
pub type Idempotency = (Bytes, Bytes);

/// A receipt, and a result.
pub type Ack = (String, Option<String>);

#[derive(Clone, Debug)]
pub struct Nack {
    pub receipt: String,
    pub error: String,
    pub delay: Option<Duration>,
    pub kind: store::NackKind,
}

#[derive(Clone, Debug)]
pub struct Extend {
    pub receipt: String,
    pub lease: Option<Duration>,
    pub progress: Option<String>,
}

#[derive(Clone, Debug)]
pub enum Dead {
    First(usize),
    Ids(Vec<String>),
}

/// What must be true of settings to be changed. A tag is told by the settings that it stands for.
#[derive(Clone, Debug)]
pub enum Condition {
    Always,
    Exists,
    Absent,
    Tag { text: String, stands_for: Option<String> },
}

/// One operation of the store; a queue is told by its place in [`QUEUES`].
#[derive(Clone, Debug)]
pub enum Call {
    /// `failed` is there for a `PUT`, with the worker that failed.
    Insert {
        queue: usize,
        jobs: Vec<Spec>,
        failed: Option<Option<Bytes>>,
        idempotency: Option<Idempotency>,
    },
    Batch {
        queue: usize,
        payloads: Payloads,
        due: Option<i64>,
    },
    Claim {
        queues: Vec<usize>,
        max_jobs: usize,
        lease: Option<Duration>,
        worker: Option<Bytes>,
        acks: Vec<Ack>,
    },
    Fetch {
        queue: usize,
        worker: Option<Bytes>,
        max_jobs: usize,
    },
    /// The next job alone, whether or not the queue is stopped.
    Take {
        queue: usize,
    },
    Show {
        queue: usize,
    },
    RemoveNumber {
        queue: usize,
        number: u64,
    },
    Ack {
        queue: usize,
        acks: Vec<Ack>,
    },
    Nack {
        queue: usize,
        nacks: Vec<Nack>,
    },
    Extend {
        queue: usize,
        extensions: Vec<Extend>,
    },
    Remove {
        queue: usize,
        id: String,
    },
    Redrive {
        queue: usize,
        dead: Dead,
    },
    Purge {
        queue: usize,
        dead: Dead,
    },
    /// On all jobs of a state.
    Act {
        queue: usize,
        action: store::Action,
        state: State,
    },
    Configure {
        queue: usize,
        settings: Settings,
        condition: Condition,
    },
    SetStatus {
        queue: usize,
        open: bool,
    },
    /// With the settings or without.
    Delete {
        queue: usize,
        settings: bool,
    },
    Register {
        queue: usize,
        worker: Bytes,
    },
    Unregister {
        queue: usize,
        worker: Bytes,
    },
    Look {
        queue: usize,
        id: String,
    },
    /// All jobs of a state, so many a page.
    List {
        queue: usize,
        state: State,
        page: usize,
        payload: bool,
    },
    Peek {
        queue: usize,
    },
    Describe {
        queue: usize,
    },
    History {
        queue: usize,
    },
    Counts {
        queue: usize,
    },
    QueueWorkers {
        queue: usize,
    },
    Worker {
        worker: Bytes,
    },
    /// The lists that span queues.
    Lists,
}

/// The payloads of a batch: a name and how many.
#[derive(Clone, Debug)]
pub struct Payloads {
    pub name: Bytes,
    pub count: usize,
}

impl Payloads {
    pub fn all(&self) -> Vec<Vec<u8>> {
        let payload = |number: usize| [&self.name.0[..], number.to_string().as_bytes()].concat();
        (0..self.count).map(payload).collect()
    }
}

/// What came of a call. What has no order is sorted.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    Inserted(store::Inserted),
    Batch(store::InsertedBatch),
    Claimed(store::Claimed),
    Fetched(store::Fetched),
    Taken(Option<store::NextJob>),
    Shown(Option<(store::NextJob, u64)>),
    NumberRemoved(bool),
    Acked(Vec<store::Acked>),
    Nacked(Vec<store::Nacked>),
    Extended(Vec<store::Extended>),
    Removed(store::Removed),
    Redriven(store::Redriven),
    Purged(store::Purged),
    /// How many jobs.
    Acted(u64),
    Configured(store::Configured),
    Jobs(Vec<store::Job>),
    Peeked(store::Peeked),
    Described(Option<store::Description>),
    /// Of each minute what was inserted, claimed, done, failed, lost, dead, released.
    History(Option<Vec<[u64; 7]>>),
    Counted(store::Counts),
    QueueWorkers(store::QueueWorkers),
    Worker(Option<store::Worker>),
    /// Queues, workers, and workers that were seen.
    Lists(Vec<Vec<u8>>, Vec<Vec<u8>>, Vec<(Vec<u8>, String, i64)>),
    Nothing,
}
