//! Under which names, and from where, requests come in.

use super::line;
use crate::support::{Host, HostOptions, Redis, command_path, isolate, target_dir};
use std::process::Command;
use std::sync::Arc;

/// A path of each component of `spin.toml`.
const PATHS: [&str; 9] = [
    "/",
    "/q/x",
    "/control/x",
    "/status/",
    "/w/",
    "/v1/queues",
    "/metrics",
    "/stats/",
    "/c/x",
];

/// The status of an answer to a request with these `host` headers.
async fn status(host: &Host, path: &str, names: &[&str]) -> u16 {
    let lines: String = names.iter().map(|name| format!("Host: {name}\r\n")).collect();
    let answer = host
        .raw(format!("OPTIONS {path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n"))
        .await;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("{path} {names:?}: {answer}"))
}

fn host(redis: &Redis, args: &[&str]) -> Host {
    Host::start(HostOptions {
        redis_url: Some(redis.url()),
        args,
        ..HostOptions::default()
    })
}

#[tokio::test]
async fn on_the_loopback_requests_must_come_under_its_names() {
    let redis = Redis::start();
    let host = host(&redis, &[]);
    for path in PATHS {
        for name in ["localhost", "LOCALHOST:3000", "127.0.0.1", host.address(), "[::1]:3000"] {
            assert_eq!(status(&host, path, &[name]).await, 204, "{path} {name}");
        }
        for name in [
            "evil.example",
            "localhost.evil.example:3000",
            "127.0.0.1.evil.example",
            "10.0.0.1",
        ] {
            assert_eq!(status(&host, path, &[name]).await, 421, "{path} {name}");
        }
        assert_eq!(
            status(&host, path, &[host.address(), host.address()]).await,
            400,
            "{path}"
        );
        assert_eq!(
            status(&host, path, &[host.address(), "evil.example"]).await,
            400,
            "{path}"
        );
    }
    // A client of HTTP/1.0 need not say where it goes.
    let old = host.raw("GET /v1/queues HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200"), "{old}");
}

#[tokio::test]
async fn the_address_on_which_a_host_listens_is_one_of_its_names() {
    let redis = Redis::start();
    let host = host(&redis, &["--listen", "127.0.0.2:0"]);
    assert_eq!(status(&host, "/v1/queues", &[host.address()]).await, 204);
    assert_eq!(status(&host, "/v1/queues", &["127.0.0.3"]).await, 421);
}

#[tokio::test]
async fn the_names_that_are_given_are_the_only_ones() {
    let redis = Redis::start();
    let host = host(&redis, &["--variable", "allowed_hosts=queue.example, [::1]"]);
    for path in PATHS {
        assert_eq!(status(&host, path, &["queue.example:8443"]).await, 204, "{path}");
        assert_eq!(status(&host, path, &["localhost"]).await, 421, "{path}");
    }
}

#[tokio::test]
async fn beyond_this_machine_nothing_is_served_without_keys_unless_that_is_wanted() {
    let redis = Redis::start();
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(command_path());
    command
        .current_dir(dir.path())
        .args(["--listen", "0.0.0.0:0", "--redis-url", &redis.url(), "--from"])
        .arg(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("spin.toml"))
        .arg("--state-dir")
        .arg(target_dir().join("test-state"));
    isolate(&mut command);
    let (code, said) = Host::refused(command, Arc::new(dir)).await;
    assert_eq!(code, Some(2));
    assert!(
        said.contains("will not listen on 0.0.0.0:") && said.contains("--open"),
        "{said}"
    );

    let mut open = host(&redis, &["--listen", "0.0.0.0:0", "--open"]);
    open.log_line(&["WARN", "listening on 0.0.0.0:", "whoever reaches it may do everything"])
        .await;

    let keys = format!("keys={}", line("k", "scopes=read"));
    let closed = host(&redis, &["--listen", "0.0.0.0:0", "--variable", &keys]);
    assert!(!closed.log().contains("listening on"), "{}", closed.log());
}
