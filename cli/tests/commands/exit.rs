//! Exit codes of commands that send several requests.

use crate::support::{errors, fed};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

/// A server with these answers, each a status and a body: one for each request, the last one for all that follow. One without a
/// status is lost. Returns its address.
fn answering(answers: Vec<(&'static str, String)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let (mut line, mut length) = (String::new(), 0);
            while stream.read_line(&mut line).is_ok_and(|read| read > 2) {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a number");
                }
                line.clear();
            }
            stream.read_exact(&mut vec![0; length]).expect("the body");
            let (status, body) = answers.get(number).or(answers.last()).expect("an answer");
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\netag: \"e\"\r\nconnection: close\r\n\r\n{body}"
            );
            if !status.is_empty() {
                stream.get_mut().write_all(answer.as_bytes()).expect("a client");
            }
        }
    });
    url
}

#[tokio::test]
async fn no_command_says_that_nothing_was_changed_after_it_changed_something() {
    const JOB: &str = r#"{"jobs":[{"id":"a","queue":"q","receipt":"a-1","attempt":1,"priority":4,"payload":1,"inserted_at":"",
        "claimed_at":"","lease_ends_at":""}]}"#;
    let ok = |body: &str| ("200 OK", body.to_owned());
    let jobs = |count| ok(&format!("{{\"jobs\":[{}]}}", vec!["{}"; count].join(",")));
    let fails = |status| (status, String::new());
    let down = (
        "503 Service Unavailable",
        r#"{"type":"urn:presque:problem:store-unreachable"}"#.to_owned(),
    );
    let slice = ok(r#"{"redriven":1000,"unknown":0,"looked_at":1000,"left":5,"next":"c"}"#);
    let (queue, lines) = (ok(r#"{"queue":"a","settings":{}}"#), "1\n".repeat(1500));
    for (args, answers, code, words) in [
        (
            &["push", "q", "--retry-for=0"][..],
            vec![down.clone()],
            5,
            "0 jobs inserted",
        ),
        (
            &["push", "q", "--retry-for=0"],
            vec![jobs(1000), down.clone()],
            1,
            "1000 jobs inserted, all up to line 1000 (go on with the lines after it)",
        ),
        (
            &["push", "q", "--retry-for=0"],
            vec![jobs(1000), fails("400 Bad Request")],
            1,
            "1000 jobs inserted, all up to line 1000 (go on with the lines after it)",
        ),
        (
            &["push", "q"],
            vec![fails(""), fails("400 Bad Request")],
            6,
            "0 jobs inserted, all up to line 0 (and maybe some after it",
        ),
        (
            &["push", "q", "1", "--retry-for=1"],
            vec![fails(""), down.clone()],
            6,
            "an earlier try",
        ),
        (
            &["push", "q", "1", "--retry-for=0"],
            vec![fails("503 Service Unavailable")],
            6,
            "503",
        ),
        (
            &["push", "q", "1", "--retry-for=0"],
            vec![fails("502 Bad Gateway")],
            6,
            "502",
        ),
        (
            &["redrive", "q"],
            vec![slice.clone(), down.clone()],
            1,
            "redrive was done with 1000 jobs",
        ),
        (
            &["redrive", "q"],
            vec![slice, fails("")],
            6,
            "redrive was done with 1000 jobs",
        ),
        (&["pull", "q"], vec![down.clone()], 5, "503"),
        (
            &["pull", "q", "--count=2"],
            vec![ok(JOB), ok("{}"), down.clone()],
            1,
            "1 job printed",
        ),
        (
            &["pull", "q"],
            vec![ok(JOB), fails("404 Not Found")],
            1,
            "could not be acknowledged",
        ),
        (&["stop", "a", "b"], vec![queue.clone(), queue, down], 1, "503"),
    ] {
        let output = fed(&answering(answers), args, lines.clone()).await;
        let error = errors(&output);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {error}");
        assert!(error.contains(words), "{args:?}: {error}");
    }
}
