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
async fn a_log_for_programs_has_what_components_print_in_lines_of_json_too() {
    let site = Site::new(PLAIN);
    let arguments = [
        "--log-format",
        "json",
        "--log-level",
        "error",
        "--max-instance-reuse-count",
        "1",
    ];
    let mut host = site.start(&arguments).await;
    let requests = (0..20).map(|_| host.get("/print?text")).collect::<Vec<_>>();
    for answer in futures_util::future::join_all(requests).await {
        assert_eq!(answer.status, 200);
    }
    host.log_lines(&["in \\\"pieces\\\": text", "stderr"], 200).await;
    host.log_lines(&["\"message\":\"out: text\"", "\"stream\":\"stdout\""], 20)
        .await;
    host.log_lines(&["\"message\":\"open: text\""], 20).await;
    host.get("/panic").await;
    host.log_line(&["panicked at"]).await;
    for line in host.log().lines() {
        let line: Value = serde_json::from_str(line).expect(line);
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
        assert_eq!(line["component"], "guest", "{line}");
    }
}

#[tokio::test]
async fn a_log_for_programs_has_the_reason_of_a_start_that_fails_in_a_line_of_json() {
    let site = Site::new(&PLAIN.replace("GUEST", "not/built.wasm"));
    let (code, log) = site.refused(&["--log-format", "json", "--log-level", "off"]).await;
    assert_eq!(code, Some(2));
    let line: Value = serde_json::from_str(&log).expect(&log);
    assert_eq!(line["level"], "ERROR");
    assert!(line["message"].as_str().unwrap().contains("not built"), "{line}");
}

#[tokio::test]
async fn a_log_for_people_names_the_component_that_prints() {
    let mut host = Site::new(PLAIN).start(&[]).await;
    host.get("/print?text").await;
    host.log_lines(&["INFO in \"pieces\": text component=\"guest\" stream=\"stderr\""], 10)
        .await;
    host.log_line(&["INFO out: text component=\"guest\" stream=\"stdout\""])
        .await;
}

#[tokio::test]
async fn the_log_is_as_loud_as_asked() {
    let host = Site::new(PLAIN).start(&["--log-level", "error"]).await;
    assert_eq!(host.get("/instance").await.status, 200);
    assert_eq!(host.log(), "");
}
