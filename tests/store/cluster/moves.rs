//! Slots that move while requests come.

use super::*;
use presque::store::{Idempotency, Insert, Inserted, NewJob, Redis as _, Reply};

/// A primary that a queue is not on.
async fn another_primary(cluster: &Cluster, queue: &QueueName) -> presque_testkit::Node {
    let elsewhere = queue_elsewhere(cluster, queue).await;
    cluster.primary_of(key_of(&elsewhere)).await
}

#[tokio::test]
async fn a_queue_whose_slot_has_moved_is_found_where_it_is() {
    let cluster = Cluster::start().await;
    let store = store_on(&cluster, None).await;
    let q = queue("q");
    insert(&store, job(&q, "1")).await;
    let to = another_primary(&cluster, &q).await;
    cluster.migrate_slot(cluster.slot_of(key_of(&q)).await, to).await;
    insert(&store, job(&q, "2")).await;
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("1"));
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_command_whose_keys_are_all_on_their_way_follows_them() {
    let cluster = Cluster::start().await;
    let store = store_on(&cluster, None).await;
    let q = queue("q");
    // One key alone, which is gone from where it was.
    store.register(&q, b"w").await.unwrap();
    let record = format!("presque:worker:{}", "77");
    let slot = cluster.slot_of(&record).await;
    let from = cluster.primary_of_slot(slot).await;
    let to = cluster.primary_of_slot((slot + 8192) % 16_384).await;
    assert_ne!(from, to);
    let migration = cluster.begin_migration(slot, to).await;
    cluster
        .move_keys(migration, &cluster.keys_to_move(migration).await)
        .await;
    assert!(store.worker("", b"w", |_| true).await.unwrap().is_some());
    assert!(cluster.error_stats().await.contains_key("ASK"));
    cluster.finish_migration(migration).await;
    assert!(store.worker("", b"w", |_| true).await.unwrap().is_some());
}

#[tokio::test]
async fn a_queue_that_is_half_on_its_way_is_waited_for() {
    let cluster = Cluster::start().await;
    let store = store_on(&cluster, None).await;
    let q = queue("q");
    insert(&store, job(&q, "1")).await;
    let to = another_primary(&cluster, &q).await;
    let migration = cluster.begin_migration(cluster.slot_of(key_of(&q)).await, to).await;
    let keys = cluster.keys_to_move(migration).await;
    assert!(keys.len() >= 2, "{keys:?}");
    cluster.move_keys(migration, &keys[..1]).await;
    let later = tokio::spawn({
        let (store, q) = (store.clone(), q.clone());
        async move { try_insert(&store, job(&q, "2")).await }
    });
    eventually("the insert is told to try again", async || {
        cluster.error_stats().await.contains_key("TRYAGAIN").then_some(())
    })
    .await;
    cluster.move_keys(migration, &keys[1..]).await;
    cluster.finish_migration(migration).await;
    match later.await.unwrap() {
        Ok(is_stored) => assert!(is_stored),
        // A slow machine: it was given up, and did nothing.
        Err(error) => {
            assert_eq!(error.effect(), presque::store::Effect::Unavailable, "{error}");
            insert(&store, job(&q, "2")).await;
        }
    }
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("1"));
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("2"));
    assert_eq!(fetch(&store, &q).await, None);
}

#[tokio::test]
async fn no_job_is_lost_or_doubled_while_its_slot_moves_to_and_fro() {
    let cluster = Cluster::start().await;
    let store = store_on(&cluster, None).await;
    let q = queue("q");
    insert(&store, job(&q, "first")).await;
    let slot = cluster.slot_of(key_of(&q)).await;
    let (home, away) = (cluster.primary_of_slot(slot).await, another_primary(&cluster, &q).await);
    let producers = (0..4).map(|producer| {
        let (store, q) = (store.clone(), q.clone());
        tokio::spawn(async move {
            for number in 0..100 {
                let payload = format!("{producer}-{number}");
                let insert = Insert {
                    queue: &q,
                    jobs: &[NewJob {
                        payload: payload.as_bytes(),
                        ..NewJob::default()
                    }],
                    failed: None,
                    idempotency: Some(Idempotency {
                        key: payload.as_bytes(),
                        fingerprint: payload.as_bytes(),
                    }),
                };
                // Until it is told that it is stored.
                while !matches!(store.insert(insert).await, Ok(Inserted::Jobs(_))) {}
            }
        })
    });
    let producers: Vec<_> = producers.collect();
    let mut there = false;
    while producers.iter().any(|producer| !producer.is_finished()) {
        there = !there;
        cluster.migrate_slot(slot, if there { away } else { home }).await;
    }
    for producer in producers {
        producer.await.unwrap();
    }
    let mut got = Vec::new();
    while let Some(payload) = fetch(&store, &q).await {
        got.push(payload);
    }
    let count = got.len();
    got.sort();
    got.dedup();
    assert_eq!((count, got.len()), (401, 401));
}

#[tokio::test]
async fn a_claim_that_waits_is_not_lost_with_the_slot_of_its_queue() {
    let cluster = Cluster::start().await;
    let store = store_on(&cluster, None).await;
    let q = queue("q");
    insert(&store, job(&q, "1")).await;
    assert!(fetch(&store, &q).await.is_some());
    let waiting = tokio::spawn({
        let (store, q) = (store.clone(), [q.clone()]);
        async move { claim(&store, &q, Duration::from_secs(60)).await }
    });
    eventually("the claim waits", async || {
        (cluster.waiting().await.iter().sum::<u64>() == 1).then_some(())
    })
    .await;
    let to = another_primary(&cluster, &q).await;
    cluster.migrate_slot(cluster.slot_of(key_of(&q)).await, to).await;
    insert(&store, job(&q, "2")).await;
    assert_eq!(waiting.await.unwrap().jobs[0].1.payload, b"2");
}

#[tokio::test]
async fn a_wait_does_not_ask_for_the_map_again_and_again_while_its_slot_moves() {
    let cluster = Cluster::start().await;
    let native = way_to(&cluster).await;
    let (key, list) = ("presque:{q}:meta", "presque:{q}:wait");
    native.change("SET", &[key.as_bytes(), b"1"]).await.unwrap();
    let slot = cluster.slot_of(key).await;
    let to = another_primary(&cluster, &queue("q")).await;
    let migration = cluster.begin_migration(slot, to).await;
    cluster
        .move_keys(migration, &cluster.keys_to_move(migration).await)
        .await;
    let maps = async || cluster.commands().await.get("cluster|slots").copied().unwrap_or(0);
    // What the node says first tells that there is a cluster.
    let wait = async || {
        native
            .blocking("BLPOP", &[list.as_bytes(), b"60"], Duration::from_secs(60))
            .await
            .unwrap()
    };
    assert_eq!(wait().await, [Reply::Nil], "the slot is on its way");
    let before = maps().await;
    for _ in 0..5 {
        assert_eq!(wait().await, [Reply::Nil], "the slot is on its way");
    }
    assert_eq!(maps().await, before);
}
