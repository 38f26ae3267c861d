//! The ledger: what producers and workers saw.

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
    Received(Delivery),
    /// It is about to acknowledge it, maybe not for the first time.
    Acking(Claim),
    /// It was told that nothing was changed by that.
    NotAcked(Claim),
    /// It was told that this receipt finished the job: now, or at an earlier ack.
    Acked { claim: Claim, repeated: bool },
    /// It was told that the receipt is not good any more.
    Stale(Claim),
    /// It is about to give the job back.
    Nacking(Claim),
    /// It was told when its lease ends now.
    Extended { claim: Claim, until: String },
    /// Something broke, or a worker died, and how.
    Fault { how: String },
    /// Something that must not happen whatever breaks.
    Unexpected { what: String },
}

/// A claim on a job. Receipts of two queues may be the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Claim {
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
pub struct Delivery {
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
    pub deliveries: BTreeMap<u64, Delivery>,
}

#[derive(Debug, Default)]
pub struct Ledger {
    pub jobs: BTreeMap<u64, Entry>,
    pub faults: BTreeMap<String, u64>,
    pub stale: u64,
    /// What was wrong when it was written.
    pub unexpected: Vec<String>,
    /// Deliveries of jobs that nobody sent.
    pub unknown: Vec<Delivery>,
    /// Each with its job and attempt.
    claims: HashMap<Claim, (u64, u64)>,
}

impl Delivery {
    pub fn claim(&self) -> Claim {
        Claim {
            queue: self.queue.clone(),
            receipt: self.receipt.clone(),
        }
    }
}

impl Ledger {
    /// A ledger that may be written to from everywhere, and the way to do so.
    pub fn shared() -> (Arc<Mutex<Self>>, Journal) {
        let ledger = Arc::new(Mutex::new(Self::default()));
        let shared = ledger.clone();
        (ledger, Arc::new(move |event| shared.lock().unwrap().enter(event)))
    }

    pub fn enter(&mut self, event: Event) {
        match event {
            Event::Inserting { job, queue } => {
                let fate = Fate::default();
                self.jobs.entry(job).or_default().queue = queue;
                self.fate(job, fate, None);
            }
            Event::Inserted { job, fate, id } => self.fate(job, fate, id),
            Event::Received(delivery) => self.receive(delivery),
            Event::Acking(claim) => self.with(&claim, |delivery| delivery.acks += 1),
            Event::NotAcked(claim) => self.with(&claim, |delivery| delivery.acks -= 1),
            Event::Acked { claim, repeated } => {
                let mut first = false;
                self.with(&claim, |delivery| {
                    first = delivery.acks < 2;
                    delivery.done = true;
                });
                if repeated && first {
                    self.unexpected
                        .push(format!("what was said to have changed nothing finished {claim:?}"));
                }
            }
            // No ack of this receipt was carried out: a repeated one would have been told so.
            Event::Stale(claim) => {
                self.stale += 1;
                self.with(&claim, |delivery| delivery.acks = 0);
            }
            Event::Nacking(claim) => self.with(&claim, |delivery| delivery.nacked = true),
            // Extensions only lengthen here, whatever order they are told in.
            Event::Extended { claim, until } => self.with(&claim, |delivery| {
                delivery.until = std::mem::take(&mut delivery.until).max(until);
            }),
            Event::Fault { how } => *self.faults.entry(how).or_default() += 1,
            Event::Unexpected { what } => self.unexpected.push(what),
        }
    }

    fn fate(&mut self, job: u64, fate: Fate, id: Option<String>) {
        let entry = self.jobs.entry(job).or_default();
        entry.fate = fate;
        entry.ids.extend(id);
    }

    fn receive(&mut self, delivery: Delivery) {
        let Some(entry) = self.jobs.get_mut(&delivery.job) else {
            self.unknown.push(delivery);
            return;
        };
        if entry.queue != delivery.queue {
            self.unexpected
                .push(format!("it came out of another queue: {delivery:?}"));
        }
        entry.ids.insert(delivery.id.clone());
        let key = (delivery.job, delivery.attempt);
        self.claims.insert(delivery.claim(), key);
        if let Some(first) = entry.deliveries.insert(delivery.attempt, delivery) {
            self.unexpected
                .push(format!("one attempt was delivered twice: {first:?}"));
        }
    }

    fn with(&mut self, claim: &Claim, change: impl FnOnce(&mut Delivery)) {
        let found = self.claims.get(claim);
        let entry = found.and_then(|(job, attempt)| self.jobs.get_mut(job)?.deliveries.get_mut(attempt));
        match entry {
            Some(delivery) => change(delivery),
            None => self.unexpected.push(format!("nobody received {claim:?}")),
        }
    }
}
