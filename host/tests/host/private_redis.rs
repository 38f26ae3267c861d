//! The Redis server that the command starts where nothing says which to use, and the flag that says it.

use super::support::{Host, Redis, Site, WITH_REDIS, until};
use rustix::process::Signal;
use tokio::net::TcpStream;

async fn run(host: &Host, command: &'static str) -> String {
    host.client().send("POST", "/redis", &[], command).await.into_text()
}

/// Where the private server listens, as the log tells it: `HOST:PORT`.
async fn private(host: &mut Host) -> String {
    let line = host.log_line(&["started a private Redis", "pid="]).await;
    let (_, rest) = line.split_once("url=\"redis://").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

async fn gone(address: &str) {
    until("the private server ends", async || {
        TcpStream::connect(address).await.is_err()
    })
    .await;
}

#[tokio::test]
async fn a_private_server_ends_with_the_command_and_keeps_its_data() {
    let site = Site::new(WITH_REDIS);
    let mut host = site.start(&[]).await;
    let address = private(&mut host).await;
    assert_eq!(run(&host, "SET\nkey\nvalue").await, "status OK");
    host.signal(Signal::TERM);
    assert_eq!(host.ended().await.code(), Some(0), "{}", host.log());
    assert!(TcpStream::connect(&address).await.is_err(), "it has ended first");
    let mut host = site.start(&[]).await;
    private(&mut host).await;
    assert_eq!(run(&host, "GET\nkey").await, "binary value");
    host.signal(Signal::TERM);
    host.ended().await;
}

#[tokio::test]
async fn a_private_server_ends_and_keeps_its_data_when_the_command_is_killed() {
    let site = Site::new(WITH_REDIS);
    let mut host = site.start(&[]).await;
    let address = private(&mut host).await;
    assert_eq!(run(&host, "SET\nkey\nvalue").await, "status OK");
    host.signal(Signal::KILL);
    assert_eq!(host.ended().await.code(), None);
    gone(&address).await;
    let mut host = site.start(&[]).await;
    assert_eq!(run(&host, "GET\nkey").await, "binary value");
    host.signal(Signal::TERM);
    host.ended().await;
}

#[tokio::test]
async fn a_private_server_ends_when_the_start_fails() {
    let site = Site::new(&WITH_REDIS.replace("GUEST", "not/built.wasm"));
    let (code, log) = site.refused(&[]).await;
    assert_eq!(code, Some(2));
    let (_, rest) = log.split_once("url=\"redis://").expect(&log);
    let address = rest.split('"').next().unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "it still runs");
}

const REDIS_VARIABLES: &str = r#"
spin_manifest_version = 2
application = { name = "test" }
[variables]
redis_url = { required = true }
redis_password = { default = "", secret = true }
redis_database = { default = "0" }
[[trigger.http]]
route = "/..."
component = "guest"
[component.guest]
source = "GUEST"
[component.guest.variables]
redis_url = "{{ redis_url }}"
redis_password = "{{ redis_password }}"
redis_database = "{{ redis_database }}"
"#;

async fn shows_parts_of_the_url(host: &Host) {
    for (name, value) in [
        ("redis_url", "value redis://example.com:7000"),
        ("redis_password", "value hunter2"),
        ("redis_database", "value 5"),
    ] {
        let told = host.get(&format!("/variable?{name}")).await.into_text();
        assert_eq!(told, value, "{name}");
    }
    assert!(!host.log().contains("hunter2"), "{}", host.log());
    assert!(!host.log().contains("private Redis"), "{}", host.log());
}

#[tokio::test]
async fn a_redis_url_is_taken_apart_into_the_variables() {
    let url = "redis://:hunter2@example.com:7000/5";
    let site = Site::new(REDIS_VARIABLES);
    shows_parts_of_the_url(&site.start(&["--redis-url", url]).await).await;
    let site = site.environment("REDIS_URL", url);
    shows_parts_of_the_url(&site.start(&[]).await).await;
}

#[tokio::test]
async fn a_redis_that_may_throw_data_away_is_told_at_the_start() {
    let redis = Redis::start();
    redis.run("CONFIG SET maxmemory-policy allkeys-lru").await;
    let site = Site::new(REDIS_VARIABLES);
    let mut host = site.start(&["--redis-url", &redis.url()]).await;
    let line = host.log_line(&["WARN", "maxmemory-policy to noeviction"]).await;
    assert!(line.contains("allkeys-lru"), "{line}");
}
