//! Remote calls, as XML-RPC clients make them.

use crate::support::{Answer, Client, Host, HostOptions, Redis};

async fn post(client: &Client, body: impl Into<bytes::Bytes>) -> Answer {
    client
        .send("POST", "/xmlrpc", &[("Content-Type", "text/xml")], body)
        .await
}

/// Calls a method with strings, and gives the answer without line feeds.
async fn call(client: &Client, method: &str, arguments: &[&str]) -> String {
    let params: String = arguments
        .iter()
        .map(|text| format!("<param>\n<value><string>{text}</string></value>\n</param>\n"))
        .collect();
    let body = format!(
        "<?xml version='1.0'?>\n<methodCall>\n<methodName>{method}</methodName>\n<params>\n{params}</params>\n</methodCall>\n"
    );
    answer(post(client, body).await)
}

fn answer(answer: Answer) -> String {
    assert_eq!(
        (answer.status.as_u16(), answer.header("content-type")),
        (200, Some("text/xml"))
    );
    answer.text().replace('\n', "")
}

fn response(value: &str) -> String {
    format!(
        "<?xml version='1.0'?><methodResponse><params><param><value>{value}</value></param></params></methodResponse>"
    )
}

fn message(value: &str, key: &str) -> String {
    response(&format!(
        "<struct><member><name>count</name><value><int>0</int></value></member>\
         <member><name>value</name><value>{value}</value></member>\
         <member><name>key</name><value><string>{key}</string></value></member></struct>"
    ))
}

fn fault(code: u16, text: &str) -> String {
    format!(
        "<?xml version='1.0'?><methodResponse><fault><value><struct>\
         <member><name>faultCode</name><value><int>{code}</int></value></member>\
         <member><name>faultString</name><value><string>{text}</string></value></member>\
         </struct></value></fault></methodResponse>"
    )
}

#[tokio::test]
async fn messages_go_in_and_out_by_calls() {
    let redis = Redis::start();
    for host in [Host::on(&redis), Host::restmq_on(&redis)] {
        let client = host.client();
        redis.run("FLUSHALL").await;
        assert_eq!(
            call(&client, "set", &["letters", "00012"]).await,
            response("<string>letters:1</string>")
        );
        assert_eq!(
            call(&client, "set", &["letters", "a &lt; b"]).await,
            response("<string>letters:2</string>")
        );
        assert_eq!(
            call(&client, "get", &["letters"]).await,
            message("<string>00012</string>", "letters:1")
        );
        assert_eq!(
            call(&client, "get", &["letters"]).await,
            message("<string>a &lt; b</string>", "letters:2")
        );
        assert_eq!(call(&client, "get", &["letters"]).await, fault(8002, "error"));
    }
}

#[tokio::test]
async fn calls_and_the_other_routes_share_their_messages() {
    let redis = Redis::start();
    let host = Host::restmq_on(&redis);
    let client = host.client();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    client.send("POST", "/q/mixed", &form, "value=caf%C3%A9+%1B%5B0m").await;
    client.send("POST", "/q/mixed", &form, "value=%7B%22a%22%3A1%7D").await;
    call(&client, "set", &["mixed", "<![CDATA[{\"b\":\"<&>\"}]]>"]).await;
    // XML has no escape character, in no way.
    let bytes = "<base64>Y2Fmw6kgG1swbQ==</base64>";
    assert_eq!(call(&client, "get", &["mixed"]).await, message(bytes, "mixed:1"));
    assert_eq!(
        call(&client, "get", &["mixed"]).await,
        message("<string>{\"a\":1}</string>", "mixed:2")
    );
    let taken = client.get("/q/mixed").await;
    let shown = "{\"count\": 0, \"key\": \"mixed:3\", \"value\": \"{\\\"b\\\":\\\"<&>\\\"}\"}\r\n";
    assert_eq!(taken.brief(), (200, shown));
}

#[tokio::test]
async fn what_is_wrong_with_a_call_is_a_fault() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    assert_eq!(
        call(&client, "nope", &["q"]).await,
        fault(8001, "function nope not found")
    );
    for (method, arguments) in [
        ("get", &["never"][..]),
        ("get", &[]),
        ("get", &["q", "v"]),
        ("get", &[""]),
        ("get", &["a\tb"]),
        ("set", &["q"]),
        ("set", &["", "v"]),
        ("set", &["q", "v", "1"]),
    ] {
        assert_eq!(
            call(&client, method, arguments).await,
            fault(8002, "error"),
            "{method} {arguments:?}"
        );
    }
    let text = answer(post(&client, "queue=q&value=v").await);
    let body = "Can't deserialize input: there is text outside of its root element";
    assert_eq!(text, fault(8002, body));
    assert!(answer(post(&client, "").await).contains("Can't deserialize input: "));
    assert!(answer(post(&client, "<a></b>").await).contains("Can't deserialize input: "));
}

#[tokio::test]
async fn documents_made_to_exhaust_a_component_are_refused_and_it_lives() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let mut laughs = String::from("<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY lol0 'lol'>");
    for n in 1..10 {
        let last = format!("&lol{};", n - 1);
        laughs += &format!("<!ENTITY lol{n} '{}'>", last.repeat(10));
    }
    laughs += "]><methodCall><methodName>&lol9;</methodName></methodCall>";
    let wide: String = (0..100_000).map(|n| format!(" a{n}='' xmlns:n{n}='{n}'")).collect();
    for (document, why) in [
        (laughs, "a document type is not allowed"),
        (
            ["<a>".repeat(100_000), "</a>".repeat(100_000)].concat(),
            "it is nested deeper than 32 levels",
        ),
        (
            format!("<a>{}</a>", "<b/>".repeat(100_000)),
            "it has more than 1000 elements",
        ),
        (format!("<a{wide}/>"), "it is no methodCall"),
        ("<".repeat(4 << 20), "tag not closed"),
    ] {
        let text = answer(post(&client, document).await);
        assert!(
            text.contains("Can't deserialize input: ") && text.contains(why),
            "{why}: {text}"
        );
    }
    assert_eq!(
        call(&client, "set", &["q", "v"]).await,
        response("<string>q:1</string>")
    );
}

#[tokio::test]
async fn a_message_may_be_as_large_as_a_job() {
    let redis = Redis::start();
    let host = Host::start(HostOptions {
        redis_url: Some(redis.url()),
        args: &["--variable", "max_job_bytes=1002"],
        ..HostOptions::default()
    });
    let client = host.client();
    let largest = "é".repeat(500);
    assert_eq!(
        call(&client, "set", &["q", &largest]).await,
        response("<string>q:1</string>")
    );
    let body = format!(
        "<methodCall><methodName>set</methodName><params><param><value>q</value></param><param><value>{largest}!</value></param></params></methodCall>"
    );
    assert_eq!(post(&client, body).await.status, 413);
    let value = format!("<string>{largest}</string>");
    assert_eq!(call(&client, "get", &["q"]).await, message(&value, "q:1"));
}

#[tokio::test]
async fn only_post_calls_and_a_store_out_of_reach_is_no_fault() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        let answer = client.send(method, "/xmlrpc", &[], "").await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("allow")),
            (405, Some("OPTIONS, POST")),
            "{method}"
        );
    }
    let answer = client.send("OPTIONS", "/xmlrpc", &[], "").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("allow")),
        (204, Some("OPTIONS, POST"))
    );
    drop(redis);
    let body = "<methodCall><methodName>get</methodName><params><param><value>q</value></param></params></methodCall>";
    let answer = post(&client, body).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("1")));
}
