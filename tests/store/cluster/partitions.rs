//! A queue that is on several nodes.

use super::*;
use presque::store::Delete;
use std::collections::BTreeSet;

const PARTITIONS: u8 = 12;

/// A queue with partitions, on a cluster.
async fn start() -> (Cluster, Store<Native>, QueueName) {
    let cluster = Cluster::start().await;
    let store = store_on(&cluster, None).await;
    let q = queue("q");
    let settings = Settings {
        partitions: PARTITIONS,
        ..Settings::default()
    };
    store.configure(&q, &settings, Condition::Always).await.unwrap();
    (cluster, store, q)
}

#[tokio::test]
async fn a_queue_with_partitions_uses_all_nodes_and_gives_each_job_once() {
    let (cluster, store, q) = start().await;
    for number in 0..120 {
        insert(&store, job(&q, &number.to_string())).await;
    }
    let mut nodes = BTreeSet::new();
    for partition in 1..PARTITIONS {
        nodes.insert(cluster.primary_of(format!("presque:{{q%/{partition}}}:meta")).await);
    }
    assert_eq!(nodes.len(), 3);
    assert_eq!(store.counts(&q).await.unwrap().ready, 120);
    let mut got = BTreeSet::new();
    loop {
        let claimed = claim(&store, std::slice::from_ref(&q), Duration::ZERO).await;
        let Some((_, job)) = claimed.jobs.into_iter().next() else {
            break;
        };
        assert!(got.insert(job.payload.clone()), "it came twice: {job:?}");
        let receipt = job.receipt().unwrap();
        let ack = Ack {
            receipt: &receipt,
            result: None,
        };
        assert_eq!(store.ack(&q, &[ack]).await.unwrap(), [Acked::Done]);
    }
    assert_eq!(got.len(), 120);
    assert_eq!(cluster.error_stats().await.get("CROSSSLOT"), None);
}

#[tokio::test]
async fn a_claim_that_waits_is_woken_by_an_insert_on_any_node() {
    let (cluster, store, q) = start().await;
    for number in 0..6 {
        let waiting = tokio::spawn({
            let (store, q) = (store.clone(), q.clone());
            async move { claim(&store, &[q], Duration::from_secs(60)).await }
        });
        eventually("the claim waits in each partition", async || {
            (cluster.waiting().await.iter().sum::<u64>() == u64::from(PARTITIONS)).then_some(())
        })
        .await;
        insert(&store, job(&q, &number.to_string())).await;
        let claimed = waiting.await.unwrap();
        assert_eq!(claimed.jobs[0].1.payload, number.to_string().as_bytes());
        let receipt = claimed.jobs[0].1.receipt().unwrap();
        let ack = Ack {
            receipt: &receipt,
            result: None,
        };
        store.ack(&q, &[ack]).await.unwrap();
    }
}

#[tokio::test]
async fn a_unique_key_is_held_by_one_job_whichever_node_it_is_on_and_a_deletion_leaves_none() {
    let (cluster, store, q) = start().await;
    for number in 0..40 {
        let key = format!("key-{number}");
        let keyed = super::super::Plain {
            unique: Some(key.as_bytes()),
            ..job(&q, "1")
        };
        assert!(try_insert(&store, keyed).await.unwrap());
        // Another instance, which does not know of partitions yet.
        assert!(!try_insert(&store_on(&cluster, None).await, keyed).await.unwrap());
    }
    assert!(store.delete(&q, Delete::Queue).await.unwrap());
    // The primaries.
    for node in cluster.nodes().take(3) {
        let keys: Vec<String> = cluster[node].query(&["KEYS", "presque:{q*"]).await;
        for key in keys {
            assert!(key.ends_with(":meta"), "{key}");
            // It remembers when the queue was deleted.
            assert!(cluster[node].query::<i64>(&["PTTL", &key]).await > 0, "{key}");
        }
    }
}
