//! A queue of the model: its jobs, keys, counts and settings, and how jobs end.

use super::call::{Bytes, Condition};
use super::job::{Job, Left, Place};
use super::rules::{DAY, HOUR, MINUTE, Mistake, Rules, SECOND, SLICE};
use presque::queue::{Settings, Status};
use presque::store::{Configured, DeathReason, InsertedJob};
use std::collections::BTreeMap;

/// How a receipt was finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    Ack,
    Nack,
}

/// What is counted, minute by minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Inserted,
    Claimed,
    Done,
    Failed,
    Lost,
    Died,
    Released,
}

#[derive(Clone, Debug)]
pub struct Queue {
    pub now: i64,
    pub mistake: Mistake,
    /// By their ids, which ascend.
    pub jobs: BTreeMap<String, Job>,
    pub left: BTreeMap<String, Left>,
    pub last_number: u64,
    /// The job that holds a key, and until when, where that has an end.
    pub holders: BTreeMap<Bytes, (String, Option<i64>)>,
    pub finished: BTreeMap<(String, How), i64>,
    /// The receipts that legacy workers hold.
    pub legacy_receipts: BTreeMap<Bytes, Vec<String>>,
    pub answers: BTreeMap<Bytes, (Bytes, Vec<InsertedJob>)>,
    pub settings: Option<Settings>,
    /// `None` for a queue that never was.
    pub status: Option<Status>,
    pub is_listed: bool,
    pub processed: Option<u64>,
    pub failed: Option<u64>,
    pub done: u64,
    pub lost: u64,
    pub died: u64,
    pub released: u64,
    pub events: Vec<(Event, i64, u64)>,
    /// What each registered worker has processed and failed.
    pub workers: BTreeMap<Bytes, (u64, u64)>,
    pub seen: BTreeMap<Bytes, i64>,
}

impl Queue {
    pub fn new(now: i64, mistake: Mistake) -> Self {
        Self {
            now,
            mistake,
            jobs: BTreeMap::new(),
            left: BTreeMap::new(),
            last_number: 0,
            holders: BTreeMap::new(),
            finished: BTreeMap::new(),
            legacy_receipts: BTreeMap::new(),
            answers: BTreeMap::new(),
            settings: None,
            status: None,
            is_listed: false,
            processed: None,
            failed: None,
            done: 0,
            lost: 0,
            died: 0,
            released: 0,
            events: Vec::new(),
            workers: BTreeMap::new(),
            seen: BTreeMap::new(),
        }
    }

    pub fn rules(&self) -> Rules {
        Rules::of(self.settings.as_ref())
    }

    /// Time passes: ended jobs are forgotten, and keys that were held for a time are free.
    pub fn set_now(&mut self, now: i64) {
        self.now = now;
        self.sweep();
    }

    pub fn sweep(&mut self) {
        let late = i64::from(self.mistake == Mistake::ForgottenLate);
        let now = self.now - late;
        let over: Vec<String> = self
            .jobs
            .values()
            .filter(|job| job.is_over(now))
            .map(|job| job.id.clone())
            .collect();
        for id in over {
            self.leave(&id, Left::Forgotten);
        }
        let now = self.now;
        self.holders
            .retain(|_, (_, until)| until.is_none_or(|until| until > now));
    }

    /// When something changes by itself, from the first after now on.
    pub fn coming_events(&self) -> impl Iterator<Item = i64> {
        let jobs = self.jobs.values().flat_map(|job| {
            let expires = job
                .spec
                .expires_in
                .map(|time| job.inserted + super::rules::millis(time));
            expires.into_iter().chain([job.time()])
        });
        let keys = self.holders.values().filter_map(|(_, until)| *until);
        let finished = self
            .finished
            .values()
            .map(|at| at + super::rules::FINISHED_RECEIPT_KEPT);
        let seen = self.seen.values().flat_map(|at| [at + MINUTE, at + HOUR, at + DAY]);
        let rates = [(self.now / (10 * SECOND) + 1) * 10 * SECOND];
        let now = self.now;
        jobs.chain(keys)
            .chain(finished)
            .chain(seen)
            .chain(rates)
            .filter(move |time| *time > now)
    }

    pub fn job(&mut self, id: &str) -> &mut Job {
        self.jobs.get_mut(id).expect("the job is there")
    }

    pub fn leave(&mut self, id: &str, how: Left) {
        self.jobs.remove(id).expect("the job is there");
        self.left.insert(id.to_owned(), how);
    }

    pub fn hold(&mut self, key: &Bytes, id: &str, until: Option<i64>) {
        self.holders.insert(key.clone(), (id.to_owned(), until));
    }

    /// Releases a key, where this job holds it.
    pub fn release(&mut self, id: &str, key: Option<&Bytes>) {
        if let Some(key) = key
            && self.holders.get(key).is_some_and(|(holder, _)| holder == id)
        {
            self.holders.remove(key);
        }
    }

    pub fn release_until_end(&mut self, id: &str) {
        let key = self.jobs[id].key_until_end().cloned();
        self.release(id, key.as_ref());
    }

    pub fn count(&mut self, event: Event, number: u64) {
        if number == 0 {
            return;
        }
        self.events.push((event, self.now, number));
        match event {
            Event::Inserted => {}
            Event::Claimed => *self.processed.get_or_insert(0) += number,
            Event::Done => self.done += number,
            Event::Failed => *self.failed.get_or_insert(0) += number,
            Event::Lost => self.lost += number,
            Event::Died => self.died += number,
            Event::Released => self.released += number,
        }
    }

    pub fn count_failed(&mut self, worker: Option<&Bytes>) {
        self.count(Event::Failed, 1);
        if let Some(counts) = worker.and_then(|worker| self.workers.get_mut(worker)) {
            counts.1 += 1;
        }
    }

    /// How many there were in the six slices of ten seconds before this one.
    pub fn last_minute(&self, event: Event) -> u64 {
        let slice = |time: i64| time.div_euclid(10 * SECOND);
        let counts = self.events.iter().filter(|(of, at, _)| {
            let age = slice(self.now) - slice(*at);
            *of == event && (1..=6).contains(&age)
        });
        counts.map(|(_, _, number)| number).sum()
    }

    /// How many there were of each kind in each of the last minutes, the running one last. `None` for a queue that is not there.
    pub fn history(&self, minutes: usize) -> Option<Vec<[u64; 7]>> {
        self.status?;
        let mut history = vec![[0; 7]; minutes];
        for (event, at, number) in &self.events {
            let age = self.now.div_euclid(MINUTE) - at.div_euclid(MINUTE);
            let place = usize::try_from(age).ok().and_then(|age| minutes.checked_sub(age + 1));
            if let Some(place) = place {
                history[place][*event as usize] += number;
            }
        }
        Some(history)
    }

    /// The first job, or the first settings, of a queue.
    pub fn begin(&mut self) {
        if !self.is_listed {
            self.is_listed = true;
            self.status.get_or_insert(Status::Open);
        }
    }

    /// Without the new tag.
    pub fn configure(&mut self, settings: &Settings, condition: &Condition) -> Configured {
        let is_there = self.status.is_some();
        let is_met = match condition {
            Condition::Always => true,
            Condition::Exists => is_there,
            Condition::Absent => !is_there,
            Condition::Tag { stands_for, .. } => is_there && stands_for.as_ref() == Some(&self.settings_text()),
        };
        if !is_met {
            return Configured::Mismatch;
        }
        self.begin();
        self.settings = Some(*settings);
        self.status = Some(settings.status);
        let effective = self.effective(settings.status);
        if is_there {
            Configured::Changed(effective)
        } else {
            Configured::Created(effective)
        }
    }

    pub fn set_status(&mut self, open: bool) {
        let status = if open { Status::Open } else { Status::Stopped };
        self.status = Some(status);
        if let Some(settings) = &mut self.settings {
            settings.status = status;
        }
    }

    /// What the settings' tag stands for.
    pub fn settings_text(&self) -> String {
        format!("{:?} {:?}", self.settings, self.status)
    }

    /// A job is acknowledged.
    pub fn end_done(&mut self, id: &str) {
        self.release_until_end(id);
        let (now, retain) = (self.now, self.rules().retain);
        let job = self.job(id);
        job.ended = Some(now);
        job.at = Place::Done { until: now + retain };
        if retain == 0 {
            self.leave(id, Left::Acknowledged);
        }
    }

    /// A job is dead. Those that would be forgotten first make room.
    pub fn bury(&mut self, id: &str, reason: DeathReason) {
        self.release_until_end(id);
        let (now, rules) = (self.now, self.rules());
        let job = self.job(id);
        job.ended = Some(now);
        job.reason = Some(reason);
        job.at = Place::Dead {
            until: now + rules.dead_retain,
        };
        self.sweep();
        self.count(Event::Died, 1);
        self.forget_excess_dead(Some(id));
    }

    /// Dead jobs that are too many go, a few at a time. The one that has just died does not, whatever its time.
    pub fn forget_excess_dead(&mut self, newest: Option<&str>) {
        let max_dead = self.rules().max_dead;
        let dead = self.dead();
        let over = dead.len().saturating_sub(max_dead).min(SLICE);
        let others = dead.iter().filter(|other| newest != Some(other) || max_dead == 0);
        for id in others.take(over) {
            self.leave(id, Left::MadeRoom);
        }
    }

    /// A job is cancelled. Its worker shall learn that until its lease ends.
    pub fn cancel(&mut self, id: &str) {
        let (now, retain) = (self.now, self.rules().retain);
        let job = self.job(id);
        let lease_end = if let Place::Active { until } = job.at {
            until
        } else {
            now
        };
        let until = lease_end.max(now + retain);
        job.ended = Some(now);
        job.at = Place::Cancelled { until };
        let key = job.spec.unique.as_ref().map(|(key, _)| key.clone());
        self.release(id, key.as_ref());
        if until <= now {
            self.leave(id, Left::Cancelled);
        }
    }

    /// The dead jobs, those first that are forgotten first.
    pub fn dead(&self) -> Vec<String> {
        let dead = |job: &&Job| matches!(job.at, Place::Dead { .. });
        let mut dead: Vec<&Job> = self.jobs.values().filter(dead).collect();
        dead.sort_by_key(|job| (job.time(), job.number));
        dead.into_iter().map(|job| job.id.clone()).collect()
    }

    /// All that a queue holds goes, and what it counted.
    pub fn delete(&mut self, settings: bool) {
        for id in self.jobs.keys() {
            self.left.insert(id.clone(), Left::QueueDeleted);
        }
        let old = std::mem::replace(self, Self::new(self.now, self.mistake));
        self.left = old.left;
        self.last_number = old.last_number;
        self.workers = old.workers;
        if !settings {
            (self.settings, self.status) = (old.settings, old.status);
        }
    }
}
