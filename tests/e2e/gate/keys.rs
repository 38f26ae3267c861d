//! Keys: who has one, and what it is for.

use super::calls::{call, is_restmq_alone, names_queue};
use super::{host_with, line};
use crate::support::{Answer, Client, Host, HostOptions, Redis};
use futures_util::stream::{self, StreamExt};
use presque::gate::{Operation, Scope};
use std::collections::BTreeMap;

const ALL_SCOPES: &str = "scopes=insert,work,read,admin";

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

/// A host for each manifest, with the same keys.
struct Hosts {
    spin: Host,
    restmq: Host,
}

impl Hosts {
    fn start(redis: &Redis, lines: &[String]) -> Self {
        let keys = format!("keys={}", lines.join(";"));
        let restmq = HostOptions {
            redis_url: Some(redis.url()),
            manifest: Some("restmq.toml"),
            args: &["--variable", &keys],
            ..HostOptions::default()
        };
        Self {
            spin: host_with(redis, lines),
            restmq: Host::start(restmq),
        }
    }

    fn client(&self, operation: Operation) -> Client {
        if is_restmq_alone(operation) {
            self.restmq.client()
        } else {
            self.spin.client()
        }
    }
}

fn is_denied(answer: &Answer) -> bool {
    matches!(answer.status.as_u16(), 401 | 403)
}

/// How many scripts have run.
async fn scripts(redis: &Redis) -> i64 {
    let commands = redis.commands().await;
    ["evalsha", "eval"].iter().filter_map(|name| commands.get(*name)).sum()
}

#[tokio::test]
async fn each_route_of_each_dialect_needs_a_key_with_its_scope_for_its_queue() {
    let redis = Redis::start();
    let mut lines = vec![
        line("all", ALL_SCOPES),
        line("other", &format!("{ALL_SCOPES} queues=other*")),
    ];
    for scope in Scope::ALL {
        lines.push(line(scope.name(), &format!("scopes={scope} queues=mine*,w?")));
    }
    let hosts = Hosts::start(&redis, &lines);
    let all = bearer("all");
    // One that is there, beside one that is not.
    hosts
        .spin
        .client()
        .send(
            "POST",
            "/q/mine-a",
            &[("content-type", "application/json"), ("authorization", &all)],
            "1",
        )
        .await;

    // A reader's stream goes on asking Redis: it comes last.
    let is_stream = |operation: &&Operation| **operation == Operation::RestmqSubscribe;
    let (streams, others): (Vec<&Operation>, Vec<&Operation>) = Operation::ALL.iter().partition(is_stream);
    for operation in others.into_iter().chain(streams) {
        let client = hosts.client(*operation);
        let (there, absent) = (call(*operation, "mine-a"), call(*operation, "mine-b"));
        let before = scripts(&redis).await;

        let answer = there.send(&client, &[]).await;
        assert_eq!(answer.status, 401, "{operation:?} without a key: {answer:?}");
        let challenges: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
        assert_eq!(challenges.len(), 2, "{operation:?}: {answer:?}");
        let mut denied = vec![(answer.brief().0, answer.into_text())];
        for name in ["other", "insert", "work", "read", "admin"] {
            let expected = if name == "other" {
                !names_queue(*operation)
            } else {
                name == operation.scope().name()
            };
            if expected {
                continue;
            }
            let authorization = bearer(name);
            let headers = [("authorization", &*authorization)];
            for call in [&there, &absent] {
                let answer = call.send(&client, &headers).await;
                assert_eq!(answer.status, 403, "{operation:?} with {name}: {answer:?}");
                assert!(
                    answer.text().contains(operation.scope().name()),
                    "{operation:?}: {answer:?}"
                );
                denied.push((answer.brief().0, answer.into_text()));
            }
        }
        // Whether the queue is there makes no difference, nor which key it was.
        denied.dedup();
        assert_eq!(denied.len(), 2, "{operation:?}: {denied:?}");
        assert_eq!(
            scripts(&redis).await,
            before,
            "{operation:?} asked Redis before it was allowed"
        );

        for name in ["all", operation.scope().name()] {
            let authorization = bearer(name);
            let answer = there.send(&client, &[("authorization", &authorization)]).await;
            assert!(!is_denied(&answer), "{operation:?} with {name}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_wrong_key_opens_no_route_and_is_told_from_none_by_the_log_alone() {
    let redis = Redis::start();
    let lines = [
        line("mailer", ALL_SCOPES),
        line("old", &format!("{ALL_SCOPES} expires=2020-01-01")),
    ];
    let hosts = Hosts::start(&redis, &lines);
    // Each wrong one takes the longer, so they are sent together.
    let tried = stream::iter(Operation::ALL).map(async |operation| {
        let client = hosts.client(*operation);
        let call = call(*operation, "mine");
        let without = call.send(&client, &[]).await;
        let wrong = call
            .send(&client, &[("authorization", "Bearer not-a-key-of-anybody")])
            .await;
        let ended = call.send(&client, &[("x-api-key", "old")]).await;
        for answer in [wrong, ended] {
            assert_eq!(answer.status, 401, "{operation:?}: {answer:?}");
            assert_eq!(answer.body, without.body, "{operation:?}");
        }
    });
    tried.buffer_unordered(64).collect::<Vec<()>>().await;
    let log = hosts.spin.log();
    assert!(log.contains("refused: a key that is not in the list"), "{log}");
    assert!(log.contains("refused: the key \"old\" has ended"), "{log}");
    assert!(!log.contains("not-a-key-of-anybody"), "{log}");
}

#[tokio::test]
async fn a_key_is_sent_as_a_bearer_token_as_a_password_or_in_a_header_of_its_own_and_never_in_a_query() {
    let redis = Redis::start();
    let host = host_with(&redis, &[line("secret", ALL_SCOPES)]);
    let client = host.client();
    let status = async |headers: &[(&str, &str)], target: &str| client.send("GET", target, headers, "").await.status;
    for headers in [
        &[("authorization", "Bearer secret")][..],
        &[("authorization", "bearer secret")],
        &[("authorization", "Basic eDpzZWNyZXQ=")], // x:secret
        &[("authorization", "Basic OnNlY3JldA")],   // :secret
        &[("x-api-key", "secret")],
        // A proxy's own login beside it.
        &[("authorization", "Basic bWU6b3RoZXI="), ("x-api-key", "secret")],
    ] {
        assert_eq!(status(headers, "/v1/queues").await, 200, "{headers:?}");
        assert_eq!(status(headers, "/q/x").await, 404, "{headers:?}");
    }
    for (headers, target) in [
        (
            &[][..],
            "/v1/queues?key=secret&api_key=secret&x-api-key=secret&access_token=secret",
        ),
        (&[("authorization", "secret")], "/v1/queues"),
        (&[("authorization", "Basic c2VjcmV0")], "/v1/queues"), // secret
        (&[("authorization", "Basic c2VjcmV0OnNlY3JldHg=")], "/q/x"), // secret:secretx
        (&[("cookie", "key=secret")], "/q/x"),
        (&[("x-api-key", "")], "/q/x"),
    ] {
        assert_eq!(status(headers, target).await, 401, "{headers:?} {target}");
    }
}

#[tokio::test]
async fn a_list_of_keys_that_is_wrong_opens_nothing_and_the_log_says_which_line() {
    let redis = Redis::start();
    let host = host_with(
        &redis,
        &[line("good", ALL_SCOPES), "bad sha256:1234 scopes=read".into()],
    );
    let client = host.client();
    for operation in Operation::ALL {
        let answer = call(*operation, "x")
            .send(&client, &[("authorization", "Bearer good")])
            .await;
        assert_eq!(answer.status, 503, "{operation:?}: {answer:?}");
        assert!(!answer.text().contains("line"), "{answer:?}");
    }
    let log = host.log();
    assert!(log.contains("the component's variable keys, line 2: "), "{log}");
}

#[tokio::test]
async fn a_login_of_a_group_of_restmq_and_a_key_open_its_routes_and_its_addresses_hold_for_both() {
    let redis = Redis::start();
    let keys = format!(
        "keys={};{}",
        line("insert", "scopes=insert"),
        line("work", "scopes=work")
    );
    let host = |more: &[&str]| {
        let mut args = vec!["--variable", &*keys];
        args.extend(more.iter().flat_map(|variable| ["--variable", variable]));
        Host::start(HostOptions {
            redis_url: Some(redis.url()),
            manifest: Some("restmq.toml"),
            args: &args,
            ..HostOptions::default()
        })
    };
    let status = async |host: &Host, authorization: &str| {
        let headers = [
            ("authorization", authorization),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        host.client().send("POST", "/q/x", &headers, "value=1").await.status
    };
    let login = "Basic bWU6cGFzcw=="; // me:pass

    let with_login = host(&["rest_producer=me:pass"]);
    assert_eq!(status(&with_login, login).await, 200);
    assert_eq!(status(&with_login, "Bearer insert").await, 200);
    assert_eq!(status(&with_login, "Bearer work").await, 403);
    assert_eq!(status(&with_login, "Bearer other").await, 401);
    // The group of consumers has no login, so its routes need a key.
    assert_eq!(
        with_login
            .client()
            .send("GET", "/q/x", &[("authorization", login)], "")
            .await
            .status,
        401
    );
    assert_eq!(
        with_login
            .client()
            .send("GET", "/q/x", &[("x-api-key", "work")], "")
            .await
            .status,
        200
    );

    let elsewhere = host(&["rest_producer_hosts_allow=10.0.0.0/8"]);
    assert_eq!(status(&elsewhere, "Bearer insert").await, 403);
}

#[tokio::test]
async fn what_an_operator_does_is_in_the_log_with_the_keys_name_and_nothing_else_is() {
    let redis = Redis::start();
    let mut host = host_with(&redis, &[line("ops", ALL_SCOPES)]);
    let client = host.client();
    for operation in Operation::ALL {
        call(*operation, "mine")
            .send(&client, &[("authorization", "Bearer ops")])
            .await;
    }
    let mut expected: Vec<_> = Operation::ALL
        .iter()
        .filter(|operation| operation.scope() == Scope::Admin && !is_restmq_alone(**operation))
        .map(|operation| format!("audit: key \"ops\" did {:?} on queue \"mine\": ", operation.route()))
        .collect();
    // Where restmq.toml has another, spin.toml has presque's.
    expected.push(format!(
        "audit: key \"ops\" did {:?} on queue \"mine\": ",
        Operation::PresqueDelete.route()
    ));
    let lines = host.log_lines(&["audit: "], expected.len()).await;
    for line in &lines {
        let place = expected.iter().position(|expected| line.contains(expected));
        expected.swap_remove(place.unwrap_or_else(|| panic!("{line} is not among {expected:?}")));
    }
    assert!(expected.is_empty(), "{expected:?}");
}

#[tokio::test]
async fn ten_thousand_random_requests_with_random_keys_do_what_the_table_says_and_nothing_else() {
    let redis = Redis::start();
    let mut random = fastrand::Rng::with_seed(11);
    let queues = ["a", "b", "ab", "t/a", "t/b"];
    let patterns = [
        "",
        "queues=a*",
        "queues=?",
        "queues=b,t/*",
        "root=t/",
        "root=t/ queues=t/b",
    ];
    let fits = |pattern: &str, queue: &str| match pattern {
        "" => true,
        "queues=a*" => queue.starts_with('a'),
        "queues=?" => queue.len() == 1,
        "queues=b,t/*" => queue == "b" || queue.starts_with("t/"),
        "root=t/" => true,
        _ => queue == "b",
    };
    let mut keys = BTreeMap::new();
    for number in 0..40 {
        let scopes: Vec<_> = Scope::ALL.into_iter().filter(|_| random.bool()).collect();
        let has_ended = random.u8(..8) == 0;
        if !scopes.is_empty() {
            keys.insert(
                format!("key-{number}"),
                (scopes, patterns[random.usize(..patterns.len())], has_ended),
            );
        }
    }
    let lines: Vec<_> = keys
        .iter()
        .map(|(name, (scopes, pattern, has_ended))| {
            let scopes: Vec<_> = scopes.iter().map(|scope| scope.name()).collect();
            let end = if *has_ended { "expires=2001-01-01" } else { "" };
            line(name, &format!("scopes={} {pattern} {end}", scopes.join(",")))
        })
        .collect();
    let hosts = Hosts::start(&redis, &lines);
    // Streams stay open, and a test of its own reads them; attempts that are slowed are few here.
    let operations: Vec<_> = Operation::ALL
        .iter()
        .filter(|operation| **operation != Operation::RestmqSubscribe)
        .collect();
    let names: Vec<_> = keys.keys().collect();
    let requests: Vec<_> = std::iter::repeat_with(|| {
        let operation = *operations[random.usize(..operations.len())];
        let queue = queues[random.usize(..queues.len())];
        (operation, queue, names[random.usize(..names.len())])
    })
    .filter(|(_, _, name)| !keys[*name].2 || name.ends_with('1'))
    .take(10_000)
    .collect();
    stream::iter(requests)
        .map(async |(operation, queue, name)| {
            let (scopes, pattern, has_ended) = &keys[name];
            let path_queue = queue.replace('/', "%2F");
            let call = call(operation, if call_is_by_path(operation) { &path_queue } else { queue });
            let answer = call.send(&hosts.client(operation), &[("x-api-key", name)]).await;
            let expected = if *has_ended {
                Some(401)
            } else if !scopes.contains(&operation.scope()) || names_queue(operation) && !fits(pattern, queue) {
                Some(403)
            } else {
                None
            };
            let found = Some(answer.status.as_u16()).filter(|status| matches!(status, 401 | 403));
            assert_eq!(
                found, expected,
                "{operation:?} on {queue} with {name} {:?}: {answer:?}",
                keys[name]
            );
        })
        .buffer_unordered(32)
        .collect::<Vec<()>>()
        .await;
}

/// Whether the path has the queue's name, or the body has.
fn call_is_by_path(operation: Operation) -> bool {
    !call(operation, "QUEUE").body.contains("QUEUE")
}

#[tokio::test]
async fn the_curl_lines_of_restmq_need_nothing_but_a_key_in_their_address() {
    let redis = Redis::start();
    let keys = [line("key", "scopes=insert,work,read,admin queues=test")];
    let hosts = Hosts::start(&redis, &keys);
    let curl = |host: &Host, path: &str, args: &[&str]| {
        let url = format!("http://x:key@{}{path}", host.address());
        let output = std::process::Command::new("curl")
            .args(["-sS", "--max-time", "30"])
            .args(args)
            .arg(url)
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    for host in [&hosts.spin, &hosts.restmq] {
        let first = curl(host, "/", &["-X", "POST", "-d", "queue=test&value=foobar"]);
        assert!(first.starts_with("test:"), "{first}");
        assert!(curl(host, "/?queue=test", &[]).contains("\"value\": \"foobar\""));
        assert!(curl(host, "/q/test", &["-d", "value=2"]).starts_with("test:"));
        assert!(curl(host, "/stats/test", &[]).contains("\"len\": 1"));
        let command = "body={\"cmd\":\"take\",\"queue\":\"test\"}";
        assert!(curl(host, "/queue", &["-d", command]).contains("\"value\": \"2\""));
        assert!(curl(host, "/p/test", &["-d", "policy=roundrobin"]).contains("OK"));
        assert!(curl(host, "/", &["-d", "queue=other&value=1"]).contains("403"));
    }
}

#[tokio::test]
async fn who_has_a_key_is_told_what_it_is_for_and_not_its_root() {
    let redis = Redis::start();
    let lines = [
        line("some", "scopes=work,read queues=mail*,report-?,news"),
        line("tenant", "scopes=read root=acme/"),
        line("part", "scopes=read root=acme/ queues=acme/m*"),
        line("odd", "scopes=read root=acme/ queues=ac*,acme/x,bolt/*,*/mail,acme/m?"),
        line("producer", "scopes=insert"),
    ];
    let host = host_with(&redis, &lines);
    let told = async |key: &str| {
        let headers = [("authorization", &*bearer(key))];
        host.client().send("GET", "/v1/key", &headers, "").await
    };
    for (key, expected) in [
        (
            "some",
            r#"{"scopes":["work","read"],"queues":["mail*","report-?","news"]}"#,
        ),
        ("tenant", r#"{"scopes":["read"],"queues":["*"]}"#),
        ("part", r#"{"scopes":["read"],"queues":["m*"]}"#),
        ("odd", r#"{"scopes":["read"],"queues":["*","x","*","m?"]}"#),
    ] {
        assert_eq!(told(key).await.brief(), (200, expected), "{key}");
    }
    assert_eq!(told("producer").await.status, 403);
    assert_eq!(told("none").await.status, 401);
}

#[tokio::test]
async fn a_script_of_a_page_is_not_asked_for_a_login_that_its_browser_would_ask_for() {
    let redis = Redis::start();
    let host = host_with(&redis, &[line("some", ALL_SCOPES)]);
    let challenges = async |headers: &[(&str, &str)]| {
        let answer = host.client().send("GET", "/v1/queues", headers, "").await;
        assert_eq!(answer.status, 401);
        let all = answer.headers.get_all("www-authenticate").iter();
        all.map(|value| value.to_str().unwrap().split(' ').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(challenges(&[]).await, ["Bearer", "Basic"]);
    let site = ("sec-fetch-site", "same-origin");
    assert_eq!(
        challenges(&[site, ("sec-fetch-dest", "document")]).await,
        ["Bearer", "Basic"]
    );
    assert_eq!(challenges(&[site, ("sec-fetch-dest", "empty")]).await, ["Bearer"]);
    assert_eq!(challenges(&[("x-requested-with", "XMLHttpRequest")]).await, ["Bearer"]);
}
