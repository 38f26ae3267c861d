//! The JSON protocol, beside what the recording shows.

use super::refusal;
use crate::support::{Answer, Client, Host, Redis, assert_sound};

async fn run(client: &Client, target: &str, command: &str) -> Answer {
    let form = format!("body={}", percent_encoded(command));
    client.form(target, &form).await
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn values_that_are_no_strings_are_kept_as_their_json_text() {
    let redis = Redis::start();
    let (host, presque) = (Host::restmq_on(&redis), Host::on(&redis));
    let client = host.client();
    for (value, told) in [
        ("{\"a\" : 1.50}", r#""{\"a\" : 1.50}""#),
        ("null", "\"null\""),
        ("12", "\"12\""),
        ("\"12\"", "\"12\""),
        ("\"\"", "\"\""),
        ("\"\\u00e9</\"", r#""\u00e9<\/""#),
    ] {
        let added = run(
            &client,
            "/queue",
            &format!("{{\"cmd\":\"add\",\"queue\":\"x\",\"value\":{value}}}"),
        )
        .await;
        assert!(
            added
                .text()
                .starts_with(&format!("{{\"queue\": \"x\", \"value\": {told}, \"key\": \"x:")),
            "{added:?}"
        );
        let taken = run(&client, "/queue", "{\"cmd\":\"take\",\"queue\":\"x\"}").await;
        assert_eq!(taken.text(), added.text());
        assert_eq!(taken.header("content-type"), Some("application/json"));
    }
    run(
        &client,
        "/queue",
        "{\"cmd\":\"add\",\"queue\":\"x\",\"value\":{\"a\" : 1.50}}",
    )
    .await;
    assert_eq!(presque.client().get("/q/x").await.text(), "{\"a\" : 1.50}");
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_body_of_json_is_a_command_and_the_path_may_name_the_queue() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    let added = client.post("/queue/a+b", "{\"cmd\":\"add\",\"value\":\"v\"}").await;
    assert_eq!(
        added.text(),
        "{\"queue\": \"a b\", \"value\": \"v\", \"key\": \"a b:1\"}"
    );
    let added = client
        .post("/queue/a+b", "{\"cmd\":\"add\",\"value\":\"v\",\"queue\":\"c\"}")
        .await;
    assert_eq!(added.text(), "{\"queue\": \"c\", \"value\": \"v\", \"key\": \"c:1\"}");
    let shown = run(&client, "/queue/c", "{\"cmd\":\"get\"}").await;
    assert_eq!(
        shown.text(),
        "{\"queue\": \"c\", \"count\": 1, \"value\": \"v\", \"key\": \"c:1\"}"
    );
    let answer = client.get("/queue").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, Some("/")));
}

#[tokio::test]
async fn a_message_is_deleted_by_its_key_and_then_not_there() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    for value in ["1", "2", "3"] {
        client.form("/q/x", &format!("value={value}")).await;
    }
    let del = async |key: &str| {
        let answer = run(
            &client,
            "/queue",
            &format!("{{\"cmd\":\"del\",\"queue\":\"x\",\"key\":\"{key}\"}}"),
        )
        .await;
        answer.text().to_owned()
    };
    assert_eq!(
        del("x:2").await,
        "{\"queue\": \"x\", \"deleted\": true, \"key\": \"x:2\"}"
    );
    for key in ["x:2", "x:9", "y:1", "x:", "x:01", "1", "", "x:99999999999999999999"] {
        assert_eq!(
            del(key).await,
            format!("{{\"queue\": \"x\", \"deleted\": false, \"key\": \"{key}\"}}")
        );
    }
    assert_eq!(
        client.get("/q/x").await.text(),
        "{\"count\": 0, \"key\": \"x:1\", \"value\": \"1\"}\r\n"
    );
    assert_eq!(
        client.get("/q/x").await.text(),
        "{\"count\": 0, \"key\": \"x:3\", \"value\": \"3\"}\r\n"
    );
    assert_sound(&redis).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_command_is_told() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    let deep = format!(
        "{{\"cmd\":\"add\",\"queue\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    for (command, error) in [
        ("{\"cmd\":\"nope\"}", "null resultset"),
        ("{\"cmd\":1}", "null resultset"),
        ("{\"cmd\":\"add\"}", "'queue'"),
        ("{\"cmd\":\"add\",\"queue\":[]}", "'queue' must be a string"),
        ("{\"cmd\":\"add\",\"queue\":\"x\"}", "'value'"),
        ("{\"cmd\":\"del\",\"queue\":\"x\"}", "'key'"),
        ("{\"cmd\":\"del\",\"queue\":\"x\",\"key\":1}", "'key' must be a string"),
        ("{\"cmd\":\"take\",\"queue\":\"x\"}", "empty queue"),
        ("{\"cmd\":\"get\",\"queue\":\"x\"}", "empty queue"),
        (&deep, "'queue' must be a string"),
    ] {
        let answer = client.post("/queue", command.to_owned()).await;
        assert_eq!(
            answer.brief(),
            (200, &*format!("{{\"error\": \"{error}\"}}")),
            "{command:.60}"
        );
        let html = error == "null resultset";
        assert_eq!(answer.header("content-type").unwrap().starts_with("text/html"), html);
    }
    for command in [
        "",
        "{",
        "[]",
        "7",
        "{}",
        "{\"queue\":\"x\"}",
        "{\"cmd\":\"add\",\"queue\":\"\",\"value\":\"v\"}",
        "{\"cmd\":\"add\",\"queue\":\"\\u0001\",\"value\":\"v\"}",
    ] {
        let answer = client.post("/queue", command.to_owned()).await;
        assert_eq!(answer.brief(), (400, &*refusal("400: Bad Request")), "{command}");
    }
    for form in ["", "x=1", "body=", "body=x"] {
        assert_eq!(
            client.form("/queue", form).await.brief(),
            (400, &*refusal("400: Bad Request")),
            "{form}"
        );
    }
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_store_that_is_out_of_reach_is_told_in_json_here_and_by_status_elsewhere() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    assert_eq!(client.form("/q/x", "value=1").await.status, 200);
    drop(redis);
    let answer = client.post("/queue", "{\"cmd\":\"take\",\"queue\":\"x\"}").await;
    assert_eq!(answer.brief(), (200, "{\"error\": \"Not connected\"}"));
    for (method, target) in [
        ("GET", "/q/x"),
        ("POST", "/q/x?value=1"),
        ("DELETE", "/q/x"),
        ("GET", "/q/"),
        ("GET", "/p/x"),
        ("GET", "/j/x"),
        ("GET", "/stats/"),
        ("GET", "/control/x"),
    ] {
        let answer = client.send(method, target, &[], "").await;
        assert_eq!(
            answer.brief(),
            (503, &*refusal("503: Service Unavailable")),
            "{method} {target}"
        );
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}
