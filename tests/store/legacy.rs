//! Legacy workers on a queue that delivers at least once.

use super::work::{Work, seconds};
use presque::queue::{Settings, State};
use presque::store::{FailureReport, Fetch, Fetched, Insert, NewJob};

async fn start() -> Work {
    let work = Work::start().await;
    work.configure(Settings {
        is_legacy_leased: true,
        ..Settings::default()
    })
    .await;
    work
}

async fn get(work: &Work, worker: Option<&[u8]>) -> Option<String> {
    let fetch = Fetch {
        queue: &work.queue,
        worker,
        max_jobs: 1,
    };
    match work.store.fetch(fetch).await.unwrap() {
        Fetched::Jobs(mut jobs) => jobs.pop().map(|job| String::from_utf8(job).unwrap()),
        Fetched::Stopped => panic!("stopped"),
    }
}

async fn count(work: &Work, state: State) -> u64 {
    let description = work.store.describe(&work.queue).await.unwrap().unwrap();
    description
        .jobs
        .into_iter()
        .find(|(other, _)| *other == state)
        .unwrap()
        .1
}

const W: Option<&[u8]> = Some(b"w");

#[tokio::test]
async fn the_next_get_finishes_the_job_that_the_worker_held() {
    let work = start().await;
    work.plain("1").await;
    work.plain("2").await;
    assert_eq!(get(&work, W).await.as_deref(), Some("1"));
    assert_eq!(count(&work, State::Active).await, 1);
    assert_eq!(get(&work, W).await.as_deref(), Some("2"));
    assert_eq!(get(&work, W).await, None);
    assert_eq!(count(&work, State::Active).await, 0);
    let totals = work.store.describe(&work.queue).await.unwrap().unwrap().totals;
    assert_eq!((totals.claimed, totals.done, totals.lost_leases), (2, 2, 0));
    work.assert_sound().await;
}

#[tokio::test]
async fn the_job_of_a_worker_that_crashed_is_handed_out_again() {
    let mut work = start().await;
    work.plain("1").await;
    assert_eq!(get(&work, W).await.as_deref(), Some("1"));
    work.pass(seconds(60)).await;
    assert_eq!(get(&work, Some(b"other")).await.as_deref(), Some("1"));
    // The first one comes back after all: what it held is no longer its own.
    assert_eq!(get(&work, W).await, None);
    assert_eq!(count(&work, State::Active).await, 1);
    let held = work.redis.run("HKEYS presque:{q}:legacy-receipts").await;
    let other = redis::Value::BulkString(b"other".into());
    assert_eq!(held, redis::Value::Array(vec![other]), "nothing is kept of who crashed");
    work.assert_sound().await;
}

#[tokio::test]
async fn a_put_finishes_what_was_held_and_inserts_what_is_sent() {
    let work = start().await;
    work.plain("1").await;
    get(&work, W).await;
    let insert = Insert {
        queue: &work.queue,
        jobs: &[NewJob {
            payload: b"1 again",
            ..NewJob::default()
        }],
        failed: Some(FailureReport { worker: W }),
        idempotency: None,
    };
    work.store.insert(insert).await.unwrap();
    assert_eq!(
        (count(&work, State::Active).await, count(&work, State::Ready).await),
        (0, 1)
    );
    let totals = work.store.describe(&work.queue).await.unwrap().unwrap().totals;
    assert_eq!((totals.done, totals.failed), (0, 1));
    assert_eq!(get(&work, W).await.as_deref(), Some("1 again"));
    work.assert_sound().await;
}

#[tokio::test]
async fn a_worker_that_unregisters_has_finished_what_it_held() {
    let mut work = start().await;
    work.store.register(&work.queue, b"w").await.unwrap();
    work.plain("1").await;
    get(&work, W).await;
    work.store.unregister(&work.queue, b"w").await.unwrap();
    work.pass(seconds(60)).await;
    assert_eq!(get(&work, W).await, None);
    work.assert_sound().await;
}

#[tokio::test]
async fn a_get_without_a_name_takes_the_job_for_good() {
    let mut work = start().await;
    work.plain("1").await;
    assert_eq!(get(&work, None).await.as_deref(), Some("1"));
    work.pass(seconds(60)).await;
    assert_eq!(get(&work, W).await, None);
    work.assert_sound().await;
}

#[tokio::test]
async fn a_batch_is_held_and_finished_as_a_whole() {
    let mut work = start().await;
    for payload in ["1", "2", "3"] {
        work.plain(payload).await;
    }
    let fetch = Fetch {
        queue: &work.queue,
        worker: W,
        max_jobs: 2,
    };
    work.store.fetch(fetch).await.unwrap();
    assert_eq!(count(&work, State::Active).await, 2);
    assert_eq!(get(&work, W).await.as_deref(), Some("3"));
    assert_eq!(count(&work, State::Active).await, 1);
    work.pass(seconds(60)).await;
    assert_eq!(get(&work, Some(b"other")).await.as_deref(), Some("3"));
    work.assert_sound().await;
}

#[tokio::test]
async fn a_job_of_the_new_api_goes_to_an_old_worker_and_the_other_way_round() {
    let work = Work::start().await;
    work.plain("1").await;
    assert_eq!(get(&work, None).await.as_deref(), Some("1"));
    work.plain("2").await;
    assert_eq!(work.claim().await.0.payload, b"2");
}

#[tokio::test]
async fn a_worker_that_crashed_and_registers_again_has_not_finished_its_job() {
    let mut work = start().await;
    work.store.register(&work.queue, b"w").await.unwrap();
    work.plain("1").await;
    get(&work, W).await;
    work.store.register(&work.queue, b"w").await.unwrap();
    assert_eq!(get(&work, W).await, None);
    assert_eq!(count(&work, State::Active).await, 1);
    work.pass(seconds(60)).await;
    assert_eq!(get(&work, W).await.as_deref(), Some("1"));
    work.assert_sound().await;
}

#[tokio::test]
async fn a_lease_that_ends_takes_only_its_own_job_out_of_the_workers_hands() {
    let mut work = start().await;
    let lease = Some(seconds(1));
    let short = NewJob {
        payload: b"short",
        lease,
        ..NewJob::default()
    };
    work.insert(short).await;
    work.plain("long").await;
    let fetch = Fetch {
        queue: &work.queue,
        worker: W,
        max_jobs: 2,
    };
    work.store.fetch(fetch).await.unwrap();
    work.pass(seconds(1)).await;
    assert_eq!(get(&work, Some(b"other")).await.as_deref(), Some("short"));
    assert_eq!(get(&work, W).await, None);
    assert_eq!(count(&work, State::Active).await, 1, "the long one is finished");
    work.assert_sound().await;
}

#[tokio::test]
async fn a_job_that_is_cancelled_is_in_nobodys_hands() {
    let work = start().await;
    let id = work.plain("1").await;
    get(&work, W).await;
    work.store.remove(&work.queue, &id).await.unwrap();
    assert_eq!(
        work.redis.run("EXISTS presque:{q}:legacy-receipts").await,
        redis::Value::Int(0)
    );
    work.assert_sound().await;
}

#[tokio::test]
async fn what_a_worker_holds_is_given_back_and_counted_as_a_lost_lease() {
    let work = start().await;
    work.plain("1").await;
    get(&work, W).await;
    assert_eq!(work.store.end_legacy_leases(&work.queue, b"w").await.unwrap(), 1);
    assert_eq!(work.store.end_legacy_leases(&work.queue, b"w").await.unwrap(), 0);
    assert_eq!(
        (count(&work, State::Active).await, count(&work, State::Ready).await),
        (0, 1)
    );
    let totals = work.store.describe(&work.queue).await.unwrap().unwrap().totals;
    assert_eq!((totals.done, totals.lost_leases), (0, 1));
    assert_eq!(get(&work, W).await.as_deref(), Some("1"));
    work.assert_sound().await;
}

#[tokio::test]
async fn a_job_that_comes_back_may_have_the_unique_key_that_it_held() {
    let work = start().await;
    let unique = Some(presque::queue::Unique {
        key: b"k",
        hold: presque::queue::Hold::UntilEnded,
    });
    let job = NewJob {
        payload: b"1",
        unique,
        ..NewJob::default()
    };
    work.insert(job).await;
    get(&work, W).await;
    let insert = Insert {
        queue: &work.queue,
        jobs: &[job],
        failed: Some(FailureReport { worker: W }),
        idempotency: None,
    };
    let inserted = work.store.insert(insert).await.unwrap();
    assert!(
        matches!(inserted, presque::store::Inserted::Jobs(jobs) if matches!(jobs[..], [presque::store::InsertedJob::Stored(_)]))
    );
    assert_eq!(
        (count(&work, State::Active).await, count(&work, State::Ready).await),
        (0, 1)
    );
    work.assert_sound().await;
}

#[tokio::test]
async fn what_was_held_is_finished_by_the_next_get_although_the_queue_delivers_once_by_then() {
    let mut work = start().await;
    work.plain("1").await;
    get(&work, W).await;
    work.configure(Settings::default()).await;
    assert_eq!(get(&work, W).await, None);
    work.pass(seconds(60)).await;
    assert_eq!(get(&work, W).await, None);
    work.assert_sound().await;
}
