//! The Redis server that the command starts where nothing says which to use, and the flag that says it.

use super::support::{Host, Site, WITH_REDIS, until};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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

/// Its process, as the log's last line about it tells.
fn private_pid(line: &str) -> Pid {
    let (_, rest) = line.split_once("pid=").unwrap();
    let pid = rest.split_whitespace().next().unwrap().parse().unwrap();
    Pid::from_raw(pid).unwrap()
}

/// The answer's first line to words that are sent as one command after an AUTH, if a password is given.
async fn ask(address: &str, password: Option<&str>, command: &str) -> String {
    let auth = password
        .map(|password| format!("AUTH {password}\r\n"))
        .unwrap_or_default();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let sent = format!("{auth}{command}\r\nQUIT\r\n");
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    let mut lines = answers.lines();
    if password.is_some() {
        assert_eq!(lines.next(), Some("+OK"));
    }
    lines.next().unwrap().to_owned()
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

#[tokio::test]
async fn a_private_server_that_is_killed_comes_back_with_its_data() {
    let site = Site::new(WITH_REDIS);
    let mut host = site.start(&[]).await;
    let address = private(&mut host).await;
    let mut line = host.log_line(&["started a private Redis", "pid="]).await;
    assert_eq!(run(&host, "SET\nkey\nvalue").await, "status OK");
    for times in 1..=2 {
        kill_process(private_pid(&line), Signal::KILL).unwrap();
        host.log_lines(
            &["ERROR", "the private Redis ended (signal: 9", "it is started again in"],
            times,
        )
        .await;
        let again = ["started the private Redis again, with its data", "pid="];
        line = host.log_lines(&again, times).await.pop().unwrap();
        assert_eq!(run(&host, "GET\nkey").await, "binary value");
    }
    assert!(TcpStream::connect(&address).await.is_ok(), "it has the same port");
    host.signal(Signal::TERM);
    assert_eq!(host.ended().await.code(), Some(0), "{}", host.log());
}

#[tokio::test]
async fn a_private_server_that_cannot_be_started_again_ends_the_command_with_the_reason() {
    let site = Site::new(WITH_REDIS);
    let mut host = site.start(&[]).await;
    let line = host.log_line(&["started a private Redis", "pid="]).await;
    std::fs::write(
        site.path("state/redis/appendonlydir/appendonly.aof.manifest"),
        "nonsense\n",
    )
    .unwrap();
    kill_process(private_pid(&line), Signal::KILL).unwrap();
    assert_eq!(host.ended().await.code(), Some(2));
    let log = host.log();
    let (_, error) = log
        .split_once("error: the private Redis cannot be started (")
        .expect(&log);
    assert!(
        error.contains("5 times in a row and is given up; the end of "),
        "{error}"
    );
    assert!(error.contains("AOF manifest"), "{error}");
}

#[tokio::test]
async fn the_command_stops_while_its_private_server_is_started_again_and_again() {
    let site = Site::new(WITH_REDIS);
    let mut host = site.start(&[]).await;
    let line = host.log_line(&["started a private Redis", "pid="]).await;
    let address = private(&mut host).await;
    std::fs::write(
        site.path("state/redis/appendonlydir/appendonly.aof.manifest"),
        "nonsense\n",
    )
    .unwrap();
    kill_process(private_pid(&line), Signal::KILL).unwrap();
    // Each pause is longer than the one before: the host gives up seconds later.
    host.log_line(&["the private Redis cannot be started (", "it is started again in"])
        .await;
    host.signal(Signal::TERM);
    assert_eq!(host.ended().await.code(), Some(0), "{}", host.log());
    assert!(TcpStream::connect(&address).await.is_err(), "it still runs");
}

/// The server, which loads its data slowly once there is a file `slow` beside that.
const SLOW: &str = r#"#!/bin/sh
# Without this program's own folder.
PATH=${PATH#*:}
[ -e slow ] && set -- "$@" --key-load-delay 10000 --loading-process-events-interval-bytes 1024
exec "$(command -v redis-server || command -v valkey-server)" "$@"
"#;

#[tokio::test]
async fn the_command_stops_while_its_private_server_loads_its_data() {
    let site = Site::new(WITH_REDIS);
    let bin = site.path("bin");
    std::fs::create_dir(&bin).unwrap();
    let site = site.file("bin/redis-server", SLOW);
    std::fs::set_permissions(bin.join("redis-server"), Permissions::from_mode(0o700)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let site = site.environment("PATH", path).environment("PRESQUE_REDIS_SERVER", "");

    let mut host = site.start(&[]).await;
    let address = private(&mut host).await;
    let line = host.log_line(&["started a private Redis", "pid="]).await;
    // At ten milliseconds for each, these take longer than any test waits.
    let fill = "EVAL\nfor i=1,10000 do redis.call('SET',i,string.rep('x',100)) end return redis.status_reply('OK')\n0";
    assert_eq!(run(&host, fill).await, "status OK");
    // The delay is for data in a snapshot, not for single writes.
    run(&host, "BGREWRITEAOF").await;
    until("all is in a snapshot", async || {
        run(&host, "INFO\npersistence")
            .await
            .contains("aof_rewrite_in_progress:0")
    })
    .await;
    let site = site.file("state/redis/slow", "");
    kill_process(private_pid(&line), Signal::KILL).unwrap();
    host.log_line(&["the private Redis ended (signal: 9", "it is started again in"])
        .await;
    until("the private server is there again", async || {
        TcpStream::connect(&address).await.is_ok()
    })
    .await;
    let password = std::fs::read_to_string(site.path("state/redis/redis.password")).unwrap();
    let answer = ask(&address, Some(password.trim()), "PING").await;
    assert!(answer.starts_with("-LOADING"), "{answer}");

    host.signal(Signal::TERM);
    assert_eq!(host.ended().await.code(), Some(0), "{}", host.log());
    assert!(TcpStream::connect(&address).await.is_err(), "it still runs");
}

#[tokio::test]
async fn a_private_server_serves_its_components_and_who_reads_its_password_file_alone() {
    let site = Site::new(WITH_REDIS);
    let mut host = site.start(&[]).await;
    let address = private(&mut host).await;
    assert_eq!(run(&host, "SET\nkey\nvalue").await, "status OK");
    assert!(ask(&address, None, "GET key").await.starts_with("-NOAUTH"));
    let password = std::fs::read_to_string(site.path("state/redis/redis.password")).unwrap();
    assert_eq!(ask(&address, Some(password.trim()), "GET key").await, "$5");
    assert!(!host.log().contains(password.trim()), "{}", host.log());
    let mode = |name: &str| std::fs::metadata(site.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode("state/redis"), mode("state/redis/redis.password")),
        (0o700, 0o600)
    );
    // Each start has another password, unless one is given.
    host.signal(Signal::TERM);
    host.ended().await;
    let mut host = site.start(&["--variable", "redis_password=my own"]).await;
    let address = private(&mut host).await;
    assert_eq!(run(&host, "GET\nkey").await, "binary value");
    assert_eq!(ask(&address, Some("\"my own\""), "GET key").await, "$5");
    assert!(!host.log().contains("my own"), "{}", host.log());
}

#[tokio::test]
async fn a_manifest_without_a_variable_for_the_password_gets_no_private_server() {
    let site = Site::new(&WITH_REDIS.replace("redis_password", "other"));
    let (code, log) = site.refused(&[]).await;
    assert_eq!(code, Some(2));
    assert!(
        log.contains("error: the manifest has no variable 'redis_password'"),
        "{log}"
    );
    let site = Site::new(WITH_REDIS);
    let (code, log) = site.refused(&["--variable", "redis_user=ann"]).await;
    assert_eq!(code, Some(2));
    assert!(
        log.contains("error: variable 'redis_user' is set and 'redis_url' is not"),
        "{log}"
    );
}
