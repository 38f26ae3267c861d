//! What workers do on a queue with several partitions.

use super::{Spread, claim, insert, job, partitions, payload, stored};
use crate::support::eventually;
use presque::queue::{Due, JobId, Policy, Settings};
use presque::store::{
    Ack, Acked, Claim, Claimed, Condition, Delivery, DeliveryId, Extend, Extended, FailureReport, Fetch, Fetched,
    Inbox, Insert, Nack, NackKind, Nacked, NewJob, Store, Subscriber, SubscriberKind,
};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(30);
/// A claim that ends within this time was woken.
const WOKEN: Duration = Duration::from_millis(2500);

async fn in_each(spread: &Spread, count: u8) -> Vec<JobId> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(spread.plain(&number.to_string()).await);
    }
    ids
}

#[tokio::test]
async fn jobs_of_several_partitions_are_finished_in_one_call() {
    let spread = Spread::over(3).await;
    in_each(&spread, 9).await;
    let jobs = spread.claim(9).await;
    assert_eq!(
        partitions(&jobs.iter().map(|job| job.id).collect::<Vec<_>>()),
        [0, 1, 2]
    );
    let receipts: Vec<_> = jobs.iter().map(|job| job.receipt().unwrap()).collect();
    let extensions: Vec<_> = receipts
        .iter()
        .map(|receipt| Extend {
            receipt,
            lease: Some(LONG),
            progress: None,
        })
        .collect();
    let extended = spread.store.extend(&spread.queue, &extensions).await.unwrap();
    assert!(extended.iter().all(|extended| matches!(extended, Extended::Until(_))));
    let acks: Vec<_> = receipts[..6]
        .iter()
        .map(|receipt| Ack { receipt, result: None })
        .collect();
    let before = spread.scripts().await;
    assert_eq!(spread.store.ack(&spread.queue, &acks).await.unwrap(), [Acked::Done; 6]);
    assert!(spread.scripts().await - before <= 3);
    let mut acks = acks;
    let fresh = Ack {
        receipt: &receipts[6],
        result: None,
    };
    acks.insert(2, fresh);
    let again = spread.store.ack(&spread.queue, &acks).await.unwrap();
    let place = again.iter().position(|acked| *acked == Acked::Done);
    assert_eq!(place, Some(2), "{again:?}");
    let nacks: Vec<_> = receipts[7..]
        .iter()
        .map(|receipt| Nack {
            receipt,
            error: "",
            delay: Some(Duration::ZERO),
            kind: NackKind::Failed,
        })
        .collect();
    assert_eq!(
        spread.store.nack(&spread.queue, &nacks).await.unwrap(),
        [Nacked::Ready; 2]
    );
    assert_eq!(spread.claim_all().await.len(), 2);
    spread.assert_sound().await;
}

#[tokio::test]
async fn a_claim_acknowledges_jobs_of_any_partition() {
    let spread = Spread::over(4).await;
    in_each(&spread, 8).await;
    let mut held = spread.claim(3).await;
    let mut done = 0;
    while !held.is_empty() {
        let receipts: Vec<_> = held.iter().map(|job| job.receipt().unwrap()).collect();
        let acks: Vec<_> = receipts.iter().map(|receipt| Ack { receipt, result: None }).collect();
        let claim = Claim {
            queues: std::slice::from_ref(&spread.queue),
            max_jobs: 3,
            lease: None,
            worker: Some(b"w"),
            wait: Duration::ZERO,
            acks: &acks,
        };
        let Claimed { jobs, acks } = spread.store.claim(claim).await.unwrap();
        done += acks.iter().filter(|acked| **acked == Acked::Done).count();
        held = jobs.into_iter().map(|(_, job)| job).collect();
    }
    assert_eq!(done, 8);
    let described = spread.store.describe(&spread.queue).await.unwrap().unwrap();
    assert_eq!((described.totals.done, described.workers), (8, 1));
}

#[tokio::test]
async fn a_claim_asks_few_partitions_for_more_and_all_before_it_says_that_there_is_none() {
    let spread = Spread::over(16).await;
    in_each(&spread, 32).await;
    // The server learns the script.
    assert_eq!(spread.claim(1).await.len(), 1);
    let asked = async |max_jobs| {
        let before = spread.scripts().await;
        let jobs = spread.claim(max_jobs).await;
        (jobs.len(), spread.scripts().await - before)
    };
    assert_eq!(asked(1).await, (1, 1));
    let (jobs, commands) = asked(100).await;
    assert!((1..=8).contains(&jobs), "{jobs}");
    assert_eq!(commands, 4);
    while !spread.claim(100).await.is_empty() {}
    assert_eq!(asked(100).await, (0, 16));
    // One that has jobs comes soon, among those that have none.
    in_each(&spread, 1).await;
    assert_eq!(spread.claim(1).await.len(), 1);
}

#[tokio::test]
async fn a_queue_of_one_partition_costs_one_command_also_after_it_had_settings() {
    let spread = Spread::over(1).await;
    spread.plain("1").await;
    spread.claim(1).await;
    let before = spread.scripts().await;
    spread.plain("2").await;
    assert_eq!(spread.scripts().await - before, 1);
    assert_eq!(spread.claim(1).await.len(), 1);
    assert_eq!(spread.scripts().await - before, 2);
    assert!(spread.claim(1).await.is_empty());
    assert_eq!(spread.scripts().await - before, 3);
    let keys: Vec<String> = spread.redis.query(&["KEYS", "presque:{q%*"]).await;
    assert_eq!(keys, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_claim_is_woken_by_an_insert_into_any_partition() {
    let spread = Spread::over(3).await;
    for _ in 0..6 {
        let (store, queue) = (spread.other().await, spread.queue.clone());
        let task = tokio::spawn(async move {
            let start = Instant::now();
            let claim = Claim {
                queues: &[super::super::queue("other"), queue],
                max_jobs: 1,
                lease: None,
                worker: None,
                wait: LONG,
                acks: &[],
            };
            (store.claim(claim).await.unwrap().jobs.len(), start.elapsed())
        });
        eventually("a claim waits", async || {
            let text: String = redis::from_owned_redis_value(spread.redis.run("INFO clients").await).unwrap();
            text.contains("blocked_clients:1").then_some(())
        })
        .await;
        spread.plain("1").await;
        let (jobs, time) = task.await.unwrap();
        assert_eq!(jobs, 1);
        assert!(time < WOKEN, "{time:?}");
    }
}

#[tokio::test]
async fn scheduled_jobs_become_ready_in_each_partition() {
    let spread = Spread::over(3).await;
    let soon = NewJob {
        due: Due::In(Duration::from_millis(30)),
        ..job("1")
    };
    for _ in 0..6 {
        stored(insert(&spread.store, &spread.queue, &[soon]).await[0].clone());
    }
    let claim = Claim {
        queues: std::slice::from_ref(&spread.queue),
        max_jobs: 1,
        lease: None,
        worker: None,
        wait: LONG,
        acks: &[],
    };
    for _ in 0..6 {
        assert_eq!(spread.store.claim(claim).await.unwrap().jobs.len(), 1);
    }
}

async fn lease_legacy(spread: &Spread, partitions: u8) {
    let settings = Settings {
        partitions,
        is_legacy_leased: true,
        ..Settings::default()
    };
    spread
        .store
        .configure(&spread.queue, &settings, Condition::Always)
        .await
        .unwrap();
}

async fn fetch(spread: &Spread, worker: &[u8], max_jobs: usize) -> usize {
    let fetch = Fetch {
        queue: &spread.queue,
        worker: Some(worker),
        max_jobs,
    };
    match spread.store.fetch(fetch).await.unwrap() {
        Fetched::Jobs(jobs) => jobs.len(),
        Fetched::Stopped => panic!("it is open"),
    }
}

#[tokio::test]
async fn what_a_legacy_worker_has_anywhere_is_acknowledged_by_its_next_fetch() {
    let spread = Spread::over(3).await;
    lease_legacy(&spread, 3).await;
    spread.store.register(&spread.queue, b"w").await.unwrap();
    in_each(&spread, 12).await;
    let active = async || {
        let described = spread.store.describe(&spread.queue).await.unwrap().unwrap();
        (described.jobs[2].1, described.totals.done)
    };
    assert_eq!(fetch(&spread, b"w", 3).await, 3);
    assert_eq!(active().await, (3, 0));
    assert_eq!(fetch(&spread, b"w", 2).await, 2);
    assert_eq!(active().await, (2, 3));
    // Another worker's are its own.
    assert_eq!(fetch(&spread, b"v", 1).await, 1);
    assert_eq!(active().await, (3, 3));
    assert_eq!(spread.store.end_legacy_leases(&spread.queue, b"w").await.unwrap(), 2);
    assert_eq!(active().await, (1, 3));
    assert_eq!(fetch(&spread, b"w", 1).await, 1);
    // A job that comes back stands for what the worker has, wherever that is.
    let failed = Some(FailureReport { worker: Some(b"w") });
    for _ in 0..3 {
        let insert = Insert {
            queue: &spread.queue,
            jobs: &[job("again")],
            failed,
            idempotency: None,
        };
        spread.store.insert(insert).await.unwrap();
        // It was not done.
        assert_eq!(active().await, (1, 3));
        assert_eq!(fetch(&spread, b"w", 1).await, 1);
    }
    let worker = spread.store.worker("", b"w", |_| true).await.unwrap().unwrap();
    assert_eq!((worker.processed, worker.failed), (9, 3));
    spread.store.unregister(&spread.queue, b"w").await.unwrap();
    assert_eq!(active().await.0, 1);
    assert_eq!(spread.store.worker("", b"w", |_| true).await.unwrap(), None);
    spread.assert_sound().await;
}

#[tokio::test]
async fn fetched_jobs_of_all_partitions_are_taken_for_good() {
    let spread = Spread::over(3).await;
    in_each(&spread, 12).await;
    let other = spread.other().await;
    let mut payloads = Vec::new();
    for _ in 0..5 {
        let fetch = Fetch {
            queue: &spread.queue,
            worker: None,
            max_jobs: 2,
        };
        let Fetched::Jobs(jobs) = other.fetch(fetch).await.unwrap() else {
            panic!("it is open")
        };
        payloads.extend(jobs);
    }
    while let Some(next) = other.take_next(&spread.queue).await.unwrap() {
        payloads.push(next.payload);
    }
    payloads.sort_unstable();
    payloads.dedup();
    assert_eq!(payloads.len(), 12);
    assert!(claim(&other, &spread.queue, 1).await.is_empty());
}

async fn subscribe(spread: &Spread, last: &[u64]) -> (Store<crate::support::Native>, Subscriber, Vec<Delivery>) {
    let store = spread.other().await;
    let subscribed = store
        .subscribe(&spread.queue, SubscriberKind::Events { last, ends: true })
        .await;
    let (subscriber, missed) = subscribed.unwrap().unwrap();
    (store, subscriber, missed)
}

/// What a subscriber is sent now. It says so with the next poll.
async fn poll(
    reader: &(Store<crate::support::Native>, Subscriber, Vec<Delivery>),
    sent: &mut Vec<DeliveryId>,
    max_jobs: usize,
) -> Vec<Delivery> {
    match reader.0.poll(&reader.1, sent, max_jobs).await.unwrap() {
        Inbox::Open { deliveries, .. } => {
            *sent = deliveries.iter().filter_map(|delivery| delivery.id.clone()).collect();
            deliveries
        }
        Inbox::Ended => panic!("the queue was deleted"),
    }
}

#[tokio::test]
async fn a_subscriber_has_a_place_to_come_back_to_in_each_partition() {
    let spread = Spread::over(2).await;
    let (_, subscriber, _) = subscribe(&spread, &[]).await;
    let starts = [0, JobId::first_number(1)];
    assert_eq!(subscriber.last_of_all(&[]), starts);
    assert_eq!(subscriber.last_of_all(&[starts[1] + 7]), [0, starts[1] + 7]);
    assert_eq!(subscriber.last_of_all(&[7]), [7, starts[1]]);
}

#[tokio::test]
async fn subscribers_get_each_job_once_also_of_partitions_that_come_later() {
    let spread = Spread::over(2).await;
    spread.store.set_policy(&spread.queue, Policy::Broadcast).await.unwrap();
    let readers = [subscribe(&spread, &[]).await, subscribe(&spread, &[]).await];
    let mut sent = [Vec::new(), Vec::new()];
    let mut got = [Vec::new(), Vec::new()];
    let mut inserted = Vec::new();
    for number in [2_u8, 5, 3] {
        spread.set(number).await;
        // Each learns of the new number with a poll.
        for (reader, sent) in readers.iter().zip(&mut sent) {
            assert_eq!(poll(reader, sent, 100).await.len(), 0);
            assert_eq!(poll(reader, sent, 100).await.len(), 0);
        }
        for id in in_each(&spread, 10).await {
            inserted.push(id.number());
        }
        for _ in 0..20 {
            for ((reader, sent), got) in readers.iter().zip(&mut sent).zip(&mut got) {
                got.extend(poll(reader, sent, 3).await.into_iter().map(|delivery| delivery.number));
            }
        }
    }
    inserted.sort_unstable();
    for mut got in got {
        got.sort_unstable();
        assert_eq!(got, inserted);
    }
    assert_eq!(spread.store.counts(&spread.queue).await.unwrap().ready, 0);
    assert_eq!(
        spread.store.describe(&spread.queue).await.unwrap().unwrap().totals.done,
        30
    );
    spread.assert_sound().await;
}

#[tokio::test]
async fn in_turn_subscribers_share_the_jobs_of_all_partitions() {
    let spread = Spread::over(3).await;
    spread
        .store
        .set_policy(&spread.queue, Policy::RoundRobin)
        .await
        .unwrap();
    let readers = [subscribe(&spread, &[]).await, subscribe(&spread, &[]).await];
    in_each(&spread, 12).await;
    let mut sent = [Vec::new(), Vec::new()];
    let mut got = [0, 0];
    for _ in 0..10 {
        for ((reader, sent), got) in readers.iter().zip(&mut sent).zip(&mut got) {
            *got += poll(reader, sent, 100).await.len();
        }
    }
    assert_eq!(got, [6, 6]);
    for (reader, sent) in readers.iter().zip(&sent) {
        reader.0.unsubscribe(&reader.1, sent).await.unwrap();
    }
    spread.assert_sound().await;
}

#[tokio::test]
async fn an_event_stream_that_was_cut_off_gets_what_it_missed_of_each_partition() {
    let spread = Spread::over(3).await;
    spread.store.set_policy(&spread.queue, Policy::Broadcast).await.unwrap();
    let reader = subscribe(&spread, &[]).await;
    let ids = in_each(&spread, 12).await;
    let (mut sent, mut got) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        got.extend(
            poll(&reader, &mut sent, 100)
                .await
                .into_iter()
                .map(|delivery| delivery.number),
        );
    }
    assert_eq!(got.len(), 12);
    // It got two of each, by what it says.
    let of = |partition: u8| ids.iter().filter(move |id| id.partition() == partition);
    let last: Vec<u64> = (0..3).map(|partition| of(partition).nth(1).unwrap().number()).collect();
    let (_, _, missed) = subscribe(&spread, &last).await;
    let mut missed: Vec<u64> = missed.iter().map(|delivery| delivery.number).collect();
    missed.sort_unstable();
    let mut expected: Vec<u64> = (0..3)
        .flat_map(|partition| of(partition).skip(2))
        .map(|id| id.number())
        .collect();
    expected.sort_unstable();
    assert_eq!(missed, expected);
}

#[tokio::test]
async fn a_message_is_removed_by_its_number_in_any_partition() {
    let spread = Spread::over(3).await;
    let ids = in_each(&spread, 6).await;
    let newest = spread.other().await.newest(&spread.queue, 4).await.unwrap();
    assert_eq!((newest.ready, newest.numbers.len()), (6, 4));
    for id in &ids {
        assert!(spread.store.remove_number(&spread.queue, id.number()).await.unwrap());
        assert!(!spread.store.remove_number(&spread.queue, id.number()).await.unwrap());
    }
    let shown = spread.store.show_next(&spread.queue).await.unwrap();
    assert_eq!(shown, None);
    let id = spread.plain("x").await;
    let (next, count) = spread.store.show_next(&spread.queue).await.unwrap().unwrap();
    assert_eq!((next.id, count), (id, 1));
    assert_eq!(payload(&spread.claim(1).await[0]), "x");
}
