//! What the command logs.

use super::support::{PLAIN, Site};
use serde_json::Value;

#[tokio::test]
async fn each_request_has_a_line_in_the_log() {
    let mut host = Site::new(PLAIN).start(&[]).await;
    let client = host.client();
    client.send("POST", "/instance?secret", &[], "body").await;
    client.get("/error").await;
    client.get("/.well-known/spin/health").await;
    let lines = host
        .log_lines(&["INFO request", "micros=", "client=127.0.0.1:"], 3)
        .await;
    for (line, parts) in lines.iter().zip([
        ["method=POST", "path=\"/instance\"", "status=200", "component=\"guest\""],
        ["method=GET", "path=\"/error\"", "status=500", "component=\"guest\""],
        [
            "method=GET",
            "path=\"/.well-known/spin/health\"",
            "status=200",
            "component=\"-\"",
        ],
    ]) {
        assert!(parts.iter().all(|part| line.contains(part)), "{line}");
        assert!(
            !line.contains("secret"),
            "a query may hold what is not for the log: {line}"
        );
    }
}

#[tokio::test]
async fn a_log_for_programs_has_a_json_object_in_each_line() {
    let mut host = Site::new(PLAIN).start(&["--log-format", "json"]).await;
    assert_eq!(host.get("/instance").await.status, 200);
    let line = host.log_line(&["\"message\":\"request\""]).await;
    let line: Value = serde_json::from_str(&line).unwrap();
    for (key, value) in [
        ("level", Value::from("INFO")),
        ("method", Value::from("GET")),
        ("path", Value::from("/instance")),
        ("status", Value::from(200)),
        ("component", Value::from("guest")),
    ] {
        assert_eq!(line[key], value, "{line}");
    }
    assert!(line["timestamp"].is_string() && line["micros"].is_number(), "{line}");
    for line in host.log().lines() {
        serde_json::from_str::<Value>(line).expect(line);
    }
}

#[tokio::test]
async fn the_log_is_as_loud_as_asked() {
    let host = Site::new(PLAIN).start(&["--log-level", "error"]).await;
    assert_eq!(host.get("/instance").await.status, 200);
    assert_eq!(host.log(), "");
}
