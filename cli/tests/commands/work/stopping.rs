//! How a worker ends.

use super::{Place, Worker};
use presque_testkit::{eventually, until};
use rustix::process::Signal;
use serde_json::{Value, json};

/// A command that writes its number to `pid`, that of its child to `child`, and waits for the file `go`.
const WAITS: &str = r#"sleep 1000 & echo $! > child; echo $$ > pid; until [ -e go ]; do sleep 0.01; done"#;

/// Starts a worker to whom `env` leaves these signals in this way.
fn started_with(signals: &str, place: &Place, args: &[&str]) -> Worker {
    let plain = place.command(args);
    let mut command = std::process::Command::new("env");
    command.env_remove("PRESQUE_KEY").arg(signals);
    command.arg(format!("PRESQUE_URL={}", place.host.base));
    command.arg(plain.get_program()).args(plain.get_args());
    Worker::spawn(command, place.dir.path(), |_| {})
}

#[tokio::test]
async fn a_worker_that_is_asked_to_end_takes_no_more_jobs_and_lets_the_running_ones_finish() {
    let place = Place::start().await;
    let running = place.insert(&json!({"payload": 1})).await;
    let waiting = place.insert(&json!({"payload": 2})).await;
    let last = place.insert(&json!({"payload": 3})).await;
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        // As they may be ignored where the tests run, by `nohup` for one.
        let mut worker = started_with("--default-signal=TERM,INT,HUP", &place, &["--", "sh", "-c", WAITS]);
        place.line("pid").await;
        worker.signal(signal);
        worker.noted("stopping").await;
        place.touch("go");
        assert_eq!(worker.ended().await, Some(0));
        place.gone("child").await;
        for file in ["pid", "child", "go"] {
            std::fs::remove_file(place.path(file)).expect("a file");
        }
        if signal == Signal::TERM {
            assert_eq!(place.job(&running).await["state"], "done");
            assert_eq!(place.job(&waiting).await["attempt"], 0);
        }
    }
    assert_eq!(place.job(&last).await["state"], "done");
}

#[tokio::test]
async fn two_signals_at_once_are_one() {
    let place = Place::start().await;
    let id = place.insert(&json!({"payload": 1})).await;
    let mut worker = place.worker(&["--", "sh", "-c", WAITS]);
    place.line("pid").await;
    // As `timeout` does; two of a kind could come as one.
    worker.signal(Signal::TERM);
    worker.signal(Signal::INT);
    worker.noted("stopping").await;
    place.touch("go");
    assert_eq!(worker.ended().await, Some(0));
    assert_eq!(place.job(&id).await["state"], "done");
}

#[tokio::test]
async fn a_command_that_ends_as_done_when_it_is_asked_to_end_has_done_its_job() {
    let place = Place::start().await;
    let id = place.insert(&json!({"payload": 1})).await;
    let script = "trap 'echo saved; exit 0' TERM; echo $$ > pid; while :; do sleep 0.01; done";
    let mut worker = place.worker(&["--json", "--grace", "0.1", "--", "sh", "-c", script]);
    place.line("pid").await;
    worker.signal(Signal::TERM);
    assert_eq!(worker.ended().await, Some(0));
    let job = place.job(&id).await;
    assert_eq!((&job["state"], &job["result"]), (&json!("done"), &json!("saved")));
}

#[tokio::test]
async fn signals_that_the_parent_ignores_and_ctrl_z_do_not_disturb_a_worker() {
    let place = Place::start().await;
    let first = place.insert(&json!({"payload": 1})).await;
    let mut worker = started_with("--ignore-signal=HUP,CHLD", &place, &["--", "sh", "-c", "echo done"]);
    assert_eq!(place.job_in("done", &first).await["attempt"], 1);
    worker.signal(Signal::HUP);
    worker.signal(Signal::TSTP);
    let second = place.insert(&json!({"payload": 2})).await;
    place.job_in("done", &second).await;
    worker.signal(Signal::TERM);
    assert_eq!(worker.ended().await, Some(0));
}

/// Who kills all processes that are named presque kills the worker, and not its guard.
#[tokio::test]
async fn the_guard_of_the_commands_has_another_name_than_the_worker() {
    let worker = Worker::start("http://127.0.0.1:9", &std::env::temp_dir(), &["--", "true"]);
    let parent = format!(" {} ", worker.child.id());
    let guard = eventually("the guard", async || {
        let mut processes = std::fs::read_dir("/proc").expect("processes").flatten();
        processes.find(|process| {
            let stat = std::fs::read_to_string(process.path().join("stat")).unwrap_or_default();
            let rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
            rest.get(1..).is_some_and(|rest| rest.starts_with(&parent))
        })
    })
    .await
    .path();
    until("its name", async || {
        std::fs::read_to_string(guard.join("comm")).is_ok_and(|name| name == "work-guard\n")
    })
    .await;
    let line = std::fs::read_to_string(guard.join("cmdline")).expect("a command line");
    assert!(!line.contains("presque"), "{line}");
}

#[tokio::test]
async fn what_still_runs_after_the_grace_is_ended_and_its_job_given_back() {
    let place = Place::start().await;
    let id = place.insert(&json!({"payload": 1})).await;
    let mut worker = place.worker(&["--json", "--grace", "0.1", "--", "sh", "-c", WAITS]);
    place.line("pid").await;
    worker.signal(Signal::TERM);
    assert_eq!(worker.ended().await, Some(0));
    place.gone("pid").await;
    place.gone("child").await;
    assert!(
        worker.output().contains(r#""status":"returned""#),
        "{}",
        worker.output()
    );
    let job = place.job(&id).await;
    assert_eq!(
        (&job["state"], &job["released"]["error"]),
        (&json!("ready"), &json!("the worker was stopped"))
    );
    assert_eq!((&job["failures"], &job["lost_leases"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn a_second_signal_kills_what_runs_at_once() {
    let place = Place::start().await;
    let id = place.insert(&json!({"payload": 1})).await;
    let script = format!("trap '' TERM; {WAITS}");
    let mut worker = place.worker(&["--once", "--grace", "1000", "--", "sh", "-c", &script]);
    place.line("pid").await;
    worker.signal(Signal::TERM);
    worker.noted("stopping").await;
    // One that comes right after the first means the same.
    let ended = eventually("the worker's end", async || {
        worker.signal(Signal::INT);
        worker.child.try_wait().expect("a child")
    });
    // Of one job that was not done.
    assert_eq!(ended.await.code(), Some(1));
    place.gone("pid").await;
    place.gone("child").await;
    let job = place.job(&id).await;
    assert_eq!((&job["state"], &job["failures"]), (&json!("ready"), &json!(0)));
}

#[tokio::test]
async fn the_commands_of_a_worker_that_is_killed_end_with_it_and_the_job_comes_back() {
    let place = Place::start().await;
    let id = place.insert(&json!({"payload": 1})).await;
    let mut worker = place.worker(&["--lease", "5", "--", "sh", "-c", &format!("trap '' TERM; {WAITS}")]);
    place.line("pid").await;
    worker.signal(Signal::KILL);
    assert_eq!(worker.ended().await, None);
    place.gone("pid").await;
    place.gone("child").await;
    let (code, _, notes) = place.run(&["--once", "--", "true"]).await;
    assert_eq!(code, Some(0), "{notes}");
    let job = place.job(&id).await;
    assert_eq!(
        (&job["state"], &job["attempt"], &job["lost_leases"]),
        (&json!("done"), &json!(2), &json!(1))
    );
}

#[tokio::test]
async fn a_worker_that_waits_for_jobs_ends_at_once_and_its_claim_takes_none() {
    let place = Place::start().await;
    let mut worker = place.worker(&["--worker", "idle", "--", "true"]);
    until("the worker", async || {
        place
            .host
            .get("/v1/workers")
            .await
            .text()
            .contains(r#""worker":"idle""#)
    })
    .await;
    worker.signal(Signal::TERM);
    assert_eq!(worker.ended().await, Some(0));
    let id = place.insert(&json!({"payload": 1})).await;
    let claimed = place.send("POST", "/v1/queues/work/claims", &json!({"wait": 5})).await;
    let claimed: Value = serde_json::from_slice(&claimed.body).expect("JSON");
    assert_eq!(
        (&claimed["jobs"][0]["id"], &claimed["jobs"][0]["attempt"]),
        (&json!(id), &json!(1))
    );
}

/// The answer comes after the signal: a server cannot be made to do so, and so this one is none.
#[tokio::test]
async fn jobs_that_come_after_the_signal_are_given_back_without_a_failure() {
    use tokio::io::AsyncWriteExt as _;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let dir = tempfile::tempdir().expect("a folder");
    let mut worker = Worker::start(&url, dir.path(), &["--", "touch", "begun"]);
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let claim = super::posts::request(&mut stream).await;
    assert!(claim.starts_with("POST /v1/claims "), "{claim}");
    worker.signal(Signal::TERM);
    worker.noted("stopping").await;
    let job = json!({"jobs": [{
        "id": "a", "queue": "work", "receipt": "a-1", "attempt": 1, "priority": 4, "payload": 1, "state": "active",
        "inserted_at": "2026-11-21T04:20:20.123Z", "claimed_at": "2026-11-21T04:20:20.123Z",
        "lease_ends_at": "2026-11-21T04:21:20.123Z",
    }]});
    let answer = |body: &Value| {
        let body = body.to_string();
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    stream.write_all(answer(&job).as_bytes()).await.expect("it is sent");
    // On the same connection, or on another one.
    let (nack, mut stream) = eventually("the nack", async || {
        tokio::select! {
            request = super::posts::request(&mut stream) => (!request.is_empty()).then_some((request, None)),
            accepted = listener.accept() => {
                let mut stream = accepted.expect("a connection").0;
                Some((super::posts::request(&mut stream).await, Some(stream)))
            }
        }
    })
    .await;
    assert!(nack.starts_with("POST /v1/queues/work/claims/a-1/nack "), "{nack}");
    assert!(nack.ends_with(r#"{"error":"","failed":false}"#), "{nack}");
    let body = json!({"receipt": "a-1", "status": "ready"});
    if let Some(stream) = &mut stream {
        stream.write_all(answer(&body).as_bytes()).await.expect("it is sent");
    }
    assert_eq!(worker.ended().await, Some(0));
    assert!(!dir.path().join("begun").exists());
}
