//! Inserting, in the model.

use super::call::{Bytes, Idempotency, Payloads, Spec};
use super::job::{Job, Place};
use super::queue::{Event, Queue};
use super::rules::{Mistake, millis};
use presque::queue::{Due, Hold, JobId, Timestamp};
use presque::store::{DeathReason, Inserted, InsertedBatch, InsertedJob};

impl Queue {
    pub fn insert(
        &mut self,
        jobs: &[Spec],
        failed: Option<&Option<Bytes>>,
        idempotency: Option<&Idempotency>,
    ) -> Inserted {
        if let Some((key, fingerprint)) = idempotency
            && let Some((before, answer)) = self.answers.get(key)
        {
            if before != fingerprint {
                return Inserted::OtherRequest;
            }
            let answer = answer.clone();
            self.begin();
            return Inserted::Jobs(answer);
        }
        if jobs.iter().any(|spec| self.is_too_large(spec.payload.0.len())) {
            return Inserted::TooLarge;
        }
        self.begin();
        // What comes back may have the unique key of what the worker holds.
        let coming_back = failed
            .and_then(Option::as_ref)
            .map(|worker| self.jobs_of_legacy_worker(worker));
        let coming_back = coming_back.unwrap_or_default();
        let mut answer = Vec::new();
        for spec in jobs {
            if let Some((key, _)) = &spec.unique
                && !self
                    .holders
                    .get(key)
                    .is_some_and(|(holder, _)| coming_back.contains(holder))
            {
                self.end_holder(key);
            }
            if let Some((key, _)) = &spec.unique
                && let Some((holder, _)) = self.holders.get(key)
                && !coming_back.contains(holder)
            {
                answer.push(InsertedJob::Duplicate(JobId::parse(holder).unwrap()));
                continue;
            }
            self.last_number += 1;
            answer.push(InsertedJob::Stored(self.add(self.last_number, spec)));
        }
        let stored = |job: &&InsertedJob| matches!(job, InsertedJob::Stored(_));
        let stored = answer.iter().filter(stored).count() as u64;
        self.count(Event::Inserted, stored);
        if let Some(worker) = failed
            && stored > 0
        {
            self.count_failed(worker.as_ref());
            if let Some(worker) = worker {
                // What it held is finished, and not done: what it sends is the same work again.
                self.ack_legacy_receipts(worker);
            }
        }
        if let Some((key, fingerprint)) = idempotency {
            self.answers.insert(key.clone(), (fingerprint.clone(), answer.clone()));
        }
        self.forget_excess_dead(None);
        Inserted::Jobs(answer)
    }

    /// The job that holds a key ends, if it can never be handed out again and does not hold the key for a time.
    pub fn end_holder(&mut self, key: &Bytes) {
        let Some((holder, None)) = self.holders.get(key).cloned() else {
            return;
        };
        let (now, max_lost_leases) = (self.now, self.rules().max_lost_leases);
        let mistake = self.mistake;
        let job = self.job(&holder);
        let has_expired = job.has_expired(now) && mistake != Mistake::KeyKeptByExpired;
        let mut reason = has_expired.then_some(DeathReason::Expired);
        if let Place::Active { until } = job.at {
            if job.lost + 1 >= max_lost_leases {
                reason = Some(DeathReason::LostLeases);
            }
            if until > now || reason.is_none() {
                return;
            }
            job.lost += 1;
            self.count(Event::Lost, 1);
        }
        if let Some(reason) = reason {
            self.bury(&holder, reason);
        }
    }

    pub fn insert_batch(&mut self, payloads: &Payloads, due: Option<i64>) -> InsertedBatch {
        let payloads = payloads.all();
        if payloads.is_empty() {
            return InsertedBatch::Stored;
        }
        if payloads.iter().any(|payload| self.is_too_large(payload.len())) {
            return InsertedBatch::TooLarge;
        }
        self.begin();
        self.count(Event::Inserted, payloads.len() as u64);
        let due = due.map_or(Due::Now, |due| Due::At(Timestamp::from_millis(due)));
        for payload in payloads {
            self.last_number += 1;
            self.add(self.last_number, &Spec::plain(Bytes(payload), due));
        }
        self.forget_excess_dead(None);
        InsertedBatch::Stored
    }

    fn is_too_large(&self, bytes: usize) -> bool {
        self.rules().max_bytes.is_some_and(|max_bytes| bytes as u64 > max_bytes)
    }

    fn add(&mut self, number: u64, spec: &Spec) -> JobId {
        let now = self.now;
        let at = match spec.due {
            Due::Now => Place::Ready { date: None },
            Due::At(time) => Place::Scheduled { due: time.as_millis() },
            Due::In(time) => Place::Scheduled {
                due: now + millis(time),
            },
        };
        let job = Job::new(number, now, spec.clone(), at);
        let id = job.id.clone();
        if let Some((key, hold)) = &spec.unique {
            let until = if let Hold::For(time) = hold {
                Some(now + millis(*time))
            } else {
                None
            };
            self.hold(key, &id, until);
        }
        self.jobs.insert(id.clone(), job);
        JobId::parse(&id).unwrap()
    }
}
