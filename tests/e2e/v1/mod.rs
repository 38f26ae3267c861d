//! `/v1` on the wire: a file per resource.

mod claims;
mod dead;
mod finish;
mod insert;
mod jobs;
mod legacy;
mod matching;
mod options;
mod overview;
mod problems;
mod queues;
mod redis_faults;
mod waits;
mod workers;

use crate::support::{Answer, Client, Host, PATIENCE, Redis, assert_sound};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// A host on a Redis of its own, and a client.
struct Server {
    redis: Redis,
    host: Host,
    client: Client,
}

impl Server {
    fn start() -> Self {
        let redis = Redis::start();
        let host = Host::on(&redis);
        let client = host.client();
        Self { redis, host, client }
    }

    async fn send(&self, method: &str, target: &str, body: impl ToString) -> Answer {
        let body = body.to_string();
        let headers: &[_] = if body.is_empty() { &[] } else { &[JSON] };
        self.client.send(method, target, headers, body).await
    }

    async fn post(&self, target: &str, body: impl ToString) -> Answer {
        self.send("POST", target, body).await
    }

    async fn get(&self, target: &str) -> Answer {
        self.send("GET", target, "").await
    }

    /// What the answer to a POST tells, which must be 200.
    async fn done(&self, target: &str, body: impl ToString) -> Value {
        body_of(&self.post(target, body).await, 200)
    }

    /// Inserts a job, which must be new, and gives its id.
    async fn insert(&self, queue: &str, job: impl ToString) -> String {
        let answer = self.post(&format!("/v1/queues/{queue}/jobs"), job).await;
        text(&body_of(&answer, 201)["id"]).to_owned()
    }

    /// Claims jobs, and gives them.
    async fn claim(&self, queue: &str, wishes: impl ToString) -> Vec<Value> {
        let answer = self.post(&format!("/v1/queues/{queue}/claims"), wishes).await;
        if answer.status == 204 {
            return Vec::new();
        }
        body_of(&answer, 200)["jobs"].as_array().expect("jobs").clone()
    }

    /// Claims the next job, which must be there.
    async fn claim_one(&self, queue: &str) -> Value {
        let jobs = self.claim(queue, "{}").await;
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        jobs.into_iter().next().expect("a job")
    }

    /// Acknowledges, extends or gives back by a receipt. The answer must be 200, and is given.
    async fn finish(&self, queue: &str, receipt: &Value, verb: &str, body: impl ToString) -> Value {
        let target = format!("/v1/queues/{queue}/claims/{}/{verb}", text(receipt));
        self.done(&target, body).await
    }

    async fn job(&self, queue: &str, id: &str) -> Value {
        body_of(&self.get(&format!("/v1/queues/{queue}/jobs/{id}")).await, 200)
    }

    /// Fails unless all is well in Redis.
    async fn assert_sound(&self) {
        assert_sound(&self.redis).await;
    }

    async fn counts(&self, queue: &str) -> Value {
        body_of(&self.get(&format!("/v1/queues/{queue}")).await, 200)["counts"].clone()
    }
}

/// The status and the body of the answer to a request whose body is announced with this length, and does not come.
async fn announce(server: &Server, method: &str, target: &str, media: &str, length: usize) -> (u16, Value) {
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media}\r\nContent-Length: {length}\r\n\r\n"
    );
    let mut stream = TcpStream::connect(server.host.address()).await.expect("a connection");
    stream.write_all(head.as_bytes()).await.expect("a request");
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        let read = tokio::time::timeout(PATIENCE, stream.read_buf(&mut answer)).await;
        assert_ne!(
            read.expect("an answer").expect("its bytes"),
            0,
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .expect("a status");
    (status, serde_json::from_str(body).expect("JSON"))
}

/// What an answer of this status tells. It must say that it is JSON, and how long it is.
fn body_of(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
    let length = answer.body.len().to_string();
    assert_eq!(answer.header("content-length"), Some(&*length), "{answer:?}");
    serde_json::from_slice(&answer.body).expect("JSON")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// Fails unless the answer is this problem. Gives it.
fn problem(answer: &Answer, status: u16, name: &str) -> Value {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{answer:?}"));
    assert_eq!(
        (answer.status.as_u16(), &body["status"]),
        (status, &status.into()),
        "{body}"
    );
    assert_eq!(body["type"], format!("urn:presque:problem:{name}"), "{body}");
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{answer:?}"
    );
    assert!(
        !text(&body["title"]).is_empty() && !text(&body["detail"]).is_empty(),
        "{body}"
    );
    body
}

/// Fails unless the answer says that this member is wrong. Gives what it says.
fn wrong_member(answer: &Answer, pointer: &str) -> String {
    let body = problem(answer, 422, "invalid-request");
    assert_eq!(body["pointer"], pointer, "{body}");
    text(&body["detail"]).to_owned()
}

/// Fails unless the answer says that this query parameter is wrong.
fn wrong_parameter(answer: &Answer, name: &str) {
    let body = problem(answer, 422, "invalid-request");
    assert_eq!(body["parameter"], name, "{body}");
}

/// The milliseconds since 1970 of a time that an answer tells.
fn millis(time: &Value) -> i64 {
    let time = presque::queue::rfc3339::parse(text(time)).unwrap_or_else(|| panic!("no time: {time}"));
    time.as_millis()
}
