//! What clients send, well or badly.

use super::{brief, context, refusal, request, serve};
use crate::support::{Host, NativeStore, Redis, assert_sound};

const BAD: &str = "400: Bad Request";

#[tokio::test]
async fn fields_come_from_the_query_and_the_form_and_blank_ones_are_none() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    let value = async || {
        let answer = client.get("/q/x").await;
        let text: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        text["value"].as_str().unwrap().to_owned()
    };
    for (target, form, expected) in [
        ("/?queue=y&value=1", "queue=x&value=2", "2"),
        ("/?queue=x&value=1", "value=+%20", "1"),
        ("/q/x?value=1", "value=2&value=3&value=", "3"),
        ("/q/x?msg=1", "value=2", "1"),
        ("/q/x", "value=%0A+a++b%09", "a  b"),
        ("/q/x", "&value=a=b&c", "a=b"),
    ] {
        assert_eq!(client.form(target, form).await.status, 200, "{target} {form}");
        assert_eq!(value().await, expected, "{target} {form}");
    }
    for (target, form) in [
        ("/q/x", "value=&msg=+"),
        ("/", "queue=+&value=1"),
        ("/", "queue=x&value=%20"),
        ("/q/x", ""),
    ] {
        assert_eq!(
            client.form(target, form).await.brief(),
            (400, &*refusal(BAD)),
            "{target} {form}"
        );
    }
}

#[tokio::test]
async fn a_form_in_parts_is_a_form_and_a_file_a_value() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    let body = b"--Bnd\r\nContent-Disposition: form-data; name=\"value\"; filename=\"a.bin\"\r\n\
        Content-Type: application/octet-stream\r\n\r\n\xe9\"\r\n\r\n--Bnd--\r\n";
    let send = async |media: &str, body: &[u8]| {
        client
            .send("POST", "/q/x", &[("Content-Type", media)], body.to_vec())
            .await
    };
    assert_eq!(send("multipart/form-data; boundary=Bnd", body).await.text(), "x:1\r\n");
    let answer = client.get("/q/x").await;
    assert_eq!(
        answer.text(),
        "{\"count\": 0, \"key\": \"x:1\", \"value\": \"\\u00e9\\\"\"}\r\n"
    );
    let huge = format!("multipart/form-data; boundary={}", "b".repeat(50_000));
    let many = "--Bnd\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n".repeat(1001) + "--Bnd--";
    let cases: [(&str, &[u8]); 9] = [
        ("multipart/form-data; boundary=Bnd", &body[..80]),
        ("multipart/form-data; boundary=Bnd", b"value=1"),
        ("multipart/form-data; boundary=Bnd", many.as_bytes()),
        ("multipart/form-data; boundary=other", body),
        ("multipart/form-data", body),
        (&huge, body),
        ("multipart/mixed; boundary=Bnd", body),
        ("text/plain", b"value=1"),
        ("application/json", b"{\"value\":\"1\"}"),
    ];
    for (media, body) in cases {
        let answer = send(media, body).await;
        assert_eq!(answer.brief(), (400, &*refusal(BAD)), "{:.60}", media);
    }
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_queue_is_named_as_a_form_writes_it() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    for (path, form, key) in [
        ("/q/a+b%2Bc", "value=1", "a b+c:1"),
        ("/", "queue=a+b%2Bc&value=1", "a b+c:2"),
        ("/q/a/b/", "value=1", "a/b/:1"),
        ("/q/%C3%A9%3C", "value=1", "é<:1"),
    ] {
        assert_eq!(client.form(path, form).await.text(), format!("{key}\r\n"));
    }
    let long = "n".repeat(513);
    for name in [&*long, "%FF", "a%00", "a%0Ab"] {
        for (method, target) in [
            ("GET", format!("/q/{name}")),
            ("DELETE", format!("/q/{name}")),
            ("GET", format!("/?queue={name}")),
            ("POST", format!("/?queue={name}&value=1")),
            ("POST", format!("/q/{name}?value=1")),
            ("GET", format!("/p/{name}")),
            ("POST", format!("/p/{name}?policy=broadcast")),
            ("GET", format!("/j/{name}")),
            ("GET", format!("/stats/{name}")),
            ("GET", format!("/control/{name}")),
            ("POST", format!("/control/{name}?status=stop")),
        ] {
            let answer = client.send(method, &target, &[], "").await;
            assert_eq!(answer.brief(), (400, &*refusal(BAD)), "{method} {target}");
        }
    }
    assert_sound(&redis).await;
}

#[tokio::test]
async fn only_a_name_is_called_back_and_nothing_is_done_for_another() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    client.form("/q/x", "value=1").await;
    let script = "callback=%3Cscript%3Ealert(1)%3C/script%3E";
    for (method, target) in [
        ("GET", format!("/q/x?{script}")),
        ("GET", format!("/?queue=x&{script}")),
        ("DELETE", format!("/q/x?{script}")),
        ("POST", format!("/q/x?value=2&{script}")),
        ("POST", format!("/?queue=x&value=2&{script}")),
        ("GET", format!("/p/x?{script}")),
        ("POST", format!("/p/x?policy=roundrobin&{script}")),
        ("GET", format!("/stats/x?{script}")),
        ("POST", format!("/control/x?status=stop&{script}")),
        ("GET", format!("/q/x?callback={}", "c".repeat(257))),
    ] {
        let answer = client.send(method, &target, &[], "").await;
        assert_eq!(answer.brief(), (400, &*refusal(BAD)), "{method} {target}");
    }
    let answer = client.get("/q/x?callback=jQuery1_2.cb%5B0%5D").await;
    assert_eq!(
        answer.text(),
        "jQuery1_2.cb[0]({\"count\": 0, \"key\": \"x:1\", \"value\": \"1\"});\r\n"
    );
    assert_eq!(
        client.get("/stats/x?callback=cb").await.text(),
        "cb({\"queue\": \"x\", \"redis\": \"connected\", \"len\": 0})"
    );
    assert_eq!(
        client.get("/p/x").await.text(),
        "{\"queue\": \"x\", \"value\": \"unknown\"}\r\n"
    );
    assert!(client.get("/control/x").await.text().contains("\"status\": 1"));
}

#[tokio::test]
async fn a_route_names_its_methods() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    for (target, methods) in [
        ("/", "GET, HEAD, OPTIONS, POST"),
        ("/q/", "GET, HEAD, OPTIONS"),
        ("/q/x", "DELETE, GET, OPTIONS, POST"),
        ("/queue", "GET, HEAD, OPTIONS, POST"),
        ("/queue/x", "GET, HEAD, OPTIONS, POST"),
        ("/p/x", "GET, HEAD, OPTIONS, POST"),
        ("/j/x", "GET, HEAD, OPTIONS"),
        ("/stats/", "GET, HEAD, OPTIONS"),
        ("/control/", "GET, HEAD, OPTIONS"),
        ("/control/x", "GET, HEAD, OPTIONS, POST"),
        ("/c/x", "GET, OPTIONS"),
        ("/xmlrpc", "OPTIONS, POST"),
    ] {
        let answer = client.send("PUT", target, &[], "").await;
        assert_eq!(answer.brief(), (405, &*refusal("405: Method Not Allowed")), "{target}");
        assert_eq!(answer.header("allow"), Some(methods), "{target}");
        let answer = client.send("OPTIONS", target, &[], "").await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("allow")),
            (204, Some(methods)),
            "{target}"
        );
        if methods.contains("HEAD") {
            let answer = client.send("HEAD", target, &[], "").await;
            assert!(answer.status.as_u16() < 400 && answer.body.is_empty(), "{target}");
        }
    }
}

#[tokio::test]
async fn a_value_over_the_limit_is_refused_however_it_is_written() {
    let redis = Redis::start();
    let context = context(redis.store().await, 1000);
    let send = async |target: &str, body: &str| {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        brief(serve(request("POST", target, &form, body), &context).await).await
    };
    let too_large = (413, refusal("413: Payload Too Large"));
    // Two more bytes are the quotes of the JSON string that stands for a text.
    for text in ["a", "%61"] {
        let value = |length| format!("value={}", text.repeat(length));
        assert_eq!(send("/q/x", &value(998)).await.0, 200, "{text}");
        assert_eq!(send("/q/x", &value(999)).await, too_large, "{text}");
        assert_eq!(send("/q/x", &value(70_000)).await, too_large, "{text}");
    }
    assert_eq!(send("/q/x", &format!("value={}", "1".repeat(1000))).await.0, 200);
    for target in ["/p/x", "/control/x"] {
        assert_eq!(send(target, &"x".repeat(70_000)).await, too_large, "{target}");
    }
}

#[tokio::test]
async fn there_is_no_websocket_and_the_stream_is_named_instead() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let answer = host.client().get("/ws/a&b").await;
    assert_eq!(answer.status, 426);
    assert!(answer.text().contains("<title>426: Upgrade Required</title>") && answer.text().contains("/c/a&amp;b"));
}
