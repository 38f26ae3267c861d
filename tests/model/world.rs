//! The model of everything: two queues, and what spans them.

use super::call::{Ack, Bytes, Call, Outcome, QUEUES};
use super::queue::{Event, Queue};
use super::rules::{DAY, Mistake, SECOND};
use presque::queue::Timestamp;
use presque::store::{Claimed, History, Worker};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A worker that is registered somewhere.
#[derive(Clone, Debug, Default)]
struct Record {
    started: i64,
    /// What it did on queues that it has left.
    processed: u64,
    failed: u64,
    queues: BTreeSet<usize>,
}

#[derive(Clone, Debug)]
pub struct World {
    pub now: i64,
    pub queues: Vec<Queue>,
    /// All receipts that were ever given, each with its queue.
    pub receipts: Vec<(usize, String)>,
    /// All ids that were ever given.
    pub ids: Vec<(usize, String)>,
    records: BTreeMap<Bytes, Record>,
    seen: BTreeMap<(Bytes, usize), i64>,
}

impl World {
    pub fn new(now: Timestamp, mistake: Mistake) -> Self {
        let now = now.as_millis();
        Self {
            now,
            queues: QUEUES.map(|_| Queue::new(now, mistake)).to_vec(),
            receipts: Vec::new(),
            ids: Vec::new(),
            records: BTreeMap::new(),
            seen: BTreeMap::new(),
        }
    }

    pub fn set_now(&mut self, now: i64) {
        self.now = now;
        for queue in &mut self.queues {
            queue.set_now(now);
        }
    }

    /// When something changes by itself after now, the next first.
    pub fn coming_events(&self) -> BTreeSet<i64> {
        self.queues.iter().flat_map(Queue::coming_events).collect()
    }

    pub fn call(&mut self, call: &Call) -> Outcome {
        let outcome = self.act(call);
        for (place, queue) in self.queues.iter_mut().enumerate() {
            queue.sweep();
            let known = self
                .ids
                .iter()
                .filter(|(of, _)| *of == place)
                .map(|(_, id)| id)
                .max()
                .cloned();
            let new = queue
                .jobs
                .keys()
                .filter(|id| known.as_ref().is_none_or(|known| *id > known));
            self.ids.extend(new.map(|id| (place, id.clone())));
        }
        outcome
    }

    fn act(&mut self, call: &Call) -> Outcome {
        match call {
            Call::Insert {
                queue,
                jobs,
                failed,
                idempotency,
            } => Outcome::Inserted(self.queues[*queue].insert(jobs, failed.as_ref(), idempotency.as_ref())),
            Call::Batch { queue, payloads, due } => Outcome::Batch(self.queues[*queue].insert_batch(payloads, *due)),
            Call::Claim {
                queues,
                max_jobs,
                lease,
                worker,
                acks,
            } => Outcome::Claimed(self.claim(queues, *max_jobs, *lease, worker.as_ref(), acks)),
            Call::Fetch {
                queue,
                worker,
                max_jobs,
            } => {
                let fetched = self.queues[*queue].fetch(worker.as_ref(), *max_jobs);
                let held = worker
                    .as_ref()
                    .and_then(|worker| self.queues[*queue].legacy_receipts.get(worker));
                self.receipts
                    .extend(held.into_iter().flatten().map(|receipt| (*queue, receipt.clone())));
                Outcome::Fetched(fetched)
            }
            Call::Take { queue } => Outcome::Taken(self.queues[*queue].take_next()),
            Call::Show { queue } => Outcome::Shown(self.queues[*queue].show_next()),
            Call::RemoveNumber { queue, number } => Outcome::NumberRemoved(self.queues[*queue].remove_number(*number)),
            Call::Ack { queue, acks } => Outcome::Acked(self.queues[*queue].ack(acks)),
            Call::Nack { queue, nacks } => Outcome::Nacked(self.queues[*queue].nack(nacks)),
            Call::Extend { queue, extensions } => Outcome::Extended(self.queues[*queue].extend(extensions)),
            Call::Remove { queue, id } => Outcome::Removed(self.queues[*queue].remove(id)),
            Call::Redrive { queue, dead } => Outcome::Redriven(self.queues[*queue].redrive(dead)),
            Call::Purge { queue, dead } => Outcome::Purged(self.queues[*queue].purge(dead)),
            Call::Act { queue, action, state } => Outcome::Acted(self.queues[*queue].act(*action, *state)),
            Call::Configure {
                queue,
                settings,
                condition,
            } => Outcome::Configured(self.queues[*queue].configure(settings, condition)),
            Call::SetStatus { queue, open } => {
                self.queues[*queue].set_status(*open);
                Outcome::Nothing
            }
            Call::Delete { queue, settings } => {
                self.queues[*queue].delete(*settings);
                Outcome::Nothing
            }
            Call::Register { queue, worker } => {
                self.register(*queue, worker);
                Outcome::Nothing
            }
            Call::Unregister { queue, worker } => {
                self.unregister(*queue, worker);
                Outcome::Nothing
            }
            Call::Look { queue, id } => Outcome::Jobs(self.queues[*queue].look(id)),
            Call::List {
                queue, state, payload, ..
            } => Outcome::Jobs(self.queues[*queue].list(*state, *payload)),
            Call::Peek { queue } => Outcome::Peeked(self.queues[*queue].peek()),
            Call::Describe { queue } => Outcome::Described(self.queues[*queue].describe()),
            Call::History { queue } => Outcome::History(self.queues[*queue].history(History::MAX_MINUTES)),
            Call::Counts { queue } => Outcome::Counted(self.queues[*queue].counts()),
            Call::QueueWorkers { queue } => Outcome::QueueWorkers(self.queues[*queue].queue_workers()),
            Call::Worker { worker } => Outcome::Worker(self.worker(worker)),
            Call::Lists => self.lists(),
        }
    }

    fn claim(
        &mut self,
        queues: &[usize],
        max_jobs: usize,
        lease: Option<Duration>,
        worker: Option<&Bytes>,
        mut acks: &[Ack],
    ) -> Claimed {
        let mut claimed = Claimed {
            jobs: Vec::new(),
            acks: Vec::new(),
        };
        loop {
            let mut again = false;
            for (place, &queue) in queues.iter().enumerate() {
                let look = self.queues[queue].claim(max_jobs - claimed.jobs.len(), lease, worker, acks);
                acks = &[];
                if let Some(worker) = worker.filter(|_| look.is_seen) {
                    self.seen.insert((worker.clone(), queue), self.now);
                }
                claimed.acks.extend(look.acks);
                for id in look.jobs {
                    let job = &self.queues[queue].jobs[&id];
                    self.receipts.push((queue, job.receipt()));
                    claimed.jobs.push((place, job.view(self.now, true)));
                }
                if claimed.jobs.len() >= max_jobs {
                    return claimed;
                }
                again |= look.again;
            }
            if !again || !claimed.jobs.is_empty() {
                return claimed;
            }
        }
    }

    fn register(&mut self, queue: usize, worker: &Bytes) {
        let started = self.now / SECOND;
        let record = self.records.entry(worker.clone()).or_insert_with(|| Record {
            started,
            ..Record::default()
        });
        if !record.queues.insert(queue) {
            // It has crashed without a word, and starts anew.
            (record.started, record.processed, record.failed) = (started, 0, 0);
        }
        // What it held when it crashed comes back when its lease ends.
        self.queues[queue].legacy_receipts.remove(worker);
        self.queues[queue].workers.insert(worker.clone(), (0, 0));
    }

    fn unregister(&mut self, queue: usize, worker: &Bytes) {
        let done = self.queues[queue].ack_legacy_receipts(worker);
        self.queues[queue].count(Event::Done, done);
        let (processed, failed) = self.queues[queue].workers.remove(worker).unwrap_or_default();
        if let Some(record) = self.records.get_mut(worker) {
            record.queues.remove(&queue);
            record.processed += processed;
            record.failed += failed;
            if record.queues.is_empty() {
                self.records.remove(worker);
            }
        }
    }

    fn worker(&self, worker: &Bytes) -> Option<Worker> {
        let record = self.records.get(worker)?;
        let there = record.queues.iter().map(|queue| self.queues[*queue].workers[worker]);
        let (processed, failed) = there.fold((0, 0), |sum, counts| (sum.0 + counts.0, sum.1 + counts.1));
        Some(Worker {
            started: u64::try_from(record.started).unwrap(),
            processed: record.processed + processed,
            failed: record.failed + failed,
        })
    }

    fn lists(&self) -> Outcome {
        let listed = QUEUES.iter().zip(&self.queues).filter(|(_, queue)| queue.is_listed);
        let workers = self.records.keys().map(|worker| worker.0.clone());
        let day_ago = self.now - DAY;
        let seen = self.seen.iter().filter(|(_, at)| **at > day_ago);
        Outcome::Lists(
            listed.map(|(name, _)| name.as_bytes().to_vec()).collect(),
            workers.collect(),
            seen.map(|((worker, queue), at)| (worker.0.clone(), QUEUES[*queue].to_owned(), *at))
                .collect(),
        )
    }
}
