//! Handing jobs out, in the model: what time has changed is done first.

use super::call::{Ack, Bytes};
use super::job::{Job, Left, Place};
use super::queue::{Event, Queue};
use super::rules::{MINUTE, Mistake, SLICE, millis};
use presque::queue::{Hold, Status};
use presque::store::{Acked, DeathReason, Fetched, NextJob};
use std::time::Duration;

/// What one look at one queue gave.
pub struct Look {
    pub acks: Vec<Acked>,
    /// The jobs' ids.
    pub jobs: Vec<String>,
    /// Whether the worker is to be entered among those that were seen.
    pub is_seen: bool,
    /// Whether there may be more at once although nothing was taken.
    pub again: bool,
}

impl Queue {
    pub fn claim(&mut self, max_jobs: usize, lease: Option<Duration>, worker: Option<&Bytes>, acks: &[Ack]) -> Look {
        let is_seen = worker.is_some_and(|worker| self.see(worker));
        let acks = self.ack(acks);
        let mut look = Look {
            acks,
            jobs: Vec::new(),
            is_seen,
            again: false,
        };
        if self.status == Some(Status::Stopped) {
            return look;
        }
        let mut stopped = false;
        if max_jobs > 0 {
            self.recover();
            self.promote(max_jobs.max(SLICE));
            (look.jobs, stopped) = self.take(max_jobs);
        }
        for id in &look.jobs {
            self.lease_out(id, lease, worker);
        }
        self.count_claimed(worker, look.jobs.len());
        let now = self.now;
        let mut times = self.jobs.values().filter_map(|job| match job.at {
            Place::Scheduled { due: time } | Place::Active { until: time } => Some(time),
            _ => None,
        });
        look.again = look.jobs.is_empty() && (stopped || times.any(|time| time <= now));
        look
    }

    /// A legacy fetch.
    pub fn fetch(&mut self, worker: Option<&Bytes>, max_jobs: usize) -> Fetched {
        let leased = worker.filter(|_| self.rules().at_least_once);
        if let Some(worker) = worker {
            let done = self.ack_legacy_receipts(worker);
            self.count(Event::Done, done);
        }
        if self.status == Some(Status::Stopped) {
            return Fetched::Stopped;
        }
        let ids = self.next(max_jobs);
        let mut payloads = Vec::new();
        let mut receipts = Vec::new();
        for id in &ids {
            payloads.push(self.jobs[id].spec.payload.0.clone());
            if leased.is_some() {
                self.lease_out(id, None, worker);
                receipts.push(self.jobs[id].receipt());
            } else {
                self.release_until_end(id);
                self.leave(id, Left::Fetched);
            }
        }
        if let Some(worker) = leased
            && !receipts.is_empty()
        {
            self.legacy_receipts.insert(worker.clone(), receipts);
        }
        self.count_claimed(worker, ids.len());
        Fetched::Jobs(payloads)
    }

    /// What time has changed is done, and these jobs can be handed out.
    fn next(&mut self, max_jobs: usize) -> Vec<String> {
        loop {
            let may_have_ended = self.recover();
            self.promote(max_jobs.max(SLICE));
            let (ids, stopped) = self.take(max_jobs);
            if !(stopped || may_have_ended) || !ids.is_empty() {
                return ids;
            }
        }
    }

    /// The next job alone.
    pub fn take_next(&mut self) -> Option<NextJob> {
        let id = self.next(1).pop()?;
        let taken = self.jobs[&id].taken();
        self.release_until_end(&id);
        self.leave(&id, Left::Fetched);
        self.count_claimed(None, 1);
        Some(taken)
    }

    pub fn show_next(&mut self) -> Option<(NextJob, u64)> {
        let id = self.next(1).pop()?;
        let job = self.job(&id);
        job.shown += 1;
        Some((job.taken(), job.shown))
    }

    /// The jobs that a legacy worker holds.
    pub fn jobs_of_legacy_worker(&self, worker: &Bytes) -> Vec<String> {
        let receipts = self.legacy_receipts.get(worker).into_iter().flatten();
        receipts.filter_map(|receipt| self.holding(receipt).ok()).collect()
    }

    /// Finishes what a legacy worker held. Gives how many jobs are done by that.
    pub fn ack_legacy_receipts(&mut self, worker: &Bytes) -> u64 {
        let receipts = self.legacy_receipts.remove(worker).unwrap_or_default();
        let done = receipts
            .iter()
            .filter(|receipt| self.ack_one(receipt, None) == Acked::Done);
        done.count() as u64
    }

    fn see(&mut self, worker: &Bytes) -> bool {
        let recent = self.seen.get(worker).is_some_and(|at| *at > self.now - MINUTE);
        if !recent {
            self.seen.insert(worker.clone(), self.now);
        }
        !recent
    }

    fn count_claimed(&mut self, worker: Option<&Bytes>, number: usize) {
        self.count(Event::Claimed, number as u64);
        if let Some(counts) = worker.and_then(|worker| self.workers.get_mut(worker)) {
            counts.0 += number as u64;
        }
    }

    /// Whether more leases may have ended than one call takes back.
    fn recover(&mut self) -> bool {
        let now = self.now;
        let ended = |job: &&Job| matches!(job.at, Place::Active { until } if until <= now);
        let mut ended: Vec<&Job> = self.jobs.values().filter(ended).collect();
        ended.sort_by_key(|job| (job.time(), job.number));
        if self.mistake != Mistake::AllLeasesAtOnce {
            ended.truncate(SLICE);
        }
        let ids: Vec<String> = ended.into_iter().map(|job| job.id.clone()).collect();
        let max_lost_leases = self.rules().max_lost_leases + u64::from(self.mistake == Mistake::OneLeaseMore);
        self.count(Event::Lost, ids.len() as u64);
        let may_have_more = ids.len() == SLICE;
        for id in ids {
            let job = self.job(&id);
            job.lost += 1;
            if job.lost >= max_lost_leases {
                self.bury(&id, DeathReason::LostLeases);
            } else {
                job.at = Place::Ready { date: None };
            }
        }
        may_have_more
    }

    pub fn promote(&mut self, max_jobs: usize) {
        let now = self.now;
        let due = |job: &&Job| matches!(job.at, Place::Scheduled { due } if due <= now);
        let mut due: Vec<&Job> = self.jobs.values().filter(due).collect();
        due.sort_by_key(|job| (job.time(), job.number));
        let ids: Vec<String> = due.into_iter().take(max_jobs).map(|job| job.id.clone()).collect();
        for id in ids {
            let job = self.job(&id);
            job.at = Place::Ready { date: Some(job.time()) };
        }
    }

    /// The jobs that can be taken now, in their order.
    pub fn ready(&self) -> Vec<&Job> {
        let ready = |job: &&Job| matches!(job.at, Place::Ready { .. });
        let mut ready: Vec<&Job> = self.jobs.values().filter(ready).collect();
        let scheduled_last = self.mistake == Mistake::ScheduledLast;
        ready.sort_by_key(|job| {
            let Place::Ready { date } = job.at else { unreachable!() };
            let class = date.is_some() == scheduled_last;
            (9 - job.spec.priority, class, date.unwrap_or(0), job.number)
        });
        ready
    }

    /// Takes the next jobs, and tells whether it stopped because many had expired.
    fn take(&mut self, max_jobs: usize) -> (Vec<String>, bool) {
        let (mut taken, mut expired) = (Vec::new(), Vec::new());
        let mut stopped = false;
        for job in self.ready() {
            if taken.len() == max_jobs || stopped {
                break;
            }
            if job.has_expired(self.now) {
                expired.push(job.id.clone());
                stopped = expired.len() == SLICE;
            } else {
                taken.push(job.id.clone());
            }
        }
        for id in expired {
            self.bury(&id, DeathReason::Expired);
        }
        (taken, stopped)
    }

    fn lease_out(&mut self, id: &str, lease: Option<Duration>, worker: Option<&Bytes>) {
        let (now, rules, mistake) = (self.now, self.rules(), self.mistake);
        let job = self.job(id);
        let lease = lease.or(job.spec.timeout).map_or(rules.lease, millis);
        job.claims += 1;
        job.worker = worker.cloned();
        job.claimed = Some(now);
        job.lease = lease;
        job.at = Place::Active { until: now + lease };
        if let Some((key, Hold::UntilClaimed)) = job.spec.unique.clone()
            && mistake != Mistake::KeyKeptWhenClaimed
        {
            self.release(id, Some(&key));
        }
    }
}
