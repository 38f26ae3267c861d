//! The number of partitions, and how it changes.

use super::{Spread, claim, insert, job, partitions, payload, stored};
use crate::support::NativeStore;
use presque::queue::{JobId, QueueName, Settings, State, Status};
use presque::store::{Condition, Configured, Delete, InsertBatch, InsertedBatch, ListJobs, Store};

async fn insert_many(spread: &Spread, count: usize) -> Vec<JobId> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(spread.plain(&number.to_string()).await);
    }
    ids
}

async fn settings_of(spread: &Spread) -> (Settings, String) {
    let described = spread.store.describe(&spread.queue).await.unwrap().unwrap();
    (described.effective.settings, described.effective.tag)
}

#[tokio::test]
async fn new_jobs_go_round_all_partitions_and_a_grown_number_holds_at_once() {
    let spread = Spread::over(3).await;
    let other = spread.other().await;
    let ids = insert_many(&spread, 6).await;
    assert_eq!(partitions(&ids), [0, 1, 2]);
    // Another instance learns with its first insert that there are several.
    let mut ids = Vec::new();
    for _ in 0..7 {
        ids.push(stored(insert(&other, &spread.queue, &[job("1")]).await[0].clone()));
    }
    assert_eq!((ids[0].partition(), partitions(&ids)), (0, vec![0, 1, 2]));
    spread.set(6).await;
    let ids = insert_many(&spread, 6).await;
    assert_eq!(partitions(&ids), [0, 1, 2, 3, 4, 5]);
    assert_eq!(spread.claim_all().await.len(), 19);
    spread.assert_sound().await;
}

#[tokio::test]
async fn a_shrunk_number_takes_new_jobs_at_once_and_lets_the_old_ones_out() {
    let spread = Spread::over(5).await;
    let before = insert_many(&spread, 10).await;
    let other = spread.other().await;
    // This one knows of five.
    insert(&other, &spread.queue, &[job("o")]).await;
    spread.set(2).await;
    let mut after = insert_many(&spread, 10).await;
    for _ in 0..10 {
        after.push(stored(insert(&other, &spread.queue, &[job("o")]).await[0].clone()));
    }
    assert_eq!(partitions(&after), [0, 1]);
    let mut claimed: Vec<JobId> = Vec::new();
    loop {
        let jobs = claim(&other, &spread.queue, 3).await;
        if jobs.is_empty() {
            break;
        }
        claimed.extend(jobs.iter().map(|job| job.id));
    }
    assert_eq!(claimed.len(), 31);
    assert!(before.iter().all(|id| claimed.contains(id)));
    spread.assert_sound().await;
}

#[tokio::test]
async fn partitions_that_have_drained_are_looked_at_no_more_once_the_settings_are_set_again() {
    let spread = Spread::over(8).await;
    insert_many(&spread, 8).await;
    spread.set(1).await;
    for job in spread.claim_all().await {
        spread.store.remove(&spread.queue, &job.id).await.unwrap();
    }
    let count = async || {
        let before = spread.scripts().await;
        assert!(spread.claim(1).await.is_empty());
        spread.scripts().await - before
    };
    // One in some claims also looks whether something has drained.
    assert!(count().await >= 8);
    // A cancelled job that was active is kept until its lease would have ended.
    spread.set(1).await;
    assert!(count().await >= 8);
    for partition in 1..8 {
        let key = format!("presque:{{q%/{partition}}}:");
        let _: i64 = spread
            .redis
            .query(&["DEL", &format!("{key}cancelled"), &format!("{key}jobs")])
            .await;
    }
    spread.set(1).await;
    assert_eq!(count().await, 1);
    // What was counted there still counts.
    let described = spread.store.describe(&spread.queue).await.unwrap().unwrap();
    assert_eq!((described.totals.inserted, described.totals.claimed), (8, 8));
}

#[tokio::test]
async fn the_tag_tells_what_was_set_and_not_how_often() {
    let spread = Spread::over(4).await;
    let (settings, tag) = settings_of(&spread).await;
    assert_eq!(settings.partitions, 4);
    spread.set(2).await;
    let (settings, other) = settings_of(&spread).await;
    assert_eq!(settings.partitions, 2);
    assert_ne!(tag, other);
    spread.set(4).await;
    assert_eq!(settings_of(&spread).await.1, tag);
    let settings = Settings::default();
    let configured = spread
        .store
        .configure(&spread.queue, &settings, Condition::Tag(&other))
        .await;
    assert_eq!(configured.unwrap(), Configured::Mismatch);
    let configured = spread
        .store
        .configure(&spread.queue, &settings, Condition::Tag(&tag))
        .await;
    assert!(matches!(configured.unwrap(), Configured::Changed(_)));
}

#[tokio::test]
async fn a_queue_is_stopped_and_opened_in_all_partitions() {
    let spread = Spread::over(4).await;
    insert_many(&spread, 8).await;
    spread.store.set_status(&spread.queue, Status::Stopped).await.unwrap();
    assert!(claim(&spread.other().await, &spread.queue, 10).await.is_empty());
    spread.store.set_status(&spread.queue, Status::Open).await.unwrap();
    assert_eq!(spread.claim_all().await.len(), 8);
}

#[tokio::test]
async fn ids_are_unique_and_a_partition_keeps_the_order_of_its_jobs() {
    let spread = Spread::over(3).await;
    let ids = insert_many(&spread, 60).await;
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), 60);
    let mut claimed = Vec::new();
    for _ in 0..60 {
        claimed.extend(spread.claim(1).await);
    }
    for partition in 0..3 {
        let of_partition = claimed.iter().filter(|job| job.id.partition() == partition);
        let numbers: Vec<usize> = of_partition.map(|job| payload(job).parse().unwrap()).collect();
        assert_eq!(numbers.len(), 20);
        assert!(numbers.is_sorted(), "{numbers:?}");
    }
}

#[tokio::test]
async fn a_large_batch_goes_to_one_partition_whatever_the_instance_knows() {
    let spread = Spread::over(4).await;
    let payloads: Vec<String> = (0..2500).map(|number| number.to_string()).collect();
    let payloads: Vec<&[u8]> = payloads.iter().map(String::as_bytes).collect();
    let batch = InsertBatch {
        queue: &spread.queue,
        payloads: &payloads,
        due: None,
    };
    let other = spread.other().await;
    for store in [&spread.store, &other, &other] {
        spread.set(4).await;
        assert_eq!(store.insert_batch(batch).await.unwrap(), InsertedBatch::Stored);
    }
    // This instance goes by a number that holds no more.
    spread.set(2).await;
    for _ in 0..4 {
        assert_eq!(other.insert_batch(batch).await.unwrap(), InsertedBatch::Stored);
    }
    assert_eq!(spread.store.counts(&spread.queue).await.unwrap().ready, 7 * 2500);
    assert_eq!(spread.claim_all().await.len(), 7 * 2500);
    spread.assert_sound().await;
}

/// The keys of a queue and all of its partitions, without those that go by themselves.
pub(super) async fn keys_that_stay(spread: &Spread) -> Vec<String> {
    let mut left: Vec<String> = Vec::new();
    for key in spread.redis.query::<Vec<String>>(&["KEYS", "presque:*"]).await {
        if spread.redis.query::<i64>(&["PTTL", &key]).await == -1 {
            left.push(key);
        }
    }
    left
}

#[tokio::test]
async fn a_deletion_leaves_no_key_of_any_partition() {
    let spread = Spread::over(6).await;
    insert_many(&spread, 30).await;
    spread.claim(5).await;
    spread.set(3).await;
    insert_many(&spread, 5).await;
    // Also by an instance that knows of no partitions.
    assert!(spread.other().await.delete(&spread.queue, Delete::Queue).await.unwrap());
    assert_eq!(keys_that_stay(&spread).await, Vec::<String>::new());
    assert_eq!(spread.store.describe(&spread.queue).await.unwrap(), None);
    assert!(spread.claim_all().await.is_empty());
    spread.assert_sound().await;
    // It begins anew, with one partition, also for an instance that knows of more.
    let ids = insert_many(&spread, 5).await;
    assert_eq!(partitions(&ids), [0]);
    spread.set(2).await;
    assert_eq!(partitions(&insert_many(&spread, 5).await), [0, 1]);
    assert_eq!(spread.claim_all().await.len(), 10);
    spread.assert_sound().await;
}

#[tokio::test]
async fn a_deletion_of_the_jobs_leaves_the_number_and_the_queue_is_listed_with_its_next_job() {
    let spread = Spread::over(3).await;
    insert_many(&spread, 9).await;
    for what in [Delete::Jobs, Delete::JobsButNumbers] {
        assert!(spread.other().await.delete(&spread.queue, what).await.unwrap());
        assert_eq!(spread.store.counts(&spread.queue).await.unwrap().ready, 0);
        assert!(spread.store.queues().await.unwrap().names.is_empty());
        spread.assert_sound().await;
        assert_eq!(partitions(&insert_many(&spread, 3).await), [0, 1, 2]);
        assert_eq!(spread.store.queues().await.unwrap().names, [b"q"]);
        spread.assert_sound().await;
    }
}

#[tokio::test]
async fn a_deletion_that_broke_off_is_finished_by_the_next_one() {
    let spread = Spread::over(5).await;
    for commands in 0..9 {
        spread.set(5).await;
        insert_many(&spread, 10).await;
        let lost = Store::apart(super::super::LostAfter {
            native: spread.redis.native().await,
            commands: commands.into(),
        });
        let deleted = lost.delete(&spread.queue, Delete::Queue).await;
        assert!(deleted.is_err() || commands >= 7, "{commands}");
        // What comes meanwhile is not lost.
        let id = spread.plain("between").await;
        assert!(spread.store.job(&spread.queue, &id).await.unwrap().is_some());
        assert!(spread.claim_all().await.iter().any(|job| job.id == id), "{commands}");
        spread.assert_sound().await;
        spread.store.delete(&spread.queue, Delete::Queue).await.unwrap();
        assert_eq!(keys_that_stay(&spread).await, Vec::<String>::new(), "{commands}");
    }
}

#[tokio::test]
async fn a_change_that_broke_off_hinders_no_insert() {
    for commands in 1..9 {
        let spread = Spread::over(2).await;
        insert_many(&spread, 4).await;
        let lost = Store::apart(super::super::LostAfter {
            native: spread.redis.native().await,
            commands: commands.into(),
        });
        let settings = Settings {
            partitions: 6,
            ..Settings::default()
        };
        let _ = lost.configure(&spread.queue, &settings, Condition::Always).await;
        let ids = insert_many(&spread, 12).await;
        assert_eq!(partitions(&ids), [0, 1, 2, 3, 4, 5], "{commands}");
        for number in 0..12 {
            let name = format!("k{number}");
            stored(insert(&spread.store, &spread.queue, &[super::keyed(&name)]).await[0].clone());
        }
        assert_eq!(spread.claim_all().await.len(), 28);
        spread.assert_sound().await;
    }
}

#[tokio::test]
async fn the_queue_of_one_name_is_never_a_partition_of_another() {
    let spread = Spread::over(2).await;
    insert_many(&spread, 4).await;
    let other = QueueName::new("q%/1").unwrap();
    let list = ListJobs {
        queue: &other,
        state: State::Ready,
        max_jobs: 10,
        after: None,
        is_newest_first: false,
        has_payloads: false,
    };
    assert!(spread.store.jobs(list).await.unwrap().jobs.is_empty());
}
