//! What is in `deploy/`: alerts, the dashboard of Grafana, and the scaler of KEDA.

use super::Server;
use super::prometheus::Prometheus;
use crate::support::{NativeStore, until, yaml};
use presque::queue::{QueueName, Timestamp};
use presque::store::{Insert, NewJob};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

fn read(name: &str) -> String {
    let path = path(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The alerts, which fire as soon as they are true.
fn alerts() -> Value {
    let mut rules = yaml(&read("prometheus/alerts.yml")).remove(0);
    for rule in rules["groups"][0]["rules"].as_array_mut().expect("rules") {
        if let Some(duration) = rule.get_mut("for") {
            *duration = "0s".into();
        }
    }
    rules
}

/// Inserts a job as if it were twenty minutes ago.
async fn insert_long_ago(server: &Server, queue: &str) {
    let (store, mut clock) = server.redis.store_with_clock().await;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let then = now - Duration::from_secs(20 * 60);
    clock
        .set(Timestamp::from_millis(i64::try_from(then.as_millis()).unwrap()))
        .await;
    let insert = Insert {
        queue: &QueueName::new(queue).unwrap(),
        jobs: &[NewJob {
            payload: b"1",
            ..NewJob::default()
        }],
        failed: None,
        idempotency: None,
    };
    store.insert(insert).await.unwrap();
}

/// Claims a job, and says that it is done.
async fn work(server: &Server, queue: &str) {
    for receipt in server.claim(queue, "{}").await {
        server.finish(queue, &receipt, "ack", "").await;
    }
}

/// Makes a job dead.
async fn kill(server: &Server, queue: &str) {
    server.insert(queue, r#"{"payload":1}"#).await;
    for receipt in server.claim(queue, "{}").await {
        server.finish(queue, &receipt, "nack", r#"{"dead":true}"#).await;
    }
}

/// Deletes the dead job.
async fn clear(server: &Server, queue: &str) {
    let target = format!("/v1/queues/{queue}/dead/delete");
    let answer = server.client.post(&target, r#"{"limit":1}"#.to_owned()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Waits until these alerts fire, each for a queue, and no others.
async fn fires(prometheus: &Prometheus, alerts: &[(&str, &str)]) {
    let mut expected: Vec<_> = alerts
        .iter()
        .map(|(alert, queue)| (alert.to_string(), queue.to_string()))
        .collect();
    expected.sort_unstable();
    prometheus.evaluates().await;
    until(&format!("{alerts:?} fire"), async || {
        prometheus.firing().await == expected
    })
    .await;
}

#[tokio::test]
async fn each_alert_fires_while_it_is_true_and_at_no_other_time() {
    let mut server = Server::start();
    for queue in ["idle", "bad"] {
        server.insert(queue, r#"{"payload":1}"#).await;
        work(&server, queue).await;
    }
    kill(&server, "born").await;
    let prometheus = Prometheus::start(&server, &alerts()).await;
    prometheus.knows("presque_queue_dead_total{queue=\"bad\"} == 0").await;
    // Its dead job is older than what Prometheus knows.
    fires(&prometheus, &[("PresqueDeadJobs", "born")]).await;
    clear(&server, "born").await;
    fires(&prometheus, &[]).await;

    insert_long_ago(&server, "old").await;
    // A paused queue hands out nothing on purpose.
    let paused = server.client.send(
        "PUT",
        "/v1/queues/paused",
        &[("content-type", "application/json")],
        r#"{"paused":true}"#,
    );
    assert_eq!(paused.await.status, 201);
    insert_long_ago(&server, "paused").await;
    insert_long_ago(&server, "idle").await;
    kill(&server, "bad").await;
    prometheus.knows("presque_queue_dead_total{queue=\"bad\"} == 1").await;
    clear(&server, "bad").await;
    let dead = ("PresqueDeadJobs", "bad");
    let expected = [
        dead,
        ("PresqueJobsTooOld", "idle"),
        ("PresqueJobsTooOld", "old"),
        ("PresqueNoWorker", "idle"),
        ("PresqueNoWorker", "old"),
    ];
    fires(&prometheus, &expected).await;

    // A job that somebody works on is not ready any more.
    work(&server, "old").await;
    server.claim("idle", "{}").await;
    server.insert("idle", r#"{"payload":1}"#).await;
    // It fires for a quarter of an hour.
    fires(&prometheus, &[dead]).await;

    server.redis.server.kill().unwrap();
    fires(&prometheus, &[dead, ("PresqueStoreDown", "")]).await;
    server.redis.server.restart().unwrap();
    fires(&prometheus, &[dead]).await;
}

fn promtool(words: [&str; 2], file: &Path) {
    let ran = Command::new("promtool").args(words).arg(file).output();
    let ran = ran.expect("promtool starts: `cargo xtask test` installs it");
    let texts = [&ran.stdout, &ran.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(ran.status.success(), "{words:?}: {}", texts.concat());
}

#[test]
fn an_alert_fires_after_the_time_that_it_names_and_not_for_gaps() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/metrics/alerts.yml");
    promtool(["test", "rules"], &tests);
}

#[test]
fn the_alerts_are_rules_as_prometheus_has_them() {
    promtool(["check", "rules"], &path("prometheus/alerts.yml"));
    let rules = alerts();
    let names: Vec<_> = rules["groups"][0]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["alert"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "PresqueStoreDown",
            "PresqueJobsTooOld",
            "PresqueDeadJobs",
            "PresqueNoWorker"
        ]
    );
}

/// The metrics that an expression names.
fn metrics_in(expression: &str) -> BTreeSet<&str> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("presque_")).collect()
}

#[tokio::test]
async fn the_dashboard_asks_for_what_presque_tells() {
    let board: Value = serde_json::from_str(&read("grafana/presque.json")).unwrap();
    let source = json!({"type": "prometheus", "uid": "${datasource}"});
    let variables = board["templating"]["list"].as_array().unwrap();
    assert_eq!(
        (&variables[0]["name"], &variables[0]["type"]),
        (&json!("datasource"), &json!("datasource"))
    );
    let queues = variables[1]["query"].as_str().unwrap();
    assert_eq!(
        (&variables[1]["datasource"], queues),
        (&source, "label_values(presque_jobs, queue)")
    );

    let server = Server::start();
    server.insert("a", r#"{"payload":1}"#).await;
    work(&server, "a").await;
    let prometheus = Prometheus::start(&server, &json!({})).await;
    let panels = board["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
    let mut named = BTreeSet::new();
    for panel in panels {
        assert_eq!(panel["datasource"], source, "{}", panel["title"]);
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"], source, "{}", panel["title"]);
            let expression = target["expr"].as_str().unwrap();
            named.extend(metrics_in(expression).into_iter().map(str::to_owned));
            // What Grafana puts in their place.
            let asked = expression.replace("$__rate_interval", "1m").replace("$queue", ".*");
            prometheus.knows(&asked).await;
        }
    }
    let told: BTreeSet<_> = prometheus.names().await.into_iter().collect();
    assert!(named.is_subset(&told), "{named:?}, told: {told:?}");
    // What is worth an alert is worth a look.
    let rules = alerts().to_string();
    for metric in metrics_in(&rules) {
        assert!(told.contains(metric), "{metric}");
    }
    assert!(named.len() > 8, "{named:?}");
}

#[tokio::test]
async fn the_scaler_finds_its_number_in_the_answer() {
    let server = Server::start();
    let [scaled, login] = &yaml(&read("keda/scaledobject.yaml"))[..] else {
        panic!("two objects");
    };
    let trigger = &scaled["spec"]["triggers"][0];
    assert_eq!(trigger["type"], "metrics-api");
    assert_eq!(trigger["authenticationRef"]["name"], login["metadata"]["name"]);
    let metadata = &trigger["metadata"];
    let url = metadata["url"].as_str().unwrap();
    let target = &url[url.find("/v1/").unwrap()..];
    let queue = target.strip_prefix("/v1/queues/").unwrap();
    for _ in 0..3 {
        server.insert(queue, r#"{"payload":1}"#).await;
    }
    server.claim(queue, "{}").await;
    let answer: Value = serde_json::from_slice(&server.client.get(target).await.body).unwrap();
    // In a path of GJSON, plain names with dots between them are members of members.
    let location = metadata["valueLocation"].as_str().unwrap();
    assert!(
        location.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'.'),
        "{location}"
    );
    let found = location.split('.').fold(&answer, |value, name| &value[name]);
    assert_eq!(found, 2, "{location} in {answer}");
    let per_worker: f64 = metadata["targetValue"].as_str().unwrap().parse().unwrap();
    assert!(per_worker > 0.0);
}
