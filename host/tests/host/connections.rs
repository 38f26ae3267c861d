//! More clients than there may be.

use super::support::{Client, Host, KEEP, PLAIN, Site, patiently};
use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
use tokio::task::JoinHandle;

/// Asks on a connection of its own, which it keeps.
fn ask(host: &Host) -> JoinHandle<Client> {
    let client = host.client();
    tokio::spawn(async move {
        assert_eq!(client.get("/wait?1").await.text(), "waited");
        client
    })
}

#[tokio::test]
async fn connections_beyond_their_number_wait_until_one_ends() {
    let mut host = Site::new(PLAIN)
        .start(&[&KEEP[..], &["--max-connections", "2"]].concat())
        .await;
    let (one, two) = (ask(&host).await.unwrap(), ask(&host).await.unwrap());
    host.log_line(&["WARN", "there are as many connections as there may be"])
        .await;
    let third = ask(&host);
    for client in [&one, &two, &one, &two] {
        assert_eq!(client.get("/instance").await.status, 200);
    }
    assert!(!third.is_finished());
    assert_eq!(host.log().matches("waiting").count(), 2, "{}", host.log());
    drop(one);
    patiently("a place", third).await.unwrap();
}

/// Lets a host have so many descriptors from now on.
fn limit(host: &Host, descriptors: u64) {
    let limit = Rlimit {
        current: Some(descriptors),
        maximum: getrlimit(Resource::Nofile).maximum,
    };
    prlimit(Some(host.pid()), Resource::Nofile, limit).unwrap();
}

#[tokio::test]
async fn when_descriptors_run_out_open_connections_are_served_and_new_ones_wait() {
    let mut host = Site::new(PLAIN).start(&KEEP).await;
    let open = ask(&host).await.unwrap();
    // No number is left for a new one.
    limit(&host, 3);
    let waits = ask(&host);
    host.log_line(&["WARN", "a connection could not be accepted"]).await;
    for _ in 0..10 {
        assert_eq!(open.get("/instance").await.status, 200);
    }
    assert!(!waits.is_finished());
    limit(&host, 1000);
    patiently("a descriptor", waits).await.unwrap();
}

#[tokio::test]
async fn the_host_takes_all_descriptors_that_it_may_have() {
    let site = Site::new(PLAIN);
    let host = site.start_with_limit("-Sn 128", &[]).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", host.pid().as_raw_nonzero())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let numbers: Vec<&str> = line
        .split_whitespace()
        .filter(|word| word.parse::<u64>().is_ok())
        .collect();
    assert!(numbers[0] == numbers[1] && numbers[0] != "128", "{line}");
    // Where these are few, fewer connections are served.
    let mut host = site.start_with_limit("-n 128", &[]).await;
    host.log_line(&["WARN", "128 file descriptors are enough for 21 connections"])
        .await;
    assert_eq!(host.get("/wait?1").await.text(), "waited");
}
