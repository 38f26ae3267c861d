//! `--to`: jobs as requests to a local HTTP server.

use super::Place;
use presque_testkit::until;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Reads a request to its end: nothing if the connection ends before.
pub(super) async fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lines = head.lines().map(str::to_lowercase);
            let length = lines.filter_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            if body.len() >= length.sum() {
                return text;
            }
        }
        if stream.read_buf(&mut bytes).await.expect("a connection") == 0 {
            return String::new();
        }
    }
}

/// A worker that is a web server: it answers each job with the head and the body that its payload has. It returns the requests.
async fn serve(socket: TcpSocket, count: usize) -> Vec<String> {
    let listener = socket.listen(16).expect("a listener");
    let mut requests = Vec::new();
    while requests.len() < count {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let request = request(&mut stream).await;
        let payload = request.split_once("\r\n\r\n").expect("a body").1;
        let [head, body] = serde_json::from_str(payload).unwrap_or_else(|_| ["200 OK".to_owned(), String::new()]);
        let answer = format!(
            "HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await.expect("it is sent");
        requests.push(request);
    }
    requests
}

/// A port that nobody else gets, at which nothing listens yet.
fn socket() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let url = format!("http://{}/jobs?x=1", socket.local_addr().expect("an address"));
    (socket, url)
}

#[tokio::test]
async fn the_status_of_an_answer_says_what_becomes_of_a_job_and_its_body_is_the_result_or_the_error() {
    let place = Place::start().await;
    place
        .send(
            "PUT",
            "/v1/queues/work",
            &json!({"retain": 600, "backoff": {"kind": "fixed", "delay": 9}}),
        )
        .await;
    let done = place
        .insert(&json!({"payload": ["201 Created", "{\"sent\": 1}"], "metadata": {"a": 1}}))
        .await;
    let failed = place
        .insert(&json!({"payload": ["500 Internal Server Error", "boom"]}))
        .await;
    let moved = place
        .insert(&json!({"payload": ["302 Found\r\nlocation: /", ""]}))
        .await;
    let busy = place
        .insert(&json!({"payload": ["503 Service Unavailable\r\nretry-after: 2000", "busy"]}))
        .await;
    let many = place.insert(&json!({"payload": ["429 Too Many Requests", ""]})).await;
    let (socket, url) = socket();
    let args = ["--until-empty", "--retry-after", "1000", "--to", &url];
    let (requests, (code, _, notes)) = tokio::join!(serve(socket, 5), place.run(&args));
    assert_eq!(code, Some(1), "{notes}");
    let job = place.job(&done).await;
    assert_eq!((&job["state"], &job["result"]), (&json!("done"), &json!({"sent": 1})));
    let mut due = Vec::new();
    for (id, error, failures) in [
        (&failed, "HTTP 500: boom", 1),
        (&moved, "HTTP 302", 1),
        (&many, "HTTP 429", 0),
        (&busy, "HTTP 503: busy", 0),
    ] {
        let job = place.job(id).await;
        let said = if failures > 0 {
            &job["errors"][0]
        } else {
            &job["released"]
        };
        assert_eq!((&said["error"], &job["failures"]), (&json!(error), &json!(failures)));
        due.push(job["run_at"].as_str().expect("a time").to_owned());
    }
    // After 9, 9, 1000 and 2000 seconds.
    assert!(due.is_sorted(), "{due:?}");
    let (head, body) = requests[0].split_once("\r\n\r\n").expect("a body");
    assert_eq!(body, r#"["201 Created","{\"sent\": 1}"]"#);
    assert!(head.starts_with("POST /jobs?x=1 HTTP/1.1\r\n"), "{head}");
    for header in [
        "content-type: application/json".to_owned(),
        "presque-queue: work".to_owned(),
        format!("presque-job-id: {done}"),
        "presque-attempt: 1".to_owned(),
        r#"presque-metadata: {"a":1}"#.to_owned(),
    ] {
        assert!(head.lines().any(|line| line == header), "{header} in {head}");
    }
    assert!(!head.contains("authorization"), "{head}");
}

#[tokio::test]
async fn while_nothing_listens_a_job_waits_and_does_not_fail() {
    let place = Place::start().await;
    let id = place
        .insert(&json!({"payload": ["200 OK", "hello"], "timeout": 0.5}))
        .await;
    let (socket, url) = socket();
    let mut worker = place.worker(&["--once", "--timeout", "1", "--to", &url]);
    worker.noted("cannot be reached").await;
    // Each is a sixth of a second later or more: the job waits for longer than it may take.
    let mut ends = BTreeSet::new();
    until("its lease is extended", async || {
        ends.insert(place.job(&id).await["lease_ends_at"].to_string());
        ends.len() > 8
    })
    .await;
    let (requests, code) = tokio::join!(serve(socket, 1), worker.ended());
    assert_eq!((requests.len(), code), (1, Some(0)), "{}", worker.notes());
    let job = place.job(&id).await;
    let facts = (&job["result"], &job["attempt"], &job["failures"]);
    assert_eq!(facts, (&Value::from("hello"), &json!(1), &json!(0)));
}

#[tokio::test]
async fn each_job_has_a_connection_of_its_own_and_null_is_json() {
    let place = Place::start().await;
    let jobs = [1, 2].map(|_| json!({"payload": null, "max_attempts": 1}));
    place.send("POST", "/v1/queues/work/jobs", &json!({"jobs": jobs})).await;
    let (socket, url) = socket();
    let listener = socket.listen(16).expect("a listener");
    let mut worker = place.worker(&["--until-empty", "--to", &url]);
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut accepted = Box::pin(async { listener.accept().await.expect("a connection").0 });
        let mut stream = match kept.pop() {
            None => accepted.await,
            // A server that closes a connection which it kept does so also when a request is on its way.
            Some(mut kept) => tokio::select! {
                request = request(&mut kept) => {
                    assert_eq!(request, "", "a request on the connection of another job");
                    accepted.await
                }
                stream = &mut accepted => stream,
            },
        };
        let text = request(&mut stream).await;
        assert!(text.contains("\r\ncontent-type: application/json\r\n"), "{text}");
        assert!(text.ends_with("\r\n\r\nnull"), "{text}");
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.expect("it is sent");
        kept.push(stream);
    }
    assert_eq!(worker.ended().await, Some(0), "{}", worker.notes());
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up() {
    let place = Place::start().await;
    let id = place.insert(&json!({"payload": 1, "max_attempts": 1})).await;
    let (socket, url) = socket();
    let listener = socket.listen(16).expect("a listener");
    let mut worker = place.worker(&["--once", "--timeout", "0.3", "--to", &url]);
    let (mut stream, _) = listener.accept().await.expect("a connection");
    assert!(request(&mut stream).await.starts_with("POST /jobs"));
    assert_eq!(worker.ended().await, Some(1));
    assert_eq!(place.job(&id).await["errors"][0]["error"], "timed out after 0.3 s");
}
