//! `presque top`.

use crate::support::{presque, printed};
use presque_testkit::{Host, Redis};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Runs `presque top` in a terminal of this size, and takes these steps: see terminal.py.
async fn in_terminal(url: &str, (columns, rows): (u16, u16), steps: &str) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/terminal.py");
    let mut command = Command::new("python3");
    command
        .arg(script)
        .args([columns.to_string(), rows.to_string(), steps.to_owned()])
        .args([env!("CARGO_BIN_EXE_presque"), "top", "--url", url])
        .env_remove("PRESQUE_KEY")
        .env("TERM", "xterm-256color");
    let output = tokio::task::spawn_blocking(move || {
        command
            .output()
            .expect("this test needs python3, which gives the command a terminal")
    });
    let output = output.await.expect("it was waited for");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test]
async fn the_table_is_printed_once_where_there_is_no_terminal() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    host.client().insert("/q/mail", "1").await;
    host.client().insert("/q/mail", "2").await;
    host.client().insert("/q/sms", "1").await;
    let table = printed(&host, &["top"]).await;
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0][..5], ["QUEUE", "READY", "SCHED", "ACTIVE", "DEAD"]);
    assert_eq!(
        (&rows[1][..2], &rows[2][..2]),
        (["mail", "2"].as_slice(), ["sms", "1"].as_slice())
    );
    let line: Value = serde_json::from_str(&printed(&host, &["top", "SM", "--json"]).await).expect("JSON");
    assert_eq!((&line["queue"], &line["counts"]["ready"]), (&"sms".into(), &1.into()));
}

#[tokio::test]
async fn the_terminal_is_given_back_after_a_key_and_after_a_signal() {
    const ENTER: &str = "\u{1b}[?1049h";
    const LEAVE: &str = "\u{1b}[?1049l";
    let redis = Redis::start();
    let host = Host::on(&redis);
    host.client().insert("/q/mail", "1").await;
    let ways = [
        ("wait:mail wait:r\\x20ready key:n wait:name. key:q", (80, 24)),
        ("wait:mail key:\\x03", (80, 24)),
        ("wait:mail signal:15", (30, 4)),
    ];
    for (steps, size) in ways {
        let seen = in_terminal(&host.base, size, steps).await;
        let text = seen["text"].as_str().expect("text");
        assert_eq!(seen["code"], 0, "{steps}: {text:?}");
        assert!(text.contains(ENTER) && text.ends_with(LEAVE), "{steps}: {text:?}");
        assert_eq!(seen["is_as_before"], true, "{steps}");
    }
}

#[tokio::test]
async fn a_server_that_goes_away_is_told_of_and_the_table_stays() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    host.client().insert("/q/mail", "1").await;
    let base = host.base.clone();
    let steps = format!(
        "wait:mail kill:{} wait:mail wait:reached key:q",
        host.pid().as_raw_nonzero()
    );
    assert_eq!(in_terminal(&base, (80, 24), &steps).await["code"], 0);
    drop(host);
    assert_eq!(presque(&base).args(["top"]).status().expect("it runs").code(), Some(5));
}
