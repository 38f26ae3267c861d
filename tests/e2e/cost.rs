//! What a request costs Redis: counted, by Redis.

use crate::support::{Commands, Host, HostOptions, Redis};

/// What ran between two counts.
fn between(before: &Commands, after: &Commands) -> Commands {
    let grown = after
        .iter()
        .map(|(name, count)| (name.clone(), count - before.get(name).unwrap_or(&0)));
    // The counting itself does not count. Neither does a PING: on a machine that stalls for half a second a connection
    // is asked whether it lives.
    grown
        .filter(|(name, count)| *count > 0 && !["info", "ping"].contains(&&**name))
        .collect()
}

fn counts(counts: &[(&str, i64)]) -> Commands {
    counts.iter().map(|&(name, count)| (name.to_owned(), count)).collect()
}

/// Instances that live as long as the test, so that one client's requests open no connection while we count.
fn host_with_long_lived_instances(redis: &Redis) -> Host {
    Host::start(HostOptions {
        redis_url: Some(redis.url()),
        args: &["--max-instance-reuse-count", "100000", "--idle-instance-timeout", "60s"],
        ..HostOptions::default()
    })
}

#[tokio::test]
async fn a_post_and_a_get_are_one_redis_command_each_once_the_queue_had_its_first_job() {
    let redis = Redis::start();
    let host = host_with_long_lived_instances(&redis);
    let client = host.client();
    // The server learns the scripts, and the list of queues the name.
    client.insert("/q/x", "1").await;
    client.get("/q/x").await;
    // Counting opens connections, which say who they are.
    let idle = redis.commands().await;
    let counting = between(&idle, &redis.commands().await);

    // What happened is counted apart for each ten seconds, which costs the first call in them more.
    let noted = async || {
        redis
            .query::<Vec<Option<String>>>(&["HMGET", "presque:{x}:meta", "period", "longest-wait"])
            .await
    };
    let (posts, gets) = loop {
        let noted_before = noted().await;
        let before = redis.commands().await;
        for _ in 0..10 {
            client.insert("/q/x", "{}").await;
        }
        let posts = between(&before, &redis.commands().await);
        let before = redis.commands().await;
        for _ in 0..10 {
            assert_eq!(client.get("/q/x").await.status, 200);
        }
        let gets = between(&before, &redis.commands().await);
        if noted().await == noted_before {
            break (posts, gets);
        }
    };
    // What the scripts themselves do, and nothing else but the one EVALSHA.
    let without_counting = |mut commands: Commands| {
        for (name, count) in &counting {
            *commands.get_mut(name).expect("counted again") -= count;
        }
        commands.retain(|_, count| *count > 0);
        commands
    };
    let expected = [
        ("evalsha", 10),
        ("hincrby", 10),
        ("hmget", 10),
        ("time", 10),
        ("zadd", 10),
    ];
    assert_eq!(without_counting(posts), counts(&expected));
    let expected = [
        ("evalsha", 10),
        ("hincrby", 10),
        ("hmget", 10),
        ("time", 10),
        ("zrange", 10),
        ("zremrangebyrank", 10),
    ];
    assert_eq!(without_counting(gets), counts(&expected));
}

#[tokio::test]
async fn a_retry_and_a_batch_are_one_script_each_too() {
    let redis = Redis::start();
    let host = host_with_long_lived_instances(&redis);
    let client = host.client();
    let json = [("Content-Type", "application/json")];
    let jobs = format!("{{\"jobs\":[{}]}}", ["1"; 100].join(","));
    let requests = [
        ("PUT", "/q/x?delayed=5&uniq=", "{}"),
        ("POST", "/qb/x", &*jobs),
        ("GET", "/qb/x?batch_size=100", ""),
        ("POST", "/qb/x?delayed=5", &*jobs),
    ];
    for (method, target, body) in requests {
        // The server learns the script.
        client.send(method, target, &json, body.to_owned()).await;
        let before = redis.commands().await;
        for _ in 0..5 {
            let answer = client.send(method, target, &json, body.to_owned()).await;
            assert!(answer.status.is_success(), "{method} {target}: {answer:?}");
        }
        let ran = between(&before, &redis.commands().await);
        assert_eq!(ran.get("evalsha"), Some(&5), "{method} {target}: {ran:?}");
        assert_eq!(ran.get("eval"), None, "{method} {target}: {ran:?}");
    }
}

#[tokio::test]
async fn each_request_of_restmq_about_one_queue_is_one_script() {
    let redis = Redis::start();
    let host = host_with_long_lived_instances(&redis);
    let client = host.client();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let requests = [
        ("POST", "/?queue=x&value=1", ""),
        ("POST", "/q/x", "value=1&ttl=60"),
        ("GET", "/?queue=x", ""),
        ("GET", "/q/x?callback=cb", ""),
        ("POST", "/queue/x", "msg={\"cmd\":\"add\",\"value\":1}"),
        ("POST", "/queue/x", "msg={\"cmd\":\"get\"}"),
        ("POST", "/queue/x", "msg={\"cmd\":\"del\",\"key\":\"x:1\"}"),
        ("POST", "/queue/x", "msg={\"cmd\":\"take\"}"),
        ("POST", "/p/x", "policy=broadcast"),
        ("GET", "/p/x", ""),
        ("POST", "/control/x", "status=start"),
        ("GET", "/stats/x", ""),
        ("GET", "/j/x?callback=cb", ""),
    ];
    for (method, target, body) in requests {
        client.insert("/q/x", "1").await;
        // The server learns the script.
        client.send(method, target, &form, body).await;
        let before = redis.commands().await;
        let answer = client.send(method, target, &form, body).await;
        assert!(answer.status.is_success(), "{method} {target}: {answer:?}");
        let ran = between(&before, &redis.commands().await);
        assert_eq!(ran.get("evalsha"), Some(&1), "{method} {target}: {ran:?}");
        assert_eq!(ran.get("eval"), None, "{method} {target}: {ran:?}");
    }
}

#[tokio::test]
async fn an_insert_a_claim_and_an_ack_of_v1_are_one_script_each_and_so_is_a_workers_whole_turn() {
    let redis = Redis::start();
    let host = host_with_long_lived_instances(&redis);
    let client = host.client();
    let insert = async || client.post("/v1/queues/x/jobs", "{\"payload\":1}").await;
    let claim = async |body: String| client.post("/v1/queues/x/claims", body).await;
    let receipt = async |body: String| {
        let answer = claim(body).await;
        let claimed: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        claimed["jobs"][0]["receipt"].as_str().unwrap().to_owned()
    };
    let ack = async |receipt: &str| client.post(&format!("/v1/queues/x/claims/{receipt}/ack"), "").await;
    let scripts = async || {
        let commands = redis.commands().await;
        (commands["evalsha"], commands["eval"])
    };
    // The server learns the scripts, the lists the queue and the worker.
    insert().await;
    ack(&receipt("{\"worker\":\"w\"}".into()).await).await;
    for _ in 0..4 {
        insert().await;
    }

    let (before, learnt) = scripts().await;
    insert().await;
    assert_eq!(scripts().await, (before + 1, learnt));
    let first = receipt("{\"worker\":\"w\"}".into()).await;
    assert_eq!(scripts().await, (before + 2, learnt));
    assert_eq!(ack(&first).await.status, 200);
    assert_eq!(scripts().await, (before + 3, learnt));
    let mut held = receipt("{}".into()).await;
    for turn in 5..8 {
        held = receipt(format!("{{\"acks\":[{{\"receipt\":\"{held}\"}}]}}")).await;
        assert_eq!(scripts().await, (before + turn, learnt));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_and_its_connection_serve_many_requests() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let before = redis.connections_accepted().await;
    let clients = (0..16).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            for _ in 0..125 {
                client.insert("/q/x", "1").await;
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    // 2,000 requests at up to 128 an instance need 16 of them; some are cut short when a burst ends.
    let opened = redis.connections_accepted().await - before;
    assert!((16..=100).contains(&opened), "{opened} connections for 2,000 requests");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_opens_one_connection_however_many_requests_come_at_once() {
    let redis = Redis::start();
    let host = host_with_long_lived_instances(&redis);
    let client = host.client();
    let before = redis.connections_accepted().await;
    for _ in 0..50 {
        let gets = (0..16).map(|_| client.get("/q/none"));
        for answer in futures_util::future::join_all(gets).await {
            assert_eq!(answer.status, 404);
        }
    }
    // The platform starts an instance when all others are busy: never more than there are requests at once. One more is
    // the host's own look at the server.
    let opened = redis.connections_accepted().await - before;
    assert!(opened <= 17, "{opened} connections for at most 16 instances");
}
