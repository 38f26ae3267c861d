//! Messages in and out, beside what the recording shows.

use super::{brief, context, refusal, request, serve};
use crate::support::{Host, NativeStore, Redis, assert_sound};
use std::time::Duration;

#[tokio::test]
async fn a_message_is_a_job_for_all_dialects_and_comes_back_as_it_was() {
    let redis = Redis::start();
    let (host, presque) = (Host::restmq_on(&redis), Host::on(&redis));
    let (client, presque) = (host.client(), presque.client());
    for (value, job) in [
        ("00012", "\"00012\""),
        ("12", "12"),
        ("%7B%22a%22%3A1.50%7D", "{\"a\":1.50}"),
        ("caf%C3%A9", "\"café\""),
        ("caf%E9", "\"café\""),
    ] {
        assert_eq!(client.form("/q/x", &format!("value={value}")).await.status, 200);
        assert_eq!(presque.get("/q/x").await.brief(), (200, job));
    }
    for (job, value) in [
        ("\"s\"", r#""\"s\"""#),
        ("{\"a\": \"</b>é\"}", r#""{\"a\": \"<\/b>\u00e9\"}""#),
        ("{\"a\":\"\u{1f600}\"}", r#""{\"a\":\"\ud83d\ude00\"}""#),
    ] {
        presque.insert("/q/y", job).await;
        let answer = client.get("/q/y").await;
        let start = "{\"count\": 0, \"key\": \"y:";
        assert!(answer.text().starts_with(start) && answer.text().ends_with(&format!("\"value\": {value}}}\r\n")));
    }
    assert_sound(&redis).await;
}

#[tokio::test]
async fn numbers_go_on_after_a_deletion_which_tells_whether_there_was_something() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    let delete = async |target| client.send("DELETE", target, &[], "").await;
    assert_eq!(delete("/q/x").await.text(), "{\"queue\": \"x\", \"status\": 0}\r\n");
    assert_eq!(client.form("/q/x", "value=a").await.text(), "x:1\r\n");
    assert_eq!(delete("/q/x").await.text(), "{\"queue\": \"x\", \"status\": 1}\r\n");
    assert_eq!(
        delete("/q/x?callback=cb").await.text(),
        "cb({\"queue\": \"x\", \"status\": 0});\r\n"
    );
    assert_eq!(client.get("/q/x").await.status, 204);
    assert_eq!(client.form("/q/x", "value=b").await.text(), "x:2\r\n");
    assert_sound(&redis).await;
}

#[tokio::test]
async fn an_empty_queue_answers_without_a_body_and_its_type() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let answer = host.client().get("/q/x").await;
    assert_eq!(answer.brief(), (204, ""));
    assert_eq!(
        (answer.header("content-type"), answer.header("content-length")),
        (None, None)
    );
    let conditional = [
        ("If-None-Match", "*"),
        ("If-Modified-Since", "Sat, 21 Nov 2099 00:00:00 GMT"),
    ];
    host.client().form("/q/x", "value=a").await;
    let answer = host.client().send("GET", "/q/x", &conditional, "").await;
    assert_eq!(
        answer.brief(),
        (200, "{\"count\": 0, \"key\": \"x:1\", \"value\": \"a\"}\r\n")
    );
    assert_eq!(answer.header("content-type"), Some("text/html; charset=UTF-8"));
}

#[tokio::test]
async fn a_ttl_is_a_whole_number_of_seconds() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    for wrong in ["0", "-1", "1.5", "soon", "1s", "%FF"] {
        let answer = client.form("/q/x", &format!("value=a&ttl={wrong}")).await;
        assert_eq!(answer.brief(), (400, &*refusal("400: Bad Request")), "{wrong}");
        let answer = client.form("/", &format!("queue=x&value=a&ttl={wrong}")).await;
        assert_eq!(answer.status, 400, "{wrong}");
    }
    for (ttl, key) in [("", 1), ("99999999999999999999", 2), ("+60+", 3)] {
        let answer = client.form("/q/x", &format!("value=late&ttl={ttl}")).await;
        assert_eq!(answer.text(), format!("x:{key}\r\n"), "{ttl}");
    }
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_message_is_there_until_its_time_is_over() {
    let redis = Redis::start();
    let (store, mut clock) = redis.store_with_clock().await;
    let context = context(store, 1000);
    let send = async |method: &str, target: &str| {
        let answer = serve(request(method, target, &[], ""), &context).await;
        brief(answer).await.1
    };
    for value in ["a&ttl=60", "b&ttl=60", "c"] {
        send("POST", &format!("/q/x?value={value}")).await;
    }
    clock.pass(Duration::from_millis(59_999)).await;
    let key = |number, value| format!("{{\"count\": 0, \"key\": \"x:{number}\", \"value\": \"{value}\"}}\r\n");
    assert_eq!(send("GET", "/q/x").await, key(1, "a"));
    clock.pass(Duration::from_millis(1)).await;
    assert_eq!(send("GET", "/q/x").await, key(3, "c"));
}

#[tokio::test]
async fn the_root_leads_to_the_list_and_an_empty_queue_is_not_found_there() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    let answer = client.get("/").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, Some("/q/")));
    assert_eq!(client.get("/?queue=").await.status, 302);
    assert_eq!(
        client.get("/?queue=x").await.brief(),
        (404, &*refusal("404: Not Found"))
    );
    assert_eq!(client.get("/nowhere").await.brief(), (404, &*refusal("404: Not Found")));
}

#[tokio::test]
async fn head_takes_no_message() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    client.form("/q/x", "value=a").await;
    for target in ["/q/x", "/?queue=x"] {
        assert_eq!(client.send("HEAD", target, &[], "").await.status, 405, "{target}");
    }
    assert_eq!(client.get("/q/x").await.status, 200);
}
