//! `/control/{queue}` on the wire, beside what the recording shows.

use crate::support::{Host, Redis, assert_sound};

#[tokio::test]
async fn an_order_that_is_none_changes_nothing_and_is_told_why() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let long = format!("{{\"status\":\"{}\"}}", "x".repeat(70_000));
    let cases = [
        ("", 400, "content is missing"),
        ("[]", 400, "content is not valid JSON"),
        ("stop", 400, "content is not valid JSON"),
        ("{}", 400, "invalid status null"),
        ("{\"status\":1}", 400, "invalid status 1"),
        ("{\"status\":\"st\\\"op\"}", 400, "invalid status st\\\"op"),
        (&long, 413, "content is too large"),
    ];
    for (order, status, text) in cases {
        let answer = client.send("POST", "/control/x", &[], order.to_owned()).await;
        assert_eq!(
            answer.brief(),
            (status, &*format!("{{\"error\":\"{text}\"}}")),
            "{order}"
        );
    }
    assert_eq!(
        client.get("/control/x").await.text(),
        "{\"queue\":\"x\",\"status\":null}"
    );
}

#[tokio::test]
async fn a_queue_is_stopped_before_its_first_job_and_a_deleted_one_stays_stopped() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let stopped = client
        .send("POST", "/control/x", &[], "{\"status\":\"stop\",\"why\":1}")
        .await;
    assert_eq!(stopped.brief(), (200, "{\"queue\":\"x\",\"response\":\"updated\"}"));
    client.insert("/q/x", "1").await;
    assert_eq!(client.send("DELETE", "/q/x", &[], "").await.status, 204);
    assert_eq!(
        client.get("/control/x").await.text(),
        "{\"queue\":\"x\",\"status\":\"0\"}"
    );
    assert_eq!(client.get("/q/x").await.text(), "{\"error\":\"queue is closed\"}");
    assert_sound(&redis).await;
}

#[tokio::test]
async fn control_answers_head_and_options_and_names_its_methods() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let methods = Some("GET, HEAD, OPTIONS, POST");
    let head = client.send("HEAD", "/control/x", &[], "").await;
    assert_eq!((head.brief(), head.header("content-length")), ((200, ""), Some("27")));
    assert_eq!(
        client.send("OPTIONS", "/control/x", &[], "").await.header("allow"),
        methods
    );
    let put = client.send("PUT", "/control/x", &[], "{}").await;
    assert_eq!((put.status.as_u16(), put.header("allow")), (405, methods));
}
