//! Claims that wait: woken by what makes a job available, and cheap while nothing does.

use super::{queue, store_lost_after};
use crate::support::{Native, NativeStore, Redis, eventually};
use presque::queue::{Due, QueueName, Settings, Status};
use presque::store::{
    Ack, Acked, Claim, Claimed, Condition, DeadJobs, Extend, Insert, InsertBatch, Nack, NackKind, NewJob, RedisError,
    Store,
};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(30);

/// A claim that ends within this time was woken: by itself it looks again only after six seconds.
const WOKEN: Duration = Duration::from_millis(2500);

async fn claim(store: &Store<Native>, queues: &[QueueName], wait: Duration) -> Claimed {
    let claim = Claim {
        queues,
        max_jobs: 1,
        lease: Some(LONG),
        worker: None,
        wait,
        acks: &[],
    };
    store.claim(claim).await.unwrap()
}

async fn insert(store: &Store<Native>, queue: &QueueName, due: Due) {
    let insert = Insert {
        queue,
        jobs: &[NewJob {
            payload: b"1",
            due,
            ..NewJob::default()
        }],
        failed: None,
        idempotency: None,
    };
    store.insert(insert).await.unwrap();
}

/// A claim that waits, once it surely does.
async fn waiting(redis: &Redis, store: &Store<Native>, queues: &[QueueName]) -> tokio::task::JoinHandle<Duration> {
    let local = (store.clone(), queues.to_vec());
    let task = tokio::spawn(async move {
        let start = Instant::now();
        let claimed = claim(&local.0, &local.1, LONG).await;
        assert_eq!(claimed.jobs.len(), 1);
        start.elapsed()
    });
    blocked(redis, 1).await;
    task
}

async fn blocked(redis: &Redis, clients: usize) {
    eventually("claims wait", async || {
        let text: String = redis::from_owned_redis_value(redis.run("INFO clients").await).unwrap();
        text.contains(&format!("blocked_clients:{clients}")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_waiting_claim_is_woken_by_everything_that_makes_a_job_available() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    let queues = [q.clone()];

    let task = waiting(&redis, &store, &queues).await;
    insert(&store, &q, Due::Now).await;
    assert!(task.await.unwrap() < WOKEN);

    let task = waiting(&redis, &store, &queues).await;
    let batch = InsertBatch {
        queue: &q,
        payloads: &[b"1", b"2"],
        due: None,
    };
    store.insert_batch(batch).await.unwrap();
    assert!(task.await.unwrap() < WOKEN);

    let held = claim(&store, &queues, Duration::ZERO).await.jobs.remove(0).1;
    let task = waiting(&redis, &store, &queues).await;
    let nack = Nack {
        receipt: &held.receipt().unwrap(),
        error: "",
        delay: Some(Duration::ZERO),
        kind: NackKind::Failed,
    };
    store.nack(&q, &[nack]).await.unwrap();
    assert!(task.await.unwrap() < WOKEN);

    insert(&store, &q, Due::Now).await;
    let held = claim(&store, &queues, Duration::ZERO).await.jobs.remove(0).1;
    let task = waiting(&redis, &store, &queues).await;
    let release = Nack {
        receipt: &held.receipt().unwrap(),
        error: "",
        delay: None,
        kind: NackKind::Released,
    };
    store.nack(&q, &[release]).await.unwrap();
    assert!(task.await.unwrap() < WOKEN);

    insert(&store, &q, Due::Now).await;
    let held = claim(&store, &queues, Duration::ZERO).await.jobs.remove(0).1;
    let nack = Nack {
        receipt: &held.receipt().unwrap(),
        error: "",
        delay: None,
        kind: NackKind::Rejected,
    };
    store.nack(&q, &[nack]).await.unwrap();
    let task = waiting(&redis, &store, &queues).await;
    store.redrive(&q, DeadJobs::First(1)).await.unwrap();
    assert!(task.await.unwrap() < WOKEN);

    store.set_status(&q, Status::Stopped).await.unwrap();
    insert(&store, &q, Due::Now).await;
    let task = waiting(&redis, &store, &queues).await;
    store.set_status(&q, Status::Open).await.unwrap();
    assert!(task.await.unwrap() < WOKEN);

    let open = Settings::default();
    let stopped = Settings {
        status: Status::Stopped,
        ..open
    };
    store.configure(&q, &stopped, Condition::Always).await.unwrap();
    insert(&store, &q, Due::Now).await;
    let task = waiting(&redis, &store, &queues).await;
    store.configure(&q, &open, Condition::Always).await.unwrap();
    assert!(task.await.unwrap() < WOKEN);
}

#[tokio::test]
async fn a_waiting_claim_knows_when_a_job_will_be_due_and_when_a_lease_ends() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    insert(&store, &q, Due::In(Duration::from_millis(300))).await;
    let start = Instant::now();
    let claimed = claim(&store, std::slice::from_ref(&q), LONG).await;
    assert_eq!(claimed.jobs.len(), 1);
    assert!(start.elapsed() < WOKEN);
    // Inserted while it waits.
    let task = waiting(&redis, &store, std::slice::from_ref(&q)).await;
    insert(&store, &q, Due::In(Duration::from_millis(300))).await;
    assert!(task.await.unwrap() < WOKEN);
}

#[tokio::test]
async fn all_waiting_claims_learn_that_a_lease_ends_earlier_than_it_did() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    let queues = std::slice::from_ref(&q);
    for _ in 0..2 {
        insert(&store, &q, Due::Now).await;
    }
    let held = [
        claim(&store, queues, Duration::ZERO).await.jobs.remove(0).1,
        claim(&store, queues, Duration::ZERO).await.jobs.remove(0).1,
    ];
    let first = waiting(&redis, &store, queues).await;
    let local = (store.clone(), q.clone());
    let second = tokio::spawn(async move {
        let start = Instant::now();
        assert_eq!(
            claim(&local.0, std::slice::from_ref(&local.1), LONG).await.jobs.len(),
            1
        );
        start.elapsed()
    });
    blocked(&redis, 2).await;
    let receipts = held.map(|job| job.receipt().unwrap());
    let extensions = receipts.each_ref().map(|receipt| Extend {
        receipt,
        lease: Some(Duration::from_millis(300)),
        progress: None,
    });
    store.extend(&q, &extensions).await.unwrap();
    assert!(first.await.unwrap() < WOKEN);
    assert!(second.await.unwrap() < WOKEN);
}

#[tokio::test]
async fn a_claim_on_several_queues_is_woken_by_any_of_them_and_takes_the_first_first() {
    let redis = Redis::start();
    let store = redis.store().await;
    let queues = [queue("a"), queue("b"), queue("c")];
    let task = waiting(&redis, &store, &queues).await;
    insert(&store, &queues[2], Due::Now).await;
    assert!(task.await.unwrap() < WOKEN);
    for queue in [&queues[1], &queues[0]] {
        insert(&store, queue, Due::Now).await;
    }
    for place in [0, 1] {
        let claimed = claim(&store, &queues, Duration::ZERO).await;
        assert_eq!(claimed.jobs[0].0, place);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_waiting_claims_gets_one_of_as_many_jobs() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    let claims = (0..20).map(|_| {
        let local = (store.clone(), q.clone());
        tokio::spawn(async move {
            claim(&local.0, std::slice::from_ref(&local.1), LONG)
                .await
                .jobs
                .remove(0)
                .1
                .id
        })
    });
    let claims: Vec<_> = claims.collect();
    blocked(&redis, 20).await;
    let start = Instant::now();
    for _ in 0..20 {
        insert(&store, &q, Due::Now).await;
    }
    let mut ids = std::collections::BTreeSet::new();
    for claim in claims {
        ids.insert(claim.await.unwrap());
    }
    assert_eq!(ids.len(), 20);
    assert!(start.elapsed() < WOKEN);
}

#[tokio::test]
async fn without_a_waiting_claim_nothing_is_left_to_wake_one() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    for _ in 0..3 {
        insert(&store, &q, Due::Now).await;
    }
    assert_eq!(redis.run("EXISTS presque:{q}:wakeup").await, redis::Value::Int(0));
}

#[tokio::test]
async fn waiting_for_a_queue_that_never_was_leaves_nothing_for_long_and_does_not_hide_its_first_job() {
    let redis = Redis::start();
    let (store, q) = (redis.store().await, queue("q"));
    claim(&store, std::slice::from_ref(&q), Duration::from_millis(50)).await;
    let ttl: i64 = redis::from_owned_redis_value(redis.run("PTTL presque:{q}:meta").await).unwrap();
    assert!((1..=11_000).contains(&ttl), "{ttl}");
    store.delete(&q, presque::store::Delete::Queue).await.unwrap();
    assert_eq!(store.describe(&q).await.unwrap(), None);
    insert(&store, &q, Due::Now).await;
    let ttl: i64 = redis::from_owned_redis_value(redis.run("PTTL presque:{q}:meta").await).unwrap();
    assert_eq!(ttl, -1, "a queue with a job stays");

    let other = queue("other");
    claim(&store, std::slice::from_ref(&other), Duration::from_millis(50)).await;
    store.set_status(&other, Status::Stopped).await.unwrap();
    let ttl: i64 = redis::from_owned_redis_value(redis.run("PTTL presque:{other}:meta").await).unwrap();
    assert_eq!(ttl, -1, "and so does one that is stopped");
}

#[tokio::test]
async fn what_a_claim_has_done_it_tells_although_redis_is_lost_after_that() {
    let redis = Redis::start();
    let queues = [queue("a"), queue("b")];
    let store = redis.store().await;
    let lost_after = async |commands| store_lost_after(&redis, commands).await;
    let of_two = Claim {
        queues: &queues,
        max_jobs: 2,
        lease: Some(LONG),
        worker: None,
        wait: LONG,
        acks: &[],
    };
    // Redis knows the script from here on, so that each look is one command.
    insert(&store, &queues[0], Due::Now).await;
    claim(&store, &queues[1..], Duration::ZERO).await;

    // The first queue gives a job, and the second one is out of reach.
    let claimed = lost_after(1).await.claim(of_two).await.unwrap();
    let [(0, job)] = &*claimed.jobs else {
        panic!("{claimed:?}")
    };
    // The job is acknowledged, and there is no way to wait for another one.
    let receipt = job.receipt().unwrap();
    let acks = [Ack {
        receipt: &receipt,
        result: None,
    }];
    let carrying = Claim { acks: &acks, ..of_two };
    let claimed = lost_after(2).await.claim(carrying).await.unwrap();
    assert_eq!((claimed.jobs.len(), claimed.acks), (0, vec![Acked::Done]));
    // A claim that did nothing says so.
    for commands in 0..3 {
        let result = lost_after(commands).await.claim(of_two).await;
        assert_eq!(result, Err(RedisError::Unreachable("lost".into())));
    }
}
