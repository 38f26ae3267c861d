//! A copy of the data is made while jobs come and go, and restored on a second server, by the document's own lines.

use super::{examples, read, root};
use crate::support::{Client, Host, HostOptions, until};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use tokio::task::spawn_blocking;

/// The line of the document that begins so, with other words in place of some.
fn line(begin: &str, replaced: &[(&str, &str)]) -> String {
    let document = read("docs/maintenance.md");
    let mut lines = document.lines().filter_map(|line| line.strip_prefix("    "));
    let line = lines.find(|line| line.starts_with(begin));
    let mut line = line.unwrap_or_else(|| panic!("no line begins with {begin}")).to_owned();
    for (from, to) in replaced {
        assert!(line.contains(from), "{line}");
        line = line.replace(from, to);
    }
    line
}

async fn run(line: String) {
    let output = spawn_blocking(move || Command::new("sh").args(["-c", &line]).output()).await;
    let output = output.unwrap().expect("a shell");
    assert!(output.status.success(), "{output:?}");
}

fn on_state(state: &Path) -> Host {
    Host::start(HostOptions {
        state: Some(state),
        args: &["--log-level", "info"],
        ..HostOptions::default()
    })
}

async fn claim(client: &Client, count: usize) -> Vec<Value> {
    let answer = client
        .post("/v1/queues/mail/claims", json!({"count": count}).to_string())
        .await;
    if answer.status == 204 {
        return Vec::new();
    }
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    answer["jobs"].as_array().unwrap().clone()
}

fn id(job: &Value) -> String {
    job["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_has_what_was_accepted_before_it_and_can_be_restored_on_a_second_server() {
    if !examples::is_there("redis-cli") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [first, second, copy] = ["first", "second", "jobs.rdb"].map(|name| folder.path().join(name));
    std::fs::create_dir(&first).unwrap();
    let mut host = on_state(&first);
    let log = host.log_line(&["started a private Redis"]).await;
    let (_, port) = log.split_once("url=\"redis://127.0.0.1:").unwrap();
    let port = port.split('"').next().unwrap();
    let client = host.client();

    let accepted = Arc::new(Mutex::new(BTreeSet::new()));
    let (producer, stored) = (host.client(), accepted.clone());
    let producer = tokio::spawn(async move {
        loop {
            let answer = producer.post("/v1/queues/mail/jobs", r#"{"payload":1}"#).await;
            stored
                .lock()
                .unwrap()
                .insert(id(&serde_json::from_slice(&answer.body).unwrap()));
        }
    });
    until("some jobs are stored", async || accepted.lock().unwrap().len() > 100).await;
    // One is done before the copy, and one is under way.
    let [done, active] = <[Value; 2]>::try_from(claim(&client, 2).await).unwrap();
    let ack = format!("/v1/queues/mail/claims/{}/ack", done["receipt"].as_str().unwrap());
    assert_eq!(client.post(&ack, "{}").await.status, 200);

    let mut expected = accepted.lock().unwrap().clone();
    let state = first.to_str().unwrap();
    let copy = copy.to_str().unwrap();
    run(line(
        "REDISCLI_AUTH=",
        &[
            ("~/.local/share/presque/state", state),
            ("40251", port),
            ("jobs.rdb", copy),
        ],
    ))
    .await;
    producer.abort();
    let ended = producer.await;
    assert!(ended.unwrap_err().is_cancelled());
    drop(host);

    let target = second.join("redis");
    let script = root().join("deploy/restore.sh");
    let names = [
        ("~/.local/share/presque/restore.sh", script.to_str().unwrap()),
        ("jobs.rdb", copy),
        ("restored/redis", target.to_str().unwrap()),
    ];
    run(line("sh ~/.local/share/presque/restore.sh", &names)).await;
    let host = on_state(&second);
    let client = host.client();
    expected.remove(&id(&done));
    expected.remove(&id(&active));
    let mut there = BTreeSet::new();
    loop {
        let jobs = claim(&client, 100).await;
        if jobs.is_empty() {
            break;
        }
        there.extend(jobs.iter().map(id));
    }
    let lost: Vec<_> = expected.difference(&there).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert!(!there.contains(&id(&done)), "it was done before the copy");
    // The receipt is from before the copy, and finishes the job.
    let ack = format!("/v1/queues/mail/claims/{}/ack", active["receipt"].as_str().unwrap());
    assert_eq!(client.post(&ack, "{}").await.status, 200);

    // A folder that has data is not written over.
    let again = Command::new("sh")
        .arg(script)
        .args([copy, target.to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(!again.status.success() && said.contains("has data already"), "{said}");
}
