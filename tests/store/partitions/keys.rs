//! Keys hold over all partitions, also while their number changes.

use super::{Spread, claim, insert, insert_named, keyed, partitions, set, stored};
use crate::support::Native;
use presque::queue::{JobId, QueueName};
use presque::store::{Ack, ActOn, Action, DeadJobs, Filter, Inserted, InsertedJob, Nack, NackKind, NewJob, Store};
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}{number}")).collect()
}

#[tokio::test]
async fn a_unique_key_is_held_in_the_one_partition_that_every_instance_finds() {
    let spread = Spread::over(5).await;
    let mut ids = Vec::new();
    for name in names("k", 40) {
        ids.push(stored(
            insert(&spread.store, &spread.queue, &[keyed(&name)]).await[0].clone(),
        ));
    }
    assert_eq!(partitions(&ids), [0, 1, 2, 3, 4]);
    let other = spread.other().await;
    for (name, id) in names("k", 40).iter().zip(&ids) {
        let again = insert(&other, &spread.queue, &[keyed(name)]).await;
        assert_eq!(again, [InsertedJob::Duplicate(*id)], "{name}");
    }
    spread.assert_sound().await;
}

#[tokio::test]
async fn an_insert_of_many_keys_is_answered_in_the_order_of_its_jobs() {
    let spread = Spread::over(4).await;
    let held = stored(insert(&spread.store, &spread.queue, &[keyed("k3")]).await[0].clone());
    let names = names("k", 8);
    let mut jobs: Vec<NewJob<'_>> = names.iter().map(|name| keyed(name)).collect();
    jobs.push(super::job("without"));
    jobs.push(keyed("k1"));
    let answers = insert(&spread.store, &spread.queue, &jobs).await;
    assert_eq!(answers[3], InsertedJob::Duplicate(held));
    assert_eq!(answers[9], InsertedJob::Duplicate(stored(answers[1].clone())));
    for (at, job) in jobs.iter().enumerate().filter(|(at, _)| ![3, 9].contains(at)) {
        let id = stored(answers[at].clone());
        let found = spread.store.job(&spread.queue, &id).await.unwrap().unwrap();
        assert_eq!(
            found.unique.map(|(key, _)| key),
            job.unique.map(|unique| unique.key.to_vec()),
            "{at}"
        );
    }
    spread.assert_sound().await;
}

#[tokio::test]
async fn a_key_that_is_held_where_a_former_number_put_it_is_held() {
    let spread = Spread::over(1).await;
    let names = names("k", 30);
    let mut held: Vec<JobId> = Vec::new();
    for (name, number) in names.iter().zip([1_u8, 4, 3, 8, 2].into_iter().cycle()) {
        spread.set(number).await;
        held.push(stored(
            insert(&spread.store, &spread.queue, &[keyed(name)]).await[0].clone(),
        ));
    }
    for number in [7, 1] {
        spread.set(number).await;
        for store in [&spread.store, &spread.other().await] {
            for (name, id) in names.iter().zip(&held) {
                let again = insert(store, &spread.queue, &[keyed(name)]).await;
                assert_eq!(again, [InsertedJob::Duplicate(*id)], "{name} among {number}");
            }
        }
    }
    // One that is released can be held anew, in its new place.
    for job in spread.claim_all().await {
        let receipt = &job.receipt().unwrap();
        spread
            .store
            .ack(&spread.queue, &[Ack { receipt, result: None }])
            .await
            .unwrap();
    }
    for name in &names {
        assert_eq!(
            stored(insert(&spread.store, &spread.queue, &[keyed(name)]).await[0].clone()).partition(),
            0
        );
    }
    spread.assert_sound().await;
}

/// Inserts each of the keys, and says so. Gives what was stored.
async fn insert_keys(
    store: &Store<Native>,
    queue: &QueueName,
    names: &[String],
    progress: &UnboundedSender<()>,
) -> Vec<JobId> {
    let mut ids = Vec::new();
    for name in names {
        for answer in insert(store, queue, &[keyed(name)]).await {
            if let InsertedJob::Stored(id) = answer {
                ids.push(id);
            }
        }
        let _ = progress.send(());
    }
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_instances_that_insert_one_key_while_the_number_changes_one_stores_a_job() {
    let spread = Spread::over(1).await;
    let (progress, mut inserted) = unbounded_channel();
    // The number is changed again and again, while inserts are under way.
    let changes = tokio::spawn({
        let (store, queue) = (spread.other().await, spread.queue.clone());
        async move {
            let mut count = 0;
            for number in [3_u8, 1, 2, 5, 4, 8, 1, 7, 3].into_iter().cycle() {
                for _ in 0..20 {
                    if inserted.recv().await.is_none() {
                        return count;
                    }
                }
                set(&store, &queue, number).await;
                count += 1;
            }
            count
        }
    });
    let names = Arc::new(names("k", 400));
    let mut inserts = Vec::new();
    for _ in 0..4 {
        let (store, queue, names) = (spread.other().await, spread.queue.clone(), names.clone());
        let progress = progress.clone();
        inserts.push(tokio::spawn(async move {
            insert_keys(&store, &queue, &names, &progress).await
        }));
    }
    drop(progress);
    let mut stored = Vec::new();
    for task in inserts {
        stored.extend(task.await.unwrap());
    }
    assert!(changes.await.unwrap() > 20);
    assert_eq!(stored.len(), names.len(), "each key by one job");
    spread.set(2).await;
    let mut keys: Vec<_> = spread
        .claim_all()
        .await
        .into_iter()
        .map(|job| job.unique.unwrap().0)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), names.len());
    spread.assert_sound().await;
}

#[tokio::test]
async fn an_insert_that_is_repeated_under_an_idempotency_key_gets_its_answer_also_by_another_number() {
    let spread = Spread::over(3).await;
    let jobs = [super::job("1"), super::job("2")];
    for name in names("request", 10) {
        spread.set(3).await;
        let first = insert_named(&spread.store, &spread.queue, &jobs, Some(&name)).await;
        for number in [3, 8, 1] {
            spread.set(number).await;
            for store in [&spread.store, &spread.other().await] {
                let again = insert_named(store, &spread.queue, &jobs, Some(&name)).await;
                assert_eq!(again, first, "{name} among {number}");
            }
        }
    }
    assert_eq!(spread.claim_all().await.len(), 20);
    spread.assert_sound().await;
}

#[tokio::test]
async fn an_insert_with_keys_of_several_partitions_can_be_repeated_also_by_another_number() {
    let spread = Spread::over(3).await;
    let names = names("k", 9);
    let jobs: Vec<NewJob<'_>> = names.iter().map(|name| keyed(name)).collect();
    let first = insert_named(&spread.store, &spread.queue, &jobs, Some("r")).await;
    let Inserted::Jobs(stored_jobs) = &first else {
        panic!("{first:?}")
    };
    assert!(stored_jobs.iter().all(|job| matches!(job, InsertedJob::Stored(_))));
    assert_eq!(
        insert_named(&spread.store, &spread.queue, &jobs, Some("r")).await,
        first
    );
    spread.set(5).await;
    assert_eq!(
        insert_named(&spread.other().await, &spread.queue, &jobs, Some("r")).await,
        first
    );
    // Also when the keys are free again.
    for job in spread.claim_all().await {
        let receipt = &job.receipt().unwrap();
        spread
            .store
            .ack(&spread.queue, &[Ack { receipt, result: None }])
            .await
            .unwrap();
    }
    assert_eq!(
        insert_named(&spread.store, &spread.queue, &jobs, Some("r")).await,
        first
    );
    // Another request under the same key changes nothing.
    let insert = presque::store::Insert {
        queue: &spread.queue,
        jobs: &jobs,
        failed: None,
        idempotency: Some(presque::store::Idempotency {
            key: b"r",
            fingerprint: b"another",
        }),
    };
    assert_eq!(spread.store.insert(insert).await.unwrap(), Inserted::OtherRequest);
    assert!(spread.claim(1).await.is_empty());
    spread.assert_sound().await;
}

#[tokio::test]
async fn a_dead_job_whose_key_is_held_elsewhere_by_now_stays_dead() {
    let spread = Spread::over(1).await;
    let names = names("k", 20);
    let mut dead = Vec::new();
    for name in &names {
        dead.push(stored(
            insert(&spread.store, &spread.queue, &[keyed(name)]).await[0].clone(),
        ));
    }
    for job in claim(&spread.store, &spread.queue, 20).await {
        let nack = Nack {
            receipt: &job.receipt().unwrap(),
            error: "",
            delay: None,
            kind: NackKind::Rejected,
        };
        spread.store.nack(&spread.queue, &[nack]).await.unwrap();
    }
    spread.set(4).await;
    for name in &names[..10] {
        stored(insert(&spread.store, &spread.queue, &[keyed(name)]).await[0].clone());
    }
    let redriven = spread.store.redrive(&spread.queue, DeadJobs::Ids(&dead)).await.unwrap();
    assert_eq!((redriven.redriven, redriven.conflicts, redriven.dead), (10, 10, 10));
    // Those that were redriven hold their keys again.
    for (name, id) in names.iter().zip(&dead).skip(10) {
        let again = insert(&spread.other().await, &spread.queue, &[keyed(name)]).await;
        assert_eq!(again, [InsertedJob::Duplicate(*id)]);
    }
    let act = presque::store::Act {
        queue: &spread.queue,
        action: Action::Redrive,
        on: ActOn::State(presque::queue::State::Dead, None),
        filter: &Filter::default(),
        max_jobs: 1000,
    };
    let acted = spread.store.act(act).await.unwrap();
    assert_eq!(
        (acted.changed, acted.conflicts, acted.left, acted.in_state),
        (0, 10, 0, 10)
    );
    spread.assert_sound().await;
}
