//! What the server is told before, and asked after.

use super::audit::{Kept, Server};
use crate::support::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Makes a queue that never gives a job up. One that keeps finished jobs can be asked for them.
pub async fn configure(client: &Client, queue: &str, keeps: bool, partitions: u8) {
    let retain = if keeps { 86_400 } else { 0 };
    let settings = json!({
        "lease": 2,
        "max_attempts": 1000,
        "max_lost_leases": 1000,
        "backoff": {"kind": "exponential", "delay": 0.05, "max": 1},
        "retain": retain,
        "partitions": partitions,
    });
    let json = [("Content-Type", "application/json")];
    let answer = client
        .send("PUT", &format!("/v1/queues/{queue}"), &json, settings.to_string())
        .await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

/// How many jobs of the queue wait or are being worked on. `None` when the server does not tell.
pub async fn open(client: &Client, queue: &str) -> Option<u64> {
    let answer = client
        .try_send("GET", &format!("/v1/queues/{queue}"), &[], "")
        .await
        .ok()
        .filter(|answer| answer.status == 200)?;
    let reply: Value = serde_json::from_slice(&answer.body).ok()?;
    Some(counted(&reply, &["ready", "scheduled", "active"]))
}

/// All that the server says of a queue.
pub async fn ask(client: &Client, queue: &str, keeps: bool) -> Server {
    let reply = get(client, &format!("/v1/queues/{queue}")).await;
    let total = |name: &str| reply["totals"][name].as_u64().unwrap();
    let kept = if keeps {
        Some(kept(client, queue).await)
    } else {
        assert_eq!(counted(&reply, &["done"]), 0, "{reply}");
        None
    };
    Server {
        left: counted(&reply, &["ready", "scheduled", "active", "dead", "cancelled"]),
        claimed: total("claimed"),
        done: total("done"),
        failed: total("failed"),
        lost_leases: total("lost_leases"),
        released: total("released"),
        kept,
    }
}

async fn kept(client: &Client, queue: &str) -> BTreeMap<String, Kept> {
    let mut kept = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = format!("/v1/queues/{queue}/jobs?state=done&limit=200&payload=true{cursor}");
        let page = get(client, &page).await;
        for job in page["jobs"].as_array().unwrap() {
            let number = |name: &str| job[name].as_u64().unwrap_or_default();
            let done = Kept {
                job: job["payload"]["n"].as_u64().unwrap(),
                attempt: number("attempt"),
                failures: number("failures"),
                lost_leases: number("lost_leases"),
                released: job["released"]["times"].as_u64().unwrap_or_default(),
            };
            let id = job["id"].as_str().unwrap().to_owned();
            assert!(kept.insert(id, done).is_none(), "listed twice: {job}");
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return kept,
        }
    }
}

async fn get(client: &Client, target: &str) -> Value {
    let answer = client.get(target).await;
    assert_eq!(answer.status, 200, "{target}: {answer:?}");
    serde_json::from_slice(&answer.body).unwrap()
}

fn counted(reply: &Value, states: &[&str]) -> u64 {
    let count = |state: &&str| reply["counts"][state].as_u64().unwrap();
    states.iter().map(count).sum()
}
