//! What the command says of Redis before it serves, and the ways to reach one.

use super::support::{Host, Redis, Site, WITH_REDIS, query, redis_variable};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::path::Path;

const REDIS_VARIABLES: &str = r#"
spin_manifest_version = 2
application = { name = "test" }
[variables]
redis_url = { required = true }
redis_user = { default = "" }
redis_password = { default = "", secret = true }
redis_database = { default = "0" }
[[trigger.http]]
route = "/..."
component = "guest"
[component.guest]
source = "GUEST"
[component.guest.variables]
redis_url = "{{ redis_url }}"
redis_user = "{{ redis_user }}"
redis_password = "{{ redis_password }}"
redis_database = "{{ redis_database }}"
"#;

async fn run(host: &Host, command: &str) -> String {
    let client = host.client();
    client.send("POST", "/redis", &[], command.to_owned()).await.into_text()
}

/// Starts with these arguments, which must fail with one line that names all these.
async fn refused(arguments: &[&str], named: &[&str]) {
    let (code, log) = Site::new(WITH_REDIS).refused(arguments).await;
    assert_eq!(code, Some(2), "{log}");
    assert_eq!(log.trim_end().lines().count(), 1, "{log}");
    for name in named {
        assert!(log.contains(name), "{name} is not in: {log}");
    }
    assert!(!log.contains("hunter2"), "{log}");
}

/// The URL of a server with a user and a password before its host, and a database behind.
fn url(redis: &Redis, login: &str, database: &str) -> String {
    redis.url().replace("redis://", &format!("redis://{login}")) + database
}

#[tokio::test]
async fn a_redis_that_may_lose_data_is_told_at_the_start() {
    let redis = Redis::start();
    let start = async || Site::new(WITH_REDIS).start(&["--redis-url", &redis.url()]).await;
    assert!(!start().await.log().contains("WARN"), "it keeps all");
    redis.run("CONFIG SET maxmemory-policy allkeys-lru").await;
    redis.run("CONFIG SET appendonly no").await;
    let mut host = start().await;
    host.log_line(&["WARN", "allkeys-lru", "maxmemory-policy to noeviction"])
        .await;
    host.log_line(&["WARN", "keeps nothing on disk", "appendonly to yes"])
        .await;
    redis.query::<()>(&["CONFIG", "SET", "save", "3600 1"]).await;
    start()
        .await
        .log_line(&["WARN", "last snapshot", "appendonly to yes"])
        .await;
}

#[tokio::test]
async fn a_login_that_redis_refuses_is_told_before_anything_is_served() {
    let redis = Redis::start();
    let mut admin = redis.connection().await;
    let login = url(&redis, ":hunter2@", "");
    refused(
        &["--redis-url", &login],
        &["has no password, and redis_password is set"],
    )
    .await;
    query::<()>(&mut admin, &["CONFIG", "SET", "requirepass", "right"]).await;
    refused(&["--redis-url", &login], &["redis_password is wrong"]).await;
    refused(
        &["--redis-url", &redis.url()],
        &["wants a password: set redis_password"],
    )
    .await;
    let login = url(&redis, "ann:hunter2@", "");
    refused(
        &["--redis-url", &login],
        &["redis_password is wrong, or there is no user 'ann'"],
    )
    .await;
    let login = url(&redis, ":right@", "/99");
    refused(&["--redis-url", &login], &["redis_database is 99", "out of range"]).await;
}

#[tokio::test]
async fn variables_that_nobody_could_connect_with_are_refused() {
    let refused = async |url: &str, more: &str, named: &[&str]| {
        let url = format!("redis_url={url}");
        refused(&["--variable", &url, "--variable", more], named).await;
    };
    refused(
        "http://127.0.0.1:80",
        "redis_user=",
        &["redis_url must be redis://host[:port]", "http://"],
    )
    .await;
    refused(
        "redis://:hunter2@127.0.0.1",
        "redis_user=",
        &["redis_url", "...@127.0.0.1"],
    )
    .await;
    refused(
        "redis://127.0.0.1:1",
        "redis_user=ann",
        &["redis_user is set and redis_password is not"],
    )
    .await;
    refused(
        "redis://127.0.0.1:1",
        "redis_database=one",
        &["redis_database must be a number"],
    )
    .await;
}

#[tokio::test]
async fn a_redis_that_is_not_there_yet_is_waited_for_while_requests_fail() {
    let mut redis = Redis::start();
    redis.server.kill().unwrap();
    let mut host = Site::new(WITH_REDIS)
        .start(&["--variable", &redis_variable(&redis)])
        .await;
    host.log_line(&["WARN", "cannot be used now: Connection refused", "503"])
        .await;
    assert_eq!(run(&host, "PING").await, "error Connection refused (os error 111)");
    redis.server.restart().unwrap();
    host.log_line(&["INFO", "can be used now"]).await;
    assert_eq!(run(&host, "PING").await, "status PONG");
}

#[tokio::test]
async fn a_replica_cannot_be_used_now() {
    let redis = Redis::start();
    redis.run("REPLICAOF 127.0.0.1 1").await;
    let site = with_commands(r#"commands = [["SET", "try", ""]]"#);
    let mut host = site.start(&["--redis-url", &redis.url()]).await;
    host.log_line(&["WARN", "cannot be used now: "]).await;
    redis.run("REPLICAOF NO ONE").await;
    host.log_line(&["INFO", "can be used now"]).await;
}

/// An application that names the commands it needs.
fn with_commands(file: &str) -> Site {
    let tool = "[application.tool.presque-host]\nredis_commands = \"commands.toml\"\n[variables]";
    Site::new(
        &WITH_REDIS
            .replace("application = {", "[application]\n#")
            .replace("[variables]", &format!("name = \"test\"\n{tool}")),
    )
    .file("commands.toml", file)
}

#[tokio::test]
async fn commands_that_an_acl_forbids_are_named_before_anything_is_served() {
    let redis = Redis::start();
    let site = with_commands(
        r#"commands = [
            ["SET", "own:x", ""], ["HSET", "own:h", "f", ""], ["HDEL", "own:h", "f"],
            ["EVAL", "return redis.call('HSET', KEYS[1], 'f', 1)", "1", "own:h"],
        ]"#,
    );
    let acl = async |rule: &str| redis.run(&format!("ACL SETUSER ann on >hunter2 {rule}")).await;
    let login = url(&redis, "ann:hunter2@", "");
    let arguments = ["--redis-url", &login];
    acl("resetkeys ~own:* -@all +ping +set +eval").await;
    let (code, log) = site.refused(&arguments).await;
    assert_eq!(code, Some(2));
    assert!(
        log.contains("an ACL forbids HSET, HDEL; add to the user's rule: +hset +hdel"),
        "{log}"
    );
    acl("+hset +hdel resetkeys ~other:*").await;
    let (code, log) = site.refused(&arguments).await;
    assert_eq!(code, Some(2));
    assert!(log.contains("an ACL forbids its keys"), "{log}");
    acl("~own:*").await;
    let host = site.start(&arguments).await;
    assert_eq!(run(&host, "SET\nown:x\n1").await, "status OK");
    assert!(!host.log().contains("hunter2"), "{}", host.log());
}

#[tokio::test]
async fn a_file_of_commands_that_cannot_be_read_is_named() {
    for (file, named) in [("commands = 1", "commands.toml"), ("orders = []", "orders")] {
        let (code, log) = with_commands(file)
            .refused(&["--redis-url", "redis://127.0.0.1:1"])
            .await;
        assert_eq!(code, Some(2));
        assert!(log.contains("redis_commands: ") && log.contains(named), "{log}");
    }
}

#[tokio::test]
async fn users_and_passwords_may_have_any_characters() {
    let redis = Redis::start();
    let password = "hunter2 /?#@:%\"'\\ü";
    let rule = format!(">{password}");
    redis
        .query::<()>(&["ACL", "SETUSER", "a:b@c/d", "on", &rule, "~*", "+@all"])
        .await;
    let escaped = "a%3Ab%40c%2Fd:hunter2%20%2F%3F%23%40%3A%25%22%27%5C%C3%BC@";
    let host = Site::new(WITH_REDIS)
        .start(&["--redis-url", &url(&redis, escaped, "")])
        .await;
    assert_eq!(run(&host, "ACL\nWHOAMI").await, "binary a:b@c/d");
    let variable = redis_variable(&redis);
    let password = format!("redis_password={password}");
    let arguments = [
        "--variable",
        &variable,
        "--variable",
        "redis_user=a:b@c/d",
        "--variable",
        &password,
    ];
    let host = Site::new(WITH_REDIS).start(&arguments).await;
    assert_eq!(run(&host, "ACL\nWHOAMI").await, "binary a:b@c/d");
    assert!(!host.log().contains("hunter2"), "{}", host.log());
}

#[tokio::test]
async fn a_host_may_be_an_ipv6_address() {
    let redis = Redis::start();
    redis.query::<()>(&["CONFIG", "SET", "bind", "127.0.0.1 ::1"]).await;
    let url = redis.url().replace("127.0.0.1", "[::1]");
    let host = Site::new(WITH_REDIS).start(&["--redis-url", &url]).await;
    assert_eq!(run(&host, "PING").await, "status PONG");
    let host = Site::new(WITH_REDIS)
        .start(&["--variable", &format!("redis_url={url}")])
        .await;
    assert_eq!(run(&host, "PING").await, "status PONG");
    refused(
        &["--variable", "redis_url=redis://[::1]"],
        &["IPv6 address without a port"],
    )
    .await;
}

/// Makes an authority in `ca.pem` of the folder, and a certificate of it for 127.0.0.1 in `cert.pem` and `key.pem`.
fn certificates(dir: &Path) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).unwrap();
    std::fs::write(dir.join("ca.pem"), authority.pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    std::fs::write(dir.join("cert.pem"), certificate.pem()).unwrap();
    std::fs::write(dir.join("key.pem"), key.serialize_pem()).unwrap();
}

#[tokio::test]
async fn tls_works_where_the_certificate_is_trusted_and_is_refused_where_it_is_not() {
    let redis = Redis::start();
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let (cert, key, authority) = (path("cert.pem"), path("key.pem"), path("ca.pem"));
    let settings = [
        "CONFIG",
        "SET",
        "tls-cert-file",
        &cert,
        "tls-key-file",
        &key,
        "tls-ca-cert-file",
        &authority,
        "tls-auth-clients",
        "no",
        "tls-port",
        &port,
    ];
    redis.query::<()>(&settings).await;
    redis.run("ACL SETUSER ann on >hunter2 ~* +@all").await;
    let tls = format!("rediss://ann:hunter2@127.0.0.1:{port}/3");
    let site = Site::new(WITH_REDIS).environment("SSL_CERT_FILE", authority.clone());
    let host = site.start(&["--redis-url", &tls]).await;
    assert_eq!(run(&host, "SET\nkey\nvalue").await, "status OK");
    assert_eq!(run(&host, "ACL\nWHOAMI").await, "binary ann");
    assert!(!host.log().contains("WARN"), "{}", host.log());

    refused(&["--redis-url", &tls], &["TLS fails", "certificate", "SSL_CERT_FILE"]).await;
    let plain = format!("redis://127.0.0.1:{port}");
    let mut host = Site::new(WITH_REDIS).start(&["--redis-url", &plain]).await;
    host.log_line(&["WARN", "cannot be used now", "with TLS", "rediss://"])
        .await;
    let tls = redis.url().replace("redis://", "rediss://");
    let mut host = Site::new(WITH_REDIS).start(&["--redis-url", &tls]).await;
    host.log_line(&["WARN", "cannot be used now", "without TLS", "redis://"])
        .await;
}

async fn shows_parts_of_the_url(host: &Host) {
    for (name, value) in [
        ("redis_url", "value redis://127.0.0.1:1"),
        ("redis_user", "value ann"),
        ("redis_password", "value hunter2/?#@:% "),
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
    let url = "redis://ann:hunter2%2F%3F%23%40%3A%25%20@127.0.0.1:1/5";
    let site = Site::new(REDIS_VARIABLES);
    shows_parts_of_the_url(&site.start(&["--redis-url", url]).await).await;
    let site = site.environment("REDIS_URL", url);
    shows_parts_of_the_url(&site.start(&[]).await).await;
}
