//! What a worker does with a job that it holds, and an operator with a dead one, in the model.

use super::call::{Ack, Dead, Extend, Nack};
use super::inspect::SHOWN;
use super::job::{Job, Left, Place};
use super::queue::{Event, How, Queue};
use super::rules::{ERRORS, FINISHED_RECEIPT_KEPT, Mistake, millis, retry_delay};
use presque::queue::{JobId, State, Timestamp};
use presque::store::{Acked, Action, DeathReason, Extended, JobError, NackKind, Nacked, Purged, Redriven, Removed};

/// Why a receipt is not good.
pub enum Refused {
    Cancelled,
    Stale,
}

impl Queue {
    /// The job that a receipt is good for.
    pub fn holding(&self, receipt: &str) -> Result<String, Refused> {
        let (id, _) = receipt.split_once('-').expect("a receipt");
        let job = self.jobs.get(id).filter(|job| job.receipt() == receipt);
        match job.map(|job| job.at) {
            Some(Place::Active { .. }) => Ok(id.to_owned()),
            Some(Place::Ready { .. }) if self.mistake == Mistake::LostLeaseCanAck => Ok(id.to_owned()),
            Some(Place::Cancelled { .. }) => Err(Refused::Cancelled),
            _ => Err(Refused::Stale),
        }
    }

    fn was_finished(&self, receipt: &str, how: How) -> bool {
        let at = self.finished.get(&(receipt.to_owned(), how));
        at.is_some_and(|at| self.now < at + FINISHED_RECEIPT_KEPT)
    }

    fn note_finished(&mut self, receipt: &str, how: How) {
        self.finished.insert((receipt.to_owned(), how), self.now);
    }

    pub fn ack(&mut self, acks: &[Ack]) -> Vec<Acked> {
        let ack = |(receipt, result): &Ack| self.ack_one(receipt, result.as_ref());
        let acked: Vec<Acked> = acks.iter().map(ack).collect();
        let done = acked.iter().filter(|acked| **acked == Acked::Done).count();
        self.count(Event::Done, done as u64);
        acked
    }

    /// Without counting it.
    pub fn ack_one(&mut self, receipt: &str, result: Option<&String>) -> Acked {
        match self.holding(receipt) {
            Err(_) if self.was_finished(receipt, How::Ack) => Acked::Repeated,
            Err(Refused::Cancelled) => Acked::Cancelled,
            Err(Refused::Stale) => Acked::Stale,
            Ok(id) => {
                if let Some(result) = result {
                    self.job(&id).result = Some(result.clone());
                }
                self.end_done(&id);
                self.note_finished(receipt, How::Ack);
                Acked::Done
            }
        }
    }

    pub fn nack(&mut self, nacks: &[Nack]) -> Vec<Nacked> {
        nacks.iter().map(|nack| self.nack_one(nack)).collect()
    }

    fn nack_one(&mut self, nack: &Nack) -> Nacked {
        let id = match self.holding(&nack.receipt) {
            Err(_) if self.was_finished(&nack.receipt, How::Nack) => return Nacked::Repeated,
            Err(Refused::Cancelled) => return Nacked::Cancelled,
            Err(Refused::Stale) => return Nacked::Stale,
            Ok(id) => id,
        };
        self.note_finished(&nack.receipt, How::Nack);
        if nack.kind == NackKind::Released && self.mistake != Mistake::ReleasedHasFailed {
            let said = self.said(&id, &nack.error);
            let job = self.job(&id);
            let times = job.released.as_ref().map_or(0, |(times, _)| *times);
            job.released = Some((times + 1, said));
            self.count(Event::Released, 1);
            return self.put_back(&id, nack.delay.map_or(0, millis));
        }
        let said = self.said(&id, &nack.error);
        let (rules, mistake) = (self.rules(), self.mistake);
        let job = self.job(&id);
        job.errors.push(said);
        if job.errors.len() > ERRORS {
            job.errors.remove(0);
        }
        job.failures += 1;
        let failures = job.failures;
        let max_attempts = job.spec.max_attempts.map_or(rules.max_attempts, u64::from);
        let backoff = job.spec.backoff.unwrap_or(rules.backoff);
        let worker = job.worker.clone();
        self.count_failed(worker.as_ref());
        if nack.kind == NackKind::Rejected {
            self.bury(&id, DeathReason::Rejected);
            return Nacked::Dead;
        }
        if failures >= max_attempts {
            self.bury(&id, DeathReason::Failed);
            return Nacked::Dead;
        }
        let by_rule = || retry_delay(JobId::parse(&id).unwrap(), failures, backoff, mistake);
        self.put_back(&id, nack.delay.map_or_else(by_rule, millis))
    }

    fn said(&mut self, id: &str, text: &str) -> JobError {
        JobError {
            at: Timestamp::from_millis(self.now),
            claim: self.job(id).claims,
            text: text.to_owned(),
        }
    }

    fn put_back(&mut self, id: &str, delay: i64) -> Nacked {
        if delay == 0 {
            self.job(id).at = Place::Ready { date: None };
            return Nacked::Ready;
        }
        let due = self.now + delay;
        self.job(id).at = Place::Scheduled { due };
        Nacked::Scheduled(Timestamp::from_millis(due))
    }

    pub fn extend(&mut self, extensions: &[Extend]) -> Vec<Extended> {
        extensions.iter().map(|extend| self.extend_one(extend)).collect()
    }

    fn extend_one(&mut self, extend: &Extend) -> Extended {
        let id = match self.holding(&extend.receipt) {
            Err(Refused::Cancelled) => return Extended::Cancelled,
            Err(Refused::Stale) => return Extended::Stale,
            Ok(id) => id,
        };
        let now = self.now;
        let job = self.job(&id);
        job.lease = extend.lease.map_or(job.lease, millis);
        if let Some(progress) = &extend.progress {
            job.progress = Some(progress.clone());
        }
        let until = now + job.lease;
        job.at = Place::Active { until };
        Extended::Until(Timestamp::from_millis(until))
    }

    pub fn remove(&mut self, id: &str) -> Removed {
        let Some(job) = self.jobs.get(id) else {
            return Removed::Unknown;
        };
        match job.at {
            Place::Cancelled { .. } => Removed::Cancelled,
            Place::Done { .. } | Place::Dead { .. } => {
                self.leave(id, Left::Removed);
                Removed::Forgotten
            }
            _ => {
                self.cancel(id);
                Removed::Cancelled
            }
        }
    }

    /// Cancels the ready job of a number.
    pub fn remove_number(&mut self, number: u64) -> bool {
        self.promote(SHOWN);
        let found = self.ready().into_iter().find(|job| job.number == number);
        let Some((id, has_expired)) = found.map(|job| (job.id.clone(), job.has_expired(self.now))) else {
            return false;
        };
        if has_expired {
            self.bury(&id, DeathReason::Expired);
        } else {
            self.cancel(&id);
        }
        !has_expired
    }

    /// Which jobs may be meant, and how many of them at most.
    fn chosen_dead(&self, dead: &Dead) -> (Vec<String>, u64) {
        match dead {
            Dead::First(max_jobs) => (self.dead(), *max_jobs as u64),
            Dead::Ids(ids) => (ids.clone(), u64::MAX),
        }
    }

    fn is_dead(&self, id: &str) -> bool {
        self.jobs
            .get(id)
            .is_some_and(|job| matches!(job.at, Place::Dead { .. }))
    }

    pub fn redrive(&mut self, dead: &Dead) -> Redriven {
        let (mut redriven, mut conflicts, mut unknown) = (0, 0, 0);
        let (chosen, max_jobs) = self.chosen_dead(dead);
        for id in chosen {
            if redriven == max_jobs {
                break;
            }
            if !self.is_dead(&id) {
                unknown += 1;
                continue;
            }
            let key = self.jobs[&id].key_until_end().cloned();
            if let Some(key) = &key {
                self.end_holder(key);
            }
            if key.as_ref().is_some_and(|key| self.holders.contains_key(key)) {
                conflicts += 1;
                continue;
            }
            if let Some(key) = key {
                self.hold(&key, &id, None);
            }
            let job = self.job(&id);
            (job.failures, job.lost, job.redriven) = (0, 0, true);
            job.released = None;
            (job.reason, job.ended) = (None, None);
            job.at = Place::Ready { date: None };
            redriven += 1;
        }
        let dead = self.dead().len() as u64;
        Redriven {
            redriven,
            conflicts,
            unknown,
            dead,
        }
    }

    /// Acts on all jobs of a state.
    pub fn act(&mut self, action: Action, state: State) -> u64 {
        let now = self.now;
        if state == State::Ready {
            self.promote(usize::MAX);
        }
        if action == Action::Redrive {
            return self.redrive(&Dead::First(usize::MAX)).redriven;
        }
        let in_state = |job: &&Job| job.state(now) == state && !job.is_over(now);
        let ids: Vec<_> = self.jobs.values().filter(in_state).map(|job| job.id.clone()).collect();
        for id in &ids {
            match action {
                Action::Promote => self.job(id).at = Place::Ready { date: Some(now) },
                Action::Cancel => self.cancel(id),
                Action::Delete | Action::Redrive => {
                    if matches!(state, State::Ready | State::Scheduled) {
                        let key = self.jobs[id].spec.unique.as_ref().map(|(key, _)| key.clone());
                        self.release(id, key.as_ref());
                    }
                    self.leave(id, Left::Removed);
                }
            }
        }
        ids.len() as u64
    }

    pub fn purge(&mut self, dead: &Dead) -> Purged {
        let (mut removed, mut unknown) = (0, 0);
        let (chosen, max_jobs) = self.chosen_dead(dead);
        for id in chosen {
            if removed == max_jobs {
                break;
            }
            if self.is_dead(&id) {
                self.leave(&id, Left::Removed);
                removed += 1;
            } else {
                unknown += 1;
            }
        }
        let dead = self.dead().len() as u64;
        Purged { removed, unknown, dead }
    }
}
