//! Nodes that go and come back.

use super::*;
use presque::queue::Status;
use presque::store::Effect;

#[tokio::test]
async fn a_queue_goes_on_where_the_replica_of_its_node_takes_over() {
    let mut cluster = Cluster::start().await;
    let store = store_on(&cluster, None).await;
    let q = queue("q");
    let other = queue_elsewhere(&cluster, &q).await;
    insert(&store, job(&q, "1")).await;
    insert(&store, job(&other, "x")).await;
    let primary = cluster.primary_of(key_of(&q)).await;
    let replica = cluster.replica_of(primary).await;
    cluster.kill(primary);
    let error = try_insert(&store, job(&q, "not stored")).await.unwrap_err();
    // It may have been sent on a connection that was open still.
    assert!(
        matches!(
            error.effect(),
            Effect::NotApplied | Effect::Unavailable | Effect::Unknown
        ),
        "{error}"
    );
    assert!(try_insert(&store, job(&other, "y")).await.unwrap(), "other nodes go on");
    cluster.promoted(replica).await;
    insert(&store, job(&q, "2")).await;
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("1"));
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("2"));
}

#[tokio::test]
async fn an_orderly_failover_is_followed_without_an_error() {
    let cluster = Cluster::start().await;
    let store = store_on(&cluster, None).await;
    let q = queue("q");
    insert(&store, job(&q, "1")).await;
    let primary = cluster.primary_of(key_of(&q)).await;
    let replica = cluster.replica_of(primary).await;
    cluster.failover(replica).await;
    insert(&store, job(&q, "2")).await;
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("1"));
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_cluster_is_entered_by_any_node_that_answers() {
    let mut cluster = Cluster::start().await;
    let login = login_of_cluster(&cluster).await;
    let q = queue("q");
    let gone = cluster.primary_of(key_of(&q)).await;
    let other = cluster.primary_of(key_of(&queue_elsewhere(&cluster, &q).await)).await;
    cluster.kill(other);
    let seeds: Vec<_> = [other, gone]
        .map(|node| cluster[node].url().trim_start_matches("redis://").to_owned())
        .into();
    let store = Store::new(Native::to(&login, &seeds, None));
    insert(&store, job(&q, "1")).await;
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("1"));
}

#[tokio::test]
async fn of_several_servers_the_one_is_used_that_takes_changes() {
    let primary = Redis::start();
    let replica = Redis::start_replica_of(&primary, &[]).await;
    let seeds = [&replica, &primary].map(|redis| redis.url().trim_start_matches("redis://").to_owned());
    let q = queue("q");
    let replication = Replication {
        replicas: 1,
        timeout: Duration::from_secs(30),
    };
    // The replica has it before it is promoted.
    let waiting = Store::new(Native::to("redis://", &seeds, Some(replication)));
    insert(&waiting, job(&q, "1")).await;
    let store = Store::new(Native::to("redis://", &seeds, None));
    assert!(store.set_status(&q, Status::Open).await.is_ok());
    // They change their roles.
    replica.run("REPLICAOF NO ONE").await;
    let [replica_port, _] = [&replica, &primary].map(|redis| redis.server.port());
    primary.run(&format!("REPLICAOF 127.0.0.1 {replica_port}")).await;
    insert(&store, job(&q, "2")).await;
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("1"));
    assert_eq!(fetch(&store, &q).await.as_deref(), Some("2"));
}
