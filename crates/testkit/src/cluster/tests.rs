use super::*;
use crate::{query, until};

/// Four keys of one slot.
const KEYS: [&str; 4] = ["{a}1", "{a}2", "{a}3", "{a}4"];

async fn get(redis: &Redis, key: &str) -> Option<String> {
    redis.query(&["GET", key]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_serves_all_slots_and_tells_what_it_did() {
    let cluster = Cluster::start().await;
    assert_eq!(cluster.urls().len(), 6);
    assert!(cluster.urls().contains(&cluster.url()));
    let first = cluster.primary_of_slot(0).await;
    let last = cluster.primary_of_slot(16_383).await;
    assert_ne!(first, last);
    let primary = cluster.primary_of("a").await;
    let replica = cluster.replica_of(primary).await;
    cluster[primary].run("SET a 1").await;
    cluster[primary].run("SET {a}b 2").await;
    until("the write is on the replica", async || {
        let mut connection = cluster[replica].connection().await;
        query::<()>(&mut connection, &["READONLY"]).await;
        query::<Option<String>>(&mut connection, &["GET", "a"]).await.as_deref() == Some("1")
    })
    .await;
    let other = cluster
        .nodes()
        .find(|&node| node != primary && node != replica)
        .unwrap();
    assert_eq!(cluster[other].refusal("SET a 2").await, "MOVED");
    assert_eq!(cluster[primary].refusal("MGET a b").await, "CROSSSLOT");
    let errors = cluster.error_stats().await;
    assert_eq!([errors["MOVED"], errors["CROSSSLOT"]], [1, 1]);
    // Each was done by the primary and its replica.
    assert_eq!(cluster.commands().await["set"], 4);
    // The kernel counts in ticks, so a little work may count as none.
    until("its processor time is told", async || {
        let words = ["EVAL", "for i = 1, 1000000 do end", "0"];
        cluster[primary].query::<()>(&words).await;
        cluster[primary].used_cpu_user().await > 0.0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_replica_of_a_primary_that_was_killed_or_paused_is_promoted() {
    let mut cluster = Cluster::start().await;
    let primary = cluster.primary_of("a").await;
    let replica = cluster.replica_of(primary).await;
    cluster[primary].run("SET a 1").await;
    cluster.failover(replica).await;
    assert_eq!(cluster.primary_of("a").await, replica);
    assert_eq!(cluster.replica_of(replica).await, primary);
    cluster.kill(replica);
    cluster.promoted(primary).await;
    assert_eq!(get(&cluster[primary], "a").await.as_deref(), Some("1"));
    cluster.restart(replica);
    cluster.settled().await;
    assert_eq!(cluster.replica_of(primary).await, replica);
    cluster.pause(primary);
    cluster.promoted(replica).await;
    assert_eq!(get(&cluster[replica], "a").await.as_deref(), Some("1"));
    cluster.resume(primary);
    cluster.settled().await;
    assert_eq!(cluster.replica_of(replica).await, primary);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_is_moved_at_once_or_key_by_key() {
    let cluster = Cluster::start().await;
    let (slot, from) = (cluster.slot_of("{a}").await, cluster.primary_of("{a}").await);
    let to = cluster.primary_of_slot((slot + 8192) % 16_384).await;
    for key in KEYS {
        cluster[from].run(&format!("SET {key} {key}")).await;
    }
    let migration = cluster.begin_migration(slot, to).await;
    assert_eq!((migration.from, migration.to), (from, to));
    cluster.move_keys(migration, &KEYS[..2]).await;
    assert_eq!(cluster.keys_to_move(migration).await.len(), 2);
    assert_eq!(cluster[from].refusal("GET {a}1").await, "ASK");
    assert_eq!(cluster[from].refusal("MGET {a}2 {a}3").await, "TRYAGAIN");
    assert_eq!(cluster[to].refusal("GET {a}1").await, "MOVED");
    cluster.move_keys(migration, &KEYS[2..]).await;
    cluster.finish_migration(migration).await;
    assert_eq!(cluster.primary_of("{a}").await, to);
    cluster.migrate_slot(slot, from).await;
    assert_eq!(cluster.primary_of("{a}").await, from);
    for key in KEYS {
        assert_eq!(get(&cluster[from], key).await.as_deref(), Some(key));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_of_a_single_primary_follows_it_and_can_be_promoted() {
    let mut primary = Redis::start();
    let replica = Redis::start_replica_of(&primary, &[]).await;
    let mut connection = primary.connection().await;
    query::<()>(&mut connection, &["SET", "a", "1"]).await;
    assert_eq!(query::<i64>(&mut connection, &["WAIT", "1", "0"]).await, 1);
    assert_eq!(replica.refusal("SET a 2").await, "READONLY");
    primary.server.kill().unwrap();
    replica.run("REPLICAOF NO ONE").await;
    assert_eq!(get(&replica, "a").await.as_deref(), Some("1"));
    replica.run("SET a 2").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_moves_to_and_fro_stays_where_it_was_moved() {
    let cluster = Cluster::start().await;
    let home = cluster.primary_of_slot(0).await;
    let away = cluster.primary_of_slot(16_383).await;
    for to in [away, home].repeat(20) {
        cluster.migrate_slot(0, to).await;
        assert_eq!(cluster.primary_of_slot(0).await, to);
    }
}
