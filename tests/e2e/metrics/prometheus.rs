//! A real Prometheus, which scrapes a host.

use super::Server;
use crate::support::{Client, eventually, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::File;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A Prometheus that scrapes a host each second. It is killed when this is dropped.
pub(super) struct Prometheus {
    child: Child,
    dir: TempDir,
    client: Client,
}

impl Prometheus {
    /// Starts one with these rules, and returns when it serves.
    pub(super) async fn start(server: &Server, rules: &Value) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let write = |name: &str, value: &Value| {
            // JSON is YAML.
            std::fs::write(dir.path().join(name), value.to_string()).expect("a file");
        };
        write("rules.yml", rules);
        let scrape = json!({
            "job_name": "presque",
            "static_configs": [{"targets": [server.host.address()]}],
        });
        let config = json!({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "200ms"},
            "rule_files": ["rules.yml"],
            "scrape_configs": [scrape],
        });
        write("prometheus.yml", &config);
        let log = dir.path().join("log");
        let mut child = Command::new("prometheus")
            .current_dir(dir.path())
            .args([
                "--config.file=prometheus.yml",
                "--storage.tsdb.path=data",
                "--web.listen-address=127.0.0.1:0",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a log file"))
            .spawn()
            .expect("Prometheus starts: `cargo xtask test` installs it");
        let address = eventually("Prometheus serves", async || {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            assert!(
                child.try_wait().expect("a child").is_none(),
                "Prometheus has ended: {text}"
            );
            let listens = text.lines().find(|line| line.contains("msg=\"Listening on\""))?;
            Some(listens.split_once("address=")?.1.to_owned())
        })
        .await;
        let client = Client::new(&format!("http://{address}"));
        let this = Self { child, dir, client };
        eventually("Prometheus is ready", async || {
            (this.client.get("/-/ready").await.status == 200).then_some(())
        })
        .await;
        this
    }

    async fn api(&self, target: &str) -> Value {
        let answer = self.client.get(&format!("/api/v1/{target}")).await;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{target}: {answer:?}"));
        assert_eq!(body["status"], "success", "{target}: {body}");
        body["data"].clone()
    }

    /// What an expression gives now: the labels of each series, and its value.
    pub(super) async fn query(&self, expression: &str) -> Vec<(Value, String)> {
        let encoded: String = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let found = self.api(&format!("query?query={encoded}")).await;
        let series = found["result"].as_array().expect("a vector").iter();
        series
            .map(|one| {
                (
                    one["metric"].clone(),
                    one["value"][1].as_str().expect("a value").to_owned(),
                )
            })
            .collect()
    }

    /// The names of all metrics.
    pub(super) async fn names(&self) -> Vec<String> {
        serde_json::from_value(self.api("label/__name__/values").await).expect("names")
    }

    /// The alerts that fire, each with its queue.
    pub(super) async fn firing(&self) -> Vec<(String, String)> {
        let alerts = self.api("alerts").await;
        let label = |alert: &Value, name: &str| alert["labels"][name].as_str().unwrap_or_default().to_owned();
        let alerts = alerts["alerts"].as_array().expect("alerts").iter();
        let mut firing: Vec<_> = alerts
            .filter(|alert| alert["state"] == "firing")
            .map(|alert| (label(alert, "alertname"), label(alert, "queue")))
            .collect();
        firing.sort_unstable();
        firing
    }

    /// Waits until the rules were evaluated from the start, on what Prometheus knows by now.
    pub(super) async fn evaluates(&self) {
        // The first evaluation that ends may have begun before.
        for _ in 0..2 {
            let last = self.last_evaluation().await;
            until("the rules are evaluated", async || self.last_evaluation().await != last).await;
        }
    }

    async fn last_evaluation(&self) -> Value {
        self.api("rules").await["groups"][0]["lastEvaluation"].clone()
    }

    /// Waits until an expression gives something.
    pub(super) async fn knows(&self, expression: &str) {
        eventually(expression, async || {
            (!self.query(expression).await.is_empty()).then_some(())
        })
        .await;
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.dir.path().join("log"));
            eprintln!("--- the log of Prometheus:\n{}---", log.unwrap_or_default());
        }
    }
}
