//! What comes between two commands: a change of the number, a deletion, a failover, a partition that is away.

use super::number::keys_that_stay;
use super::{Spread, claim, insert, insert_named, job, keyed, set, stored};
use crate::store::LostAfter;
use crate::support::{Native, NativeStore};
use presque::queue::{Policy, QueueName, Settings, Status};
use presque::store::{
    Ack, Condition, Configured, DeadJobs, Delete, Fetch, Fetched, Inbox, Inserted, InsertedJob, Nack, NackKind, NewJob,
    RedisError, Reply, Store, SubscriberKind,
};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

type Meddling<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A way to Redis on which something else happens before one of the commands.
struct Meddled<'a> {
    native: Native,
    commands: AtomicUsize,
    meddling: Mutex<Option<Meddling<'a>>>,
}

impl<'a> Meddled<'a> {
    async fn before(spread: &Spread, command: usize, meddling: impl Future<Output = ()> + 'a) -> Store<Self> {
        Store::apart(Self {
            native: spread.redis.native().await,
            commands: AtomicUsize::new(command),
            meddling: Mutex::new(Some(Box::pin(meddling))),
        })
    }
}

impl presque::store::Redis for Meddled<'_> {
    async fn command(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        let left = self
            .commands
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_err() {
            let meddling = self.meddling.lock().unwrap().take();
            if let Some(meddling) = meddling {
                meddling.await;
            }
        }
        self.native.command(name, args).await
    }

    async fn blocking(&self, name: &str, args: &[&[u8]], max_wait: Duration) -> Result<Vec<Reply>, RedisError> {
        self.native.blocking(name, args, max_wait).await
    }
}

async fn lost_after(spread: &Spread, commands: usize) -> Store<LostAfter> {
    Store::apart(LostAfter {
        native: spread.redis.native().await,
        commands: commands.into(),
    })
}

/// All of one length: the parts of an insert go by their largest payload, and else in the order of their jobs.
fn names() -> Vec<String> {
    (10..70).map(|number| format!("k{number}")).collect()
}

/// Where each of the names belongs among so many partitions.
async fn places(spread: &Spread, number: u8) -> BTreeMap<String, u8> {
    let queue = QueueName::new(format!("places-{number}")).unwrap();
    set(&spread.store, &queue, number).await;
    let mut places = BTreeMap::new();
    for name in names() {
        let id = stored(insert(&spread.store, &queue, &[keyed(&name)]).await[0].clone());
        places.insert(name, id.partition());
    }
    places
}

fn named(name: &str) -> NewJob<'_> {
    NewJob {
        payload: name.as_bytes(),
        ..keyed(name)
    }
}

/// Claims all jobs, and acknowledges them. Gives their payloads.
async fn drain(spread: &Spread) -> Vec<String> {
    let mut payloads = Vec::new();
    for job in spread.claim_all().await {
        let receipt = &job.receipt().unwrap();
        let ack = Ack { receipt, result: None };
        spread.store.ack(&spread.queue, &[ack]).await.unwrap();
        payloads.push(super::payload(&job));
    }
    payloads.sort_unstable();
    payloads
}

#[tokio::test]
async fn no_job_is_lost_when_the_number_changes_between_two_parts_of_an_insert() {
    let spread = Spread::over(2).await;
    let (of_two, of_three) = (places(&spread, 2).await, places(&spread, 3).await);
    let find = |two, three| {
        let mut names = of_two.iter().filter(|(_, place)| **place == two);
        names
            .find(|(name, _)| of_three[*name] == three)
            .map(|(name, _)| name.clone())
            .unwrap()
    };
    let (a, c) = (find(0, 0), find(1, 0));
    for command in 0..20 {
        let (request, other) = (format!("r{command}"), spread.other().await);
        spread.set(2).await;
        let store = Meddled::before(&spread, command, set(&other, &spread.queue, 3)).await;
        let jobs = [named(&a), named(&c)];
        let insert = presque::store::Insert {
            queue: &spread.queue,
            jobs: &jobs,
            failed: None,
            idempotency: Some(presque::store::Idempotency {
                key: request.as_bytes(),
                fingerprint: b"the same",
            }),
        };
        let answer = store.insert(insert).await.unwrap();
        let Inserted::Jobs(answers) = &answer else {
            panic!("{answer:?}")
        };
        let ids: Vec<_> = answers.iter().cloned().map(stored).collect();
        assert!(ids.len() == 2 && ids[0] != ids[1], "{command}: {ids:?}");
        let mut both = vec![a.clone(), c.clone()];
        both.sort_unstable();
        assert_eq!(drain(&spread).await, both, "{command}");
        let again = insert_named(&spread.other().await, &spread.queue, &jobs, Some(&request)).await;
        assert_eq!(again, answer, "{command}");
        assert_eq!(drain(&spread).await, Vec::<String>::new(), "{command}");
    }
    spread.assert_sound().await;
}

#[tokio::test]
async fn an_insert_that_broke_off_between_two_parts_is_finished_under_its_key_by_another_number() {
    let spread = Spread::over(2).await;
    let (of_two, of_three) = (places(&spread, 2).await, places(&spread, 3).await);
    // Among two {a, b | c}, among three {a, c | b}.
    let a = names()
        .into_iter()
        .find(|name| of_two[name] == 0 && of_three[name] == 0)
        .unwrap();
    let b = names()
        .into_iter()
        .find(|name| of_two[name] == 0 && of_three[name] != 0)
        .unwrap();
    let c = names()
        .into_iter()
        .find(|name| of_two[name] == 1 && of_three[name] == 0)
        .unwrap();
    let jobs = [named(&a), named(&b), named(&c)];
    let mut all = vec![a.clone(), b.clone(), c.clone()];
    all.sort_unstable();
    for commands in 0..10 {
        let request = format!("r{commands}");
        spread.set(2).await;
        let insert = presque::store::Insert {
            queue: &spread.queue,
            jobs: &jobs,
            failed: None,
            idempotency: Some(presque::store::Idempotency {
                key: request.as_bytes(),
                fingerprint: b"the same",
            }),
        };
        let _ = lost_after(&spread, commands).await.insert(insert).await;
        // What is stored is done meanwhile, so no unique key is held.
        let mut done = drain(&spread).await;
        for number in [3, 5, 2] {
            spread.set(number).await;
            let other = spread.other().await;
            let first = insert_named(&other, &spread.queue, &jobs, Some(&request)).await;
            let Inserted::Jobs(answers) = &first else {
                panic!("{first:?}")
            };
            assert!(answers.iter().all(|job| matches!(job, InsertedJob::Stored(_))));
            done.extend(drain(&spread).await);
            done.sort_unstable();
            assert_eq!(done, all, "{commands}, {number}");
        }
    }
    spread.assert_sound().await;
}

#[tokio::test]
async fn a_full_redis_lets_a_queue_with_partitions_be_deleted_and_its_number_be_changed() {
    let spread = Spread::over(3).await;
    for _ in 0..9 {
        spread.plain("1").await;
    }
    spread.redis.run("CONFIG SET maxmemory 1").await;
    spread.set(2).await;
    let deleted = spread.other().await.delete(&spread.queue, Delete::Queue).await;
    assert!(deleted.unwrap());
    spread.redis.run("CONFIG SET maxmemory 0").await;
    assert_eq!(keys_that_stay(&spread).await, Vec::<String>::new());
    spread.assert_sound().await;
}

#[tokio::test]
async fn a_change_that_all_partitions_have_is_answered_also_when_nothing_can_be_forgotten() {
    let spread = Spread::over(3).await;
    spread.set(3).await;
    let settings = Settings {
        partitions: 2,
        ..Settings::default()
    };
    // The script, what all are to know, and the two others.
    let lost = lost_after(&spread, 4).await;
    let configured = lost.configure(&spread.queue, &settings, Condition::Always).await;
    assert!(matches!(configured, Ok(Configured::Changed(_))));
}

#[tokio::test]
async fn all_partitions_agree_again_after_a_failover_took_a_change_back_in_partition_0_alone() {
    for (before, after) in [(2, 3), (4, 2), (3, 3)] {
        let spread = Spread::over(before).await;
        let meta = "presque:{q}:meta";
        let _: i64 = spread.redis.query(&["COPY", meta, "test:meta"]).await;
        spread.set(after).await;
        let _: i64 = spread.redis.query(&["COPY", "test:meta", meta, "REPLACE"]).await;
        let _: i64 = spread.redis.query(&["DEL", "test:meta"]).await;
        let (other, third) = (spread.other().await, spread.other().await);
        for name in names() {
            let id = stored(insert(&other, &spread.queue, &[keyed(&name)]).await[0].clone());
            for store in [&spread.store, &third] {
                let again = insert(store, &spread.queue, &[keyed(&name)]).await;
                assert_eq!(again, [InsertedJob::Duplicate(id)], "{name}");
            }
        }
        let described = third.describe(&spread.queue).await.unwrap().unwrap();
        assert_eq!(described.effective.settings.partitions, after);
        assert_eq!(spread.claim_all().await.len(), names().len());
        spread.assert_sound().await;
    }
}

#[tokio::test]
async fn a_key_is_held_by_one_job_also_when_the_number_changes_while_a_dead_job_is_redriven() {
    let mut changes = 0;
    for command in 0..30 {
        let spread = Spread::over(1).await;
        let names: Vec<String> = names().into_iter().take(4).collect();
        let mut dead = Vec::new();
        for name in &names {
            dead.push(stored(
                insert(&spread.store, &spread.queue, &[named(name)]).await[0].clone(),
            ));
        }
        for job in claim(&spread.store, &spread.queue, 10).await {
            let nack = Nack {
                receipt: &job.receipt().unwrap(),
                error: "",
                delay: None,
                kind: NackKind::Rejected,
            };
            spread.store.nack(&spread.queue, &[nack]).await.unwrap();
        }
        spread.set(4).await;
        let other = spread.other().await;
        let has_changed = AtomicBool::new(false);
        let change = async {
            has_changed.store(true, Ordering::SeqCst);
            set(&other, &spread.queue, 7).await;
            for name in &names {
                insert(&other, &spread.queue, &[named(name)]).await;
            }
        };
        let store = Meddled::before(&spread, command, change).await;
        let redriven = store.redrive(&spread.queue, DeadJobs::Ids(&dead)).await.unwrap();
        assert_eq!(redriven.redriven + redriven.conflicts, 4, "{command}");
        let mut keys: Vec<String> = drain(&spread).await;
        let count = keys.len();
        keys.dedup();
        assert_eq!(keys.len(), count, "{command}: a key was held twice");
        assert_eq!(count, 4, "{command}");
        changes += usize::from(has_changed.load(Ordering::SeqCst));
    }
    assert!(changes > 5, "{changes}");
}

#[tokio::test]
async fn a_copy_of_the_settings_that_comes_late_revives_no_deleted_partition() {
    let mut deletions = 0;
    for command in 1..9 {
        let spread = Spread::over(3).await;
        let other = spread.other().await;
        let has_deleted = AtomicBool::new(false);
        let delete = async {
            has_deleted.store(true, Ordering::SeqCst);
            other.delete(&spread.queue, Delete::Queue).await.unwrap();
        };
        let store = Meddled::before(&spread, command, delete).await;
        let settings = Settings {
            partitions: 5,
            ..Settings::default()
        };
        let _ = store.configure(&spread.queue, &settings, Condition::Always).await;
        if has_deleted.load(Ordering::SeqCst) {
            deletions += 1;
            assert_eq!(keys_that_stay(&spread).await, Vec::<String>::new(), "{command}");
        }
        // It begins anew all the same.
        spread.set(3).await;
        for name in names() {
            stored(insert(&spread.store, &spread.queue, &[keyed(&name)]).await[0].clone());
        }
        assert_eq!(spread.claim_all().await.len(), names().len());
        spread.assert_sound().await;
    }
    assert!(deletions > 3, "{deletions}");
}

#[tokio::test]
async fn a_deletion_that_broke_off_hinders_no_insert_with_a_key() {
    for commands in 0..8 {
        let spread = Spread::over(4).await;
        spread.set(3).await;
        let _ = lost_after(&spread, commands)
            .await
            .delete(&spread.queue, Delete::Queue)
            .await;
        for name in names() {
            let id = stored(insert(&spread.other().await, &spread.queue, &[keyed(&name)]).await[0].clone());
            let again = insert(&spread.store, &spread.queue, &[keyed(&name)]).await;
            assert_eq!(again, [InsertedJob::Duplicate(id)], "{commands}");
        }
        spread.store.delete(&spread.queue, Delete::Queue).await.unwrap();
        assert_eq!(keys_that_stay(&spread).await, Vec::<String>::new(), "{commands}");
    }
}

/// A queue of which partition 0 alone knows that it is open again.
async fn half_opened() -> Spread {
    let spread = Spread::over(3).await;
    for number in 0..6 {
        spread.plain(&number.to_string()).await;
    }
    spread.store.set_status(&spread.queue, Status::Stopped).await.unwrap();
    let lost = lost_after(&spread, 1).await;
    lost.set_status(&spread.queue, Status::Open).await.unwrap_err();
    spread
}

#[tokio::test]
async fn claims_bring_partitions_that_missed_a_change_to_it() {
    let spread = half_opened().await;
    let other = spread.other().await;
    let mut count = 0;
    for _ in 0..6 {
        count += claim(&other, &spread.queue, 10).await.len();
    }
    assert_eq!(count, 6);
}

#[tokio::test]
async fn fetches_bring_partitions_that_missed_a_change_to_it() {
    let spread = half_opened().await;
    let other = spread.other().await;
    let fetch = Fetch {
        queue: &spread.queue,
        worker: None,
        max_jobs: 10,
    };
    let mut count = 0;
    for _ in 0..6 {
        if let Fetched::Jobs(jobs) = other.fetch(fetch).await.unwrap() {
            count += jobs.len();
        }
    }
    assert_eq!(count, 6);
}

/// A way to Redis on which partition 1 can be away.
struct Away {
    native: Native,
    is_away: std::sync::Arc<AtomicBool>,
}

impl presque::store::Redis for Away {
    async fn command(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        let is_in = |arg: &&[u8]| arg.starts_with(b"presque:{q%/1}:");
        if self.is_away.load(Ordering::SeqCst) && args.iter().any(is_in) {
            return Err(RedisError::Unreachable("away".into()));
        }
        self.native.command(name, args).await
    }

    async fn blocking(&self, name: &str, args: &[&[u8]], max_wait: Duration) -> Result<Vec<Reply>, RedisError> {
        self.native.blocking(name, args, max_wait).await
    }
}

#[tokio::test]
async fn a_subscriber_gets_what_other_partitions_have_while_one_is_away_and_each_job_once() {
    let spread = Spread::over(3).await;
    spread.store.set_policy(&spread.queue, Policy::Broadcast).await.unwrap();
    let is_away = std::sync::Arc::new(AtomicBool::new(false));
    let store = Store::apart(Away {
        native: spread.redis.native().await,
        is_away: is_away.clone(),
    });
    let subscribed = store.subscribe(&spread.queue, SubscriberKind::Plain).await.unwrap();
    let (subscriber, _) = subscribed.unwrap();
    let (mut got, mut sent, mut got_while_away) = (Vec::new(), Vec::new(), 0);
    let mut payloads: Vec<String> = Vec::new();
    for round in 0..12 {
        if round % 4 == 0 {
            for number in 0..6 {
                let payload = format!("{round:02}-{number}");
                insert(&spread.store, &spread.queue, &[job(&payload)]).await;
                payloads.push(payload);
            }
        }
        let is_away_now = [1, 2].contains(&(round % 4));
        is_away.store(is_away_now, Ordering::SeqCst);
        match store.poll(&subscriber, &sent, 2).await {
            Ok(Inbox::Open { deliveries, .. }) => {
                sent = deliveries.iter().filter_map(|delivery| delivery.id.clone()).collect();
                got_while_away += if is_away_now { deliveries.len() } else { 0 };
                got.extend(deliveries.into_iter().map(|delivery| delivery.payload));
            }
            Ok(Inbox::Ended) => panic!("the queue was deleted"),
            // There is nothing in the others.
            Err(error) => assert!(is_away_now, "{error:?}"),
        }
    }
    is_away.store(false, Ordering::SeqCst);
    for _ in 0..20 {
        let Inbox::Open { deliveries, .. } = store.poll(&subscriber, &sent, 2).await.unwrap() else {
            panic!("the queue was deleted")
        };
        sent = deliveries.iter().filter_map(|delivery| delivery.id.clone()).collect();
        got.extend(deliveries.into_iter().map(|delivery| delivery.payload));
    }
    assert!(got_while_away > 0);
    let mut got: Vec<String> = got.into_iter().map(|one| String::from_utf8(one).unwrap()).collect();
    got.sort_unstable();
    assert_eq!(got, payloads);
}
