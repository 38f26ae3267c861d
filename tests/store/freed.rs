//! What is over its time leaves Redis, whatever is called on the queue.

use super::work::{Work, seconds};
use super::{insert, job, queue};
use crate::support::{Native, NativeStore, Redis, assert_sound};
use presque::queue::{Hold, Policy, Settings, State, Status, Unique};
use presque::store::{
    self, Delete, Idempotency, Insert, InsertBatch, Inserted, ListJobs, Nack, NackKind, NewJob, RedisError, Reply,
    Store, SubscriberKind,
};
use std::cell::RefCell;
use std::time::Duration;

/// Makes so many dead jobs.
async fn bury(work: &Work, count: usize) {
    for _ in 0..count {
        work.plain("1").await;
    }
    let mut left = count;
    while left > 0 {
        let claimed = work.claim_many(left.min(100)).await;
        let receipts: Vec<_> = claimed.iter().map(|job| job.receipt().unwrap()).collect();
        let nacks = receipts.iter().map(|receipt| Nack {
            receipt,
            error: "",
            delay: None,
            kind: NackKind::Rejected,
        });
        work.store.nack(&work.queue, &nacks.collect::<Vec<_>>()).await.unwrap();
        left -= claimed.len();
    }
}

async fn count(work: &Work, command: &str, key: &str) -> u64 {
    work.redis.query(&[command, &format!("presque:{{q}}:{key}")]).await
}

async fn page(work: &Work) {
    let page = ListJobs {
        queue: &work.queue,
        state: State::Dead,
        max_jobs: 1,
        after: None,
        is_newest_first: false,
        has_payloads: false,
    };
    work.store.jobs(page).await.unwrap();
}

#[tokio::test]
async fn each_insert_and_each_look_forgets_some_dead_jobs_whose_time_is_over() {
    let mut work = Work::start().await;
    let settings = Settings {
        dead_retain: Some(seconds(100)),
        ..Settings::default()
    };
    work.configure(settings).await;
    for call in ["insert", "insert with a key", "batch", "describe", "counts", "list"] {
        bury(&work, 250).await;
        work.pass(seconds(100)).await;
        let before = count(&work, "HLEN", "jobs").await - 250;
        for _ in 0..3 {
            match call {
                "insert" => drop(work.plain("1").await),
                "insert with a key" => {
                    let hold = Hold::UntilClaimed;
                    let unique = Some(Unique { key: b"k", hold });
                    work.try_insert(NewJob {
                        unique,
                        ..NewJob::default()
                    })
                    .await;
                }
                "batch" => {
                    let batch = InsertBatch {
                        queue: &work.queue,
                        payloads: &[b"1"],
                        due: None,
                    };
                    work.store.insert_batch(batch).await.unwrap();
                }
                "describe" => drop(work.store.describe(&work.queue).await.unwrap()),
                "counts" => drop(work.store.counts(&work.queue).await.unwrap()),
                _ => page(&work).await,
            }
        }
        assert_eq!(count(&work, "ZCARD", "dead").await, 0, "{call}");
        let inserted = count(&work, "ZCARD", "ready").await;
        assert!(count(&work, "HLEN", "jobs").await <= before + inserted, "{call}");
        work.store.delete(&work.queue, Delete::Jobs).await.unwrap();
    }
    work.assert_sound().await;
}

#[tokio::test]
async fn a_lowered_max_dead_makes_dead_jobs_leave_with_the_next_calls() {
    let work = Work::start().await;
    bury(&work, 250).await;
    let settings = Settings {
        max_dead: Some(10),
        ..Settings::default()
    };
    work.configure(settings).await;
    work.plain("1").await;
    work.store.describe(&work.queue).await.unwrap();
    page(&work).await;
    assert_eq!(count(&work, "ZCARD", "dead").await, 10);
    // Of each of them the record and the execution; the new job is compact.
    assert_eq!(count(&work, "HLEN", "jobs").await, 20);
    work.assert_sound().await;
}

#[tokio::test]
async fn unique_keys_whose_time_is_over_leave_with_a_look() {
    let mut work = Work::start().await;
    let hold = Hold::For(seconds(10));
    work.insert(NewJob {
        unique: Some(Unique { key: b"k", hold }),
        ..NewJob::default()
    })
    .await;
    work.pass(seconds(10)).await;
    work.store.describe(&work.queue).await.unwrap();
    assert_eq!(count(&work, "HLEN", "unique").await, 0);
    assert_eq!(count(&work, "ZCARD", "unique-until").await, 0);
}

#[tokio::test]
async fn workers_seen_within_a_day_expire() {
    let work = Work::start().await;
    work.plain("1").await;
    work.claim().await;
    let left: i64 = work.redis.query(&["PTTL", "presque:seen"]).await;
    assert!((1..=86_400_000).contains(&left), "{left} ms left");
}

#[tokio::test]
async fn rates_of_more_than_the_last_minute_leave() {
    let mut work = Work::start().await;
    let mut sizes = Vec::new();
    for _ in 0..3 {
        for _ in 0..10 {
            work.plain("1").await;
            work.pass(seconds(10)).await;
        }
        sizes.push(work.redis.query::<i64>(&["HSTRLEN", "presque:{q}:meta", "rates"]).await);
    }
    assert!(sizes[2] < sizes[0] + 20, "{sizes:?}");
}

#[tokio::test]
async fn looks_go_on_when_redis_is_full() {
    let mut work = Work::start().await;
    bury(&work, 1).await;
    work.pass(seconds(1000)).await;
    work.redis.run("CONFIG SET maxmemory 1").await;
    work.store.describe(&work.queue).await.unwrap();
    work.store.counts(&work.queue).await.unwrap();
    page(&work).await;
    work.redis.run("CONFIG SET maxmemory 0").await;
}

/// Does with a queue all that makes keys.
async fn use_all(store: &Store<Native>, q: &presque::queue::QueueName) {
    let settings = Settings {
        retain: Some(seconds(1000)),
        ..Settings::default()
    };
    store.configure(q, &settings, store::Condition::Always).await.unwrap();
    store.set_policy(q, Policy::RoundRobin).await.unwrap();
    let hold = Hold::For(seconds(1000));
    let unique = NewJob {
        unique: Some(Unique { key: b"k", hold }),
        ..NewJob::default()
    };
    let insert = Insert {
        queue: q,
        jobs: &[unique, NewJob::default(), NewJob::default()],
        failed: None,
        idempotency: Some(Idempotency {
            key: b"i",
            fingerprint: b"f",
        }),
    };
    store.insert(insert).await.unwrap();
    let claim = store::Claim {
        queues: std::slice::from_ref(q),
        max_jobs: 1,
        lease: None,
        worker: Some(b"w"),
        wait: Duration::ZERO,
        acks: &[],
    };
    let job = store.claim(claim).await.unwrap().jobs.remove(0).1;
    let receipt = job.receipt().unwrap();
    let ack = store::Ack {
        receipt: &receipt,
        result: None,
    };
    store.ack(q, &[ack]).await.unwrap();
    let events = SubscriberKind::Events { last: &[], ends: false };
    let (subscriber, _) = store.subscribe(q, events).await.unwrap().unwrap();
    store.poll(&subscriber, &[], 1).await.unwrap();
}

/// The keys that stay for ever.
async fn lasting(redis: &Redis) -> Vec<String> {
    let mut lasting = Vec::new();
    for key in redis.query::<Vec<String>>(&["KEYS", "presque:*"]).await {
        if redis.query::<i64>(&["PTTL", &key]).await < 0 {
            lasting.push(key);
        }
    }
    lasting
}

#[tokio::test]
async fn a_deleted_queue_leaves_nothing_that_does_not_expire() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    use_all(&store, &q).await;
    store.delete(&q, Delete::Queue).await.unwrap();
    assert_eq!(lasting(&redis).await, [""; 0]);
    // What is done on a queue that is not there makes nothing last either.
    store.counts(&q).await.unwrap();
    store.describe(&q).await.unwrap();
    store.delete(&q, Delete::Jobs).await.unwrap();
    assert_eq!(lasting(&redis).await, [""; 0]);

    // Without settings there is nothing to keep when only the jobs are deleted.
    insert(&store, job(&q, "1")).await;
    assert_eq!(redis.query::<i64>(&["PTTL", "presque:{q}:meta"]).await, -1);
    store.delete(&q, Delete::Jobs).await.unwrap();
    assert_eq!(lasting(&redis).await, [""; 0]);
    store.set_status(&q, Status::Stopped).await.unwrap();
    store.delete(&q, Delete::Jobs).await.unwrap();
    assert_eq!(lasting(&redis).await, ["presque:{q}:meta"], "it stays stopped");
    store.set_status(&q, Status::Open).await.unwrap();
    store.delete(&q, Delete::JobsButNumbers).await.unwrap();
    assert_eq!(lasting(&redis).await, ["presque:{q}:meta"], "its numbers go on");
    assert_sound(&redis).await;
}

#[tokio::test]
async fn what_is_left_of_a_deleted_queue_outlives_every_answer_to_an_insert_from_before() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    use_all(&store, &q).await;
    store.delete(&q, Delete::Queue).await.unwrap();
    let [answers] = &redis.query::<Vec<String>>(&["KEYS", "presque:{q}:idempotency:*"]).await[..] else {
        panic!("one answer is kept");
    };
    let answer_left: i64 = redis.query(&["PTTL", answers]).await;
    let meta_left: i64 = redis.query(&["PTTL", "presque:{q}:meta"]).await;
    assert!(
        (1..meta_left).contains(&answer_left),
        "{answer_left} and {meta_left} ms"
    );
    // The job of that answer is gone, so it does not count.
    let insert = Insert {
        queue: &q,
        jobs: &[NewJob::default()],
        failed: None,
        idempotency: Some(Idempotency {
            key: b"i",
            fingerprint: b"f",
        }),
    };
    let Inserted::Jobs(jobs) = store.insert(insert).await.unwrap() else {
        panic!("the job is inserted");
    };
    assert_eq!(jobs.len(), 1);
    assert_eq!(store.counts(&q).await.unwrap().ready, 1);
}

/// A way to Redis on which something happens before the first `ZADD`, which enters a queue in the catalog.
struct Late {
    native: Native,
    before: RefCell<Option<Store<Native>>>,
}

impl store::Redis for Late {
    async fn command(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        if name == "ZADD"
            && let Some(other) = self.before.take()
        {
            // The queue is deleted, forgotten altogether, and made anew.
            let q = queue("q");
            other.delete(&q, Delete::Queue).await?;
            self.native.command("DEL", &[b"presque:{q}:meta"]).await?;
            insert(&other, job(&q, "new")).await;
        }
        self.native.command(name, args).await
    }

    async fn blocking(&self, name: &str, args: &[&[u8]], most: Duration) -> Result<Vec<Reply>, RedisError> {
        self.native.blocking(name, args, most).await
    }
}

#[tokio::test]
async fn an_instance_that_writes_very_late_does_not_take_a_new_queue_out_of_the_catalog() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert(&store, job(&q, "1")).await;
    store.delete(&q, Delete::Queue).await.unwrap();
    let late = Store::new(Late {
        native: redis.native().await,
        before: RefCell::new(Some(redis.store().await)),
    });
    let insert_late = Insert {
        queue: &q,
        jobs: &[NewJob::default()],
        failed: None,
        idempotency: None,
    };
    late.insert(insert_late).await.unwrap();
    assert_eq!(store.queues().await.unwrap().names, [b"q"]);
    assert_sound(&redis).await;
    store.delete(&q, Delete::Queue).await.unwrap();
    assert_eq!(store.queues().await.unwrap().size, 0);
}
