//! Hosts of one group of routes each, behind a real nginx with the configuration of `deploy/spin/`.

use super::servers::{LISTEN, Nginx, start_hosts};
use super::{groups, path, read, routes};
use crate::e2e::docs::run_at;
use crate::support::{Answer, Client, Host, Listener, Redis, patiently, until};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[tokio::test]
async fn behind_nginx_every_path_is_answered_as_by_one_host() {
    let redis = Redis::start();
    let groups = groups();
    let one_each: Vec<_> = groups.iter().map(|group| (&**group, 1)).collect();
    let hosts = start_hosts(&redis, &one_each);
    let nginx = Nginx::start(&hosts).await;
    let one_host = Host::on(&redis);
    let (behind, alone) = (nginx.client(), one_host.client());
    let told = |answer: &Answer| {
        let header = |name| answer.header(name).map(str::to_owned);
        (
            answer.status,
            header("content-type"),
            header("allow"),
            answer.body.clone(),
        )
    };
    let mut asked = 0;
    for (route, component) in routes() {
        let (path, is_prefix) = match route.strip_suffix("/...") {
            Some(prefix) => (prefix, true),
            None => (route.trim_end_matches('/'), false),
        };
        let mut targets = vec![format!("{path}/"), format!("{path}/?x=1")];
        if !path.is_empty() {
            targets.extend([path.to_owned(), format!("{path}?x=1")]);
        }
        if is_prefix {
            targets.extend(["a", "a%2Fb?x=/q/", "/a//b/", "a%3F", "%C3%BC%25"].map(|name| format!("{path}/{name}")));
        }
        for target in targets {
            for method in ["OPTIONS", "GET"] {
                if component == "comet" && method == "GET" {
                    continue;
                }
                let [behind, alone] = [&behind, &alone].map(|client| client.send(method, &target, &[], ""));
                let (mut behind, mut alone) = (told(&behind.await), told(&alone.await));
                if component == "metrics" {
                    // They tell the time.
                    (behind.3, alone.3) = Default::default();
                }
                assert_eq!(behind, alone, "{method} {target}");
                asked += 1;
            }
        }
    }
    assert!(asked > 200, "{asked}");
    for target in [
        "/qq",
        "/qbx/a",
        "/Q/a",
        "/v2/queues",
        "/metrics/a",
        "/xmlrpc/a",
        "/%71/a",
        "/stream",
        "/ui2",
    ] {
        let [behind, alone] = [&behind, &alone].map(|client| client.get(target));
        assert_eq!(
            (behind.await.status.as_u16(), alone.await.status.as_u16()),
            (404, 404),
            "{target}"
        );
    }
}

#[tokio::test]
async fn behind_nginx_streams_come_at_once_claims_wait_and_clients_that_go_are_noticed() {
    let redis = Redis::start();
    let hosts = start_hosts(&redis, &[("v1", 2), ("comet", 1), ("queue", 1)]);
    let nginx = Nginx::start(&hosts).await;
    let client = nginx.client();
    let blocked = async |clients: usize| {
        until(&format!("{clients} wait"), async || {
            let text: String = redis::from_owned_redis_value(redis.run("INFO clients").await).unwrap();
            text.contains(&format!("blocked_clients:{clients}\r"))
        })
        .await;
    };
    // The head is there before the first message, and each message when it was posted.
    let mut lines = Listener::at(&nginx.address, "/c/news", &[]).await;
    let mut events = Listener::at(&nginx.address, "/c/news", &[("Accept", "text/event-stream")]).await;
    for number in 1..4 {
        assert_eq!(client.form("/q/news", &format!("value={number}")).await.status, 200);
        let message = format!("{{\"key\": \"news:{number}\", \"value\": \"{number}\"}}");
        assert_eq!(lines.chunk().await.unwrap(), format!("{message}\r\n"));
        assert_eq!(
            events.chunk().await.unwrap(),
            format!("id: news:{number}\ndata: {message}\n\n")
        );
    }
    drop((lines, events));
    blocked(0).await;

    // A claim may wait for a minute, and nginx for longer.
    let configuration = read("deploy/spin/nginx.conf");
    let (_, rest) = configuration.split_once("proxy_read_timeout ").unwrap();
    let seconds = rest.split_once("s;").unwrap().0;
    assert!(seconds.parse::<u32>().unwrap() > 60, "{seconds}");
    let claim = async |body: &str| {
        client
            .send("POST", "/v1/queues/x/claims", &[JSON], body.to_owned())
            .await
    };
    let waiting = async {
        let answer = claim(r#"{"wait":60}"#).await;
        serde_json::from_slice::<Value>(&answer.body).unwrap()
    };
    let insert = async {
        blocked(1).await;
        client.post("/v1/queues/x/jobs", r#"{"payload":1}"#).await;
    };
    let (claimed, ()) = tokio::join!(waiting, insert);
    assert_eq!(claimed["jobs"][0]["payload"], 1);
    let gone = tokio::spawn({
        let client = nginx.client();
        async move {
            client
                .send("POST", "/v1/queues/x/claims", &[JSON], r#"{"wait":60}"#)
                .await
        }
    });
    blocked(1).await;
    gone.abort();
    blocked(0).await;
    assert_eq!(claim("{}").await.status, 204);
}

#[tokio::test]
async fn behind_nginx_a_host_that_was_killed_is_passed_over_and_no_job_is_lost() {
    let redis = Redis::start();
    let mut hosts = start_hosts(&redis, &[("v1", 2)]);
    let nginx = Nginx::start(&hosts).await;
    let client = nginx.client();
    let insert = async |client: &Client, payload: usize| {
        let job = json!({"payload": payload}).to_string();
        assert_eq!(client.post("/v1/queues/x/jobs", job).await.status, 201, "{payload}");
    };
    let claim = async |client: &Client| -> Value {
        let answer = client.post("/v1/queues/x/claims", r#"{"count":100}"#).await;
        let claimed: Value = serde_json::from_slice(&answer.body).unwrap();
        claimed["jobs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|job| job["payload"].clone())
            .collect()
    };
    // What one host takes in, the other hands out.
    let v1 = &hosts["v1"];
    insert(&v1[0].client(), 0).await;
    assert_eq!(claim(&v1[1].client()).await, json!([0]));

    // Both have connections that nginx keeps.
    for payload in 1..5 {
        insert(&client, payload).await;
    }
    hosts.get_mut("v1").unwrap().remove(0).kill();
    for payload in 5..15 {
        insert(&client, payload).await;
    }
    assert_eq!(claim(&client).await, (1..15).collect::<Value>());
}

#[tokio::test]
async fn behind_nginx_what_may_have_been_carried_out_is_not_sent_again_where_it_would_be_done_twice() {
    // No host breaks off when it is asked to: these read a request, and close.
    let requests = Arc::new(AtomicUsize::new(0));
    let mut addresses = Vec::new();
    for _ in 0..2 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        addresses.push(listener.local_addr().unwrap().to_string());
        let requests = requests.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                if stream.read(&mut [0; 4096]).await.unwrap() > 0 {
                    requests.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
    }
    let addresses: [String; 2] = addresses.try_into().unwrap();
    let addresses = [("queue", addresses.clone()), ("v1", addresses)].into();
    for (method, target, sent) in [
        ("PUT", "/q/x", 1),
        ("POST", "/q/x", 1),
        ("POST", "/v1/queues/x/jobs", 1),
        // All settings at once: twice is as good as once.
        ("PUT", "/v1/queues/x", 2),
    ] {
        requests.store(0, Ordering::SeqCst);
        // One that has not yet seen them fail.
        let nginx = Nginx::before(&addresses).await;
        let mut stream = TcpStream::connect(&nginx.address).await.unwrap();
        let request =
            format!("{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        patiently("an answer", stream.read_to_string(&mut answer))
            .await
            .unwrap();
        assert_eq!(requests.load(Ordering::SeqCst), sent, "{method} {target}");
        assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    }
}

#[tokio::test]
async fn behind_nginx_the_host_name_counts_and_large_bodies_are_refused() {
    let redis = Redis::start();
    let hosts = start_hosts(&redis, &[("v1", 1)]);
    let nginx = Nginx::start(&hosts).await;
    let client = nginx.client();
    let own = format!("http://{}", nginx.address);
    let post = async |headers: &[(&str, &str)]| {
        let headers = [headers, &[JSON]].concat();
        let answer = client
            .send("POST", "/v1/queues/x/jobs", &headers, r#"{"payload":1}"#)
            .await;
        answer.status.as_u16()
    };
    assert_eq!(post(&[("Origin", &own)]).await, 201);
    assert_eq!(post(&[("Origin", "http://127.0.0.1:1")]).await, 403);
    assert_eq!(post(&[("Host", "example.com")]).await, 421);
    // Larger than what nginx keeps in memory, then than a job may be, and then than nginx passes on, whatever the group.
    let with_bytes = |bytes: usize| format!("{{\"payload\":\"{}\"}}", "x".repeat(bytes));
    for (target, bytes, status) in [
        ("/v1/queues/x/jobs", 4_000_000, 201),
        ("/v1/queues/x/jobs", 5_000_000, 413),
        ("/q/x", 70_000_000, 413),
    ] {
        let answer = client.post(target, with_bytes(bytes)).await;
        assert_eq!(answer.status, status, "{bytes}");
    }
}

#[tokio::test]
async fn behind_nginx_what_the_document_shows_happens() {
    let redis = Redis::start();
    let hosts = start_hosts(&redis, &[("v1", 1), ("comet", 1), ("queue", 1)]);
    let nginx = Nginx::start(&hosts).await;
    let (base, name) = (format!("http://{}", nginx.address), format!("http://{LISTEN}"));
    run_at(&base, &name, "docs/deploy.md");
}

#[test]
fn the_processes_that_the_script_starts_are_those_that_nginx_knows() {
    let dir = tempfile::tempdir().unwrap();
    // Says what it was asked for. That of `v1` ends when all have done so, the others when they are told to.
    let spin = dir.path().join("spin");
    let text = format!(
        "#!/bin/sh\necho \"$*\" >> \"$OUT\"\ncase $* in *'--component v1 '*) ;; *) exec sleep 600 ;; esac\n\
         until [ \"$(wc -l < \"$OUT\")\" -eq {} ]; do sleep 0.1; done\n",
        groups().len()
    );
    std::fs::write(&spin, text).unwrap();
    std::fs::set_permissions(&spin, std::fs::Permissions::from_mode(0o755)).unwrap();
    let script = |arguments: &[&str]| {
        let out = dir.path().join("out");
        let search = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap());
        let ran = Command::new(path("deploy/spin/up.sh"))
            .args(arguments)
            .env("PATH", search)
            .env("OUT", &out)
            .status()
            .unwrap();
        assert_eq!(ran.code(), Some(1), "one has ended");
        let text = std::fs::read_to_string(&out).unwrap();
        std::fs::remove_file(&out).unwrap();
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    let configuration = read("deploy/spin/nginx.conf");
    let manifest = path("spin.toml");
    let expected = |row: usize, more: &str| {
        let line = |group: &String| {
            let upstream = configuration
                .lines()
                .find(|line| line.starts_with(&format!("upstream presque_{group} ")))
                .unwrap_or_else(|| panic!("no upstream for {group}"));
            let server = upstream.split("server ").nth(row).unwrap().split(';').next().unwrap();
            format!(
                "up --from {} --component {group} --listen {server}{more}",
                manifest.display()
            )
        };
        let mut lines: Vec<_> = groups().iter().map(line).collect();
        lines.sort_unstable();
        lines
    };
    assert_eq!(script(&[]), expected(1, ""));
    let more = ["3201", "--variable", "redis_url=redis://redis:6379"];
    assert_eq!(script(&more), expected(2, " --variable redis_url=redis://redis:6379"));

    std::fs::remove_file(spin).unwrap();
    let without = Command::new("/bin/sh")
        .arg(path("deploy/spin/up.sh"))
        .env("PATH", dir.path())
        .status();
    assert_eq!(without.unwrap().code(), Some(127), "there is no Spin");
}
