//! Queues with several partitions, over HTTP: instances learn of them from each other's answers alone.

use crate::support::{Answer, Host, Listener, Redis, assert_sound, eventually};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const JSON: (&str, &str) = ("Content-Type", "application/json");
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// Two hosts on one Redis.
struct Servers {
    redis: Redis,
    hosts: [Host; 2],
}

impl Servers {
    async fn start(settings: Value) -> Self {
        let redis = Redis::start();
        let hosts = [Host::restmq_on(&redis), Host::on(&redis)];
        let servers = Self { redis, hosts };
        servers.set(settings).await;
        servers
    }

    async fn set(&self, settings: Value) {
        let answer = self.send(1, "PUT", "/v1/queues/x", JSON, settings.to_string()).await;
        assert!(answer.status.is_success(), "{answer:?}");
    }

    async fn send(&self, host: usize, method: &str, target: &str, header: (&str, &str), body: String) -> Answer {
        let client = self.hosts[host % 2].client();
        client.send(method, target, &[header], body).await
    }

    async fn get(&self, host: usize, target: &str) -> Answer {
        self.hosts[host % 2].client().get(target).await
    }

    async fn described(&self) -> Value {
        body(&self.get(1, "/v1/queues/x").await)
    }
}

fn body(answer: &Answer) -> Value {
    assert!(answer.status.is_success(), "{answer:?}");
    serde_json::from_slice(&answer.body).expect("JSON")
}

/// In how many partitions there are jobs in this state.
async fn partitions_with(redis: &Redis, state: &str) -> usize {
    let keys: Vec<String> = redis.query(&["KEYS", &format!("presque:{{x*}}:{state}")]).await;
    keys.len()
}

#[tokio::test]
async fn jobs_of_v1_are_spread_found_claimed_finished_and_deleted() {
    let servers = Servers::start(json!({"partitions": 3, "retain": 60})).await;
    let mut ids = BTreeSet::new();
    for number in 0..12 {
        let job = json!({"payload": number, "unique": {"key": format!("k{number}")}});
        for (host, status) in [(1, 201), (1, 200)] {
            let answer = servers
                .send(host, "POST", "/v1/queues/x/jobs", JSON, job.to_string())
                .await;
            assert_eq!(answer.status, status, "{answer:?}");
            ids.insert(body(&answer)["id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(ids.len(), 12);
    assert_eq!(partitions_with(&servers.redis, "ready").await, 3);
    servers.set(json!({"partitions": 5, "retain": 60})).await;

    let (mut listed, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page = body(
            &servers
                .get(1, &format!("/v1/queues/x/jobs?state=ready&limit=5{cursor}"))
                .await,
        );
        listed.extend(
            page["jobs"]
                .as_array()
                .unwrap()
                .iter()
                .map(|job| job["id"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(listed, ids);
    for id in &ids {
        assert_eq!(
            body(&servers.get(1, &format!("/v1/queues/x/jobs/{id}")).await)["state"],
            "ready"
        );
    }

    let mut acks: Vec<Value> = Vec::new();
    let mut done = 0;
    loop {
        let wishes = json!({"count": 5, "worker": "w", "acks": acks});
        let answer = servers
            .send(1, "POST", "/v1/queues/x/claims", JSON, wishes.to_string())
            .await;
        done += acks.len();
        if answer.status == 204 || body(&answer)["jobs"].as_array().is_none_or(Vec::is_empty) {
            break;
        }
        let jobs = body(&answer)["jobs"].clone();
        acks = jobs
            .as_array()
            .unwrap()
            .iter()
            .map(|job| json!({"receipt": job["receipt"]}))
            .collect();
    }
    assert_eq!(done, 12);
    let described = servers.described().await;
    assert_eq!(described["settings"]["partitions"], 5);
    assert_eq!(described["counts"]["done"], 12);
    assert_eq!(
        (&described["totals"]["claimed"], &described["workers"]),
        (&json!(12), &json!(1))
    );
    assert_sound(&servers.redis).await;

    assert_eq!(
        servers
            .send(1, "DELETE", "/v1/queues/x", JSON, String::new())
            .await
            .status,
        204
    );
    assert_eq!(servers.get(1, "/v1/queues/x").await.status, 404);
    assert_eq!(partitions_with(&servers.redis, "done").await, 0);
    assert_sound(&servers.redis).await;
}

#[tokio::test]
async fn workers_of_2010_get_the_jobs_of_all_partitions() {
    let servers = Servers::start(json!({"partitions": 3, "legacy_delivery": "at-least-once"})).await;
    let worker = ("X-presque-workerid", "w");
    for number in 0..8 {
        let answer = servers.send(1, "POST", "/q/x", JSON, number.to_string()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    let batch = json!({"jobs": [8, 9, 10, 11]});
    let answer = servers.send(1, "POST", "/qb/x", JSON, batch.to_string()).await;
    assert!(answer.status.is_success(), "{answer:?}");
    assert_eq!(partitions_with(&servers.redis, "ready").await, 3);
    assert_eq!(body(&servers.get(1, "/status/x").await)["size"], "12");
    let registered = json!({"worker_id": "w"}).to_string();
    assert!(
        servers
            .send(1, "POST", "/w/x", JSON, registered)
            .await
            .status
            .is_success()
    );

    let mut got = BTreeSet::new();
    loop {
        let answer = servers.send(1, "GET", "/q/x", worker, String::new()).await;
        if answer.status == 404 {
            break;
        }
        assert_eq!(answer.status, 200, "{answer:?}");
        // What it had before is done, wherever that was.
        assert_eq!(servers.described().await["counts"]["active"], 1);
        got.insert(answer.text().to_owned());
    }
    assert_eq!(got.len(), 12);
    assert_eq!(servers.described().await["totals"]["done"], 12);
    assert_eq!(body(&servers.get(1, "/w/?worker_id=w").await)["processed"], "12");
    assert_sound(&servers.redis).await;
}

#[tokio::test]
async fn messages_of_restmq_are_taken_counted_and_sent_to_subscribers() {
    let servers = Servers::start(json!({"partitions": 3})).await;
    let mut keys = BTreeSet::new();
    let mut post = async |number: usize| {
        let answer = servers.send(0, "POST", "/q/x", FORM, format!("value={number}")).await;
        keys.insert(answer.text().trim().to_owned());
    };
    for number in 0..6 {
        post(number).await;
    }
    assert_eq!(partitions_with(&servers.redis, "ready").await, 3);
    let first = keys.iter().next_back().unwrap().clone();
    let remove = format!("msg={}", json!({"cmd": "del", "key": first}));
    let answer = servers.send(0, "POST", "/queue/x", FORM, remove).await;
    assert!(
        answer.text().contains("true") || answer.text().contains("\"deleted\""),
        "{answer:?}"
    );
    let mut taken = BTreeSet::new();
    for _ in 0..5 {
        taken.insert(body(&servers.get(0, "/q/x").await)["key"].as_str().unwrap().to_owned());
    }
    assert_eq!(taken.len(), 5);
    assert!(taken.is_subset(&keys) && !taken.contains(&first));
    assert_eq!(servers.get(0, "/q/x").await.status, 204);

    let mut reader = Listener::open(&servers.hosts[0], "/c/x", &[]).await;
    for number in 10..16 {
        let answer = servers.send(0, "POST", "/q/x", FORM, format!("value={number}")).await;
        assert!(answer.status.is_success());
    }
    let mut values = BTreeSet::new();
    for chunk in reader.chunks(6).await {
        let message: Value = serde_json::from_str(chunk.trim()).unwrap();
        values.insert(message["value"].as_str().unwrap().to_owned());
    }
    assert_eq!(values, (10..16).map(|number| number.to_string()).collect());
    eventually("all is done", async || {
        (partitions_with(&servers.redis, "active").await == 0).then_some(())
    })
    .await;
    assert_sound(&servers.redis).await;
}
