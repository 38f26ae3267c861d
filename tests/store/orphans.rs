//! Jobs whose records are gone, because Redis evicted them or somebody removed them: dropped, counted, and no harm to others.

use super::work::{Work, seconds};
use presque::queue::{Due, Hold, JobId, Settings, State, Unique};
use presque::store::{
    Claim, DeadJobs, Fetch, Fetched, Inbox, InsertBatch, InsertedJob, ListJobs, Nack, NackKind, NewJob, Removed,
    SubscriberKind,
};
use std::time::Duration;

/// Removes a job's record from Redis.
async fn lose(work: &Work, id: &JobId) {
    let mut connection = work.redis.connection().await;
    let removed = redis::cmd("HDEL")
        .arg("presque:{q}:jobs")
        .arg(id.as_bytes())
        .query_async::<u64>(&mut connection)
        .await;
    assert_eq!(removed.unwrap(), 1);
}

/// Inserts a job that has a record, since it has an option.
async fn recorded(work: &Work, payload: &str) -> JobId {
    let job = NewJob {
        payload: payload.as_bytes(),
        max_attempts: Some(25),
        ..NewJob::default()
    };
    work.insert(job).await
}

/// How many orphans were dropped, as the queue counts them.
async fn dropped(work: &Work) -> u64 {
    let count: Option<u64> = work.redis.query(&["HGET", "presque:{q}:meta", "orphans"]).await;
    count.unwrap_or(0)
}

/// Inserts the jobs `1`, `2` and `3`, and removes the record of one.
async fn three(work: &Work, lost: usize) -> Vec<JobId> {
    let mut ids = Vec::new();
    for payload in ["1", "2", "3"] {
        ids.push(recorded(work, payload).await);
    }
    lose(work, &ids[lost]).await;
    ids
}

async fn fetch(work: &Work, max_jobs: usize) -> Vec<Vec<u8>> {
    let fetch = Fetch {
        queue: &work.queue,
        worker: None,
        max_jobs,
    };
    match work.store.fetch(fetch).await.unwrap() {
        Fetched::Jobs(jobs) => jobs,
        Fetched::Stopped => panic!("the queue is stopped"),
    }
}

async fn list(work: &Work, state: State) -> Vec<JobId> {
    let page = ListJobs {
        queue: &work.queue,
        state,
        max_jobs: 10,
        after: None,
        is_newest_first: false,
        has_payloads: true,
    };
    let page = work.store.jobs(page).await.unwrap();
    assert!(!page.has_more);
    page.jobs.into_iter().map(|job| job.id).collect()
}

async fn reject(work: &Work) -> JobId {
    let (job, receipt) = work.claim().await;
    let nack = Nack {
        receipt: &receipt,
        error: "",
        delay: None,
        kind: NackKind::Rejected,
    };
    work.store.nack(&work.queue, &[nack]).await.unwrap();
    job.id
}

#[tokio::test]
async fn whoever_takes_jobs_gets_the_neighbours_of_an_orphan() {
    let work = Work::start().await;
    for lost in 0..3 {
        three(&work, lost).await;
        let claimed = work.claim_many(3).await;
        assert_eq!(claimed.len(), 2);
        for job in claimed {
            work.ack(&job.receipt().unwrap()).await;
        }
        three(&work, lost).await;
        assert_eq!(fetch(&work, 3).await.len(), 2);
        three(&work, lost).await;
        for _ in 0..2 {
            assert!(work.store.take_next(&work.queue).await.unwrap().is_some());
        }
        assert_eq!(work.store.take_next(&work.queue).await.unwrap(), None);
        assert_eq!(work.store.counts(&work.queue).await.unwrap().ready, 0);
        assert_eq!(dropped(&work).await, 3 * (lost as u64 + 1));
    }
    work.assert_sound().await;
}

#[tokio::test]
async fn any_number_of_orphans_does_not_hide_the_job_behind_them() {
    let work = Work::start().await;
    for turn in 0..3 {
        for _ in 0..250 {
            recorded(&work, "1").await;
        }
        assert_eq!(work.redis.run("UNLINK presque:{q}:jobs").await, redis::Value::Int(1));
        recorded(&work, "last").await;
        match turn {
            0 => {
                let (job, receipt) = work.claim().await;
                assert_eq!(job.payload, b"last");
                work.ack(&receipt).await;
            }
            1 => assert_eq!(fetch(&work, 10).await, [b"last"]),
            _ => assert_eq!(
                work.store.show_next(&work.queue).await.unwrap().unwrap().0.payload,
                b"last"
            ),
        }
        assert_eq!(dropped(&work).await, 250 * (turn + 1));
    }
    work.assert_sound().await;
}

#[tokio::test]
async fn whoever_looks_at_jobs_sees_the_neighbours_of_an_orphan() {
    let work = Work::start().await;
    three(&work, 1).await;
    let peeked = work.store.peek(&work.queue).await.unwrap();
    assert_eq!((peeked.ready, peeked.jobs), (2, vec![b"1".to_vec(), b"3".to_vec()]));
    fetch(&work, 3).await;

    let ids = three(&work, 0).await;
    assert_eq!(work.look(&ids[0]).await, None);
    assert_eq!(work.look(&ids[1]).await.unwrap().payload, b"2");
    lose(&work, &ids[1]).await;
    let (next, _) = work.store.show_next(&work.queue).await.unwrap().unwrap();
    assert_eq!(next.payload, b"3");
    assert_eq!(dropped(&work).await, 3);
    work.assert_sound().await;
}

#[tokio::test]
async fn lists_of_every_state_drop_orphans_and_show_the_others() {
    let work = Work::start().await;
    let settings = Settings {
        retain: Some(seconds(1000)),
        ..Settings::default()
    };
    work.configure(settings).await;
    let mut orphans = 0;
    for state in State::ALL {
        let mut ids = Vec::new();
        for _ in 0..3 {
            let due = match state {
                State::Scheduled => Due::In(seconds(100)),
                _ => Due::Now,
            };
            let job = NewJob {
                payload: b"1",
                due,
                max_attempts: Some(25),
                ..NewJob::default()
            };
            let id = work.insert(job).await;
            match state {
                State::Ready | State::Scheduled => {}
                State::Active => drop(work.claim().await),
                State::Done => drop(work.ack(&work.claim().await.1).await),
                State::Dead => drop(reject(&work).await),
                State::Cancelled => drop(work.store.remove(&work.queue, &id).await.unwrap()),
            }
            ids.push(id);
        }
        lose(&work, &ids[0]).await;
        lose(&work, &ids[1]).await;
        orphans += 2;
        assert_eq!(list(&work, state).await, ids[2..], "{state:?}");
        assert_eq!(dropped(&work).await, orphans, "{state:?}");
        if state == State::Ready {
            fetch(&work, 3).await;
        }
    }
    work.assert_sound().await;
}

#[tokio::test]
async fn what_is_due_or_comes_back_without_a_record_is_dropped() {
    let mut work = Work::start().await;
    let job = NewJob {
        payload: b"1",
        due: Due::In(seconds(5)),
        ..NewJob::default()
    };
    let scheduled = work.insert(job).await;
    recorded(&work, "2").await;
    let (active, _) = work.claim().await;
    lose(&work, &scheduled).await;
    lose(&work, &active.id).await;
    work.pass(seconds(100)).await;
    recorded(&work, "3").await;
    let claimed = work.claim_many(10).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].payload, b"3");
    assert_eq!(dropped(&work).await, 2);
    work.assert_sound().await;
}

#[tokio::test]
async fn an_orphan_is_unknown_to_those_who_name_it() {
    let work = Work::start().await;
    let ids = three(&work, 0).await;
    let removed = work.store.remove(&work.queue, &ids[0]).await.unwrap();
    assert_eq!(removed, Removed::Unknown);
    lose(&work, &ids[1]).await;
    assert!(!work.store.remove_number(&work.queue, 2).await.unwrap());
    assert!(work.store.remove_number(&work.queue, 3).await.unwrap());
    assert_eq!(dropped(&work).await, 2);

    for _ in 0..2 {
        recorded(&work, "1").await;
    }
    let dead = [reject(&work).await, reject(&work).await];
    lose(&work, &dead[0]).await;
    let redriven = work.store.redrive(&work.queue, DeadJobs::First(10)).await.unwrap();
    assert_eq!((redriven.redriven, redriven.unknown, redriven.dead), (1, 0, 0));
    assert_eq!(dropped(&work).await, 3);
    work.assert_sound().await;
}

#[tokio::test]
async fn a_subscriber_is_sent_the_neighbours_of_an_orphan() {
    let work = Work::start().await;
    let subscribed = work.store.subscribe(&work.queue, SubscriberKind::Plain).await;
    let (subscriber, _) = subscribed.unwrap().unwrap();
    let deliveries = async |max_jobs| match work.store.poll(&subscriber, &[], max_jobs).await.unwrap() {
        Inbox::Open { deliveries, .. } => deliveries
            .into_iter()
            .map(|delivery| delivery.payload)
            .collect::<Vec<_>>(),
        Inbox::Ended => panic!("the queue was deleted"),
    };
    // One is gone before it becomes a delivery, and one after that.
    let ids = three(&work, 0).await;
    assert_eq!(deliveries(1).await, [b"2"]);
    lose(&work, &ids[1]).await;
    assert_eq!(deliveries(10).await, [b"3"]);
    assert_eq!(dropped(&work).await, 2);
    work.assert_sound().await;
}

#[tokio::test]
async fn a_unique_key_of_an_orphan_is_free() {
    let work = Work::start().await;
    for hold in [Hold::UntilClaimed, Hold::UntilEnded] {
        let job = NewJob {
            payload: b"1",
            unique: Some(Unique { key: b"k", hold }),
            ..NewJob::default()
        };
        let id = work.insert(job).await;
        lose(&work, &id).await;
        let id = work.insert(job).await;
        assert_eq!(work.try_insert(job).await, InsertedJob::Duplicate(id));
        let claimed = work.claim_many(10).await;
        assert_eq!(claimed.iter().map(|job| &job.id).collect::<Vec<_>>(), [&id]);
        work.ack(&claimed[0].receipt().unwrap()).await;
    }
    assert_eq!(dropped(&work).await, 2);
    work.assert_sound().await;
}

#[tokio::test]
async fn a_queue_whose_ready_jobs_redis_evicted_takes_and_hands_out_new_ones() {
    let work = Work::start().await;
    let hold = Hold::UntilEnded;
    let job = NewJob {
        payload: b"1",
        unique: Some(Unique { key: b"k", hold }),
        ..NewJob::default()
    };
    work.insert(job).await;
    assert_eq!(work.redis.run("UNLINK presque:{q}:ready").await, redis::Value::Int(1));
    assert_eq!(work.try_claim().await, None);
    let id = work.insert(job).await;
    assert_eq!(work.claim().await.0.id, id);
    assert_eq!(dropped(&work).await, 1);
    work.assert_sound().await;
}

#[tokio::test]
async fn a_queue_whose_records_redis_evicted_lists_nothing_and_goes_on() {
    let work = Work::start().await;
    for _ in 0..20 {
        recorded(&work, "1").await;
    }
    work.claim_many(10).await;
    assert_eq!(work.redis.run("UNLINK presque:{q}:jobs").await, redis::Value::Int(1));
    for state in State::ALL {
        assert_eq!(list(&work, state).await, []);
    }
    assert_eq!(dropped(&work).await, 20);
    recorded(&work, "2").await;
    assert_eq!(work.claim().await.0.payload, b"2");
    work.assert_sound().await;
}

#[tokio::test]
async fn a_record_or_an_execution_that_cannot_be_read_costs_no_other_job() {
    let left: [(&str, &[&str]); 2] = [("", &["1", "3"]), ("x", &["1", "2", "3"])];
    for (suffix, left) in left {
        let work = Work::start().await;
        let mut ids = Vec::new();
        for payload in ["1", "2", "3"] {
            ids.push(recorded(&work, payload).await);
        }
        let mut connection = work.redis.connection().await;
        let field = [ids[1].as_bytes(), suffix.as_bytes()].concat();
        let mut damage = redis::cmd("HSET");
        damage.arg("presque:{q}:jobs").arg(&field);
        // Neither has a colon, as a record has, nor is MessagePack.
        damage.arg(b"\xc1broken").exec_async(&mut connection).await.unwrap();
        let fetch_all = Fetch {
            queue: &work.queue,
            worker: None,
            max_jobs: 3,
        };
        work.store.fetch(fetch_all).await.unwrap_err();
        let claim = Claim {
            queues: std::slice::from_ref(&work.queue),
            max_jobs: 3,
            lease: None,
            worker: None,
            wait: Duration::ZERO,
            acks: &[],
        };
        work.store.claim(claim).await.unwrap_err();
        let mut remove = redis::cmd("HDEL");
        remove.arg("presque:{q}:jobs").arg(&field);
        remove.exec_async(&mut connection).await.unwrap();
        assert_eq!(
            fetch(&work, 3).await,
            left.iter().map(|payload| payload.as_bytes()).collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn deleting_a_queue_forgets_its_count_of_orphans() {
    let work = Work::start().await;
    three(&work, 0).await;
    work.claim_many(3).await;
    assert_eq!(dropped(&work).await, 1);
    work.store
        .delete(&work.queue, presque::store::Delete::Jobs)
        .await
        .unwrap();
    assert_eq!(dropped(&work).await, 0);
}

#[tokio::test]
async fn an_orphan_that_holds_a_unique_key_is_counted_once() {
    let work = Work::start().await;
    let keyed = || NewJob {
        payload: b"1",
        unique: Some(Unique {
            key: b"k",
            hold: Hold::UntilEnded,
        }),
        ..NewJob::default()
    };
    let id = work.insert(keyed()).await;
    lose(&work, &id).await;
    assert!(fetch(&work, 1).await.is_empty());
    assert_eq!(dropped(&work).await, 1);
    work.insert(keyed()).await;
    assert_eq!(dropped(&work).await, 1);
}

#[tokio::test]
async fn a_page_goes_on_behind_any_number_of_orphans() {
    let work = Work::start().await;
    // Too large to be stored without a record.
    let payloads: Vec<&[u8]> = vec![&[b'1'; 1025]; 1500];
    let batch = InsertBatch {
        queue: &work.queue,
        payloads: &payloads,
        due: None,
    };
    work.store.insert_batch(batch).await.unwrap();
    let first: Vec<Vec<u8>> = work.redis.query(&["ZRANGE", "presque:{q}:ready", "0", "1199"]).await;
    let mut remove = vec![&b"HDEL"[..], b"presque:{q}:jobs"];
    remove.extend(first.iter().map(Vec::as_slice));
    assert_eq!(work.redis.query::<u64>(&remove).await, 1200);
    let page = ListJobs {
        queue: &work.queue,
        state: State::Ready,
        max_jobs: 10,
        after: None,
        is_newest_first: false,
        has_payloads: true,
    };
    let page = work.store.jobs(page).await.unwrap();
    assert_eq!((page.jobs.len(), page.has_more), (10, true));
    assert_eq!(dropped(&work).await, 1200);
}
