//! What is lost when Redis is killed, or a replica takes its place: the table of docs/operations.md.

use super::{fetch_many, insert, job, queue, try_insert};
use crate::support::{Native, NativeStore, Proxy, Redis, until};
use presque::queue::{QueueName, Receipt};
use presque::store::{Ack, Acked, Claim, RedisError, Replication, Store, Unavailable};
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How many producers there are, and how many jobs are accepted at least before the kill.
const PRODUCERS: usize = 4;
const JOBS: usize = 200;

/// A server that is killed amid inserts, and then started again. Returns the jobs that were accepted, and those that are there.
async fn killed_amid_inserts(redis: &mut Redis) -> [BTreeSet<String>; 2] {
    let accepted = Arc::new(Mutex::new(BTreeSet::new()));
    let mut producers = Vec::new();
    for producer in 0..PRODUCERS {
        let (store, accepted) = (redis.store().await, accepted.clone());
        producers.push(tokio::spawn(async move {
            for number in 0.. {
                let payload = format!("{producer}.{number}");
                if try_insert(&store, job(&queue("q"), &payload)).await.is_err() {
                    return;
                }
                accepted.lock().unwrap().insert(payload);
            }
        }));
    }
    until("jobs are accepted", async || accepted.lock().unwrap().len() >= JOBS).await;
    redis.server.kill().unwrap();
    for producer in producers {
        producer.await.unwrap();
    }
    redis.server.restart().unwrap();
    let accepted = accepted.lock().unwrap().clone();
    [accepted, all(redis).await]
}

/// The payloads of all ready jobs.
async fn all(redis: &Redis) -> BTreeSet<String> {
    let (store, queue) = (redis.store().await, queue("q"));
    let mut all = BTreeSet::new();
    loop {
        let jobs = fetch_many(&store, &queue, 1000).await;
        if jobs.is_empty() {
            return all;
        }
        for job in jobs {
            assert!(all.insert(job.clone()), "{job} is there twice");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_redis_with_each_write_in_a_file_before_its_answer_loses_nothing() {
    for fsync in ["always", "no"] {
        let mut redis = Redis::start_with(&[&format!("appendfsync {fsync}")]);
        let [accepted, there] = killed_amid_inserts(&mut redis).await;
        let lost: Vec<_> = accepted.difference(&there).collect();
        assert!(lost.is_empty(), "{fsync}: {lost:?}");
    }
}

/// While the writes of a second are being put on the disk, Redis answers the next ones before they are in the file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_redis_with_everysec_loses_nothing_that_is_in_its_file() {
    let mut redis = Redis::start_with(&["appendfsync everysec"]);
    let (store, queue) = (redis.store().await, queue("q"));
    for number in 0..JOBS {
        insert(&store, job(&queue, &number.to_string())).await;
    }
    until("all is in the file", async || {
        redis.info("persistence", "aof_buffer_length").await.as_deref() == Some("0")
    })
    .await;
    redis.server.kill().unwrap();
    redis.server.restart().unwrap();
    assert_eq!(all(&redis).await.len(), JOBS);
}

#[tokio::test]
async fn a_killed_redis_without_a_log_loses_what_came_after_the_last_snapshot() {
    for (has_snapshot, left) in [(false, vec![]), (true, vec!["1", "2"])] {
        let mut redis = Redis::start_with(&["appendonly no"]);
        let (store, queue) = (redis.store().await, queue("q"));
        insert(&store, job(&queue, "1")).await;
        insert(&store, job(&queue, "2")).await;
        if has_snapshot {
            redis.run("SAVE").await;
        }
        insert(&store, job(&queue, "3")).await;
        redis.server.kill().unwrap();
        redis.server.restart().unwrap();
        let left: BTreeSet<_> = left.into_iter().map(str::to_owned).collect();
        assert_eq!(all(&redis).await, left);
    }
}

/// A primary with a replica that can be cut off from it.
struct Pair {
    primary: Redis,
    replica: Redis,
    between: Proxy,
}

impl Pair {
    async fn start(lines: &[&str]) -> Self {
        let primary = Redis::start_with(&[&["repl-diskless-sync-delay 0"], lines].concat());
        let between = Proxy::before(primary.server.port());
        let replica = Redis::start_with(&[&format!("replicaof 127.0.0.1 {}", between.port())]);
        until("the replica follows", async || replica.is_replicating().await).await;
        Self {
            primary,
            replica,
            between,
        }
    }

    /// Waits until the replica has all that the primary was told.
    async fn is_even(&self) {
        let offset = async |redis: &Redis| redis.info("replication", "master_repl_offset").await;
        until("the replica has all", async || {
            offset(&self.primary).await == offset(&self.replica).await
        })
        .await;
    }

    /// Cuts the replica off from what the primary is told from now on. It finds somebody there who says nothing.
    fn cut(&self) -> TcpListener {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        self.between.lead_to(silent.local_addr().unwrap().port());
        self.between.drop_connections();
        silent
    }

    /// Kills the primary, and promotes the replica.
    async fn fail_over(&mut self) -> Store<Native> {
        self.primary.server.kill().unwrap();
        self.replica.run("REPLICAOF NO ONE").await;
        self.replica.store().await
    }
}

async fn ack(store: &Store<Native>, queue: &QueueName, receipt: &Receipt) -> Acked {
    store.ack(queue, &[Ack { receipt, result: None }]).await.unwrap()[0]
}

#[tokio::test]
async fn a_failover_loses_what_the_replica_had_not_received() {
    let mut pair = Pair::start(&[]).await;
    let (store, queue) = (pair.primary.store().await, queue("q"));
    insert(&store, job(&queue, "claimed")).await;
    insert(&store, job(&queue, "ready")).await;
    let claim = Claim {
        queues: std::slice::from_ref(&queue),
        max_jobs: 1,
        lease: None,
        worker: None,
        wait: Duration::ZERO,
        acks: &[],
    };
    let claimed = store.claim(claim).await.unwrap();
    let receipt = claimed.jobs[0].1.receipt().unwrap();
    pair.is_even().await;
    let _silent = pair.cut();
    assert_eq!(ack(&store, &queue, &receipt).await, Acked::Done);
    insert(&store, job(&queue, "accepted and lost")).await;

    let store = pair.fail_over().await;
    assert_eq!(all(&pair.replica).await, BTreeSet::from(["ready".to_owned()]));
    // The job that was done is active again: it comes back when its lease ends, unless its worker says it once more.
    assert_eq!(ack(&store, &queue, &receipt).await, Acked::Done);
}

#[tokio::test]
async fn a_primary_that_must_have_a_replica_refuses_jobs_some_time_after_it_has_lost_it_and_loses_those_before() {
    let mut pair = Pair::start(&["min-replicas-to-write 1", "min-replicas-max-lag 1"]).await;
    let store = pair.primary.store().await;
    // At first it may not have heard of its replica for too long.
    until("a job is accepted", async || accepts(&store, "before").await).await;
    pair.is_even().await;
    pair.between.silence_connections();
    let mut accepted = BTreeSet::from(["before".to_owned()]);
    until("a job is refused", async || {
        let payload = format!("after {}", accepted.len());
        let is_accepted = accepts(&store, &payload).await;
        if is_accepted {
            accepted.insert(payload);
        }
        !is_accepted
    })
    .await;
    pair.fail_over().await;
    let there = all(&pair.replica).await;
    assert!(there.contains("before"));
    assert!(there.is_subset(&accepted) && there.len() < accepted.len(), "{there:?}");
}

/// Whether a primary takes a job, or has too few replicas.
async fn accepts(store: &Store<Native>, payload: &str) -> bool {
    match try_insert(store, job(&queue("q"), payload)).await {
        Ok(_) => true,
        Err(RedisError::Unavailable(Unavailable::NoReplicas, _)) => false,
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_was_answered_after_a_replica_had_it_survives_a_failover() {
    let mut pair = Pair::start(&[]).await;
    let replication = Replication {
        replicas: 1,
        timeout: Duration::from_secs(1),
    };
    let seed = pair.primary.url().trim_start_matches("redis://").to_owned();
    let store = Store::new(Native::to("redis://", &[seed], Some(replication)));
    let queue = queue("q");
    let (mut accepted, mut unsure) = (BTreeSet::new(), 0);
    let mut silent = None;
    // The replica is cut off amid the inserts.
    for number in 0..12 {
        if number == 10 {
            silent = Some(pair.cut());
        }
        match try_insert(&store, job(&queue, &number.to_string())).await {
            Ok(_) => drop(accepted.insert(number.to_string())),
            Err(RedisError::NotReplicated(_)) => unsure += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((accepted.len(), unsure), (10, 2));
    pair.fail_over().await;
    assert_eq!(all(&pair.replica).await, accepted);
    drop(silent);
}
