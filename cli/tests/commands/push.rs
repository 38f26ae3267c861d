//! `presque push`.

use crate::support::{errors, fed, get, presque, printed, run};
use presque_testkit::{Cut, Host, Proxy, Redis, patiently, until};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::mpsc;

pub(super) async fn ready(host: &Host, queue: &str) -> u64 {
    let answer = host.get(&format!("/v1/queues/{queue}")).await;
    let queue: serde_json::Value = serde_json::from_str(answer.text()).expect("JSON");
    queue["counts"]["ready"].as_u64().unwrap_or(0)
}

/// The payloads of the ready jobs, as they would be claimed.
pub(super) async fn payloads(host: &Host, queue: &str) -> Vec<String> {
    let exported = printed(host, &["export", queue]).await;
    let job = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
    let jobs = exported.lines().map(job).filter(|job| job.get("id").is_some());
    jobs.map(|job| job["payload"].to_string()).collect()
}

#[tokio::test]
async fn one_job_is_inserted_with_its_options() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let id = printed(
        &host,
        &[
            "push",
            "mail",
            r#"{"to": "ann"}"#,
            "--priority=9",
            "--max-attempts=3",
            "--expires-in=60",
        ],
    )
    .await;
    let path = format!("/v1/queues/mail/jobs/{}", id.trim());
    assert!(
        host.get(&path).await.text().contains(r#""payload":{"to": "ann"}"#),
        "byte for byte"
    );
    let job = get(&host, &path).await;
    assert_eq!(
        (&job["priority"], &job["max_attempts"], job["expires_at"].is_string()),
        (&9.into(), &3.into(), true)
    );

    let text = printed(
        &host,
        &["push", "mail", "--text", "say \"hi\"", "--delay", "60", "--json"],
    )
    .await;
    let text: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let path = format!("/v1/queues/mail/jobs/{}", text["id"].as_str().expect("an id"));
    let job = get(&host, &path).await;
    assert_eq!(
        (&job["payload"], &job["state"]),
        (&r#"say "hi""#.into(), &"scheduled".into())
    );

    for named in [["--idempotency-key", "a-1"], ["--unique", "7"]] {
        let args = [&["push", "once", "1"], named.as_slice()].concat();
        assert_eq!(printed(&host, &args).await, printed(&host, &args).await, "{named:?}");
    }
    assert_eq!(ready(&host, "once").await, 2);
}

#[tokio::test]
async fn what_cannot_be_inserted_is_named() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let many = format!("{}oh\n", "1\n".repeat(1100));
    for (args, input, code, words) in [
        (&["push", "q", "{oh"][..], "", 1, "this is not JSON"),
        (&["push", "q", "1", "--priority", "10"], "", 2, "0..=9"),
        (&["push", "q", "1", "--file", "x"], "", 2, "cannot be used with"),
        (&["push", "q", "--unique", "x"], "", 2, "PAYLOAD"),
        (&["push", "q", "1", "--at", "noon"], "", 4, "run_at"),
        (&["push", "q", "--file", "/nowhere/jobs"], "", 1, "/nowhere/jobs"),
        (
            &["push", "q", "--at", "noon"],
            "\n\n1\n2\n",
            4,
            "standard input, line 3",
        ),
        (&["push", "q"], &many, 1, "standard input, line 1101: this is not JSON"),
        (&["push", "q"], &many, 1, "1000 jobs inserted, all up to line 1000"),
    ] {
        let output = fed(&host.base, args, input).await;
        let error = errors(&output);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {error}");
        assert!(error.contains(words), "{args:?}: {error}");
    }
    assert_eq!(
        ready(&host, "q").await,
        2000,
        "nothing of the batch with the wrong line"
    );
}

#[tokio::test]
async fn each_line_is_a_job_in_the_order_of_the_lines() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let lines: Vec<String> = (0..2500).map(|number| format!("[{number}]")).collect();
    let input = lines.join("\n\r\n \n") + "\n";
    let output = fed(&host.base, &["push", "lines", "--json"], input.clone()).await;
    let counts: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        counts,
        serde_json::json!({"queue": "lines", "inserted": 2500, "duplicates": 0})
    );
    assert_eq!(payloads(&host, "lines").await, lines);
    // Large ones fill a batch before it has a thousand.
    let large = format!("\"{}\"\n", "x".repeat(200_000)).repeat(10);
    let output = fed(&host.base, &["push", "large", "--file", "-", "--parallel", "3"], large).await;
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "10 jobs inserted\n",
        "{output:?}"
    );
    fed(&host.base, &["push", "text", "--text"], "a \"b\"\n{\n").await;
    assert_eq!(payloads(&host, "text").await, [r#""a \"b\"""#, r#""{""#]);
    for (args, count) in [
        (&["push", "again"][..], 5000),
        (&["push", "resumed", "--resume"], 2500),
        (&["push", "named", "--idempotency-key", "k"], 2500),
    ] {
        fed(&host.base, args, input.clone()).await;
        fed(&host.base, args, input.clone()).await;
        assert_eq!(ready(&host, args[1]).await, count, "{args:?}");
    }
}

#[tokio::test]
async fn an_interrupted_push_tells_how_far_it_came() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let mut command = presque(&host.base);
    command.args(["push", "q"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut input = child.stdin.take().expect("its input is piped");
    // The last batch is not complete, and is not sent.
    input.write_all("1\n".repeat(1500).as_bytes()).expect("it reads");
    until("a batch", async || ready(&host, "q").await == 1000).await;
    let pid = Pid::from_raw(child.id().cast_signed()).expect("a process");
    kill_process(pid, Signal::INT).expect("the signal is sent");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    assert!(
        errors(&output).contains("inserted, all up to line"),
        "{}",
        errors(&output)
    );
    assert!(errors(&output).contains("interrupted"), "{}", errors(&output));
    assert_eq!(ready(&host, "q").await, 1000);
}

#[tokio::test]
async fn a_push_outlives_lost_answers_and_a_restart_of_the_server() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let port = |host: &Host| {
        host.address()
            .rsplit_once(':')
            .expect("a port")
            .1
            .parse()
            .expect("a number")
    };
    let proxy = Proxy::before(port(&host));
    // The first batch is stored, and its answer lost, as often as it is sent.
    proxy.cut(Cut::Replies);
    let url = format!("http://127.0.0.1:{}", proxy.port());
    let lines: Vec<String> = (0..5000).map(|number| number.to_string()).collect();
    let input = lines.join("\n");
    let push = tokio::spawn(async move { fed(&url, &["push", "q", "--file", "-"], input).await });
    until("the first batch", async || ready(&host, "q").await == 1000).await;
    host.kill();
    let host = Host::on(&redis);
    proxy.lead_to(port(&host));
    proxy.cut(Cut::Nothing);
    let output = patiently("the end of the push", push).await.expect("it ends");
    assert!(output.status.success(), "{}", errors(&output));
    assert!(errors(&output).contains("Trying again"), "{}", errors(&output));
    assert_eq!(payloads(&host, "q").await, lines);
    // And one that is not patient tells how far it came.
    proxy.cut(Cut::Replies);
    let url = format!("http://127.0.0.1:{}", proxy.port());
    let output = fed(&url, &["push", "q", "--retry-for", "0"], "1\n").await;
    assert_eq!(output.status.code(), Some(6), "{}", errors(&output));
    assert!(errors(&output).contains("0 jobs inserted"), "{}", errors(&output));
    let unreachable = run(
        &host,
        &["push", "q", "1", "--url", "http://127.0.0.1:1", "--retry-for", "0"],
    )
    .await;
    assert_eq!(unreachable.status.code(), Some(5));
}

/// A server that answers as presque does, behind a proxy that takes no large bodies. Returns its address, and gives the
/// bodies that it took.
fn narrow_server(max_bytes: usize) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (sender, bodies) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let mut length = 0;
            let mut line = String::new();
            while stream.read_line(&mut line).is_ok_and(|read| read > 2) {
                let lower = line.to_lowercase();
                if let Some(value) = lower.strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a number");
                }
                line.clear();
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).expect("the body");
            let body = String::from_utf8(body).expect("text");
            let jobs = vec!["{}"; body.matches("payload").count()].join(",");
            let (status, answer) = match length > max_bytes {
                true => ("413 Content Too Large", "too large".to_owned()),
                false => ("201 Created", format!("{{\"jobs\":[{jobs}]}}")),
            };
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                answer.len()
            );
            stream
                .get_mut()
                .write_all((head + &answer).as_bytes())
                .expect("a client");
            if length <= max_bytes && sender.send(body).is_err() {
                return;
            }
        }
    });
    (url, bodies)
}

#[tokio::test]
async fn a_batch_that_is_too_large_for_a_proxy_is_divided() {
    let (url, bodies) = narrow_server(1000);
    let input: String = (0..100)
        .map(|number| format!("\"a job of thirty bytes {number:03}\"\n"))
        .collect();
    let output = fed(&url, &["push", "q"], input.clone()).await;
    assert_eq!(output.stdout, b"100 jobs inserted\n", "{}", errors(&output));
    let jobs: Vec<String> = bodies.try_iter().collect();
    assert!(jobs.len() > 4, "{jobs:?}");
    let payloads = jobs.concat();
    let payloads = payloads
        .split("\"payload\":")
        .skip(1)
        .map(|job| job.split('}').next().expect("a payload"));
    assert!(payloads.eq(input.lines()), "in their order");
    // One job cannot be divided.
    let output = fed(&url, &["push", "q"], format!("1\n\"{}\"\n", "x".repeat(1000))).await;
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    assert!(errors(&output).contains("line 2: "), "{}", errors(&output));
    assert!(
        errors(&output).contains("1 job inserted, all up to line 1 (go on with the lines after it)"),
        "{}",
        errors(&output)
    );
}
