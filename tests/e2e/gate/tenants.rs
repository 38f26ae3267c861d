//! Tenants: each has queues of its own, under names of its own, on one server.

use super::{host_with, line};
use crate::support::{Answer, Client, Host, Redis};
use serde_json::{Value, json};

const SCOPES: &str = "scopes=insert,work,read,admin";

/// A client with a key.
struct Tenant {
    client: Client,
    key: &'static str,
}

impl Tenant {
    fn new(host: &Host, key: &'static str) -> Self {
        Self {
            client: host.client(),
            key,
        }
    }

    async fn send(&self, method: &str, target: &str, content_type: &str, body: &str) -> Answer {
        let headers = [("x-api-key", self.key), ("content-type", content_type)];
        self.client.send(method, target, &headers, body.to_owned()).await
    }

    async fn get(&self, target: &str) -> String {
        self.send("GET", target, "application/json", "").await.into_text()
    }

    async fn get_json(&self, target: &str) -> Value {
        serde_json::from_str(&self.get(target).await).unwrap()
    }

    async fn post(&self, target: &str, body: Value) -> Value {
        let answer = self.send("POST", target, "application/json", &body.to_string()).await;
        assert!(answer.status.is_success(), "{target}: {answer:?}");
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    async fn form(&self, target: &str, form: &str) -> Answer {
        self.send("POST", target, "application/x-www-form-urlencoded", form)
            .await
    }
}

/// Two tenants, and an operator who sees all.
fn start(redis: &Redis) -> (Host, [Tenant; 3]) {
    let host = host_with(
        redis,
        &[
            line("acme", &format!("{SCOPES} root=acme/")),
            line("bolt", &format!("{SCOPES} root=bolt/ queues=bolt/*")),
            line("ops", SCOPES),
        ],
    );
    let tenants = ["acme", "bolt", "ops"].map(|key| Tenant::new(&host, key));
    (host, tenants)
}

#[tokio::test]
async fn two_tenants_have_a_queue_of_the_same_name_and_each_its_own_jobs() {
    let redis = Redis::start();
    let (_host, [acme, bolt, ops]) = start(&redis);
    acme.post("/v1/queues/mail/jobs", json!({"payload": "a"})).await;
    bolt.post("/q/mail", json!("b")).await;
    assert_eq!(
        ops.get("/status/").await,
        r#"{"queues":["acme/mail","bolt/mail"],"size":2}"#
    );
    assert_eq!(bolt.get("/q/mail").await, "\"b\"");
    assert_eq!(bolt.send("GET", "/q/mail", "", "").await.status, 404);
    assert_eq!(acme.get("/q/mail").await, "\"a\"");
}

#[tokio::test]
async fn no_answer_shows_a_root_or_anything_of_another_tenant() {
    let redis = Redis::start();
    let (_host, [acme, bolt, _ops]) = start(&redis);
    for (tenant, worker) in [(&acme, "w-acme"), (&bolt, "w-bolt")] {
        for queue in ["mail", "other"] {
            tenant
                .post(
                    &format!("/v1/queues/{queue}/jobs"),
                    json!({"payload": 1, "unique": {"key": "k"}}),
                )
                .await;
            tenant
                .post(
                    &format!("/v1/queues/{queue}/claims"),
                    json!({"worker": worker, "lease": 600}),
                )
                .await;
            tenant.form(&format!("/q/{queue}"), "value=1").await;
            tenant.post(&format!("/w/{queue}"), json!({"worker_id": worker})).await;
        }
    }
    // A legacy worker's job under a lease has its worker's name.
    acme.send(
        "PUT",
        "/v1/queues/mail",
        "application/json",
        "{\"legacy_delivery\":\"at-least-once\"}",
    )
    .await;
    let headers = [("x-api-key", acme.key), ("x-presque-workerid", "w-acme")];
    assert_eq!(acme.client.send("GET", "/q/mail", &headers, "").await.status, 200);
    bolt.post("/q/secret", json!(1)).await;
    bolt.post("/w/secret", json!({"worker_id": "both"})).await;
    acme.post("/w/mail", json!({"worker_id": "both"})).await;

    let mut shown = String::new();
    for target in [
        "/status/",
        "/status/mail",
        "/j/mail",
        "/j/mail?callback=cb",
        "/stats/",
        "/stats/mail",
        "/control/?callback=cb",
        "/control/mail",
        "/control/mail?callback=cb",
        "/p/mail",
        "/w/",
        "/w/?queue_name=mail",
        "/w/?worker_id=both",
        "/v1/queues",
        "/v1/overview?history=5",
        "/v1/queues/mail/history",
        "/v1/queues/mail",
        "/v1/queues/mail/jobs?state=ready",
        "/v1/queues/mail/jobs?state=active",
        "/v1/workers",
        "/v1/health",
        "/metrics",
        "/metrics?queue=mail",
    ] {
        let answer = acme.send("GET", target, "", "").await;
        assert_eq!(answer.status, 200, "{target}: {answer:?}");
        shown.push_str(&format!("{target}\n{:?}\n{}\n", answer.headers, answer.text()));
    }
    for (body, target) in [
        (json!({"payload": 1}), "/v1/queues/mail/jobs"),
        (json!({"count": 9}), "/v1/queues/mail/claims"),
        (json!({"queues": ["mail", "other"], "count": 9}), "/v1/claims"),
    ] {
        let answer = acme.send("POST", target, "application/json", &body.to_string()).await;
        shown.push_str(&format!("{target}\n{:?}\n{}\n", answer.headers, answer.text()));
    }
    for command in ["add", "get", "take"] {
        let command = json!({"cmd": command, "queue": "mail", "value": "1"});
        shown.push_str(&acme.post("/queue", command).await.to_string());
    }
    for hidden in ["acme/", "acme%2F", "bolt", "secret"] {
        assert!(!shown.contains(hidden), "{hidden} in\n{shown}");
    }

    assert_eq!(
        acme.get_json("/v1/queues").await,
        json!({"queues": ["mail", "other"], "size": 2})
    );
    assert_eq!(acme.get_json("/w/").await, json!(["both", "w-acme"]));
    assert_eq!(bolt.get_json("/w/").await, json!(["both", "w-bolt"]));
    let workers = acme.get_json("/v1/workers").await;
    assert_eq!(
        (&workers["size"], &workers["workers"][0]["worker"]),
        (&json!(1), &json!("w-acme"))
    );
}

#[tokio::test]
async fn no_name_leads_out_of_a_root() {
    let redis = Redis::start();
    let (_host, [acme, bolt, ops]) = start(&redis);
    bolt.post("/q/mail", json!("b")).await;
    for name in [
        "bolt%2Fmail",
        "..%2Fbolt%2Fmail",
        "%2Fbolt%2Fmail",
        "acme%2F..%2Fbolt%2Fmail",
    ] {
        assert_eq!(
            acme.send("GET", &format!("/q/{name}"), "", "").await.status,
            404,
            "{name}"
        );
        assert_eq!(
            acme.send("GET", &format!("/v1/queues/{name}"), "", "").await.status,
            404,
            "{name}"
        );
    }
    // One is as long as a name may be; with the root it would be longer.
    let long = "n".repeat(512);
    assert_eq!(acme.send("GET", &format!("/q/{long}"), "", "").await.status, 400);
    assert_eq!(ops.send("GET", &format!("/q/{long}"), "", "").await.status, 404);
    assert_eq!(bolt.get("/q/mail").await, "\"b\"");
}

#[tokio::test]
async fn a_stream_has_the_tenants_own_messages_under_its_own_names() {
    let redis = Redis::start();
    let (_host, [acme, bolt, _ops]) = start(&redis);
    let headers = [("x-api-key", "acme")];
    let body = http_body_util::BodyExt::boxed_unsync(http_body_util::Empty::new());
    let mut stream = acme
        .client
        .open("GET", "/c/mail", &headers, body)
        .await
        .unwrap()
        .into_body();
    bolt.form("/q/mail", "value=b").await;
    acme.form("/q/mail", "value=a").await;
    let first = crate::support::patiently("a message", http_body_util::BodyExt::frame(&mut stream)).await;
    let first = first.unwrap().unwrap().into_data().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&first),
        "{\"key\": \"mail:1\", \"value\": \"a\"}\r\n"
    );
}
