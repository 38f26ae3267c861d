//! The Redis interface, as a component meets it.

use super::support::{Host, KEEP, Redis, Site, WITH_REDIS, other_connections, patiently, query, redis_variable, until};

async fn start() -> (Redis, Host) {
    let redis = Redis::start();
    let host = start_with(&redis_variable(&redis)).await;
    (redis, host)
}

async fn start_with(variable: &str) -> Host {
    let arguments = [KEEP[0], KEEP[1], "--variable", variable];
    Site::new(WITH_REDIS).start(&arguments).await
}

/// Lets the guest run a command, and returns the results that it tells.
async fn run(host: &Host, path: &str, command: &[&str]) -> String {
    host.client()
        .send("POST", path, &[], command.join("\n"))
        .await
        .into_text()
}

/// The same with an address of the guest's choice.
async fn run_at(host: &Host, address: &str, command: &[&str]) -> String {
    let headers = [("redis-address", address)];
    let client = host.client();
    let sent = client.send("POST", "/redis", &headers, command.join("\n"));
    sent.await.into_text()
}

#[tokio::test]
async fn each_kind_of_reply_reaches_the_component() {
    let (_redis, host) = start().await;
    for (command, results) in [
        (&["SET", "key", "value"][..], "status OK"),
        (&["PING"], "status PONG"),
        (&["GET", "key"], "binary value"),
        (&["GET", "none"], "nil"),
        (&["STRLEN", "key"], "int 5"),
        (&["LRANGE", "none", "0", "-1"], ""),
        (&["EVAL", "return '\\0\\255'", "0"], r"binary \x00\xff"),
        (&["EVAL", "return -9007199254740992", "0"], "int -9007199254740992"),
    ] {
        assert_eq!(run(&host, "/redis", command).await, results, "{command:?}");
    }
}

#[tokio::test]
async fn arrays_are_flattened_whatever_is_in_them() {
    let (_redis, host) = start().await;
    let script = "return {1, {'a', {2, false}}, {}, redis.status_reply('FINE')}";
    let results = run(&host, "/redis", &["EVAL", script, "0"]).await;
    assert_eq!(results, "int 1\nbinary a\nint 2\nnil\nstatus FINE");
    let script = "return {1, redis.error_reply('WRONGTYPE no')}";
    assert_eq!(
        run(&host, "/redis", &["EVAL", script, "0"]).await,
        "error WRONGTYPE: no"
    );
}

#[tokio::test]
async fn bytes_reach_redis_as_they_are() {
    let (redis, host) = start().await;
    let body = b"SET\nkey\n\x00\xff\r\xc3".to_vec();
    let answer = host.client().send("POST", "/redis", &[], body).await;
    assert_eq!(answer.body, "status OK");
    assert_eq!(redis.query::<Vec<u8>>(&["GET", "key"]).await, b"\x00\xff\r\xc3");
}

#[tokio::test]
async fn the_errors_of_redis_have_the_texts_that_spin_gives_them() {
    let (redis, host) = start().await;
    redis.query::<()>(&["SET", "key", "text"]).await;
    let eval = |script| ["EVAL", script, "0"];
    for (command, error) in [
        (
            &["LPUSH", "key", "x"][..],
            "error WRONGTYPE: Operation against a key holding the wrong kind of value",
        ),
        (
            &eval("return redis.error_reply('ERR xyz')"),
            "error An error was signalled by the server - ResponseError: xyz",
        ),
        (
            &eval("return redis.error_reply('OWN with words')"),
            "error OWN: with words",
        ),
    ] {
        assert_eq!(run(&host, "/redis", command).await, error, "{command:?}");
    }
    let unknown = ["EVALSHA", "0000000000000000000000000000000000000000", "0"];
    let error = run(&host, "/redis", &unknown).await;
    // Redis has advice after this, Valkey has none.
    let known = "error An error was signalled by the server - NoScriptError: No matching script.";
    assert!(error.starts_with(known), "{error}");
}

#[tokio::test]
async fn a_reply_may_have_128_mib() {
    let (_redis, host) = start().await;
    let script = "return string.rep('x', 128 * 1024 * 1024 + 1)";
    let told = run(&host, "/redis", &["EVAL", script, "0"]).await;
    assert!(
        told.starts_with("error ") && told.contains("the reply is over 128 MiB"),
        "{told}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_refuses_the_connection() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let host = start_with(&format!("redis_url=redis://{address}")).await;
    let told = run(&host, "/redis", &["PING"]).await;
    assert_eq!(told, "error Connection refused (os error 111)");
}

#[tokio::test]
async fn a_component_connects_only_where_its_manifest_allows() {
    let (redis, mut host) = start().await;
    let port = redis.url().rsplit(':').next().unwrap().to_owned();
    for address in [
        &format!("redis://localhost:{port}"),
        "redis://127.0.0.1:1",
        &format!("rediss://127.0.0.1:{port}"),
        "redis+unix:///socket",
        "nonsense",
        "",
    ] {
        assert_eq!(
            run_at(&host, address, &["PING"]).await,
            "error Error::InvalidAddress",
            "{address}"
        );
    }
    let warning = format!("a component may not connect to redis://localhost:{port}");
    host.log_line(&["WARN", &warning]).await;
}

#[tokio::test]
async fn an_address_may_have_a_password_and_a_database() {
    let (redis, host) = start().await;
    // From before there was a password.
    let mut connection = redis.connection().await;
    let set = ["CONFIG", "SET", "requirepass", "hunter2"];
    assert_eq!(run(&host, "/redis", &set).await, "status OK");
    let address = redis.url().replace("redis://", "redis://:hunter2@") + "/3";
    assert_eq!(run_at(&host, &address, &["SET", "key", "three"]).await, "status OK");
    query::<()>(&mut connection, &["SELECT", "3"]).await;
    assert_eq!(query::<String>(&mut connection, &["GET", "key"]).await, "three");
    let told = run(&host, "/redis", &["PING"]).await;
    assert_eq!(told, "error NOAUTH: Authentication required.");
    let told = run_at(&host, &address.replace("hunter2", "wrong"), &["PING"]).await;
    assert_eq!(told, "error Password authentication failed- AuthenticationFailed");
    assert!(!host.log().contains("hunter2"), "{}", host.log());
}

#[tokio::test]
async fn a_connection_is_closed_when_its_handle_is_dropped() {
    let (redis, host) = start().await;
    let mut connection = redis.connection().await;
    assert_eq!(run(&host, "/redis", &["PING"]).await, "status PONG");
    until("the connection is closed", async || {
        other_connections(&mut connection).await == 0
    })
    .await;
}

#[tokio::test]
async fn a_connection_is_closed_when_its_instance_ends() {
    let (redis, host) = start().await;
    let mut connection = redis.connection().await;
    assert_eq!(run(&host, "/redis/kept", &["PING"]).await, "status PONG");
    // Those of the server's start may still be there.
    until("the instance's connection alone is open", async || {
        other_connections(&mut connection).await == 1
    })
    .await;
    assert_eq!(host.get("/panic").await.status, 500);
    until("the connection is closed", async || {
        other_connections(&mut connection).await == 0
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_is_kept_serves_later_requests_until_it_breaks() {
    let (redis, host) = start().await;
    let mut connection = redis.connection().await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(run(&host, "/redis/kept", &["CLIENT", "ID"]).await);
    }
    assert!(clients[0] == clients[1] && clients[1] == clients[2], "{clients:?}");
    let kill = ["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"];
    let killed: usize = query(&mut connection, &kill).await;
    assert_eq!(killed, 1);
    // The first may notice the break while it waits for its reply.
    run(&host, "/redis/kept", &["PING"]).await;
    for _ in 0..2 {
        let told = run(&host, "/redis/kept", &["PING"]).await;
        assert!(told.to_lowercase().contains("broken pipe"), "{told}");
    }
    assert_eq!(run(&host, "/redis", &["PING"]).await, "status PONG");
}

#[tokio::test]
async fn a_command_may_take_as_long_as_it_takes() {
    let (redis, host) = start().await;
    let client = host.client();
    let waiting = tokio::spawn(async move { client.send("POST", "/redis", &[], "BLPOP\nlist\n0").await });
    until("the command waits", async || {
        redis.query::<String>(&["CLIENT", "LIST"]).await.contains("cmd=blpop")
    })
    .await;
    // Longer than the timeout that newer clients have by themselves.
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    redis.query::<()>(&["RPUSH", "list", "late"]).await;
    let answer = patiently("the answer", waiting).await.unwrap();
    assert_eq!(answer.body, "binary list\nbinary late");
}

#[tokio::test]
async fn an_instance_may_have_1024_connections() {
    let (redis, host) = start().await;
    let mut connection = redis.connection().await;
    let told = host.get("/redis/many?1025").await.into_text();
    assert_eq!(told, "1024 Error::TooManyConnections");
    until("the connections are closed", async || {
        other_connections(&mut connection).await == 0
    })
    .await;
    // Those that were closed, or never came to be, do not count.
    assert_eq!(host.get("/redis/many?1024").await.into_text(), "1024 open");
}

#[tokio::test]
async fn the_functions_for_single_commands_do_what_they_are_named_for() {
    let (_redis, host) = start().await;
    for (call, result) in [
        (&["set", "key", "41"][..], "()"),
        (&["incr", "key"], "42"),
        (&["get", "key"], "Some(\"42\")"),
        (&["get", "none"], "None"),
        (&["del", "key", "none"], "1"),
        (&["sadd", "set", "a", "b", "a"], "2"),
        (&["srem", "set", "a", "z"], "1"),
        (&["smembers", "set"], "[\"b\"]"),
        (&["publish", "channel", "text"], "()"),
        (
            &["get", "set"],
            "error WRONGTYPE: Operation against a key holding the wrong kind of value",
        ),
    ] {
        assert_eq!(run(&host, "/redis/typed", call).await, result, "{call:?}");
    }
    run(
        &host,
        "/redis",
        &["EVAL", "return redis.call('SADD', 'odd', '\\255')", "0"],
    )
    .await;
    assert_eq!(
        run(&host, "/redis/typed", &["smembers", "odd"]).await,
        "error Error::TypeError"
    );
}
