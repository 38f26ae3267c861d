//! Readers that stay, on hosts that share nothing but Redis.

mod ends;
mod sharing;
mod wire;

use crate::support::{Host, Listener, Redis};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

async fn post(host: &Host, queue: &str, value: &str) {
    let answer = host
        .client()
        .send("POST", &format!("/q/{queue}"), &[FORM], format!("value={value}"))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Posts these numbers, one after the other.
async fn post_all(host: &Host, numbers: std::ops::Range<usize>) {
    let client = host.client();
    for number in numbers {
        let body = format!("value={number}");
        let answer = client.send("POST", "/q/x", &[FORM], body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

async fn set_policy(host: &Host, policy: &str) {
    let body = format!("policy={policy}");
    let answer = host.client().send("POST", "/p/x", &[FORM], body).await;
    assert_eq!(answer.text(), "OK\r\n");
}

/// The number that a chunk's message has as its value. It must be the whole of a message.
fn number(chunk: &str) -> usize {
    let message: serde_json::Value = serde_json::from_str(chunk.strip_suffix("\r\n").expect("a line")).unwrap();
    message["value"].as_str().unwrap().parse().unwrap()
}

/// Reads until this last number has come.
async fn read_until(reader: &mut Listener, last: usize) -> Vec<usize> {
    let mut numbers = Vec::new();
    while numbers.last() != Some(&last) {
        numbers.push(number(&reader.chunk().await.expect("more messages")));
    }
    numbers
}

async fn readers_of(redis: &Redis) -> i64 {
    redis::from_owned_redis_value(redis.run("ZCARD presque:{x}:subscribers").await).unwrap()
}

/// Three readers on two hosts.
async fn three_readers(one: &Host, two: &Host) -> [Listener; 3] {
    [
        Listener::open(one, "/c/x", &[]).await,
        Listener::open(two, "/c/x", &[]).await,
        Listener::open(two, "/c/x", &[]).await,
    ]
}

/// Reads so many messages.
async fn read(reader: &mut Listener, count: usize) -> Vec<usize> {
    reader.chunks(count).await.iter().map(|chunk| number(chunk)).collect()
}
