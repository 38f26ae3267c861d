//! Pages of jobs, inserts that are repeated, workers that are seen, and what Redis says of itself.

use super::work::{Work, seconds};
use presque::queue::{Due, JobId, State};
use presque::store::{Cursor, Idempotency, Insert, Inserted, InsertedJob, Job, ListJobs, NewJob};

async fn page(work: &Work, state: State, max_jobs: usize, after: Option<&Cursor>) -> Vec<Job> {
    let page = ListJobs {
        queue: &work.queue,
        state,
        max_jobs,
        after,
        is_newest_first: false,
        has_payloads: false,
    };
    work.store.jobs(page).await.unwrap().jobs
}

async fn all_pages(work: &Work, state: State, max_jobs: usize) -> Vec<JobId> {
    let mut ids = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let asked = ListJobs {
            queue: &work.queue,
            state,
            max_jobs,
            after: after.as_ref(),
            is_newest_first: false,
            has_payloads: false,
        };
        let page = work.store.jobs(asked).await.unwrap();
        after = page.jobs.last().map(|last| Cursor {
            position: last.position,
            id: last.id,
        });
        ids.extend(page.jobs.into_iter().map(|job| job.id));
        if !page.has_more {
            return ids;
        }
    }
}

#[tokio::test]
async fn pages_show_every_job_of_a_state_once_and_in_order() {
    let mut work = Work::start().await;
    let mut ready = Vec::new();
    let mut scheduled = Vec::new();
    for number in 0..25 {
        ready.push(work.plain(&number.to_string()).await);
        let due = Due::In(seconds(100));
        scheduled.push(
            work.insert(NewJob {
                payload: b"later",
                due,
                ..NewJob::default()
            })
            .await,
        );
    }
    assert_eq!(all_pages(&work, State::Ready, 7).await, ready);
    assert_eq!(all_pages(&work, State::Scheduled, 7).await, scheduled);
    for state in [State::Active, State::Done, State::Dead, State::Cancelled] {
        assert!(all_pages(&work, state, 7).await.is_empty());
    }
    work.pass(seconds(100)).await;
    assert!(all_pages(&work, State::Scheduled, 7).await.is_empty());
    assert_eq!(all_pages(&work, State::Ready, 7).await, [scheduled, ready].concat());
}

#[tokio::test]
async fn a_page_goes_on_where_the_one_before_ended_though_its_last_job_is_gone() {
    let work = Work::start().await;
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(work.plain(&number.to_string()).await);
    }
    let first = page(&work, State::Ready, 2, None).await;
    let cursor = Cursor {
        position: first[1].position,
        id: first[1].id,
    };
    work.store.remove(&work.queue, &ids[1]).await.unwrap();
    let second = page(&work, State::Ready, 2, Some(&cursor)).await;
    assert_eq!([&second[0].id, &second[1].id], [&ids[2], &ids[3]]);
}

#[tokio::test]
async fn payloads_are_told_when_they_are_asked_for_up_to_four_mebibytes() {
    let work = Work::start().await;
    let large = "x".repeat(3 * 1024 * 1024);
    for _ in 0..2 {
        work.plain(&large).await;
    }
    assert!(
        page(&work, State::Ready, 10, None)
            .await
            .iter()
            .all(|job| job.payload.is_empty())
    );
    let asked = ListJobs {
        queue: &work.queue,
        state: State::Ready,
        max_jobs: 10,
        after: None,
        is_newest_first: false,
        has_payloads: true,
    };
    let page = work.store.jobs(asked).await.unwrap();
    assert_eq!(
        (page.jobs.len(), page.jobs[0].payload.len(), page.has_more),
        (1, large.len(), true)
    );
}

#[tokio::test]
async fn an_insert_that_is_repeated_by_its_key_gives_the_same_answer_and_another_one_is_refused() {
    let work = Work::start().await;
    let insert = async |key: &[u8], fingerprint: &[u8]| {
        let insert = Insert {
            queue: &work.queue,
            jobs: &[
                NewJob {
                    payload: b"1",
                    ..NewJob::default()
                },
                NewJob {
                    payload: b"2",
                    ..NewJob::default()
                },
            ],
            failed: None,
            idempotency: Some(Idempotency { key, fingerprint }),
        };
        work.store.insert(insert).await.unwrap()
    };
    let first = insert(b"k", b"1").await;
    assert!(matches!(&first, Inserted::Jobs(jobs) if jobs.len() == 2));
    work.claim().await;
    assert_eq!(insert(b"k", b"1").await, first);
    assert_eq!(insert(b"k", b"2").await, Inserted::OtherRequest);
    assert_ne!(insert(b"other", b"1").await, first);
    assert_eq!(work.store.counts(&work.queue).await.unwrap().ready, 3);
    work.store
        .delete(&work.queue, presque::store::Delete::Jobs)
        .await
        .unwrap();
    assert_ne!(insert(b"k", b"1").await, first, "the jobs of the first are gone");
    assert_eq!(work.store.counts(&work.queue).await.unwrap().ready, 2);
    let ttl: i64 = redis::from_owned_redis_value(work.redis.run("TTL presque:{q}:idempotency:6b").await).unwrap();
    assert!((86_000..=86_400).contains(&ttl), "{ttl}");
    work.assert_sound().await;
}

#[tokio::test]
async fn the_jobs_of_one_insert_may_hold_back_each_other_by_their_unique_key() {
    let work = Work::start().await;
    let hold = presque::queue::Hold::UntilEnded;
    let unique = Some(presque::queue::Unique { key: b"k", hold });
    let job = NewJob {
        payload: b"1",
        unique,
        ..NewJob::default()
    };
    let insert = Insert {
        queue: &work.queue,
        jobs: &[job, job],
        failed: None,
        idempotency: None,
    };
    let Inserted::Jobs(jobs) = work.store.insert(insert).await.unwrap() else {
        panic!("not inserted");
    };
    let InsertedJob::Stored(id) = &jobs[0] else {
        panic!("{jobs:?}");
    };
    assert_eq!(jobs[1], InsertedJob::Duplicate(*id));
}

#[tokio::test]
async fn a_worker_that_claims_by_name_is_seen_about_once_a_minute() {
    let mut work = Work::start().await;
    assert!(work.store.seen_workers(Some).await.unwrap().is_empty());
    for _ in 0..3 {
        work.claim_many(1).await;
    }
    let first = work.clock.now();
    let seen = work.store.seen_workers(Some).await.unwrap();
    assert_eq!(
        (&*seen[0].worker, seen[0].queue.as_str(), seen[0].at),
        (&b"w"[..], "q", first)
    );
    let zadds = work.redis.commands().await["zadd"];
    work.pass(seconds(59)).await;
    work.claim_many(1).await;
    assert_eq!(work.redis.commands().await["zadd"], zadds);
    work.pass(seconds(1)).await;
    work.claim_many(1).await;
    assert_eq!(work.store.seen_workers(Some).await.unwrap()[0].at, work.clock.now());
    work.pass(seconds(24 * 3600)).await;
    assert!(work.store.seen_workers(Some).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_redis_that_may_throw_jobs_away_is_told_from_one_that_refuses() {
    let work = Work::start().await;
    let health = work.store.health().await.unwrap();
    assert!(!health.can_evict() && health.used_memory > 0 && !health.version.is_empty());
    work.redis.run("CONFIG SET maxmemory-policy allkeys-lru").await;
    assert!(work.store.health().await.unwrap().can_evict());
}

#[tokio::test]
async fn health_fails_where_an_insert_would_and_names_the_reason() {
    use presque::store::{RedisError, Unavailable};
    let work = Work::start().await;
    work.redis.run("CONFIG SET maxmemory 1").await;
    assert!(matches!(work.store.health().await, Err(RedisError::Full(_))));
    work.redis.run("CONFIG SET maxmemory 0").await;
    for (cause, cure, reason) in [
        (
            "CONFIG SET min-replicas-to-write 1",
            "CONFIG SET min-replicas-to-write 0",
            Unavailable::NoReplicas,
        ),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", Unavailable::ReadOnly),
    ] {
        work.redis.run(cause).await;
        let health = work.store.health().await;
        assert!(
            matches!(&health, Err(RedisError::Unavailable(told, _)) if *told == reason),
            "{health:?}"
        );
        work.redis.run(cure).await;
        work.store.health().await.unwrap();
    }
    work.redis.run("ACL SETUSER presque -info -zadd -hsetnx").await;
    let health = work.store.health().await.unwrap();
    assert_eq!(
        (health.missing_permissions, &*health.version),
        (vec!["HSETNX".into(), "ZADD".into()], "")
    );
    work.redis.run("ACL SETUSER presque +zadd +hsetnx").await;
    assert!(work.store.health().await.unwrap().missing_permissions.is_empty());
    work.redis.run("ACL SETUSER presque -evalsha").await;
    let health = work.store.health().await;
    assert!(
        matches!(&health, Err(RedisError::Forbidden(why)) if why.contains("evalsha")),
        "{health:?}"
    );
}

#[tokio::test]
async fn when_redis_is_full_inserts_are_refused_and_claims_and_acks_go_on() {
    let work = Work::start().await;
    for payload in ["1", "2", "3"] {
        work.plain(payload).await;
    }
    let (_, first) = work.claim().await;
    work.redis.run("CONFIG SET maxmemory 1").await;
    let insert = Insert {
        queue: &work.queue,
        jobs: &[NewJob {
            payload: b"4",
            ..NewJob::default()
        }],
        failed: None,
        idempotency: None,
    };
    let refused = work.store.insert(insert).await.unwrap_err();
    assert!(matches!(refused, presque::store::RedisError::Full(_)), "{refused}");
    work.extend(&first, None).await;
    assert_eq!(work.ack(&first).await, presque::store::Acked::Done);
    let (_, second) = work.claim().await;
    let nacked = work.nack(&second, Some(seconds(1))).await;
    assert!(matches!(nacked, presque::store::Nacked::Scheduled(_)), "{nacked:?}");
    let fetch = presque::store::Fetch {
        queue: &work.queue,
        worker: None,
        max_jobs: 1,
    };
    let fetched = work.store.fetch(fetch).await.unwrap();
    assert_eq!(fetched, presque::store::Fetched::Jobs(vec![b"3".to_vec()]));
    assert_eq!(work.try_claim().await, None, "nothing there is no error");
    work.redis.run("CONFIG SET maxmemory 0").await;
    work.assert_sound().await;
}
