//! Who reads what a worker tells may go away, or not read it.

use super::{Place, Worker};
use presque_testkit::until;
use rustix::process::Signal;
use serde_json::json;
use std::io::{PipeReader, Read, Write, pipe};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A command that writes so much to standard error that nothing on the way can keep it, writes its number to `pid`, and waits for the file
/// `go`.
const LOUD: &str = r#"head -c 20000000 /dev/zero | tr '\0' x >&2; echo $$ > pid; until [ -e go ]; do sleep 0.01; done"#;

#[tokio::test]
async fn a_reader_of_the_lines_that_goes_away_does_not_end_the_work() {
    let place = Place::start().await;
    let jobs = [1, 2, 3].map(|payload| json!({"payload": payload}));
    place.send("POST", "/v1/queues/work/jobs", &json!({"jobs": jobs})).await;
    let command = place.command(&["--until-empty", "--json", "--", "true"]);
    let (_, to_nobody) = pipe().expect("a pipe");
    let mut worker = Worker::spawn(command, place.dir.path(), |command| _ = command.stdout(to_nobody));
    assert_eq!(worker.ended().await, Some(0), "{}", worker.notes());
    let queue = place.host.get("/v1/queues/work").await;
    let queue: serde_json::Value = serde_json::from_str(queue.text()).expect("JSON");
    assert_eq!(queue["counts"]["done"], 3);
    let notes = worker.notes();
    assert_eq!(notes.matches("cannot write to standard output").count(), 1, "{notes}");
}

#[tokio::test]
async fn a_worker_whose_output_nobody_reads_works_and_can_be_stopped() {
    let place = Place::start().await;
    let id = place.insert(&json!({"payload": 1})).await;
    let command = place.command(&["--json", "-v", "--", "sh", "-c", LOUD]);
    let (_unread, notes) = pipe().expect("a pipe");
    let mut worker = Worker::spawn(command, place.dir.path(), |command| _ = command.stderr(notes));
    place.line("pid").await;
    worker.signal(Signal::TERM);
    place.touch("go");
    assert_eq!(worker.ended().await, Some(0));
    assert_eq!(place.job(&id).await["state"], "done");
}

/// A worker whose job is done, and whose line of JSON finds no room.
async fn worker_before_a_full_pipe(place: &Place) -> (Worker, PipeReader) {
    place.insert(&json!({"payload": 1})).await;
    let (reader, mut full) = pipe().expect("a pipe");
    full.write_all(&[b'\n'; 65536]).expect("there is room");
    let command = place.command(&["--until-empty", "--json", "-v", "--", "true"]);
    let worker = Worker::spawn(command, place.dir.path(), |command| _ = command.stdout(full));
    worker.noted("done after").await;
    (worker, reader)
}

#[tokio::test]
async fn the_last_lines_wait_for_a_slow_reader_but_not_in_a_worker_that_is_asked_to_end() {
    let place = Place::start().await;
    let (mut worker, _unread) = worker_before_a_full_pipe(&place).await;
    worker.signal(Signal::TERM);
    assert_eq!(worker.ended().await, Some(0));

    let (mut worker, mut reader) = worker_before_a_full_pipe(&place).await;
    // Some time by the server's clock: the lease of another job ends.
    let clock = json!({"payload": 1});
    place.send("POST", "/v1/queues/clock/jobs", &clock).await;
    for _ in 0..2 {
        let claim = json!({"lease": 3, "wait": 20});
        assert_eq!(place.send("POST", "/v1/queues/clock/claims", &claim).await.status, 200);
    }
    let reading = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).map(|_| text)
    });
    assert_eq!(worker.ended().await, Some(0));
    drop(worker);
    let text = reading.await.expect("it ends").expect("text");
    assert_eq!(text.matches(r#""status":"done""#).count(), 1, "{}", text.trim());
}

#[tokio::test]
async fn a_reader_that_reads_late_is_told_that_something_is_missing() {
    let place = Place::start().await;
    place.insert(&json!({"payload": 1})).await;
    let command = place.command(&["--", "sh", "-c", LOUD]);
    let (mut unread, notes) = pipe().expect("a pipe");
    let mut worker = Worker::spawn(command, place.dir.path(), |command| _ = command.stderr(notes));
    place.line("pid").await;
    let count = Arc::new(AtomicUsize::new(0));
    let reader = std::thread::spawn({
        let count = count.clone();
        move || {
            let (mut all, mut buffer) = (Vec::new(), vec![0; 65536]);
            while let Ok(read @ 1..) = unread.read(&mut buffer) {
                all.extend_from_slice(&buffer[..read]);
                count.store(all.len(), Ordering::Relaxed);
            }
            all
        }
    });
    // What waited is read, and so there is room again.
    until("what waited", async || count.load(Ordering::Relaxed) > 1_000_000).await;
    worker.signal(Signal::TERM);
    place.touch("go");
    assert_eq!(worker.ended().await, Some(0));
    drop(worker);
    let notes = reader.join().expect("it ends");
    assert!(notes.len() < 20_000_000, "{}", notes.len());
    let notes = String::from_utf8(notes).expect("text").replace('x', "");
    assert!(notes.contains(" messages are missing here"), "{notes}");
}
