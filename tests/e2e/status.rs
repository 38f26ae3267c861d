//! `/status/` and `/j/` on the wire, beside what the recording shows.

use crate::support::{Host, Redis};

#[tokio::test]
async fn names_come_back_as_they_went_in_on_every_route() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    for (path, json) in [
        ("a/b", "a/b"),
        ("%C3%A9", "é"),
        ("a%22b%5C", "a\\\"b\\\\"),
        ("%7D:ready", "}:ready"),
        ("a+b", "a+b"),
    ] {
        client.insert(&format!("/q/{path}"), "1").await;
        let answers = [
            (
                format!("/status/{path}"),
                format!("{{\"queue\":\"{json}\",\"size\":\"1\"}}"),
            ),
            (
                format!("/control/{path}"),
                format!("{{\"queue\":\"{json}\",\"status\":\"1\"}}"),
            ),
            (
                format!("/j/{path}"),
                format!("{{\"queue_name\":\"{json}\",\"job_count\":\"1\",\"job_failed\":0,\"job_processed\":0}}"),
            ),
        ];
        for (target, text) in answers {
            assert_eq!(client.get(&target).await.text(), text, "{target}");
        }
    }
    let listed = client.get("/status").await;
    assert_eq!(
        listed.text(),
        r#"{"queues":["a\"b\\","a+b","a/b","}:ready","é"],"size":5}"#
    );
}

#[tokio::test]
async fn jobs_are_described_unless_the_parameter_is_0_or_empty() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    client.insert("/q/x", b"\"caf\xe9\"".to_vec()).await;
    for with in ["1", "yes", "00"] {
        let answer = client.get(&format!("/status/x?with_desc={with}")).await;
        assert_eq!(
            answer.text(),
            "{\"queue\":\"x\",\"size\":\"1\",\"jobs\":[\"\\\"café\\\"\"]}",
            "{with}"
        );
    }
    for without in ["", "?with_desc", "?with_desc=", "?with_desc=0"] {
        let answer = client.get(&format!("/status/x{without}")).await;
        assert_eq!(answer.text(), "{\"queue\":\"x\",\"size\":\"1\"}", "{without}");
    }
}

#[tokio::test]
async fn read_only_routes_answer_head_without_the_body_and_take_nothing_else() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    for target in ["/status/", "/status/x", "/j/x"] {
        let get = client.get(target).await;
        let head = client.send("HEAD", target, &[], "").await;
        assert_eq!(head.brief(), (200, ""), "{target}");
        assert_eq!(head.header("content-length"), get.header("content-length"), "{target}");
        let methods = Some("GET, HEAD, OPTIONS");
        assert_eq!(client.send("OPTIONS", target, &[], "").await.header("allow"), methods);
        for method in ["POST", "PUT", "DELETE"] {
            let answer = client.send(method, target, &[], "{}").await;
            assert_eq!(
                (answer.status.as_u16(), answer.header("allow")),
                (405, methods),
                "{method} {target}"
            );
        }
    }
}
