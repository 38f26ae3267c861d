//! What the documents show is what happens: their command lines are run.

use crate::support::{Cluster, Host, HostOptions, Redis, host_on_cluster, url_of_user};
use std::process::{Command, Stdio};

/// A command line, and the lines that the document shows below it.
struct Shown {
    command: String,
    lines: Vec<String>,
}

/// The indented blocks of a document whose lines begin with a dollar sign.
fn shown(document: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut inside = false;
    for line in document.lines() {
        match line.strip_prefix("    ") {
            Some(line) if line.starts_with("$ ") => {
                inside = true;
                let (command, lines) = (line[2..].to_owned(), Vec::new());
                all.push(Shown { command, lines });
            }
            Some(line) if inside => all.last_mut().expect("a command").lines.push(line.to_owned()),
            _ => inside = false,
        }
    }
    all
}

/// Runs a document's command lines against a fresh server. What it shows must be among what is printed, line by line in
/// that order; all of it, unless the headers are printed too.
///
/// The server uses Redis as the user of `docs/operations.md`, who may do no more than the rule there says.
async fn run(document: &str) {
    let redis = Redis::start();
    run_on(&host(&redis, None).await, document);
}

async fn host(redis: &Redis, manifest: Option<&str>) -> Host {
    Host::start(HostOptions {
        redis_url: Some(url_of_user(redis).await),
        manifest,
        ..HostOptions::default()
    })
}

fn run_on(host: &Host, document: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let commands = shown(document);
    assert!(!commands.is_empty(), "the document shows no commands");
    for Shown { command, lines } in commands {
        let line = command.replace("http://127.0.0.1:3000", &host.base);
        let output = Command::new("timeout")
            .args(["60", "sh", "-c", &line])
            .current_dir(folder.path())
            // A reader that stays in the background would hold it open.
            .stderr(Stdio::null())
            .output()
            .expect("a shell");
        let text = String::from_utf8(output.stdout).expect("text");
        let mut printed: Vec<&str> = text.lines().map(str::trim_end).collect();
        if command.starts_with("curl -i ") {
            printed.retain(|line| lines.iter().any(|shown| shown == line));
        }
        assert_eq!(printed, lines, "{command}");
    }
}

#[tokio::test]
async fn the_readme_shows_what_happens() {
    run(include_str!("../../README.md")).await;
}

#[tokio::test]
async fn the_presque_dialect_is_as_its_document_shows() {
    run(include_str!("../../docs/presque.md")).await;
}

#[tokio::test]
async fn the_api_is_as_its_document_shows() {
    run(include_str!("../../docs/api.md")).await;
}

#[tokio::test]
async fn the_restmq_dialect_is_as_its_document_shows() {
    let redis = Redis::start();
    run_on(
        &host(&redis, Some("restmq.toml")).await,
        include_str!("../../docs/restmq.md"),
    );
}

#[tokio::test]
async fn on_a_cluster_the_same_happens_as_the_documents_show() {
    for document in [
        include_str!("../../README.md"),
        include_str!("../../docs/presque.md"),
        include_str!("../../docs/api.md"),
    ] {
        // Each begins with an empty store.
        let cluster = Cluster::start().await;
        run_on(&host_on_cluster(&cluster, HostOptions::default()).await, document);
    }
}
