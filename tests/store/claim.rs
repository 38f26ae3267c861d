//! Claims: what they take, and in which order.

use super::work::{Work, seconds};
use presque::queue::{Due, Priority};
use presque::store::{Ack, Acked, Claim, NewJob};
use std::time::Duration;

#[tokio::test]
async fn a_claim_takes_the_most_urgent_first_then_the_scheduled_then_the_oldest() {
    let mut work = Work::start().await;
    let insert = async |payload: &str, priority: u8, due| {
        let new = NewJob {
            payload: payload.as_bytes(),
            priority: Priority::new(priority).unwrap(),
            due,
            ..NewJob::default()
        };
        work.insert(new).await
    };
    insert("low", 0, Due::Now).await;
    insert("normal", 4, Due::Now).await;
    insert("later", 4, Due::In(seconds(2))).await;
    insert("soon", 4, Due::In(seconds(1))).await;
    insert("urgent", 9, Due::Now).await;
    insert("urgent later", 9, Due::In(seconds(2))).await;
    work.pass(seconds(2)).await;
    let order: Vec<_> = work
        .claim_many(10)
        .await
        .into_iter()
        .map(|job| String::from_utf8(job.payload).unwrap())
        .collect();
    assert_eq!(order, ["urgent later", "urgent", "soon", "later", "normal", "low"]);
}

#[tokio::test]
async fn a_job_that_comes_back_at_once_takes_its_old_place() {
    let work = Work::start().await;
    for payload in ["1", "2", "3"] {
        work.plain(payload).await;
    }
    let (_, receipt) = work.claim().await;
    work.nack(&receipt, Some(Duration::ZERO)).await;
    assert_eq!(work.claim().await.0.payload, b"1");
}

#[tokio::test]
async fn a_claim_may_acknowledge_what_came_before_in_the_same_command() {
    let work = Work::start().await;
    for payload in ["1", "2"] {
        work.plain(payload).await;
    }
    let (_, receipt) = work.claim().await;
    let ack = Ack {
        receipt: &receipt,
        result: None,
    };
    let claim = Claim {
        queues: std::slice::from_ref(&work.queue),
        max_jobs: 1,
        lease: None,
        worker: None,
        wait: Duration::ZERO,
        acks: &[ack, ack],
    };
    let claimed = work.store.claim(claim).await.unwrap();
    assert_eq!(claimed.acks, [Acked::Done, Acked::Repeated]);
    assert_eq!(claimed.jobs[0].1.payload, b"2");
    work.assert_sound().await;
}

#[tokio::test]
async fn more_ended_leases_than_one_claim_looks_at_are_taken_back_by_the_next() {
    let mut work = Work::start().await;
    for number in 0..150 {
        work.plain(&number.to_string()).await;
    }
    assert_eq!(work.claim_many(100).await.len(), 100);
    assert_eq!(work.claim_many(50).await.len(), 50);
    work.pass(seconds(60)).await;
    let again: Vec<_> = [work.claim_many(100).await, work.claim_many(100).await].concat();
    assert_eq!(again.len(), 150);
    assert!(again.iter().all(|job| job.lost_leases == 1 && job.claims == 2));
    work.assert_sound().await;
}

#[tokio::test]
async fn a_claim_ends_at_four_mebibytes_but_gives_at_least_one_job() {
    let work = Work::start().await;
    let large = "x".repeat(3 * 1024 * 1024);
    for _ in 0..3 {
        work.plain(&large).await;
    }
    assert_eq!(work.claim_many(10).await.len(), 2);
    assert_eq!(work.claim_many(10).await.len(), 1);
}
