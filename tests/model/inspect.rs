//! What can be seen of a queue, in the model.

use super::job::{Job, Place};
use super::queue::{Event, Queue};
use super::rules::{HOUR, duration};
use presque::queue::{State, Status};
use presque::store::{self, Counts, Description, EffectiveSettings, LastMinute, Peeked, QueueWorkers, Totals};
use std::collections::BTreeMap;

/// The most jobs that a peek shows, and the most that looking at ready jobs moves.
pub const SHOWN: usize = 1000;

impl Queue {
    pub fn look(&self, id: &str) -> Vec<store::Job> {
        self.jobs
            .get(id)
            .map(|job| job.view(self.now, true))
            .into_iter()
            .collect()
    }

    /// All jobs of a state: ready ones as they would be claimed, the others by their time.
    pub fn list(&mut self, state: State, payload: bool) -> Vec<store::Job> {
        self.forget_excess_dead(None);
        let now = self.now;
        if state == State::Ready {
            self.promote(SHOWN);
            return self.ready().into_iter().map(|job| job.view(now, payload)).collect();
        }
        let mut jobs: Vec<&Job> = self.jobs.values().filter(|job| job.state(now) == state).collect();
        jobs.sort_by_key(|job| (job.time(), job.number));
        jobs.into_iter().map(|job| job.view(now, payload)).collect()
    }

    pub fn number_of(&self, state: State) -> u64 {
        self.jobs.values().filter(|job| job.state(self.now) == state).count() as u64
    }

    pub fn peek(&mut self) -> Peeked {
        self.promote(SHOWN);
        let size = self.number_of(State::Ready);
        let shown = self.ready().into_iter().take(SHOWN);
        let jobs = shown.map(|job| job.spec.payload.0.clone()).collect();
        Peeked { ready: size, jobs }
    }

    pub fn counts(&mut self) -> Counts {
        self.forget_excess_dead(None);
        Counts {
            ready: self.number_of(State::Ready),
            processed: self.processed,
            failed: self.failed,
            status: self.status,
            policy: None,
        }
    }

    pub fn queue_workers(&self) -> QueueWorkers {
        QueueWorkers {
            processed: self.processed,
            failed: self.failed,
            workers: self.workers.keys().map(|worker| worker.0.clone()).collect(),
        }
    }

    /// When the first of each kind was inserted, or due where that came later; the earliest. The kinds are those that are
    /// due and not moved yet, and, of each priority, those that were scheduled and those that were not.
    fn oldest_ready(&self) -> Option<i64> {
        let due = |job: &&Job| matches!(job.at, Place::Scheduled { due } if due <= self.now);
        let first_due = self
            .jobs
            .values()
            .filter(due)
            .min_by_key(|job| (job.time(), job.number));
        let mut firsts: BTreeMap<_, &Job> = BTreeMap::new();
        for job in self.ready() {
            let dated = matches!(job.at, Place::Ready { date: Some(_) });
            firsts.entry((job.spec.priority, dated)).or_insert(job);
        }
        let since = |job: &Job| match job.at {
            Place::Ready { date: Some(date) } | Place::Scheduled { due: date } => date.max(job.inserted),
            _ => job.inserted,
        };
        firsts.into_values().chain(first_due).map(since).min()
    }

    /// Without the settings' tag, which is the store's own.
    pub fn describe(&mut self) -> Option<Description> {
        let status = self.status?;
        self.forget_excess_dead(None);
        let states = [
            State::Ready,
            State::Scheduled,
            State::Active,
            State::Done,
            State::Dead,
            State::Cancelled,
        ];
        let oldest = self.oldest_ready();
        let recent = self.seen.values().filter(|at| **at >= self.now - HOUR);
        Some(Description {
            effective: self.effective(status),
            jobs: states.map(|state| (state, self.number_of(state))).to_vec(),
            oldest_ready: oldest.map(|since| duration(self.now - since)),
            totals: Totals {
                inserted: self.last_number,
                claimed: self.processed.unwrap_or(0),
                done: self.done,
                failed: self.failed.unwrap_or(0),
                lost_leases: self.lost,
                dead: self.died,
                released: self.released,
                orphans: 0,
            },
            last_minute: LastMinute {
                inserted: self.last_minute(Event::Inserted),
                claimed: self.last_minute(Event::Claimed),
                done: self.last_minute(Event::Done),
                failed: self.last_minute(Event::Failed),
            },
            workers: recent.count() as u64,
        })
    }

    pub fn effective(&self, status: Status) -> EffectiveSettings {
        EffectiveSettings {
            settings: self.rules().effective(status),
            tag: String::new(),
        }
    }
}
