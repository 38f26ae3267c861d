//! `presque tail`.

use crate::support::presque;
use presque_testkit::{Host, Redis, patiently};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use tokio::sync::mpsc;

/// The command while it runs.
struct Tail {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
}

impl Tail {
    /// Starts it, and returns when it follows.
    async fn start(host: &Host, args: &[&str]) -> Self {
        let mut command = presque(&host.base);
        command.args(["tail", "--interval", "0.1"]).args(args);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        let (sender, lines) = mpsc::unbounded_channel();
        let (noted, mut notes) = mpsc::unbounded_channel();
        let (out, err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        std::thread::spawn(move || {
            BufReader::new(out)
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        std::thread::spawn(move || {
            BufReader::new(err).lines().map_while(Result::ok).for_each(|line| {
                let _ = noted.send(line);
            });
        });
        let tail = Self { child, lines };
        patiently("the command follows", async {
            while notes.recv().await.expect("it goes on") != "Following. Ctrl-C ends." {}
        })
        .await;
        tail
    }

    async fn line(&mut self) -> String {
        patiently("a line", self.lines.recv()).await.expect("it goes on")
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn post(host: &Host, target: &str, body: Value) -> Value {
    let json = [("Content-Type", "application/json")];
    let answer = host.client().send("POST", target, &json, body.to_string()).await;
    serde_json::from_str(answer.text()).expect("JSON")
}

async fn claim(host: &Host) -> String {
    let claimed = post(host, "/v1/queues/mail/claims", json!({ "worker": "w1" })).await;
    claimed["jobs"][0]["receipt"].as_str().expect("a job").to_owned()
}

#[tokio::test]
async fn what_happens_to_a_job_is_told_once_and_what_was_before_is_not() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    post(&host, "/v1/queues/mail/jobs", json!({ "payload": "before" })).await;
    let receipt = claim(&host).await;
    let mut tail = Tail::start(&host, &["--json"]).await;
    let id = post(&host, "/v1/queues/mail/jobs", json!({ "payload": 1 })).await["id"].take();
    let mut seen = Vec::new();
    let mut event = async |tail: &mut Tail| {
        let event: Value = serde_json::from_str(&tail.line().await).expect("JSON");
        seen.push(json!([event["event"], event["id"] == id, event["detail"]]));
    };
    event(&mut tail).await;
    let mine = claim(&host).await;
    event(&mut tail).await;
    let nack = json!({ "error": "busy", "failed": false });
    post(&host, &format!("/v1/queues/mail/claims/{mine}/nack"), nack).await;
    event(&mut tail).await;
    let mine = claim(&host).await;
    event(&mut tail).await;
    let nack = json!({ "error": "boom", "dead": true });
    post(&host, &format!("/v1/queues/mail/claims/{mine}/nack"), nack).await;
    event(&mut tail).await;
    event(&mut tail).await;
    // A queue of which nothing was known.
    let other = post(&host, "/v1/queues/other/jobs", json!({ "payload": 1 })).await;
    let line = tail.line().await;
    assert!(line.contains(other["id"].as_str().expect("an id")), "{line}");
    // It keeps no done jobs: so how many there were is all that can be told.
    post(&host, &format!("/v1/queues/mail/claims/{receipt}/ack"), json!({})).await;
    let line: Value = serde_json::from_str(&tail.line().await).expect("JSON");
    assert_eq!(line, json!({ "queue": "mail", "not_shown": { "done": 1 } }));
    seen.sort_by_key(Value::to_string);
    let events = [
        json!(["claimed", true, "w1"]),
        json!(["claimed", true, "w1"]),
        json!(["dead", true, "rejected"]),
        json!(["failed", true, "boom"]),
        json!(["inserted", true, null]),
        json!(["released", true, "busy"]),
    ];
    assert_eq!(seen, events);
}

#[tokio::test]
async fn of_many_jobs_the_newest_are_told_and_how_many_more_there_were() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let mut tail = Tail::start(&host, &["mail", "--limit", "3"]).await;
    post(
        &host,
        "/v1/queues/other/jobs",
        json!({ "payload": "of a queue that is not followed" }),
    )
    .await;
    let jobs: Vec<_> = (0..20).map(|n| json!({ "payload": n })).collect();
    post(&host, "/v1/queues/mail/jobs", json!({ "jobs": jobs })).await;
    for _ in 0..3 {
        let line = tail.line().await;
        assert!(line.contains("  mail  inserted   "), "{line}");
    }
    assert_eq!(tail.line().await, "mail: also 17 inserted");
}
