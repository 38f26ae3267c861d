//! Who may use the RestMQ dialect.

use super::refusal;
use crate::support::{Client, Host, HostOptions, Listener, Redis};

fn host(redis: &Redis, manifest: &'static str, variables: &[&str]) -> Host {
    let args: Vec<_> = variables.iter().flat_map(|variable| ["--variable", variable]).collect();
    Host::start(HostOptions {
        redis_url: Some(redis.url()),
        manifest: Some(manifest),
        args: &args,
        ..HostOptions::default()
    })
}

async fn statuses(client: &Client, headers: &[(&str, &str)], requests: &[(&str, &str)]) -> Vec<u16> {
    let mut all = Vec::new();
    for (method, target) in requests {
        all.push(client.send(method, target, headers, "").await.status.as_u16());
    }
    all
}

const PRODUCING: [(&str, &str); 8] = [
    ("POST", "/?queue=x&value=1"),
    ("POST", "/q/x?value=1"),
    ("DELETE", "/q/x"),
    ("POST", "/p/x?policy=broadcast"),
    ("POST", "/control/x?status=start"),
    ("POST", "/queue?body=%7B%22cmd%22%3A1%7D"),
    ("GET", "/queue"),
    ("GET", "/queue/x"),
];

const CONSUMING: [(&str, &str); 9] = [
    ("GET", "/"),
    ("GET", "/?queue=x"),
    ("GET", "/q/"),
    ("GET", "/q/x"),
    ("GET", "/p/x"),
    ("GET", "/j/x"),
    ("GET", "/stats/"),
    ("GET", "/stats/x"),
    ("GET", "/control/x"),
];

#[tokio::test]
async fn each_group_is_asked_for_its_own_login() {
    let redis = Redis::start();
    let variables = ["rest_producer=in:secret", "rest_consumer=out:hidden"];
    let host = host(&redis, "restmq.toml", &variables);
    let client = host.client();
    // in:secret, out:hidden
    let (producer, consumer) = (
        ("Authorization", "Basic aW46c2VjcmV0"),
        ("Authorization", "Basic b3V0OmhpZGRlbg=="),
    );
    let refused = |status: &u16| *status == 401;
    let served = |status: &u16| *status < 400 || *status == 404;
    for (requests, own, other) in [
        (&PRODUCING[..], producer, consumer),
        (&CONSUMING[..], consumer, producer),
    ] {
        let statuses_of = async |headers: &[(&str, &str)]| statuses(&client, headers, requests).await;
        let (none, wrong, right) = (
            statuses_of(&[]).await,
            statuses_of(&[other]).await,
            statuses_of(&[own]).await,
        );
        assert!(
            none.iter().all(refused) && wrong.iter().all(refused),
            "{none:?} {wrong:?}"
        );
        assert!(right.iter().all(served), "{right:?}");
    }
    let answer = client.get("/q/x").await;
    assert_eq!(answer.text(), refusal("401: Unauthorized"));
    let challenge = "Basic realm=\"RestMQ Restricted Access\"";
    assert_eq!(answer.header("www-authenticate"), Some(challenge));
    assert_eq!(
        statuses(&client, &[], &[("GET", "/ws/x"), ("OPTIONS", "/q/x"), ("PUT", "/q/x")]).await,
        [426, 204, 405]
    );
    assert!(!host.log().contains("secret") && !host.log().contains("hidden"));
}

#[tokio::test]
async fn a_reader_that_stays_is_asked_for_its_groups_login_and_address() {
    let redis = Redis::start();
    for manifest in ["restmq.toml", "spin.toml"] {
        let asked = host(
            &redis,
            manifest,
            &["comet_consumer=stay:quiet", "rest_consumer=out:hidden"],
        );
        for headers in [&[][..], &[("Authorization", "Basic b3V0OmhpZGRlbg==")]] {
            let answer = asked.client().send("GET", "/c/x", headers, "").await;
            assert_eq!(answer.brief(), (401, &*refusal("401: Unauthorized")));
        }
        // stay:quiet
        let own = [("Authorization", "Basic c3RheTpxdWlldA==")];
        let reader = Listener::open(&asked, "/c/x", &own).await;
        assert!(reader.head[0].starts_with("http/1.1 200"), "{:?}", reader.head);
        let denied = host(&redis, manifest, &["comet_consumer_hosts_deny=all"]);
        assert_eq!(denied.client().get("/c/x").await.status, 403);
    }
}

#[tokio::test]
async fn a_host_that_is_denied_stays_so_whatever_it_says_of_its_address() {
    let redis = Redis::start();
    let variables = [
        "rest_producer_hosts_deny=127.0.0.0/8, ::1",
        "rest_consumer_hosts_allow=127.0.0.1 10.0.0.0/8",
    ];
    let host = host(&redis, "restmq.toml", &variables);
    let claims = [("spin-client-addr", "10.0.0.1:80")];
    for headers in [&[][..], &claims] {
        let answers = statuses(&host.client(), headers, &PRODUCING).await;
        assert!(answers.iter().all(|status| *status == 403), "{answers:?}");
        let answers = statuses(&host.client(), headers, &CONSUMING).await;
        assert!(
            answers.iter().all(|status| *status < 400 || *status == 404),
            "{answers:?}"
        );
    }
    let answer = host.client().form("/q/x", "value=1").await;
    assert_eq!(answer.text(), refusal("403: Forbidden"));
}

#[tokio::test]
async fn beside_the_presque_dialect_only_requests_of_restmq_are_asked() {
    let redis = Redis::start();
    let host = host(
        &redis,
        "spin.toml",
        &["rest_producer=in:secret", "rest_consumer=out:hidden"],
    );
    let client = host.client();
    client.insert("/q/x", "1").await;
    assert_eq!(client.get("/q/x").await.status, 200);
    assert_eq!(client.form("/q/x", "value=1").await.status, 401);
    assert_eq!(client.get("/q/x?callback=cb").await.status, 401);
    assert_eq!(client.get("/stats/").await.status, 401);
    assert_eq!(client.get("/?queue=x").await.status, 401);
    assert_eq!(client.get("/status/").await.status, 200);
}

#[tokio::test]
async fn settings_that_cannot_be_used_serve_nobody_and_tell_no_password() {
    let redis = Redis::start();
    let host = host(&redis, "restmq.toml", &["rest_producer=hunter2"]);
    let answer = host.client().get("/q/x").await;
    assert_eq!(answer.status, 503);
    assert!(
        host.log().contains("user:password") && !host.log().contains("hunter2"),
        "{}",
        host.log()
    );
}
