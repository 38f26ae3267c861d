//! What a request costs a component, in Wasm instructions, and how large the components are. Both are counted, so that what
//! they grow by is seen.

use crate::support::{Host, HostOptions, Redis};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// How many instructions a request takes, by wasmtime's count: with a payload of 100 bytes, by the compiler that `Cargo.toml`
/// names. When a change makes a request cheaper, or makes it cost more with good reason, the new count goes here.
const INSTRUCTIONS: [(&str, u64); 5] = [
    ("fetch", 83_957),
    ("insert", 90_685),
    ("v1 ack", 98_613),
    ("v1 claim", 155_290),
    ("v1 insert", 120_422),
];

/// How many bytes each component may have: one or two percent more than it has. docs/performance.md says what they consist of.
const SIZES: [(&str, u64); 9] = [
    ("comet", 802_000),
    ("control", 727_000),
    ("dashboard", 1_104_000),
    ("metrics", 616_000),
    ("queue", 983_000),
    ("restmq", 1_057_000),
    ("status", 512_000),
    ("v1", 1_604_000),
    ("worker", 598_000),
];

/// How often each request is sent: one may begin before the rest of the last one has run.
const TIMES: usize = 31;

/// A host whose log says what each request finds in its instance. Instances live as long as the test.
fn start(redis: &Redis, more: &[&str]) -> Host {
    let args = [
        "--log-fuel",
        "--log-level",
        "info",
        "--max-instance-reuse-count",
        "100000",
        "--idle-instance-timeout",
        "60s",
    ];
    Host::start(HostOptions {
        redis_url: Some(redis.url()),
        manifest: Some("tests/e2e/instructions.toml"),
        args: &[&args, more].concat(),
        ..HostOptions::default()
    })
}

/// What the log says under this name at each of so many requests to a component.
async fn logged(host: &mut Host, component: &str, name: &str, requests: usize) -> Vec<u64> {
    let component = format!("component=\"{component}\"");
    let lines = host.log_lines(&["request begins", &component], requests).await;
    let number = |line: &String| {
        let (_, rest) = line.split_once(&format!("{name}="))?;
        rest.split(' ').next()?.parse().ok()
    };
    lines.iter().map(|line| number(line).expect("a number")).collect()
}

/// How many instructions each request takes: the median. All of them have these headers.
async fn count(host: &mut Host, headers: &[(&str, &str)]) -> Vec<(&'static str, u64)> {
    let client = host.client();
    let json = [headers, &[("content-type", "application/json")]].concat();
    let send = async |method, target: &str, body: &str| {
        let answer = client.send(method, target, &json, body.to_owned()).await;
        assert!(answer.status.is_success(), "{target}: {answer:?}");
        answer
    };
    let payload = format!("\"{}\"", "x".repeat(98));
    let job = format!("{{\"payload\":{payload}}}");
    // By component, in this order.
    let mut sent: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for _ in 0..TIMES {
        send("POST", "/q/x", &payload).await;
        sent.entry("queue").or_default().push("insert");
    }
    for _ in 0..TIMES {
        send("GET", "/q/x", "").await;
        sent.entry("queue").or_default().push("fetch");
    }
    for _ in 0..TIMES {
        send("POST", "/v1/queues/x/jobs", &job).await;
        sent.entry("v1").or_default().push("v1 insert");
    }
    for _ in 0..TIMES {
        let claimed = send("POST", "/v1/queues/x/claims", "{}").await;
        let claimed: serde_json::Value = serde_json::from_slice(&claimed.body).unwrap();
        let receipt = claimed["jobs"][0]["receipt"].as_str().unwrap();
        send("POST", &format!("/v1/queues/x/claims/{receipt}/ack"), "").await;
        sent.entry("v1").or_default().extend(["v1 claim", "v1 ack"]);
    }

    let mut counted: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (component, requests) in sent {
        // What was left when each began.
        let left = logged(host, component, "fuel", requests.len()).await;
        for (request, left) in requests.iter().zip(left.windows(2)) {
            counted.entry(request).or_default().push(left[0] - left[1]);
        }
    }
    let counted = counted.into_iter().map(|(request, mut counts)| {
        counts.sort_unstable();
        (request, counts[counts.len() / 2])
    });
    counted.collect()
}

#[tokio::test]
async fn a_request_takes_as_many_instructions_as_it_did() {
    let redis = Redis::start();
    let counted = count(&mut start(&redis, &[]), &[]).await;
    let is_near = |((_, now), (_, then)): (&(&str, u64), &(&str, u64))| now.abs_diff(*then) * 50 <= *then;
    assert!(
        counted.len() == INSTRUCTIONS.len() && counted.iter().zip(&INSTRUCTIONS).all(is_near),
        "more than 2 % away from what is noted:\n{counted:?}, noted:\n{INSTRUCTIONS:?}"
    );
}

#[tokio::test]
async fn a_key_adds_less_than_three_percent_to_a_request() {
    let redis = Redis::start();
    // Ten keys, of which the last one is sent.
    let keys: Vec<_> = (0..10).map(|number| format!("key-{number}")).collect();
    let line = |key: &String| format!("{key} sha256:{:x} scopes=insert,work queues=y*,x*", Sha256::digest(key));
    let list = format!("keys={}", keys.iter().map(line).collect::<Vec<_>>().join(";"));
    // Both times it is sent: what a header costs the platform is not what a key costs.
    let header = [("authorization", "Bearer key-9")];
    let without = count(&mut start(&redis, &[]), &header).await;
    let with = count(&mut start(&redis, &["--variable", &list]), &header).await;
    // Together: one alone varies by a percent.
    let sum = |counted: &[(_, u64)]| counted.iter().map(|(_, count)| count).sum::<u64>();
    assert!(
        sum(&with) * 100 <= sum(&without) * 103,
        "{without:?} without a key, {with:?} with one"
    );
}

#[tokio::test]
async fn an_instance_has_no_more_memory_after_ten_thousand_requests_than_after_a_hundred_nor_after_a_large_body() {
    let redis = Redis::start();
    let mut host = start(&redis, &[]);
    let client = host.client();
    for _ in 0..5_000 {
        client.insert("/q/x", "{}").await;
        assert_eq!(client.get("/q/x").await.status, 200);
    }
    let job = format!("\"{}\"", "x".repeat(4_000_000));
    client.insert("/q/x", job.clone()).await;
    assert_eq!(client.get("/q/x").await.body, job);
    for _ in 0..2 {
        client.get("/q/x").await;
    }
    let memory = logged(&mut host, "queue", "memory", 10_004).await;
    assert!(memory[100] > 0, "{}", memory[100]);
    assert_eq!(memory[9_999], memory[100]);
    assert!(memory[10_003] <= memory[100], "{:?}", &memory[9_998..]);
}

#[test]
fn no_component_has_grown() {
    let components = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/wasm32-wasip2/release");
    for (name, max) in SIZES {
        let file = components.join(format!("presque_{name}.wasm"));
        let size = std::fs::metadata(&file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
            .len();
        assert!(size <= max, "{name} has {size} bytes, more than {max}");
    }
}
