//! `/q/{queue}` on the wire: GET and POST as the dialect's contract has them.

use crate::support::{Answer, Client, Host, HostOptions, Redis};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const JSON: (&str, &str) = ("Content-Type", "application/json");

fn error(text: &str) -> String {
    format!("{{\"error\":\"{text}\"}}")
}

async fn expect_error(answer: Answer, status: u16, text: &str, what: &str) {
    assert_eq!(answer.brief(), (status, &*error(text)), "{what}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{what}");
}

#[tokio::test]
async fn a_job_goes_in_and_comes_out() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let posted = client.post("/q/foo", "{\"key\":\"value\"}").await;
    assert_eq!(posted.brief(), (201, ""));
    let got = client.get("/q/foo").await;
    assert_eq!(got.brief(), (200, "{\"key\":\"value\"}"));
    assert_eq!(got.header("content-type"), Some("application/json"));
    expect_error(client.get("/q/foo").await, 404, "no job", "empty").await;
}

#[tokio::test]
async fn every_answer_tells_its_length_and_what_it_is() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let answers = [
        client.post("/q/x", "1").await,
        client.get("/q/x").await,
        client.get("/q/x").await,
        client.get("/q/").await,
        client.post("/q/x", "").await,
        client.send("PATCH", "/q/x", &[], "").await,
    ];
    for answer in answers {
        let length = answer.header("content-length").map(str::to_owned);
        assert_eq!(length, Some(answer.body.len().to_string()), "{answer:?}");
        assert_eq!(answer.header("transfer-encoding"), None, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
    }
    // RFC 9110: a 204 has none.
    let options = client.send("OPTIONS", "/q/x", &[], "").await;
    assert_eq!((options.status.as_u16(), options.header("content-length")), (204, None));
}

#[tokio::test]
async fn jobs_are_checked_in_the_order_of_the_contract() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let text = ("Content-Type", "text/plain");
    let no_json = "content-type must be set to application/json";
    let late = "delayed must be a date in epoch seconds";
    let long = format!("/q/{}", "n".repeat(513));
    let cases = [
        ("/q/", vec![], "", 404, "queue name is missing"),
        ("/q", vec![JSON], "{}", 404, "queue name is missing"),
        ("/q/%ff", vec![], "", 400, "queue name is invalid"),
        ("/q/a%00", vec![JSON], "{}", 400, "queue name is invalid"),
        (&long, vec![JSON], "{}", 400, "queue name is invalid"),
        ("/q/x", vec![], "", 400, no_json),
        ("/q/x", vec![text], "{}", 400, no_json),
        ("/q/x", vec![form], "values=1", 400, no_json),
        ("/q/x", vec![form], "", 400, no_json),
        ("/q/x?delayed=soon", vec![JSON], "", 400, "job is missing"),
        ("/q/x?delayed=soon", vec![JSON], "{", 400, "job is not valid JSON"),
        ("/q/x?delayed=soon", vec![JSON], "{}", 400, late),
        ("/q/x?delayed=inf", vec![JSON], "{}", 400, late),
    ];
    for (target, headers, body, status, text) in cases {
        let answer = client.send("POST", target, &headers, body).await;
        expect_error(answer, status, text, &format!("{target} {headers:?} {body}")).await;
    }
    expect_error(client.get("/q/x").await, 404, "no job", "nothing was stored").await;
}

#[tokio::test]
async fn a_form_that_is_a_json_text_is_a_job_as_curl_sends_it() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let posted = client.send("POST", "/q/x", &form, "{\"foo\":\"bar\"}").await;
    assert_eq!(posted.status, 201);
    assert_eq!(client.get("/q/x").await.text(), "{\"foo\":\"bar\"}");
}

#[tokio::test]
async fn a_job_keeps_its_bytes() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let jobs: [&'static [u8]; 6] = [
        b" {\"z\": 1,\n \"a\" : 2.50 }\n",
        b"{\"a\":1,\"a\":2}",
        "{\"name\":\"é€😀\"}".as_bytes(),
        b"{\"raw\":\"caf\xe9\"}",
        b"null",
        b"\"str\"",
    ];
    for job in jobs {
        client.insert("/q/x", job).await;
        assert_eq!(client.get("/q/x").await.body, job);
    }
}

#[tokio::test]
async fn a_name_is_all_that_follows_the_prefix() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    // Each pair is one queue, and none of them meets another.
    let pairs = [
        ("/q/a/b", "/q/a%2Fb"),
        ("/q/a+b", "/q/a%2bb"),
        ("/q/foo/", "/q/foo%2F"),
        ("/q/foo", "/q/%66oo"),
        ("/q/FOO", "/q/FOO"),
        ("/q/0", "/q/0"),
        ("/q/%C3%A9", "/q/%c3%a9"),
        ("/q//", "/q/%2F"),
        ("/q/...", "/q/%2E%2E%2E"),
        ("/q/}", "/q/%7D"),
        ("/q/%257D", "/q/%257D"),
    ];
    for (inserted, _) in pairs {
        client.insert(inserted, format!("\"{inserted}\"")).await;
    }
    for (inserted, fetched) in pairs {
        assert_eq!(client.get(fetched).await.text(), format!("\"{inserted}\""));
        assert_eq!(client.get(fetched).await.status, 404, "{fetched}");
    }
}

#[tokio::test]
async fn delayed_and_uniq_are_read_from_the_query() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    client.insert("/q/d?delayed=99999999999", "\"later\"").await;
    expect_error(client.get("/q/d").await, 404, "no job", "not due").await;
    client.insert("/q/d?&delayed=9&x=1&delayed=1e3", "\"due\"").await;
    client.insert("/q/d?delayed=0", "\"now\"").await;
    assert_eq!(client.get("/q/d").await.text(), "\"due\"");
    assert_eq!(client.get("/q/d?").await.text(), "\"now\"");

    client.insert("/q/u?uniq=a", "1").await;
    expect_error(client.post("/q/u?uniq=a", "2").await, 400, "job already exists", "held").await;
    client.insert("/q/u?uniq=", "3").await;
    client.insert("/q/other?uniq=a", "4").await;
    assert_eq!(client.get("/q/u").await.text(), "1");
    client.insert("/q/u?uniq=a", "5").await;
}

#[tokio::test]
async fn a_stopped_queue_is_closed_and_takes_jobs() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    redis.run("HSET presque:{x}:meta status 0").await;
    client.insert("/q/x", "1").await;
    expect_error(client.get("/q/x").await, 404, "queue is closed", "stopped").await;
    redis.run("HSET presque:{x}:meta status 1").await;
    assert_eq!(client.get("/q/x").await.text(), "1");
}

#[tokio::test]
async fn a_worker_is_named_by_its_header_or_by_the_parameter() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    redis.run("HSET presque:{x}:workers a 0 b 0").await;
    let header = |name| [(name, "a")];
    let asks = [
        ("/q/x", &header("X-presque-workerid")[..]),
        ("/q/x?worker_id=b", &header("x-Presque-WorkerID")[..]),
        ("/q/x?worker_id=b", &[]),
    ];
    for (target, headers) in asks {
        client.insert("/q/x", "1").await;
        assert_eq!(client.send("GET", target, headers, "").await.status, 200);
    }
    let counts = redis.run("HMGET presque:{x}:workers a b").await;
    let count = |text: &str| redis::Value::BulkString(text.into());
    assert_eq!(counts, redis::Value::Array(vec![count("2"), count("1")]));
}

#[tokio::test]
async fn a_method_that_the_route_lacks_is_told_which_it_has() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    client.insert("/q/x", "1").await;
    for method in ["HEAD", "PATCH", "TRACE", "BREW"] {
        let answer = client.send(method, "/q/x", &[], "").await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(
            answer.header("allow"),
            Some("DELETE, GET, OPTIONS, POST, PUT"),
            "{method}"
        );
        let text = if method == "HEAD" {
            String::new()
        } else {
            error("method not allowed")
        };
        assert_eq!(answer.text(), text, "{method}");
    }
    let options = client.send("OPTIONS", "/q/x", &[], "").await;
    assert_eq!(
        (options.brief(), options.header("allow")),
        ((204, ""), Some("DELETE, GET, OPTIONS, POST, PUT"))
    );
    // HEAD took nothing.
    assert_eq!(client.get("/q/x").await.text(), "1");
}

/// Sends the bytes and reads the answer's head, while the request's body is still open.
async fn answer_before_the_end(host: &Host, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(host.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while !answer.ends_with(b"}") {
        let count = tokio::time::timeout(crate::support::PATIENCE, stream.read(&mut buffer))
            .await
            .unwrap()
            .unwrap();
        assert_ne!(count, 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_there() {
    let redis = Redis::start();
    let host = Host::start(HostOptions {
        redis_url: Some(redis.url()),
        args: &["--variable", "max_job_bytes=1000"],
        ..HostOptions::default()
    });
    let head = "POST /q/x HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let announced = format!("{head}Content-Length: 1001\r\n\r\n");
    let chunked = format!(
        "{head}Transfer-Encoding: chunked\r\n\r\n3e9\r\n{}\r\n",
        " ".repeat(1001)
    );
    for request in [announced, chunked] {
        let answer = answer_before_the_end(&host, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert!(answer.ends_with(&error("job is too large")), "{answer}");
    }
    let client = host.client();
    let exactly = format!("\"{}\"", "x".repeat(998));
    client.insert("/q/x", exactly.clone()).await;
    assert_eq!(client.get("/q/x").await.text(), exactly);
    assert_eq!(client.get("/q/x").await.status, 404);
}

#[tokio::test]
async fn a_job_of_four_mebibytes_in_chunks_goes_in_and_comes_out() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client: Client = host.client();
    let job = format!("\"{}\"", "x".repeat(4 * 1024 * 1024 - 2));
    let mut request = b"POST /q/x HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
        Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        .to_vec();
    for chunk in job.as_bytes().chunks(100_000) {
        request.extend(format!("{:x}\r\n", chunk.len()).bytes());
        request.extend(chunk);
        request.extend(b"\r\n");
    }
    request.extend(b"0\r\n\r\n");
    let mut stream = TcpStream::connect(host.address()).await.unwrap();
    stream.write_all(&request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(client.get("/q/x").await.text(), job);
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    assert_eq!(host.client().get("/nope").await.status, 404);
}
