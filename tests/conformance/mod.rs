//! Recorded conversations, replayed through the components.
//!
//! A line of a recording is one exchange: what is sent, and what must come back. Two JSON bodies are equal when their
//! values and types are; some arrays are sets. Everything else is compared byte for byte.

mod compare;

use crate::support::{Answer, Client, Cluster, Host, HostOptions, Redis, host_on_cluster};
use compare::same_body;
use serde::Deserialize;
use std::fmt::Write;
use std::time::{Duration, SystemTime};

const PRESQUE: &str = include_str!("presque.jsonl");
const RESTMQ: &str = include_str!("restmq.jsonl");

#[derive(Deserialize)]
struct Exchange {
    name: String,
    method: String,
    /// `{now+3}` stands for the second three seconds from now.
    target: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    #[serde(default)]
    chunked: bool,
    /// To wait before sending.
    #[serde(default)]
    wait_s: f64,
    expect: Expect,
}

#[derive(Deserialize)]
struct Expect {
    status: u16,
    /// The media type alone. Not compared when missing.
    content_type: Option<String>,
    /// Not compared when missing.
    body: Option<String>,
}

/// When two bodies are the same.
type Same = fn(&str, &str) -> bool;

/// Replays a recording from an empty store. `client_for` chooses who serves an exchange.
async fn replay(recording: &str, same: Same, client_for: impl Fn(&Exchange) -> Client) {
    let mut differences = String::new();
    let mut count = 0;
    for line in recording.lines().filter(|line| !line.trim().is_empty()) {
        let exchange: Exchange = serde_json::from_str(line).expect(line);
        let target = with_times(&exchange.target);
        tokio::time::sleep(Duration::from_secs_f64(exchange.wait_s)).await;
        let answer = send(&client_for(&exchange), &exchange, &target).await;
        if let Err(difference) = compare(&exchange.expect, &answer, same) {
            writeln!(
                differences,
                "{}: {} {target}\n{difference}",
                exchange.name, exchange.method
            )
            .unwrap();
        }
        count += 1;
    }
    assert!(count > 0, "the recording is empty");
    assert!(
        differences.is_empty(),
        "of {count} exchanges these differ:\n{differences}"
    );
}

fn with_times(target: &str) -> String {
    let Some((before, rest)) = target.split_once("{now+") else {
        return target.to_owned();
    };
    let (seconds, after) = rest.split_once('}').expect(target);
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("after 1970");
    let then = now.as_secs() + seconds.parse::<u64>().expect(target);
    format!("{before}{then}{after}")
}

async fn send(client: &Client, exchange: &Exchange, target: &str) -> Answer {
    let mut headers: Vec<_> = exchange
        .headers
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    if exchange.chunked {
        headers.push(("Transfer-Encoding", "chunked"));
    }
    let body = exchange.body.clone().unwrap_or_default();
    client.send(&exchange.method, target, &headers, body).await
}

fn compare(expect: &Expect, answer: &Answer, same: Same) -> Result<(), String> {
    let mut different = String::new();
    if answer.status != expect.status {
        writeln!(different, "  status: expected {}, got {}", expect.status, answer.status).unwrap();
    }
    let media = answer.header("content-type").and_then(|value| value.split(';').next());
    if let Some(expected) = expect.content_type.as_deref()
        && media != Some(expected)
    {
        writeln!(different, "  content type: expected {expected}, got {media:?}").unwrap();
    }
    if let Some(expected) = &expect.body
        && !same(expected, answer.text())
    {
        writeln!(
            different,
            "  body: expected {expected}\n             got {}",
            answer.text()
        )
        .unwrap();
    }
    if different.is_empty() { Ok(()) } else { Err(different) }
}

#[tokio::test]
async fn the_recording_of_the_presque_dialect_replays_without_difference() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    replay(PRESQUE, same_body, |_| host.client()).await;
}

#[tokio::test]
async fn each_component_passes_its_part_of_the_recording_when_it_is_the_only_one_served() {
    let redis = Redis::start();
    let alone = |component| {
        Host::start(HostOptions {
            redis_url: Some(redis.url()),
            args: &["--component", component],
            ..HostOptions::default()
        })
    };
    let (queue, control, status, worker) = (alone("queue"), alone("control"), alone("status"), alone("worker"));
    replay(PRESQUE, same_body, |exchange| {
        let group = exchange.target.split(['/', '?']).nth(1).unwrap_or_default();
        let host = match group {
            "q" | "qb" => &queue,
            "control" => &control,
            "w" => &worker,
            _ => &status,
        };
        host.client()
    })
    .await;
}

#[tokio::test]
async fn the_recording_of_the_restmq_dialect_replays_without_difference_where_it_is_served_alone() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    replay(RESTMQ, same_bytes, |_| host.client()).await;
}

#[tokio::test]
async fn both_recordings_replay_without_difference_on_a_cluster() {
    let presque = async {
        let cluster = Cluster::start().await;
        let host = host_on_cluster(&cluster, HostOptions::default()).await;
        replay(PRESQUE, same_body, |_| host.client()).await;
    };
    let restmq = async {
        let cluster = Cluster::start().await;
        let manifest = Some("restmq.toml");
        let options = HostOptions {
            manifest,
            ..HostOptions::default()
        };
        let host = host_on_cluster(&cluster, options).await;
        replay(RESTMQ, same_bytes, |_| host.client()).await;
    };
    tokio::join!(presque, restmq);
}

/// RestMQ's contract has the JSON's spaces and the order of its members, too.
fn same_bytes(expected: &str, got: &str) -> bool {
    expected == got
}

/// Whether an exchange of RestMQ's is the presque dialect's where both are served: nothing in it tells.
fn is_presques(exchange: &Exchange) -> bool {
    let has = |fields: &[&str]| {
        let form = exchange.body.as_deref().unwrap_or_default();
        fields
            .iter()
            .any(|field| form.split('&').any(|pair| pair.starts_with(field)))
    };
    let is_get = exchange.method == "GET" && !exchange.target.contains("callback=");
    match exchange.target.split('/').nth(1) {
        Some("q") => is_get || exchange.method == "POST" && !has(&["value=", "msg="]),
        Some("control") => is_get || exchange.method == "POST" && !has(&["status="]),
        Some("j") => is_get,
        _ => false,
    }
}

#[tokio::test]
async fn beside_the_presque_dialect_all_that_can_be_told_to_be_restmqs_replays_without_difference() {
    let redis = Redis::start();
    let (beside, alone) = (Host::on(&redis), Host::restmq_on(&redis));
    replay(RESTMQ, same_bytes, |exchange| {
        if is_presques(exchange) {
            alone.client()
        } else {
            beside.client()
        }
    })
    .await;
}
