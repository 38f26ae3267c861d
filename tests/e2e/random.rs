//! Requests that nobody would send: every answer is below 500, and the store is sound afterwards.

use crate::support::{Client, Cluster, Host, HostOptions, Redis, assert_cluster_sound, assert_sound, host_on_cluster};
use futures_util::future::join_all;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

const REQUESTS: usize = 10_000;
const AT_ONCE: usize = 16;

#[derive(Clone, Debug)]
struct Odd {
    method: &'static str,
    target: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// Something of a request: seldom sensible, often nearly so.
fn odd() -> impl Strategy<Value = Odd> {
    let methods = vec![
        "GET", "GET", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW",
    ];
    let headers = vec((header_name(), header_value()), 0..4);
    (select(methods), target(), headers, body()).prop_map(|(method, target, headers, body)| Odd {
        method,
        target,
        headers,
        body,
    })
}

fn target() -> impl Strategy<Value = String> {
    let groups = vec!["q", "q", "qb", "control", "status", "j", "w", "metrics", "Q", ".", ""];
    let names = vec![
        "", "a", "a", "a", "b/c", "%7D", "%ff", "%00", "..", "+", "%", "%2F", "%C3%A9", "a%3Fx", "//",
    ];
    let parameters = vec![
        "uniq",
        "delayed",
        "batch_size",
        "worker_id",
        "queue_name",
        "queue",
        "with_desc",
        "?",
        "x",
        "",
    ];
    let values = vec![
        "",
        "0",
        "1",
        "a",
        "a",
        "-1",
        "1e3",
        "1e999",
        "nan",
        "%ff",
        "%",
        "+",
        "99999999999",
        "&",
        "=",
    ];
    let pair = (select(parameters), select(values)).prop_map(|(name, value)| format!("{name}={value}"));
    let slash = select(vec!["/", "/", "/", ""]);
    (select(groups), slash, select(names), vec(pair, 0..4)).prop_map(|(group, slash, name, pairs)| {
        let query = if pairs.is_empty() {
            String::new()
        } else {
            format!("?{}", pairs.join("&"))
        };
        format!("/{group}{slash}{name}{query}")
    })
}

fn header_name() -> impl Strategy<Value = &'static str> {
    select(vec![
        "content-type",
        "content-type",
        "x-presque-workerid",
        "accept",
        "expect-nothing",
        "spin-path-info",
    ])
}

fn header_value() -> impl Strategy<Value = String> {
    let known = vec![
        "application/json",
        "application/json",
        "a/b+JSON; x",
        "application/x-www-form-urlencoded",
        "w",
        ";",
    ];
    prop_oneof![4 => select(known).prop_map(str::to_owned), 1 => "[ -~]{0,40}"]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let known = vec![
        "{}",
        "1",
        "{\"jobs\":[1,\"]\",{\"a\":[]}]}",
        "{\"jobs\":[]}",
        "{\"jobs\":1}",
        "{\"status\":\"stop\"}",
        "{\"status\":\"start\"}",
        "{\"status\":[\"\\u0000\"]}",
        "{\"worker_id\":\"w\"}",
        "{\"worker_id\":\"\\ud800\"}",
        "[[[[",
        "\"\\",
        "",
    ];
    prop_oneof![
        6 => select(known).prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..60),
        1 => "[\\[\\]{}\",:0-9a-z\\\\ ]{0,40}".prop_map(String::into_bytes),
    ]
}

async fn send(client: &Client, odd: Odd) {
    let headers: Vec<_> = odd.headers.iter().map(|(name, value)| (*name, &**value)).collect();
    let answer = client.send(odd.method, &odd.target, &headers, odd.body.clone()).await;
    assert!(answer.status.as_u16() < 500, "{odd:?}: {answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_odd_requests_get_no_500_and_leave_the_store_sound() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    send_many(&host.client(), REQUESTS).await;
    assert_sound(&redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_requests_leave_queues_with_several_partitions_sound() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    part(&client).await;
    send_many(&client, REQUESTS / 5).await;
    assert_sound(&redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_requests_get_no_500_on_a_cluster_and_leave_it_sound() {
    let cluster = Cluster::start().await;
    let host = host_on_cluster(&cluster, HostOptions::default()).await;
    let client = host.client();
    part(&client).await;
    send_many(&client, REQUESTS / 5).await;
    assert_cluster_sound(&cluster).await;
}

/// Spreads the queues of the requests over several partitions.
async fn part(client: &Client) {
    for queue in ["a", "b%2Fc"] {
        let (target, json) = (format!("/v1/queues/{queue}"), [("content-type", "application/json")]);
        let answer = client.send("PUT", &target, &json, "{\"partitions\":3}").await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
}

async fn send_many(client: &Client, count: usize) {
    // Printed when the test fails: with it the same requests come again.
    let seed = std::time::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_nanos()
        .to_be_bytes()
        .repeat(2);
    println!("seed {seed:?}");
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let requests = odd();
    for _ in 0..count / AT_ONCE {
        let some = (0..AT_ONCE).map(|_| requests.new_tree(&mut runner).expect("a request").current());
        join_all(some.map(|odd| send(client, odd))).await;
    }
    assert_eq!(client.get("/status/").await.status, 200);
}
