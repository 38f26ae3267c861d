//! Workers of the presque dialect: they register, work, give back what failed, give up, unregister.

use super::{Worker, program, script};
use crate::support::{Client, Host, HostOptions, Redis, eventually};
use sha2::{Digest, Sha256};
use std::process::Command;

async fn shows(client: &Client, target: &str, text: &str) {
    let what = format!("{target} shows {text}");
    eventually(&what, async || (client.get(target).await.text() == text).then_some(())).await;
}

/// What every example must do.
async fn works(mut command: Command) {
    let redis = Redis::start();
    let host = Host::on(&redis);
    command.arg(&host.base).arg("mail");
    run(&host.client(), command).await;
}

/// The same where the server asks for a key, which is a password in the worker's address.
async fn works_with_a_key_in_its_address(mut command: Command) {
    let redis = Redis::start();
    let line = |name: &str, scopes| format!("{name} sha256:{:x} scopes={scopes} queues=mail", Sha256::digest(name));
    let keys = format!("keys={};{}", line("worker", "work"), line("other", "insert,read"));
    let host = Host::start(HostOptions {
        redis_url: Some(redis.url()),
        args: &["--variable", &keys],
        ..HostOptions::default()
    });
    command.arg(format!("http://x:worker@{}", host.address())).arg("mail");
    run(&host.client().with_key("other"), command).await;
}

/// Runs a worker, and looks at what it does.
async fn run(client: &Client, command: Command) {
    client.insert("/q/mail", "{\"n\":1}").await;
    client.insert("/q/mail", "{\"boom\":\"out of paper\"}").await;
    client.insert("/q/mail", "[2]").await;
    let worker = Worker::start(command);

    // Three jobs, of which one is tried five times and given back four times.
    let counts = r#"{"queue_name":"mail","job_count":0,"job_failed":"4","job_processed":"7"}"#;
    shows(client, "/j/mail", counts).await;
    let listed = client.get("/w/?queue_name=mail").await;
    let listed: serde_json::Value = serde_json::from_slice(&listed.body).unwrap();
    assert_eq!(listed["workers_list"].as_array().unwrap().len(), 1, "{listed}");
    let id = listed["workers_list"][0].as_str().unwrap();
    let shown = client.get(&format!("/w/?worker_id={id}")).await;
    assert!(shown.text().ends_with(r#""processed":"7","failed":"4"}"#), "{shown:?}");

    worker.terminate();
    shows(client, "/w/", "[]").await;
    let (_, jobs) = worker.end().await;
    assert_eq!(jobs, ["{\"n\":1}", "[2]"]);
}

#[tokio::test]
async fn the_worker_in_shell_works() {
    works(script("sh", "legacy/worker.sh")).await;
}

#[tokio::test]
async fn the_worker_in_python_works() {
    works(script("python3", "legacy/worker.py")).await;
}

#[tokio::test]
async fn the_worker_in_perl_works() {
    works(script("perl", "legacy/worker.pl")).await;
}

#[tokio::test]
async fn the_worker_in_shell_works_with_a_key_in_its_address() {
    works_with_a_key_in_its_address(script("sh", "legacy/worker.sh")).await;
}

#[tokio::test]
async fn the_worker_in_python_works_with_a_key_in_its_address() {
    works_with_a_key_in_its_address(script("python3", "legacy/worker.py")).await;
}

#[tokio::test]
async fn the_worker_in_perl_works_with_a_key_in_its_address() {
    works_with_a_key_in_its_address(script("perl", "legacy/worker.pl")).await;
}

#[tokio::test]
async fn the_worker_in_rust_works() {
    works(program("legacy_worker")).await;
}
