//! Answers that wait for replicas.

use super::*;
use presque::queue::{Policy, Status};
use presque::store::{
    DeadJobs, Effect, Extend, Idempotency, Insert, Inserted, InsertedJob, Nack, NackKind, NewJob, RedisError,
};

/// A way to a server that wants one replica to have each change.
fn replicated(redis: &Redis, timeout: Duration) -> Store<Native> {
    let replication = Replication { replicas: 1, timeout };
    let seed = redis.url().trim_start_matches("redis://").to_owned();
    Store::new(Native::to("redis://", &[seed], Some(replication)))
}

#[tokio::test]
async fn an_insert_that_no_replica_has_is_not_told_of_as_stored_until_one_has_it() {
    let primary = Redis::start();
    let replica = Redis::start_replica_of(&primary, &[]).await;
    let (store, q) = (replicated(&primary, Duration::from_millis(50)), queue("q"));
    replica.server.pause().unwrap();
    let insert = Insert {
        queue: &q,
        jobs: &[NewJob {
            payload: b"1",
            ..NewJob::default()
        }],
        failed: None,
        idempotency: Some(Idempotency {
            key: b"k",
            fingerprint: b"f",
        }),
    };
    // The second finds what the first has done, which no replica has either.
    for _ in 0..2 {
        let error = store.insert(insert).await.unwrap_err();
        assert!(matches!(error, RedisError::NotReplicated(_)), "{error}");
        assert_eq!(error.effect(), Effect::Unknown);
    }
    // To look promises nothing.
    assert_eq!(store.counts(&q).await.unwrap().ready, 1);
    replica.server.resume().unwrap();
    let store = replicated(&primary, Duration::from_secs(30));
    let Inserted::Jobs(jobs) = store.insert(insert).await.unwrap() else {
        panic!("it is stored");
    };
    assert!(matches!(jobs[..], [InsertedJob::Stored(_)]));
    drop(primary);
    replica.run("REPLICAOF NO ONE").await;
    let store = replica.store().await;
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("1"));
    assert_eq!(fetch(&store, &q).await, None);
}

#[tokio::test]
async fn each_answer_that_promises_a_change_waits_for_replicas_and_no_other() {
    // Without a replica none of them is given.
    let primary = Redis::start();
    let (plain, store, q) = (
        primary.store().await,
        replicated(&primary, Duration::from_millis(1)),
        queue("q"),
    );
    insert(&plain, job(&q, "1")).await;
    insert(&plain, job(&q, "2")).await;
    let not_replicated = |result: Result<(), RedisError>| {
        let error = result.unwrap_err();
        assert!(matches!(error, RedisError::NotReplicated(_)), "{error}");
        assert_eq!(error.effect(), Effect::Unknown);
    };
    not_replicated(try_insert(&store, job(&q, "3")).await.map(drop));
    let claimed = Claim {
        queues: std::slice::from_ref(&q),
        max_jobs: 1,
        lease: None,
        worker: None,
        wait: Duration::ZERO,
        acks: &[],
    };
    not_replicated(store.claim(claimed).await.map(drop));
    let job = plain.claim(claimed).await.unwrap().jobs.remove(0).1;
    let receipt = job.receipt().unwrap();
    let ack = Ack {
        receipt: &receipt,
        result: None,
    };
    not_replicated(store.ack(&q, &[ack]).await.map(drop));
    // It is done all the same, which a repetition is told once a replica has it.
    assert_eq!(plain.ack(&q, &[ack]).await.unwrap(), [Acked::Repeated]);
    not_replicated(store.ack(&q, &[ack]).await.map(drop));
    not_replicated(
        store
            .configure(&q, &Settings::default(), Condition::Always)
            .await
            .map(drop),
    );

    let nack = Nack {
        receipt: &receipt,
        error: "no",
        delay: None,
        kind: NackKind::Failed,
    };
    not_replicated(store.nack(&q, &[nack]).await.map(drop));
    let extend = Extend {
        receipt: &receipt,
        lease: None,
        progress: None,
    };
    not_replicated(store.extend(&q, &[extend]).await.map(drop));
    not_replicated(store.remove(&q, &job.id).await.map(drop));
    not_replicated(store.set_status(&q, Status::Open).await);
    not_replicated(store.set_policy(&q, Policy::RoundRobin).await);
    not_replicated(store.redrive(&q, DeadJobs::First(1)).await.map(drop));
    not_replicated(store.health().await.map(drop));

    store.describe(&q).await.unwrap().unwrap();
    store.job(&q, &job.id).await.unwrap();
    store.queues().await.unwrap();
    store.summaries(std::slice::from_ref(&q)).await.unwrap();
    store.peek(&q).await.unwrap();
}

#[tokio::test]
async fn a_job_that_a_legacy_worker_fetches_is_not_lost_with_an_answer_that_waits() {
    let primary = Redis::start();
    let (plain, store, q) = (
        primary.store().await,
        replicated(&primary, Duration::from_millis(1)),
        queue("q"),
    );
    insert(&plain, job(&q, "1")).await;
    insert(&plain, job(&q, "2")).await;
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("1"));
    let next = store.take_next(&q).await.unwrap().unwrap();
    assert_eq!(next.payload, b"2");
}

#[tokio::test]
async fn a_full_server_lets_jobs_end_though_replicas_are_waited_for() {
    let primary = Redis::start();
    let _replica = Redis::start_replica_of(&primary, &[]).await;
    let (store, q) = (replicated(&primary, Duration::from_secs(30)), queue("q"));
    insert(&store, job(&q, "1")).await;
    let claimed = claim(&store, std::slice::from_ref(&q), Duration::ZERO).await;
    primary.run("CONFIG SET maxmemory 1").await;
    assert!(matches!(
        try_insert(&store, job(&q, "2")).await,
        Err(RedisError::Full(_))
    ));
    let receipt = claimed.jobs[0].1.receipt().unwrap();
    let ack = Ack {
        receipt: &receipt,
        result: None,
    };
    assert_eq!(store.ack(&q, &[ack]).await.unwrap(), [Acked::Done]);
}
