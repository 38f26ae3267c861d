//! `presque export` and `presque import`.

use crate::support::{errors, fed, get, post, presque, printed, run};
use presque_testkit::{Host, Redis};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

const JSON: (&str, &str) = ("content-type", "application/json");

/// What an import keeps of the jobs of a state, in their order.
async fn kept(host: &Host, queue: &str, state: &str) -> Vec<String> {
    let args = ["export", queue, "--state", state];
    let lines = printed(host, &args).await;
    let mut jobs: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    jobs.retain(|line| line.get("id").is_some());
    let job = |mut job: Value| {
        let members = job.as_object_mut().expect("an object");
        let gone = [
            "id",
            "queue",
            "inserted_at",
            "attempt",
            "failures",
            "lost_leases",
            "errors",
        ];
        // How long it has left is kept, which is another time there.
        members.entry("expires_at").and_modify(|time| *time = true.into());
        members.retain(|name, _| !gone.contains(&name.as_str()));
        job.to_string()
    };
    jobs.into_iter().map(job).collect()
}

/// The receipt of the next job.
async fn claim(host: &Host) -> String {
    let claimed = post(host, "/v1/queues/q/claims", r#"{"lease":600}"#).await;
    claimed["jobs"][0]["receipt"].as_str().expect("a receipt").to_owned()
}

async fn nack(host: &Host, receipt: &str, nack: &str) {
    post(host, &format!("/v1/queues/q/claims/{receipt}/nack"), nack).await;
}

/// Jobs with all that a job can have, in all states.
async fn fill(host: &Host) {
    let first = r#"{"jobs":[{"payload":1,"priority":9},{"payload":2,"priority":9}]}"#;
    post(host, "/v1/queues/q/jobs", first).await;
    let claimed = post(host, "/v1/queues/q/claims", r#"{"count":2,"lease":600}"#).await;
    let receipt = claimed["jobs"][0]["receipt"].as_str().expect("a receipt");
    let nack = format!("/v1/queues/q/claims/{receipt}/nack");
    post(host, &nack, r#"{"dead":true,"error":"a\nb"}"#).await;
    let options = r#"{"jobs":[
        {"payload":{"spaces" : [ 1,
            2]},"metadata":{"team":
            7}},
        {"payload":[2e400, "cut \ud83d"]},
        {"payload":"low","priority":0,"max_attempts":3,"timeout":12.5,"backoff":{"kind":"fixed","delay":5}},
        {"payload":null,"delay":3600,"unique":{"key":"a/b"}},
        {"payload":[],"run_at":"2099-01-01T00:00:00Z","expires_in":100,"unique":{"key":"c","for":3600},"priority":7},
        {"payload":true,"expires_in":100,"backoff":{"kind":"exponential","delay":2,"max":600},"unique":{"key":"w","while":"waiting"}}
    ]}"#;
    post(host, "/v1/queues/q/jobs", options).await;
    for number in ["1", "2", "2"] {
        let trace = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333{number}-01");
        let headers = [JSON, ("traceparent", trace.as_str()), ("tracestate", "a=b")];
        let (client, job) = (host.client(), r#"{"payload":"traced"}"#);
        let sent = client.send("POST", "/v1/queues/q/jobs", &headers, job);
        assert_eq!(sent.await.status, 201);
    }
    let many: Vec<Value> = (0..500).map(|number| json!({ "payload": number })).collect();
    post(host, "/v1/queues/q/jobs", json!({ "jobs": many })).await;
    let settings = r#"{"retain":600,"max_attempts":7,"paused":true}"#;
    let set = host.client().send("PUT", "/v1/queues/q", &[JSON], settings).await;
    assert_eq!(set.status, 200);
}

#[tokio::test]
async fn an_export_gives_another_server_the_same_jobs_in_the_same_order() {
    let (from_redis, to_redis) = (Redis::start(), Redis::start());
    let (from, to) = (Host::on(&from_redis), Host::on(&to_redis));
    fill(&from).await;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("q.jsonl");
    let file = path.to_str().expect("text");
    assert_eq!(
        printed(&from, &["export", "q", "-o", file]).await,
        "511 jobs exported\n"
    );
    assert_eq!(
        fs::read_dir(dir.path()).expect("a folder").count(),
        1,
        "nothing is left beside it"
    );
    let text = fs::read_to_string(&path).expect("the file");
    assert_eq!(text.lines().count(), 513);
    assert_eq!(text.lines().last(), Some(r#"{"presque_export_end":1,"jobs":511}"#));

    let said = run(&to, &["import", file, "--settings"]).await;
    assert_eq!(errors(&said), "The queue is stopped, as it was: presque start q\n");
    assert_eq!(
        String::from_utf8_lossy(&said.stdout),
        "510 jobs inserted into q by this run or an earlier one, without 1 that are dead (--dead-as-ready inserts them)\n"
    );
    let settings = async |host: &Host| get(host, "/v1/queues/q").await["settings"].clone();
    assert_eq!(settings(&from).await, settings(&to).await);
    assert_eq!(kept(&from, "q", "scheduled").await, kept(&to, "q", "scheduled").await);
    let (mut ready, mut active) = (kept(&to, "q", "ready").await, kept(&from, "q", "active").await);
    assert_eq!(active.len(), 1);
    let was_active: Value = serde_json::from_str(&active.remove(0)).expect("JSON");
    let is_it = |job: &String| {
        serde_json::from_str::<Value>(job).expect("JSON")["payload"] == was_active["payload"]
            && job.contains("\"priority\":9")
    };
    assert_eq!(
        ready.iter().position(is_it),
        Some(0),
        "what was active is ready, with its priority"
    );
    ready.remove(0);
    assert_eq!(kept(&from, "q", "ready").await, ready);
    // A second time, from standard input, it finds all there.
    let output = fed(&to.base, &["import", "--json"], text.clone()).await;
    let again: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&again["inserted"], &again["duplicates"], &again["dead"]),
        (&510.into(), &0.into(), &1.into())
    );
    assert_eq!(get(&to, "/v1/queues/q").await["counts"]["ready"], 508);
    printed(&to, &["import", file, "--dead-as-ready"]).await;
    assert_eq!(
        get(&to, "/v1/queues/q").await["counts"]["ready"],
        509,
        "only the dead one is new"
    );
    let said = printed(&to, &["import", file, "--queue", "other"]).await;
    assert!(said.starts_with("510 jobs inserted into other"), "{said}");
}

#[tokio::test]
async fn a_file_that_is_no_complete_export_is_refused() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let missing = run(&host, &["export", "none", "-o", "/nowhere/file"]).await;
    assert_eq!(missing.status.code(), Some(1), "{}", errors(&missing));
    let missing = run(&host, &["export", "none"]).await;
    assert_eq!(missing.status.code(), Some(3), "{}", errors(&missing));
    post(
        &host,
        "/v1/queues/q/jobs",
        r#"{"jobs":[{"payload":1},{"payload":2},{"payload":3}]}"#,
    )
    .await;
    let text = printed(&host, &["export", "q"]).await;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let cut = lines[..3].concat() + &lines[3][..40];
    let one_less = [lines[0], lines[1], lines[3], lines[4]].concat();
    let no_job = [lines[0], lines[1], "{}\n", lines[3], lines[4]].concat();
    let longer = format!("{text}{}", lines[1]);
    // More than go in one request.
    let many = [lines[0], &lines[1].repeat(1500), lines[4]].concat();
    // A line that is a job, but for what it is about, behind more than go in one request.
    let mut empty: serde_json::Value = serde_json::from_str(lines[1]).expect("a job");
    empty.as_object_mut().expect("an object").remove("payload");
    let end = lines[4].replace('3', "1501");
    let empty = [lines[0], &lines[1].repeat(1500), &format!("{empty}\n"), &end].concat();
    for (file, words) in [
        (empty.as_str(), "line 1502: the job has no payload"),
        (cut.as_str(), "is not complete"),
        ("{\"payload\":1}\n", "was not written by `presque export`"),
        ("", "was not written by `presque export`"),
        (&one_less, "has 2 jobs, and had 3"),
        (&no_job, "line 3: this is no job"),
        (&many, "has 1500 jobs, and had 3"),
        (&longer, "line 6: here the export had ended"),
    ] {
        let output = fed(&host.base, &["import", "--queue", "new"], file).await;
        assert_eq!(output.status.code(), Some(1), "{words}: {}", errors(&output));
        assert!(errors(&output).contains(words), "{words}: {}", errors(&output));
        assert_eq!(host.get("/v1/queues/new").await.status, 404, "{words}");
    }
    let output = fed(&host.base, &["import", "-", "--queue", "part", "--partial"], cut).await;
    assert_eq!(
        output.stdout,
        b"2 jobs inserted into part by this run or an earlier one\n",
        "{}",
        errors(&output)
    );
}

#[tokio::test]
async fn a_complete_file_adds_what_a_part_of_it_did_not_have() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let jobs: Vec<Value> = (0..900).map(|number| json!({ "payload": number })).collect();
    post(&host, "/v1/queues/q/jobs", json!({ "jobs": jobs })).await;
    let text = printed(&host, &["export", "q", "--output", "-"]).await;
    for part in [&text[..text.len() / 3], &text[..text.len() / 2]] {
        let output = fed(&host.base, &["import", "--queue", "to", "--partial"], part).await;
        assert!(output.status.success(), "{}", errors(&output));
    }
    let output = fed(&host.base, &["import", "--queue", "to"], text).await;
    assert!(output.status.success(), "{}", errors(&output));
    assert_eq!(kept(&host, "to", "ready").await, kept(&host, "q", "ready").await);
}

#[tokio::test]
async fn a_job_that_dies_during_the_export_is_in_it() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let jobs: Vec<Value> = (0..300).map(|_| json!({ "payload": "x".repeat(1000) })).collect();
    post(&host, "/v1/queues/q/jobs", json!({ "jobs": jobs })).await;
    for _ in 0..150 {
        let receipt = claim(&host).await;
        nack(&host, &receipt, r#"{"dead":true}"#).await;
    }
    let receipt = claim(&host).await;
    let mut command = presque(&host.base);
    command.args(["export", "q"]);
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut export = piped.spawn().expect("the command starts");
    let mut output = BufReader::new(export.stdout.take().expect("its output is piped"));
    let mut text = String::new();
    for _ in 0..2 {
        output.read_line(&mut text).expect("a line");
    }
    // It has the ready jobs, and waits: more of them than a pipe holds are still to be written. The same then of the dead ones.
    nack(&host, &receipt, r#"{"delay":0}"#).await;
    while !text.contains("\"state\":\"dead\"") {
        output.read_line(&mut text).expect("a line");
    }
    let receipt = claim(&host).await;
    nack(&host, &receipt, r#"{"dead":true}"#).await;
    let reading = tokio::task::spawn_blocking(move || {
        output.read_to_string(&mut text).expect("text");
        (export.wait_with_output().expect("it ends"), text)
    });
    let (ended, text) = reading.await.expect("it was waited for");
    assert!(ended.status.success());
    let id = receipt.split('-').next().expect("an id");
    assert_eq!(text.matches(&format!(r#""id":"{id}""#)).count(), 1);
    assert!(text.ends_with("{\"presque_export_end\":1,\"jobs\":300}\n"));
    assert!(errors(&ended).contains("a job may be missing"), "{}", errors(&ended));
}

#[tokio::test]
async fn a_job_that_comes_back_behind_the_export_is_in_it_once() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let jobs: Vec<Value> = (0..500).map(|_| json!({ "payload": "x".repeat(1000) })).collect();
    post(&host, "/v1/queues/q/jobs", json!({ "jobs": jobs })).await;
    let claimed = post(&host, "/v1/queues/q/claims", r#"{"lease":600}"#).await;
    let receipt = claimed["jobs"][0]["receipt"].as_str().expect("a receipt");
    let mut command = presque(&host.base);
    command
        .args(["export", "q"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut export = command.spawn().expect("the command starts");
    let mut output = BufReader::new(export.stdout.take().expect("its output is piped"));
    let mut text = String::new();
    for _ in 0..2 {
        output.read_line(&mut text).expect("a line");
    }
    // It has the first ready jobs, and waits: more of them than a pipe holds are still to be written.
    let nack = format!("/v1/queues/q/claims/{receipt}/nack");
    let back = post(&host, &nack, r#"{"delay":0}"#).await;
    assert_eq!(back["status"], "ready");
    let reading = tokio::task::spawn_blocking(move || {
        output.read_to_string(&mut text).expect("text");
        (export.wait().expect("it ends"), text)
    });
    let (status, text) = reading.await.expect("it was waited for");
    assert!(status.success());
    let id = receipt.split('-').next().expect("an id");
    assert_eq!(text.matches(&format!(r#""id":"{id}""#)).count(), 1);
    assert!(text.ends_with("{\"presque_export_end\":1,\"jobs\":500}\n"));
}
