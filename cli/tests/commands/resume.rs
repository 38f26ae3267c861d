//! `presque push --resume`.

use super::push::{payloads, ready};
use crate::support::{errors, fed, presque, printed};
use presque_testkit::{Host, Redis, until};
use std::io::Write;
use std::process::Stdio;

#[tokio::test]
async fn a_push_that_was_killed_and_is_resumed_inserts_each_line_once() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    // Every other line is like many others.
    let line = |number: u32| if number.is_multiple_of(2) { number } else { number % 6 };
    let lines: Vec<String> = (0..20_000).map(|number| line(number).to_string()).collect();
    let mut command = presque(&host.base);
    command.args(["push", "file", "--resume"]).stdin(Stdio::piped());
    let mut first = command.spawn().expect("the command starts");
    let mut input = first.stdin.take().expect("its input is piped");
    // It waits for more of its last batch when it is killed, or has one on its way.
    let part = lines[..10_500].join("\n");
    let feeding = tokio::task::spawn_blocking(move || input.write_all(part.as_bytes()).map(|()| input));
    until("some batches", async || ready(&host, "file").await >= 3000).await;
    first.kill().expect("it can be killed");
    first.wait().expect("it ends");
    // It may have been killed before it had read all.
    let _ = feeding.await.expect("the end of the feeding");
    assert!(ready(&host, "file").await < 20_000);

    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("jobs.jsonl");
    std::fs::write(&path, lines.join("\n") + "\n").expect("a file");
    let path = path.to_str().expect("text");
    for _ in 0..2 {
        let said = printed(&host, &["push", "file", "--resume", "--file", path]).await;
        assert_eq!(said, "20000 jobs inserted by this run or an earlier one\n");
    }
    assert_eq!(payloads(&host, "file").await, lines);
}

#[tokio::test]
async fn an_input_that_has_grown_is_resumed_and_one_that_was_changed_is_refused() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let lines: Vec<String> = (0..2600).map(|number| format!("[{}]", number % 7)).collect();
    for named in [&["--resume"][..], &["--idempotency-key", "k"]] {
        let queue = named[0].trim_start_matches('-');
        let args = [&["push", queue], named].concat();
        let push = async |count: usize| fed(&host.base, &args, lines[..count].join("\n") + "\n").await;
        for count in [1, 300, 1776, 1777, 2600] {
            let output = push(count).await;
            assert!(output.status.success(), "{}", errors(&output));
            assert_eq!(payloads(&host, queue).await, lines[..count], "{named:?}");
            let by = " by this run or an earlier one";
            let jobs = if count == 1 { "job" } else { "jobs" };
            let said = format!("{count} {jobs} inserted{by}\n");
            assert_eq!(String::from_utf8_lossy(&output.stdout), said, "{named:?}");
        }
        // Keys hold only where nothing is stored behind what is not.
        let output = fed(&host.base, &[&args[..], &["--parallel", "2"]].concat(), "1\n").await;
        assert_eq!(output.status.code(), Some(2), "{}", errors(&output));
        // Shorter than it was, or another line in its midst.
        let mut other = lines.clone();
        other[1500] = "\"other\"".to_owned();
        for (input, words) in [
            (
                lines[..999].join("\n") + "\n",
                "other jobs were inserted from this line on",
            ),
            (other.join("\n") + "\n", "other jobs were inserted from this line on"),
            (lines.join("\n"), "line 2600: the last line has no line end"),
        ] {
            let output = fed(&host.base, &args, input).await;
            assert!(!output.status.success(), "{words}");
            assert!(errors(&output).contains(words), "{}", errors(&output));
            assert_eq!(ready(&host, queue).await, 2600, "{words}");
        }
    }
}
