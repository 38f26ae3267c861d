//! The book: what producers and workers saw.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

/// Where producers and workers write what they see.
pub type Journal = Arc<dyn Fn(Event) + Send + Sync>;

/// What is written. A worker that is a process writes it as JSON lines.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A producer is about to send this job.
    Inserting { job: u64, queue: String },
    /// It knows all about that insert that it will ever know. The id, where it was told.
    Inserted { job: u64, fate: Fate, id: Option<String> },
    /// A worker has received a job.
    Received(Handout),
    /// It is about to acknowledge it, maybe not for the first time.
    Acking(Held),
    /// It was told that nothing was changed by that.
    NotAcked(Held),
    /// It was told that this receipt finished the job: now, or at an earlier ack.
    Acked { held: Held, repeated: bool },
    /// It was told that the receipt is not good any more.
    Stale(Held),
    /// It is about to give the job back.
    Nacking(Held),
    /// It was told when its lease ends now.
    Extended { held: Held, until: String },
    /// Something broke, or a worker died, and how.
    Broke { how: String },
    /// Something that must not happen whatever breaks.
    Odd { what: String },
}

/// A job in hand. Receipts of two queues may be the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Held {
    pub queue: String,
    pub receipt: String,
}

/// What became of an insert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// The answer was lost, and it could not be sent again.
    #[default]
    Unsure,
    In,
    /// Another job held its unique key.
    Duplicate,
    /// The answer was that nothing was changed.
    Refused,
}

/// One delivery of a job.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Handout {
    pub job: u64,
    pub queue: String,
    pub id: String,
    pub receipt: String,
    pub attempt: u64,
    /// When the lease began and ends, by the clock of Redis.
    pub from: String,
    pub until: String,
    /// When the claim was sent and its answer received, in microseconds by this machine's clock.
    pub sent: u128,
    pub received: u128,
    /// How many acks its worker sent that may have been carried out.
    pub acks: u32,
    pub done: bool,
    pub nacked: bool,
}

/// A job by its number.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    pub queue: String,
    pub fate: Fate,
    /// The ids that it was told to have: one, when all is well.
    pub ids: BTreeSet<String>,
    /// By attempt.
    pub handouts: BTreeMap<u64, Handout>,
}

#[derive(Debug, Default)]
pub struct Book {
    pub jobs: BTreeMap<u64, Entry>,
    pub faults: BTreeMap<String, u64>,
    pub stale: u64,
    /// What was wrong as it was written.
    pub odd: Vec<String>,
    /// Deliveries of jobs that nobody sent.
    pub unknown: Vec<Handout>,
    /// Each with its job and attempt.
    held: HashMap<Held, (u64, u64)>,
}

impl Handout {
    pub fn held(&self) -> Held {
        Held {
            queue: self.queue.clone(),
            receipt: self.receipt.clone(),
        }
    }
}

impl Book {
    /// A book that may be written to from everywhere, and the way to do so.
    pub fn shared() -> (Arc<Mutex<Self>>, Journal) {
        let book = Arc::new(Mutex::new(Self::default()));
        let shared = book.clone();
        (book, Arc::new(move |event| shared.lock().unwrap().enter(event)))
    }

    pub fn enter(&mut self, event: Event) {
        match event {
            Event::Inserting { job, queue } => {
                let fate = Fate::default();
                self.jobs.entry(job).or_default().queue = queue;
                self.fate(job, fate, None);
            }
            Event::Inserted { job, fate, id } => self.fate(job, fate, id),
            Event::Received(handout) => self.receive(handout),
            Event::Acking(held) => self.with(&held, |handout| handout.acks += 1),
            Event::NotAcked(held) => self.with(&held, |handout| handout.acks -= 1),
            Event::Acked { held, repeated } => {
                let mut first = false;
                self.with(&held, |handout| {
                    first = handout.acks < 2;
                    handout.done = true;
                });
                if repeated && first {
                    self.odd
                        .push(format!("what was said to have changed nothing finished {held:?}"));
                }
            }
            // No ack of this receipt was carried out: a repeated one would have been told so.
            Event::Stale(held) => {
                self.stale += 1;
                self.with(&held, |handout| handout.acks = 0);
            }
            Event::Nacking(held) => self.with(&held, |handout| handout.nacked = true),
            // Extensions only lengthen here, whatever order they are told in.
            Event::Extended { held, until } => self.with(&held, |handout| {
                handout.until = std::mem::take(&mut handout.until).max(until);
            }),
            Event::Broke { how } => *self.faults.entry(how).or_default() += 1,
            Event::Odd { what } => self.odd.push(what),
        }
    }

    fn fate(&mut self, job: u64, fate: Fate, id: Option<String>) {
        let entry = self.jobs.entry(job).or_default();
        entry.fate = fate;
        entry.ids.extend(id);
    }

    fn receive(&mut self, handout: Handout) {
        let Some(entry) = self.jobs.get_mut(&handout.job) else {
            self.unknown.push(handout);
            return;
        };
        if entry.queue != handout.queue {
            self.odd.push(format!("it came out of another queue: {handout:?}"));
        }
        entry.ids.insert(handout.id.clone());
        let key = (handout.job, handout.attempt);
        self.held.insert(handout.held(), key);
        if let Some(first) = entry.handouts.insert(handout.attempt, handout) {
            self.odd.push(format!("one attempt was handed out twice: {first:?}"));
        }
    }

    fn with(&mut self, held: &Held, change: impl FnOnce(&mut Handout)) {
        let found = self.held.get(held);
        let entry = found.and_then(|(job, attempt)| self.jobs.get_mut(job)?.handouts.get_mut(attempt));
        match entry {
            Some(handout) => change(handout),
            None => self.odd.push(format!("nobody received {held:?}")),
        }
    }
}
