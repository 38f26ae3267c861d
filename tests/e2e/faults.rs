//! What breaks, and what must not be lost when it does.

use crate::support::{
    Answer, Client, Cut, Host, HostOptions, Listener, Proxy, Redis, eventually, other_connections, query,
};
use redis::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// A host whose one instance lives as long as the test.
fn host_with_one_instance(redis_url: String) -> Host {
    Host::start(HostOptions {
        redis_url: Some(redis_url),
        args: &["--max-instance-reuse-count", "100000", "--idle-instance-timeout", "60s"],
        ..HostOptions::default()
    })
}

fn assert_unavailable(answer: &Answer, text: &str) {
    assert_eq!(answer.brief(), (503, &*format!("{{\"error\":\"{text}\"}}")));
    assert_eq!(answer.header("retry-after"), Some("1"));
}

const UNREACHABLE: &str = "the store is out of reach; nothing was changed";
const UNAVAILABLE: &str = "the store refused the request; nothing was changed";
const JSON: (&str, &str) = ("Content-Type", "application/json");
const LOST: &str = "the store did not answer; the request may have been carried out";

#[tokio::test]
async fn without_redis_the_answer_is_503_and_with_it_all_is_well_again() {
    let mut redis = Redis::start();
    redis.server.kill().unwrap();
    let host = host_with_one_instance(redis.url());
    let client = host.client();
    assert_unavailable(&client.get("/q/x").await, UNREACHABLE);
    assert_unavailable(&client.post("/q/x", "1").await, UNREACHABLE);
    // What is wrong with the request is said all the same.
    assert_eq!(client.post("/q/x", "{").await.status, 400);

    redis.server.restart().unwrap();
    client.insert("/q/x", "1").await;

    redis.server.kill().unwrap();
    // The first to notice cannot know whether its command was carried out.
    let noticed = client.get("/q/x").await;
    assert!(
        noticed.text().contains(LOST) || noticed.text().contains(UNREACHABLE),
        "{noticed:?}"
    );
    assert_unavailable(&client.get("/q/x").await, UNREACHABLE);
    redis.server.restart().unwrap();
    assert_eq!(client.get("/q/x").await.brief(), (200, "1"));
}

#[tokio::test]
async fn a_connection_that_broke_while_it_was_quiet_is_opened_again_unnoticed() {
    let redis = Redis::start();
    let proxy = Proxy::before(redis.server.port());
    let host = host_with_one_instance(proxy.url());
    let client = host.client();
    client.insert("/q/x", "1").await;
    proxy.drop_connections();
    // The rule is about time: a connection that was quiet for half a second is asked before it is used.
    tokio::time::sleep(Duration::from_millis(700)).await;
    client.insert("/q/x", "2").await;
    assert_eq!(redis.run("ZCARD presque:{x}:ready").await, Value::Int(2));
}

#[tokio::test]
async fn a_command_whose_answer_was_lost_is_not_sent_again() {
    let redis = Redis::start();
    let proxy = Proxy::before(redis.server.port());
    let host = host_with_one_instance(proxy.url());
    let client = host.client();
    client.insert("/q/x", "1").await;
    client.insert("/q/x", "2").await;
    proxy.cut(Cut::Replies);
    assert_unavailable(&client.post("/q/x", "3").await, LOST);
    // It was carried out, once.
    assert_eq!(redis.run("ZCARD presque:{x}:ready").await, Value::Int(3));

    proxy.cut(Cut::Nothing);
    client.insert("/q/x", "4").await;
    for job in ["1", "2", "3", "4"] {
        assert_eq!(client.get("/q/x").await.text(), job);
    }
    assert_eq!(client.get("/q/x").await.status, 404);
}

/// Two servers, of which the second takes over from the first: new connections lead there.
async fn fail_over(proxy: &Proxy, old: &Redis, new: &Redis) {
    old.run(&format!("REPLICAOF 127.0.0.1 {}", new.server.port())).await;
    proxy.lead_to(new.server.port());
}

#[tokio::test]
async fn after_a_failover_every_component_finds_the_new_primary_at_its_second_request() {
    let (old, new) = (Redis::start(), Redis::start());
    let proxy = Proxy::before(old.server.port());
    let host = host_with_one_instance(proxy.url());
    let client = host.client();
    client.insert("/q/x", "1").await;
    let insert = async || {
        client
            .send("POST", "/v1/queues/x/jobs", &[JSON], r#"{"payload":1}"#)
            .await
    };
    assert_eq!(insert().await.status, 201);

    fail_over(&proxy, &old, &new).await;
    assert_unavailable(&client.post("/q/x", "2").await, UNAVAILABLE);
    client.insert("/q/x", "3").await;
    let refused = insert().await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(
        refused.text().contains("store-refused") && refused.text().contains("read-only replica"),
        "{refused:?}"
    );
    assert!(refused.text().contains("Nothing was changed."), "{refused:?}");
    assert_eq!(insert().await.status, 201);
    assert_eq!(new.run("ZCARD presque:{x}:ready").await, Value::Int(2));
}

#[tokio::test]
async fn after_a_failover_a_claim_that_waits_is_woken_by_the_new_primary() {
    let (old, new) = (Redis::start(), Redis::start());
    let proxy = Proxy::before(old.server.port());
    let host = host_with_one_instance(proxy.url());
    let client = host.client();
    let claim = async || {
        client
            .send("POST", "/v1/queues/x/claims", &[JSON], r#"{"wait":20}"#)
            .await
    };
    let (claimed, ()) = tokio::join!(claim(), async {
        eventually("the wait", async || {
            let clients = old.run("CLIENT LIST").await;
            Some(()).filter(|()| format!("{clients:?}").contains("cmd=blpop"))
        })
        .await;
        fail_over(&proxy, &old, &new).await;
        let insert = async || client.post("/q/x", "1").await.status != 503;
        eventually("the insert", async || insert().await.then_some(())).await;
    });
    // Where the wait had just ended by itself, it learns of the failover by a refusal. Then another one gets the job.
    let claimed = if claimed.status == 503 {
        eventually("the next claim", async || {
            Some(claim().await).filter(|claimed| claimed.status != 503)
        })
        .await
    } else {
        claimed
    };
    assert_eq!(claimed.status, 200, "{claimed:?}");
}

#[tokio::test]
async fn a_stream_goes_on_after_a_failover_and_ends_where_it_is_refused_for_long() {
    let (old, new) = (Redis::start(), Redis::start());
    let proxy = Proxy::before(old.server.port());
    let host = host_with_one_instance(proxy.url());
    let mut reader = Listener::open(&host, "/c/x", &[("Accept", "text/event-stream")]).await;
    fail_over(&proxy, &old, &new).await;
    let client = host.client();
    eventually("the insert", async || {
        (client.post("/q/x", "1").await.status != 503).then_some(())
    })
    .await;
    while !reader.chunk().await.expect("a message").contains("x:1") {}

    // Now there is no primary at all.
    new.run(&format!("REPLICAOF 127.0.0.1 {}", old.server.port())).await;
    while reader.chunk().await.is_some() {}
}

/// Gives Redis another password, and closes all connections but this one, which stay logged in otherwise.
async fn change_password(connection: &mut redis::aio::MultiplexedConnection, password: &str) {
    for words in [
        &["CONFIG", "SET", "requirepass", password][..],
        &["CLIENT", "KILL", "TYPE", "normal"],
    ] {
        let command = redis::cmd(words[0]).arg(&words[1..]).to_owned();
        command.query_async::<Value>(connection).await.unwrap();
    }
}

#[tokio::test]
async fn what_redis_does_not_do_for_now_is_told_as_refused_and_as_without_effect() {
    let redis = Redis::start();
    let host = host_with_one_instance(redis.url());
    let client = host.client();
    client.insert("/q/x", "1").await;
    let insert = async || {
        client
            .send("POST", "/v1/queues/x/jobs", &[JSON], r#"{"payload":1}"#)
            .await
    };
    for (cause, cure, reason) in [
        (
            "CONFIG SET min-replicas-to-write 1",
            "CONFIG SET min-replicas-to-write 0",
            "min-replicas-to-write",
        ),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "read-only replica"),
    ] {
        redis.run(cause).await;
        assert_unavailable(&client.post("/q/x", "2").await, UNAVAILABLE);
        let answer = insert().await;
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(
            answer.text().contains("store-refused") && answer.text().contains(reason),
            "{answer:?}"
        );
        redis.run(cure).await;
        client.insert("/q/x", "3").await;
        assert_eq!(insert().await.status, 201);
    }
    // A password that was set since is known to nobody: there is no login.
    let mut connection = redis.connection().await;
    change_password(&mut connection, "secret").await;
    eventually("the next connection has no login", async || {
        let answer = client.post("/q/x", "4").await;
        let is_told = answer.text().contains(UNAVAILABLE);
        is_told.then(|| assert_unavailable(&answer, UNAVAILABLE))
    })
    .await;
    // Each component has a connection of its own, which was closed.
    eventually("the login is told", async || {
        let answer = insert().await;
        (answer.text().contains("store-refused") && answer.text().contains("login")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn where_waits_use_up_the_connections_of_redis_they_fail_and_all_else_goes_on() {
    let redis = Redis::start();
    let host = host_with_one_instance(redis.url());
    let client = host.client();
    let send = async |target: &str, body: &str| client.send("POST", target, &[JSON], body.to_owned()).await;
    client.insert("/q/x", "1").await;
    let job: serde_json::Value = serde_json::from_str(send("/v1/queues/x/claims", "{}").await.text()).unwrap();
    let receipt = job["jobs"][0]["receipt"].as_str().expect("a receipt");
    // What is there now stays; there is no room for one more.
    let mut watch = redis.connection().await;
    let there = other_connections(&mut watch).await + 1;
    query::<()>(&mut watch, &["CONFIG", "SET", "maxclients", &there.to_string()]).await;
    for _ in 0..3 {
        let answer = send("/v1/queues/y/claims", r#"{"wait":5}"#).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("retry-after")),
            (503, Some("1")),
            "{answer:?}"
        );
        assert!(answer.text().contains("othing was changed"), "{answer:?}");
        client.insert("/q/x", "2").await;
        assert_eq!(client.get("/q/x").await.brief(), (200, "2"));
    }
    assert_eq!(
        send(&format!("/v1/queues/x/claims/{receipt}/ack"), "").await.status,
        200
    );
    query::<()>(&mut watch, &["CONFIG", "SET", "maxclients", "100"]).await;
    assert_eq!(send("/v1/queues/y/claims", r#"{"wait":0.1}"#).await.status, 204);
}

#[tokio::test]
async fn waits_leave_connections_to_an_instance_that_starts_later() {
    let redis = Redis::start();
    redis.run("CONFIG SET maxclients 64").await;
    let host = host_with_one_instance(redis.url());
    let mut waits = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let client = host.client();
        waits.spawn(async move {
            let wait = client.send("POST", "/v1/queues/y/claims", &[JSON], r#"{"wait":60}"#);
            wait.await.status.as_u16()
        });
    }
    // All the others wait.
    assert_eq!(waits.join_next().await.expect("a wait").unwrap(), 503);
    let later = Host::on(&redis);
    later.client().insert("/q/x", "1").await;
    assert_eq!(later.client().get("/q/x").await.brief(), (200, "1"));
}

#[tokio::test]
async fn a_command_that_redis_refuses_is_503_and_told_in_the_log() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    redis.run("SET presque:{x}:ready text").await;
    let refused = client.post("/q/x?uniq=k", "1").await;
    assert_unavailable(&refused, "the store refused the request");
    let held = redis.run("EXISTS presque:{x}:unique").await;
    assert_eq!(held, Value::Int(0), "no key is held without its job");
    let log = eventually("the log", async || {
        Some(host.log()).filter(|log| log.contains("WRONGTYPE"))
    })
    .await;
    assert!(log.contains("Redis refused the command"), "{log}");
}

#[tokio::test]
async fn a_password_and_a_database_are_used_and_the_password_is_never_told() {
    let redis = Redis::start();
    redis.run("CONFIG SET requirepass s3/cr:et@").await;
    let base = redis.url().replace("redis://", "");
    let host = Host::start(HostOptions {
        redis_url: Some(format!("redis://:s3%2Fcr%3Aet%40@{base}/3")),
        ..HostOptions::default()
    });
    host.client().insert("/q/x", "1").await;
    let client = redis::Client::open(format!("redis://:s3%2Fcr%3Aet%40@{base}/3")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let length: i64 = redis::cmd("ZCARD")
        .arg("presque:{x}:ready")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(length, 1);

    // The host's password is wrong from now on, and its next connection finds that out.
    change_password(&mut connection, "other").await;
    eventually("the wrong password is told", async || {
        let answer = host.client().get("/q/x").await;
        answer
            .text()
            .contains(UNAVAILABLE)
            .then(|| assert_unavailable(&answer, UNAVAILABLE))
    })
    .await;
    let log = eventually("the log", async || Some(host.log()).filter(|log| !log.is_empty())).await;
    assert!(!log.contains("s3"), "{log}");
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_503_and_told_in_the_log() {
    let redis = Redis::start();
    let host = Host::start(HostOptions {
        redis_url: Some(redis.url()),
        args: &["--variable", "max_job_bytes=4MB"],
        ..HostOptions::default()
    });
    for (target, body) in [
        (
            "/q/x",
            "{\"error\":\"the settings of this server are not usable: its log says why\"}",
        ),
        ("/v1/queues", "urn:presque:problem:not-configured"),
    ] {
        let answer = host.client().get(target).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("retry-after")),
            (503, Some("1")),
            "{answer:?}"
        );
        assert!(answer.text().contains(body), "{answer:?}");
    }
    let log = eventually("the log", async || Some(host.log()).filter(|log| !log.is_empty())).await;
    assert!(
        log.contains("cannot serve: the component's variable max_job_bytes must be a whole number of bytes"),
        "{log}"
    );
}

#[tokio::test]
async fn a_longest_wait_that_cannot_be_used_is_503_and_told_in_the_log() {
    let redis = Redis::start();
    for (wait, target) in [("25s", "/v1/queues"), ("0", "/c/x"), ("86401", "/v1/queues")] {
        let mut host = Host::start(HostOptions {
            redis_url: Some(redis.url()),
            args: &["--variable", &format!("max_wait_seconds={wait}")],
            ..HostOptions::default()
        });
        let answer = host.client().get(target).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("retry-after")),
            (503, Some("1")),
            "{answer:?}"
        );
        let told = format!("max_wait_seconds must be a whole number of seconds from 1 to 86400, not \"{wait}\"");
        host.log_line(&["cannot serve", &told]).await;
        // What waits for nothing has no such limit.
        assert_eq!(host.client().get("/q/x").await.status, 404);
    }
}

/// Sixteen clients that post until the first request that fails, and then give the jobs that were accepted.
struct Posters(Vec<tokio::task::JoinHandle<Vec<String>>>);

impl Posters {
    fn start(client: &Client) -> Self {
        let tasks = (0..16).map(|poster| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut accepted = Vec::new();
                loop {
                    let job = format!("\"{poster}:{}\"", accepted.len());
                    let json = [("Content-Type", "application/json")];
                    match client.try_send("POST", "/q/x", &json, job.clone()).await {
                        Ok(answer) if answer.status == 201 => accepted.push(job),
                        Ok(_) | Err(_) => return accepted,
                    }
                }
            })
        });
        Self(tasks.collect())
    }

    async fn accepted(self) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for task in self.0 {
            all.extend(task.await.unwrap());
        }
        assert!(!all.is_empty());
        all
    }
}

async fn stored_at_least(redis: &Redis, jobs: i64) {
    eventually("jobs are stored", async || {
        let length: i64 = redis::from_owned_redis_value(redis.run("ZCARD presque:{x}:ready").await).unwrap();
        (length >= jobs).then_some(())
    })
    .await;
}

/// All jobs of the queue; each at most once. After a crash of Redis each instance (there are a few) may learn by one
/// request that its connection is broken.
async fn drain(client: &Client) -> BTreeSet<String> {
    let mut jobs = BTreeSet::new();
    let mut unavailable = 0;
    loop {
        let answer = client.get("/q/x").await;
        match answer.status.as_u16() {
            200 => assert!(jobs.insert(answer.text().to_owned()), "doubled: {answer:?}"),
            404 => return jobs,
            503 if unavailable < 16 => unavailable += 1,
            _ => panic!("{answer:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_accepted_job_survives_the_kill_of_the_host() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let posters = Posters::start(&host.client());
    stored_at_least(&redis, 200).await;
    host.kill();
    let accepted = posters.accepted().await;
    let host = Host::on(&redis);
    let found = drain(&host.client()).await;
    assert!(
        found.is_superset(&accepted),
        "lost: {:?}",
        accepted.difference(&found).collect::<Vec<_>>()
    );
    assert!(found.len() <= accepted.len() + 16, "more than were under way");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_accepted_job_survives_the_kill_of_redis() {
    let mut redis = Redis::start();
    let host = Host::on(&redis);
    let posters = Posters::start(&host.client());
    stored_at_least(&redis, 200).await;
    redis.server.kill().unwrap();
    let accepted = posters.accepted().await;
    redis.server.restart().unwrap();
    let found = drain(&host.client()).await;
    assert!(
        found.is_superset(&accepted),
        "lost: {:?}",
        accepted.difference(&found).collect::<Vec<_>>()
    );
    assert!(found.len() <= accepted.len() + 16, "more than were under way");
}

#[tokio::test]
async fn jobs_survive_a_restart_of_the_command_with_its_own_redis() {
    let state = tempfile::tempdir().unwrap();
    let start = || {
        Host::start(HostOptions {
            state: Some(state.path()),
            ..HostOptions::default()
        })
    };
    let host = start();
    host.client().insert("/q/x", "1").await;
    host.client().insert("/q/x", "2").await;
    host.kill();
    let host = start();
    assert_eq!(host.client().get("/q/x").await.text(), "1");
    drop(host);
    assert_eq!(start().client().get("/q/x").await.text(), "2");
}
