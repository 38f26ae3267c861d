//! `/metrics`, and what is deployed to read it.

mod answers;
mod deploy;
mod faults;
mod many;
mod prometheus;

use crate::support::{Answer, Client, Host, Redis};
use serde_json::Value;
use std::io::Write;
use std::process::{Command, Stdio};

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

    /// Inserts a job into the queue of this segment of a path.
    async fn insert(&self, queue: &str, job: &str) {
        self.client
            .insert(&format!("/v1/queues/{queue}/jobs"), job.to_owned())
            .await;
    }

    /// Claims jobs, and gives their receipts.
    async fn claim(&self, queue: &str, wishes: &str) -> Vec<String> {
        let target = format!("/v1/queues/{queue}/claims");
        let answer = self.client.post(&target, wishes.to_owned()).await;
        let claimed: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let jobs = claimed["jobs"].as_array().cloned().unwrap_or_default();
        jobs.iter()
            .map(|job| job["receipt"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn finish(&self, queue: &str, receipt: &str, verb: &str, body: &str) {
        let target = format!("/v1/queues/{queue}/claims/{receipt}/{verb}");
        let answer = self.client.post(&target, body.to_owned()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    async fn scrape(&self) -> Metrics {
        Metrics::of(&self.client.get("/metrics").await)
    }
}

/// What the official parser reads in an answer.
#[derive(Debug, PartialEq)]
struct Metrics(Value);

impl Metrics {
    /// Fails unless the answer is one that a scraper takes.
    fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{answer:?}");
        let media = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!(answer.header("content-type"), Some(media), "{answer:?}");
        assert_eq!(answer.header("content-length"), Some(&*answer.body.len().to_string()));
        let mut parser = Command::new(python())
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/metrics/openmetrics.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let mut input = parser.stdin.take().expect("its input is piped");
        let text = answer.body.clone();
        let writer = std::thread::spawn(move || input.write_all(&text));
        let output = parser.wait_with_output().expect("it ends");
        writer.join().expect("no panic").expect("it reads all");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}\n{}", answer.text());
        Self(serde_json::from_slice(&output.stdout).expect("JSON"))
    }

    fn families(&self) -> Vec<&str> {
        self.0
            .as_object()
            .expect("families")
            .keys()
            .map(String::as_str)
            .collect()
    }

    /// The samples of this name with all of these labels, with the values.
    fn samples(&self, name: &str, labels: &[(&str, &str)]) -> Vec<(&Value, f64)> {
        let families = self.0.as_object().expect("families").values();
        let samples = families.flat_map(|family| family["samples"].as_array().expect("samples"));
        let has_all = |of: &Value| labels.iter().all(|(label, text)| of[*label] == *text);
        let found = samples.filter(|sample| sample[0] == name && has_all(&sample[1]));
        found
            .map(|sample| (&sample[1], sample[2].as_f64().expect("a number")))
            .collect()
    }

    /// The value of the only sample of this name with all of these labels.
    fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let found = self.samples(name, labels);
        let [(_, value)] = &found[..] else {
            panic!("{name} {labels:?}: {found:?}")
        };
        *value
    }

    fn of_queue(&self, name: &str, queue: &str) -> f64 {
        self.value(name, &[("queue", queue)])
    }

    fn jobs(&self, queue: &str, state: &str) -> f64 {
        self.value("presque_jobs", &[("queue", queue), ("state", state)])
    }
}

/// A Python that has the official parser: another one than Debian's may come first on the PATH.
fn python() -> &'static str {
    let has_parser = |program: &&&str| {
        let asked = Command::new(program)
            .args(["-c", "import prometheus_client"])
            .stderr(Stdio::null())
            .status();
        asked.is_ok_and(|status| status.success())
    };
    let found = ["python3", "/usr/bin/python3"].iter().find(has_parser);
    found.expect("no Python has prometheus_client: run `cargo xtask test`")
}
