//! Many instances, a number of partitions that changes, and what jobs and keys come to: all at random, beside a simple account.

use crate::support::{Clock, Clocked, NativeStore, Redis, assert_sound};
use presque::queue::{Due, Hold, JobId, QueueName, Receipt, Settings, State, Timestamp, Unique};
use presque::store::{
    Ack, Acked, Claim, Condition, DeadJobs, Insert, Inserted, InsertedJob, Nack, NackKind, Nacked, NewJob, Removed,
    Store,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// Numbers that are always the same.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// A job, as the account has it.
#[derive(Clone, Debug)]
struct Known {
    key: Option<String>,
    due: Timestamp,
    /// The last receipt, and the end of its lease, while the job is active.
    held: Option<(Receipt, Timestamp)>,
    is_dead: bool,
}

struct Account {
    redis: Redis,
    stores: Vec<Store<Clocked>>,
    clock: Clock,
    queue: QueueName,
    random: Random,
    jobs: BTreeMap<JobId, Known>,
    /// Keys of jobs that were redriven: held for a minute, whatever comes.
    reserved: Vec<(String, JobId, Timestamp)>,
    serial: usize,
    trace: Vec<String>,
}

const LEASE: Duration = Duration::from_secs(30);
const MINUTE: Duration = Duration::from_secs(60);

impl Account {
    async fn open(seed: u64) -> Self {
        let redis = Redis::start();
        let (_, clock) = redis.store_with_clock().await;
        let stores = (0..3).map(|_| clock.store_of_another_instance()).collect();
        Self {
            redis,
            stores,
            clock,
            queue: super::super::queue("q"),
            random: Random(seed),
            jobs: BTreeMap::new(),
            reserved: Vec::new(),
            serial: 0,
            trace: Vec::new(),
        }
    }

    fn store(&mut self) -> Store<Clocked> {
        let at = self.random.below(self.stores.len());
        self.stores[at].clone()
    }

    fn holder(&self, key: &str) -> Option<JobId> {
        let mut holders = self
            .jobs
            .iter()
            .filter(|(_, job)| !job.is_dead && job.key.as_deref() == Some(key));
        let holder = holders.next().map(|(id, _)| *id);
        assert!(
            holders.next().is_none(),
            "{key} is held twice: {}",
            self.trace.join("\n")
        );
        holder
    }

    async fn set(&mut self) {
        let partitions = u8::try_from(1 + self.random.below(6)).unwrap();
        self.trace.push(format!("{partitions} partitions"));
        let settings = Settings {
            lease: Some(LEASE),
            max_lost_leases: Some(1000),
            partitions,
            ..Settings::default()
        };
        let store = self.store();
        store
            .configure(&self.queue, &settings, Condition::Always)
            .await
            .unwrap();
    }

    async fn insert(&mut self) {
        let mut texts = Vec::new();
        for _ in 0..1 + self.random.below(4) {
            self.serial += 1;
            let key = (self.random.below(2) == 0).then(|| format!("k{}", self.random.below(12)));
            let is_later = self.random.below(5) == 0;
            texts.push((self.serial.to_string(), key, is_later));
        }
        let job = |(payload, key, is_later): &'_ (String, Option<String>, bool)| -> (Due, Option<String>, String) {
            let due = if *is_later {
                Due::In(Duration::from_secs(5))
            } else {
                Due::Now
            };
            (due, key.clone(), payload.clone())
        };
        let made: Vec<_> = texts.iter().map(job).collect();
        let jobs: Vec<NewJob<'_>> = made
            .iter()
            .map(|(due, key, payload)| NewJob {
                payload: payload.as_bytes(),
                due: *due,
                unique: key.as_ref().map(|key| Unique {
                    key: key.as_bytes(),
                    hold: Hold::UntilEnded,
                }),
                ..NewJob::default()
            })
            .collect();
        let insert = Insert {
            queue: &self.queue.clone(),
            jobs: &jobs,
            failed: None,
            idempotency: None,
        };
        let Inserted::Jobs(answers) = self.store().insert(insert).await.unwrap() else {
            panic!("inserted")
        };
        self.trace.push(format!("{made:?} -> {answers:?}"));
        let now = self.clock.now();
        for ((due, key, _), answer) in made.into_iter().zip(answers) {
            let holder = key.as_deref().and_then(|key| self.holder(key));
            match (answer, holder) {
                (InsertedJob::Duplicate(id), Some(holder)) => assert_eq!(id, holder),
                (InsertedJob::Duplicate(id), None) => {
                    let mut reserved = self.reserved.iter();
                    let is_reserved =
                        reserved.any(|(of, by, until)| Some(of) == key.as_ref() && *by == id && *until > now);
                    assert!(is_reserved, "held by none: {}", self.trace.join("\n"));
                }
                (InsertedJob::Stored(_), Some(holder)) => {
                    panic!("{key:?} is held by {holder}: {}", self.trace.join("\n"))
                }
                (InsertedJob::Stored(id), None) => {
                    let due = if due == Due::Now {
                        now
                    } else {
                        now.plus(Duration::from_secs(5))
                    };
                    let known = Known {
                        key,
                        due,
                        held: None,
                        is_dead: false,
                    };
                    assert!(self.jobs.insert(id, known).is_none(), "{id} is used twice");
                }
            }
        }
    }

    fn can_be_claimed(&self, id: &JobId) -> bool {
        let (now, job) = (self.clock.now(), &self.jobs[id]);
        !job.is_dead && job.due <= now && job.held.is_none_or(|(_, until)| until <= now)
    }

    async fn claim(&mut self) -> usize {
        let max_jobs = 1 + self.random.below(6);
        let queue = self.queue.clone();
        let claim = Claim {
            queues: std::slice::from_ref(&queue),
            max_jobs,
            lease: None,
            worker: None,
            wait: Duration::ZERO,
            acks: &[],
        };
        let claimed = self.store().claim(claim).await.unwrap().jobs;
        let ids: Vec<_> = claimed.iter().map(|(_, job)| job.id.to_string()).collect();
        self.trace.push(format!("claim of {max_jobs} -> {ids:?}"));
        if claimed.is_empty() {
            let left: Vec<_> = self.jobs.keys().filter(|id| self.can_be_claimed(id)).collect();
            assert!(left.is_empty(), "{left:?} are left: {}", self.trace.join("\n"));
        }
        for (_, job) in &claimed {
            assert!(self.can_be_claimed(&job.id), "{}: {}", job.id, self.trace.join("\n"));
            let held = Some((job.receipt().unwrap(), job.state_time));
            self.jobs.get_mut(&job.id).unwrap().held = held;
        }
        claimed.len()
    }

    /// Acknowledges, retries or rejects a job under a good lease.
    async fn finish(&mut self) {
        let now = self.clock.now();
        let held = self.jobs.iter().filter_map(|(id, job)| Some((*id, job.held?)));
        let held: Vec<_> = held.filter(|(_, (_, until))| *until > now).collect();
        if held.is_empty() {
            return;
        }
        let (id, (receipt, _)) = held[self.random.below(held.len())];
        let store = self.store();
        let what = self.random.below(4);
        self.trace.push(format!("finish {id} by {what}"));
        if what == 0 {
            let ack = Ack {
                receipt: &receipt,
                result: None,
            };
            assert_eq!(store.ack(&self.queue, &[ack]).await.unwrap(), [Acked::Done]);
            self.jobs.remove(&id);
            return;
        }
        let nack = Nack {
            receipt: &receipt,
            error: "x",
            delay: Some(Duration::ZERO),
            kind: [NackKind::Released, NackKind::Failed, NackKind::Rejected][what - 1],
        };
        let nacked = store.nack(&self.queue, &[nack]).await.unwrap();
        assert_eq!(nacked, [if what > 2 { Nacked::Dead } else { Nacked::Ready }]);
        let job = self.jobs.get_mut(&id).unwrap();
        job.held = None;
        job.is_dead = what > 2;
    }

    async fn redrive(&mut self) {
        let dead: Vec<JobId> = self
            .jobs
            .iter()
            .filter(|(_, job)| job.is_dead)
            .map(|(id, _)| *id)
            .collect();
        let store = self.store();
        let redriven = if self.random.below(2) == 0 {
            store.redrive(&self.queue, DeadJobs::First(1000)).await.unwrap()
        } else {
            store.redrive(&self.queue, DeadJobs::Ids(&dead)).await.unwrap()
        };
        self.trace.push(format!("redrive {dead:?} -> {redriven:?}"));
        assert_eq!(
            redriven.redriven + redriven.conflicts,
            dead.len() as u64,
            "{}",
            self.trace.join("\n")
        );
        for id in &dead {
            let key = self.jobs[id].key.clone();
            let state = store.job(&self.queue, id).await.unwrap().unwrap().state;
            let held = key.as_deref().and_then(|key| self.holder(key));
            if state == State::Ready {
                assert_eq!(held, None, "{id}: {}", self.trace.join("\n"));
                self.jobs.get_mut(id).unwrap().is_dead = false;
                if let Some(key) = key {
                    self.reserved.push((key, *id, self.clock.now().plus(MINUTE)));
                }
            }
        }
        for id in &dead {
            let job = &self.jobs[id];
            let now = self.clock.now();
            let is_held = |key: &String| {
                let is_reserved = self.reserved.iter().any(|(of, _, until)| of == key && *until > now);
                self.holder(key).is_some() || is_reserved
            };
            assert!(
                !job.is_dead || job.key.as_ref().is_some_and(is_held),
                "{id}: {}",
                self.trace.join("\n")
            );
        }
    }

    async fn remove(&mut self) {
        let ids: Vec<JobId> = self.jobs.keys().copied().collect();
        if ids.is_empty() {
            return;
        }
        let id = ids[self.random.below(ids.len())];
        self.trace.push(format!("remove {id}"));
        let removed = self.store().remove(&self.queue, &id).await.unwrap();
        let expected = if self.jobs[&id].is_dead {
            Removed::Forgotten
        } else {
            Removed::Cancelled
        };
        assert_eq!(removed, expected);
        self.jobs.remove(&id);
    }

    async fn compare(&mut self) {
        let described = self.store().describe(&self.queue).await.unwrap().unwrap();
        let count = |state| described.jobs.iter().find(|(of, _)| *of == state).unwrap().1;
        let alive = count(State::Ready) + count(State::Scheduled) + count(State::Active);
        let dead = self.jobs.values().filter(|job| job.is_dead).count() as u64;
        assert_eq!(
            (alive, count(State::Dead)),
            (self.jobs.len() as u64 - dead, dead),
            "{}",
            self.trace.join("\n")
        );
    }

    async fn run(&mut self, steps: usize) {
        self.set().await;
        for _ in 0..steps {
            match self.random.below(20) {
                0 => self.set().await,
                1..8 => self.insert().await,
                8..12 => drop(self.claim().await),
                12..16 => self.finish().await,
                16 => self.redrive().await,
                17 => self.remove().await,
                18 => self.compare().await,
                _ => {
                    let time = Duration::from_secs(1 + self.random.below(20) as u64);
                    self.trace.push(format!("{time:?} pass"));
                    self.clock.pass(time).await;
                }
            }
        }
        self.compare().await;
        // All that is alive comes out.
        self.clock.pass(LEASE * 2).await;
        while self.claim().await > 0 {}
        assert!(self.jobs.values().all(|job| job.is_dead || job.held.is_some()));
        assert_sound(&self.redis).await;
    }
}

#[tokio::test]
async fn no_job_is_lost_or_doubled_and_no_key_held_twice_while_the_number_changes_at_random() {
    for seed in 1..=12 {
        Account::open(seed * 7919).await.run(300).await;
    }
}
