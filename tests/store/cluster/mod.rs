//! The store on a real cluster, and on a server with replicas.

mod faults;
mod moves;
mod partitions;
mod replication;

use super::{fetch, insert, job, queue, try_insert};
use crate::support::{Cluster, Native, NativeStore, Redis, eventually, login_of_cluster};
use presque::queue::{QueueName, Settings};
use presque::store::{Ack, Acked, Claim, Claimed, Condition, Replication, Store};
use std::time::Duration;

/// The store on a cluster, which knows one node of it.
async fn store_on(cluster: &Cluster, replication: Option<Replication>) -> Store<Native> {
    let login = login_of_cluster(cluster).await;
    let seed = cluster.url().trim_start_matches("redis://").to_owned();
    Store::new(Native::to(&login, &[seed], replication))
}

/// The way there alone.
async fn way_to(cluster: &Cluster) -> Native {
    let seed = cluster.url().trim_start_matches("redis://").to_owned();
    Native::to(&login_of_cluster(cluster).await, &[seed], None)
}

/// How many connections the nodes have accepted.
async fn connections(cluster: &Cluster) -> i64 {
    let mut sum = 0;
    for node in cluster.nodes() {
        sum += cluster[node].connections_accepted().await;
    }
    sum
}

/// So many queues: each node has some of them.
fn queues(count: usize) -> Vec<QueueName> {
    (0..count).map(|number| queue(&format!("q{number}"))).collect()
}

/// A queue whose keys are on another node than those of the first.
async fn queue_elsewhere(cluster: &Cluster, first: &QueueName) -> QueueName {
    let node = async |queue: &QueueName| cluster.primary_of(key_of(queue)).await;
    let home = node(first).await;
    for queue in queues(100) {
        if node(&queue).await != home {
            return queue;
        }
    }
    panic!("all queues are on {home:?}");
}

/// A key of a queue.
fn key_of(queue: &QueueName) -> String {
    format!("presque:{{{}}}:meta", queue.as_str())
}

async fn claim(store: &Store<Native>, queues: &[QueueName], wait: Duration) -> Claimed {
    let claim = Claim {
        queues,
        max_jobs: 1,
        lease: Some(Duration::from_secs(60)),
        worker: Some(b"w"),
        wait,
        acks: &[],
    };
    store.claim(claim).await.unwrap()
}

#[tokio::test]
async fn queues_of_all_nodes_are_served_by_way_of_one() {
    let cluster = Cluster::start().await;
    let store = store_on(&cluster, None).await;
    let before = cluster.commands().await;
    let queues = queues(30);
    for queue in &queues {
        insert(&store, job(queue, "1")).await;
        insert(&store, job(queue, "2")).await;
        store
            .configure(queue, &Settings::default(), Condition::Always)
            .await
            .unwrap();
    }
    for some in queues.chunks(10) {
        let claim = Claim {
            queues: some,
            max_jobs: 10,
            lease: None,
            worker: Some(b"w"),
            wait: Duration::ZERO,
            acks: &[],
        };
        let claimed = store.claim(claim).await.unwrap();
        assert_eq!(claimed.jobs.len(), 10, "two of each of the first five queues");
        for (index, job) in &claimed.jobs {
            let receipt = job.receipt().unwrap();
            let ack = Ack {
                receipt: &receipt,
                result: None,
            };
            assert_eq!(store.ack(&some[*index], &[ack]).await.unwrap(), [Acked::Done]);
        }
    }
    assert_eq!(store.queues().await.unwrap().size, 30);
    let summaries = store.overview(queues.clone()).await.unwrap();
    let ready = summaries.iter().filter_map(|(_, summary)| summary.as_ref());
    assert_eq!(
        ready
            .map(|summary| summary.count(presque::queue::State::Ready))
            .sum::<u64>(),
        30
    );
    let seen = store.seen_workers(Some).await.unwrap();
    assert_eq!(seen.len(), 15, "those that gave jobs");
    let health = store.health().await.unwrap();
    assert_eq!((health.nodes, health.replicas), (3, 1));

    let after = cluster.commands().await;
    let more = |name: &str| after.get(name).unwrap_or(&0) - before.get(name).unwrap_or(&0);
    assert_eq!(more("cluster|slots"), 1, "the map is learned once");
    let errors = cluster.error_stats().await;
    assert_eq!(errors.get("MOVED"), Some(&1), "{errors:?}");
    assert_eq!(errors.get("CROSSSLOT"), None, "{errors:?}");
}

#[tokio::test]
async fn a_server_that_is_alone_is_asked_nothing_about_clusters() {
    let redis = Redis::start();
    let store = redis.store().await;
    let queues = queues(2);
    let connections = redis.connections_accepted().await;
    insert(&store, job(&queues[0], "1")).await;
    assert_eq!(claim(&store, &queues, Duration::ZERO).await.jobs.len(), 1);
    claim(&store, &queues, Duration::from_millis(1)).await;
    let commands = redis.commands().await;
    assert!(
        !commands
            .keys()
            .any(|name| name.starts_with("cluster") || name == "asking"),
        "{commands:?}"
    );
    // One for all, one for the wait, and one for each of the questions here.
    assert_eq!(redis.connections_accepted().await - connections, 4);
    assert_eq!(redis.error_stats().await.get("CROSSSLOT"), None);
}

#[tokio::test]
async fn a_wait_on_queues_of_several_nodes_is_woken_by_each_of_them() {
    let cluster = Cluster::start().await;
    let one = queue("one");
    let other = queue_elsewhere(&cluster, &one).await;
    let queues = [one, other];
    for woken_by in &queues {
        // One that knows of no cluster yet.
        let store = store_on(&cluster, None).await;
        let waiting = tokio::spawn({
            let (store, queues) = (store.clone(), queues.clone());
            async move { claim(&store, &queues, Duration::from_secs(60)).await }
        });
        eventually("the claim waits on both nodes", async || {
            let waiting = cluster.waiting().await;
            (waiting.iter().filter(|clients| **clients == 1).count() == 2).then_some(())
        })
        .await;
        insert(&store, job(woken_by, "1")).await;
        let claimed = waiting.await.unwrap();
        assert_eq!(claimed.jobs.len(), 1);
        assert_eq!(&queues[claimed.jobs[0].0], woken_by);
        // The other wait has ended, too.
        eventually("nobody waits", async || {
            (cluster.waiting().await.iter().sum::<u64>() == 0).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_wait_on_very_many_lists_takes_few_connections_and_looks_at_all_soon() {
    let cluster = Cluster::start().await;
    let lists: Vec<_> = (0..200).map(|number| format!("presque:{{q{number}}}:wakeup")).collect();
    let (native, mut args) = (
        way_to(&cluster).await,
        lists.iter().map(String::as_bytes).collect::<Vec<_>>(),
    );
    // It learns that there is a cluster.
    presque::store::Redis::everywhere(&native, "INFO", &[]).await.unwrap();
    args.push(b"60");
    let before = connections(&cluster).await;
    let waited = presque::store::Redis::blocking(&native, "BLPOP", &args, Duration::from_secs(60)).await;
    assert_eq!(waited.unwrap(), [presque::store::Reply::Nil], "it ends long before");
    let taken = connections(&cluster).await - before;
    // With those that count.
    assert!(taken <= 16 + 6, "{taken}");
}
