//! Hosts on a cluster, and on servers with replicas.

use crate::support::{
    Answer, Client, Cluster, Host, HostOptions, Node, Redis, assert_cluster_sound, eventually, host_on_cluster,
};
use serde_json::Value;

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// One instance answers all: then it is known what it has learned.
const ONE_INSTANCE: [&str; 4] = ["--max-instance-reuse-count", "100000", "--idle-instance-timeout", "60s"];

async fn post(client: &Client, target: &str, body: &str) -> Answer {
    client.send("POST", target, &[JSON], body.to_owned()).await
}

fn body(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    serde_json::from_str(answer.text()).expect("JSON")
}

/// The node that has a queue.
async fn node_of(cluster: &Cluster, queue: &str) -> Node {
    cluster.primary_of(format!("presque:{{{queue}}}:meta")).await
}

/// A queue of each of two nodes.
async fn two_queues(cluster: &Cluster) -> [String; 2] {
    let (one, mut other) = ("q0".to_owned(), "q0".to_owned());
    for number in 1.. {
        if node_of(cluster, &one).await != node_of(cluster, &other).await {
            break;
        }
        other = format!("q{number}");
    }
    [one, other]
}

#[tokio::test]
async fn what_spans_queues_is_right_on_a_cluster() {
    let cluster = Cluster::start().await;
    let options = HostOptions {
        args: &ONE_INSTANCE,
        ..HostOptions::default()
    };
    let host = host_on_cluster(&cluster, options).await;
    let client = host.client();
    let [one, other] = two_queues(&cluster).await;
    for queue in [&one, &other] {
        assert_eq!(
            post(&client, &format!("/v1/queues/{queue}/jobs"), r#"{"payload":1}"#)
                .await
                .status,
            201
        );
    }
    let queues = format!(r#"{{"queues":["{one}","{other}"],"count":2,"worker":"w"}}"#);
    let claimed = body(&post(&client, "/v1/claims", &queues).await, 200);
    assert_eq!(claimed["jobs"].as_array().unwrap().len(), 2, "{claimed}");

    let overview = body(&client.get("/v1/overview").await, 200);
    assert_eq!(overview["queues"].as_array().unwrap().len(), 2, "{overview}");
    let workers = body(&client.get("/v1/workers").await, 200);
    assert_eq!(workers["workers"].as_array().unwrap().len(), 1, "{workers}");
    let health = body(&client.get("/v1/health").await, 200);
    assert_eq!(
        (&health["redis"]["nodes"], &health["redis"]["replicas"]),
        (&3.into(), &1.into()),
        "{health}"
    );
    let metrics = client.get("/metrics").await;
    for queue in [&one, &other] {
        let line = format!("presque_jobs{{queue=\"{queue}\",state=\"active\"}} 1");
        assert!(metrics.text().contains(&line), "{line}");
    }

    // A wait on both is woken by the second.
    let wait = format!(r#"{{"queues":["{one}","{other}"],"wait":60}}"#);
    let insert = async {
        eventually("the claim waits on both nodes", async || {
            let waiting = cluster.waiting().await;
            (waiting.iter().filter(|clients| **clients == 1).count() == 2).then_some(())
        })
        .await;
        post(&host.client(), &format!("/v1/queues/{other}/jobs"), r#"{"payload":2}"#).await
    };
    let (claimed, inserted) = tokio::join!(post(&client, "/v1/claims", &wait), insert);
    assert_eq!(inserted.status, 201);
    assert_eq!(body(&claimed, 200)["jobs"][0]["queue"], other.as_str());
    assert_cluster_sound(&cluster).await;
}

#[tokio::test]
async fn an_instance_learns_the_map_of_slots_once() {
    let cluster = Cluster::start().await;
    let options = HostOptions {
        args: &ONE_INSTANCE,
        ..HostOptions::default()
    };
    let host = host_on_cluster(&cluster, options).await;
    let (client, before) = (host.client(), cluster.commands().await);
    for number in 0..50 {
        assert_eq!(
            post(&client, &format!("/v1/queues/q{number}/jobs"), r#"{"payload":1}"#)
                .await
                .status,
            201
        );
    }
    let after = cluster.commands().await;
    let more = |name: &str| after.get(name).unwrap_or(&0) - before.get(name).unwrap_or(&0);
    assert_eq!(more("cluster|slots"), 1, "{after:?}");
    let errors = cluster.error_stats().await;
    assert_eq!(errors.get("CROSSSLOT"), None, "{errors:?}");
}

#[tokio::test]
async fn a_failover_is_a_503_for_the_queues_of_one_node_and_then_over() {
    let mut cluster = Cluster::start().await;
    let host = host_on_cluster(&cluster, HostOptions::default()).await;
    let client = host.client();
    let [gone, other] = two_queues(&cluster).await;
    let target = |queue: &str| format!("/v1/queues/{queue}/jobs");
    for queue in [&gone, &other] {
        assert_eq!(post(&client, &target(queue), r#"{"payload":1}"#).await.status, 201);
    }
    let primary = node_of(&cluster, &gone).await;
    let replica = cluster.replica_of(primary).await;
    cluster.kill(primary);
    let refused = body(&post(&client, &target(&gone), r#"{"payload":2}"#).await, 503);
    let kind = refused["type"].as_str().unwrap_or_default();
    assert!(
        ["store-unreachable", "store-unavailable", "store-lost"]
            .iter()
            .any(|known| kind.ends_with(known)),
        "{refused}"
    );
    assert_eq!(
        post(&client, &target(&other), r#"{"payload":2}"#).await.status,
        201,
        "other nodes go on"
    );
    cluster.promoted(replica).await;
    eventually("the queue is served again", async || {
        (post(&client, &target(&gone), r#"{"payload":3}"#).await.status == 201).then_some(())
    })
    .await;
    let ready = body(&client.get(&format!("/v1/queues/{gone}")).await, 200);
    assert!(ready["counts"]["ready"].as_u64().unwrap() >= 2, "{ready}");
}

#[tokio::test]
async fn a_host_is_told_what_it_may_connect_to_before_it_serves_from_a_cluster() {
    let cluster = Cluster::start().await;
    let dir = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let mut command = std::process::Command::new(presque_testkit::command_path());
    command
        .current_dir(dir.path())
        .arg("--from")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/spin.toml"))
        .arg("--state-dir")
        .arg(presque_testkit::target_dir().join("test-state"))
        .args(["--listen", "127.0.0.1:0", "--redis-url", &cluster.url()]);
    let (code, log) = Host::refused(command, dir).await;
    assert_eq!(code, Some(2), "{log}");
    for part in ["it is a cluster", "redis_nodes", "such as redis://127.0.0.1:*"] {
        assert!(log.contains(part), "{log}");
    }
}

#[tokio::test]
async fn an_answer_waits_for_a_replica_where_that_is_set() {
    let primary = Redis::start();
    let replica = Redis::start_replica_of(&primary, &[]).await;
    let host = Host::start(HostOptions {
        redis_url: Some(primary.url()),
        args: &[
            "--variable",
            "redis_wait_replicas=1",
            "--variable",
            "redis_wait_timeout_ms=200",
        ],
        ..HostOptions::default()
    });
    let client = host.client();
    let insert = async || {
        let headers = [JSON, ("Idempotency-Key", "order-7")];
        client
            .send("POST", "/v1/queues/q/jobs", &headers, r#"{"payload":1}"#)
            .await
    };
    replica.server.pause().unwrap();
    for _ in 0..2 {
        let refused = body(&insert().await, 503);
        assert!(refused["type"].as_str().unwrap().ends_with("store-lost"), "{refused}");
    }
    assert_eq!(client.get("/v1/queues/q").await.status, 200, "to look promises nothing");
    replica.server.resume().unwrap();
    eventually("the replica has it", async || {
        (insert().await.status == 201).then_some(())
    })
    .await;
    let counts = body(&client.get("/v1/queues/q").await, 200);
    assert_eq!(counts["counts"]["ready"], 1, "{counts}");
    assert_eq!(post(&client, "/v1/queues/q/claims", "{}").await.status, 200);
}

#[tokio::test]
async fn with_replicas_a_host_finds_the_new_primary_by_the_addresses_that_it_has() {
    let primary = Redis::start();
    let replica = Redis::start_replica_of(&primary, &[]).await;
    let host = Host::start(HostOptions {
        redis_url: Some(format!("{},{}", primary.url(), replica.url())),
        args: &ONE_INSTANCE,
        ..HostOptions::default()
    });
    let client = host.client();
    assert_eq!(post(&client, "/v1/queues/q/jobs", r#"{"payload":1}"#).await.status, 201);
    eventually("the replica has the job", async || {
        let has: i64 = replica.query(&["EXISTS", "presque:{q}:meta"]).await;
        (has == 1).then_some(())
    })
    .await;
    replica.run("REPLICAOF NO ONE").await;
    primary
        .run(&format!("REPLICAOF 127.0.0.1 {}", replica.server.port()))
        .await;
    assert_eq!(post(&client, "/v1/queues/q/jobs", r#"{"payload":2}"#).await.status, 201);
    let counts = body(&client.get("/v1/queues/q").await, 200);
    assert_eq!(counts["counts"]["ready"], 2, "{counts}");
}
