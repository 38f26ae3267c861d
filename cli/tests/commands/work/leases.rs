//! Leases: extended, lost, and what happens while the server is away.

use super::Place;
use presque_testkit::{Cut, Host, Proxy, until};
use serde_json::json;

/// A command that writes its number to `pid`, does not end when it is asked to, and waits for the file `go`.
const WAITS: &str = r#"trap '' TERM; echo $$ > pid; until [ -e go ]; do sleep 0.01; done"#;

#[tokio::test]
async fn a_lease_is_extended_while_the_command_runs() {
    let place = Place::start().await;
    let id = place.insert(&json!({"payload": 1})).await;
    let mut worker = place.worker(&["--once", "--lease", "5", "--", "sh", "-c", WAITS]);
    let mut ends = vec![place.job_in("active", &id).await["lease_ends_at"].clone()];
    until("a second extension", async || {
        let job = place.job(&id).await;
        // Claims would give the job to another worker, were its lease over.
        place.send("POST", "/v1/queues/work/claims", &json!({})).await;
        if ends.last() != Some(&job["lease_ends_at"]) {
            ends.push(job["lease_ends_at"].clone());
        }
        ends.len() > 2
    })
    .await;
    place.touch("go");
    assert_eq!(worker.ended().await, Some(0));
    let job = place.job(&id).await;
    assert_eq!(
        (&job["state"], &job["attempt"], &job["lost_leases"]),
        (&json!("done"), &json!(1), &json!(0))
    );
}

#[tokio::test]
async fn a_job_that_its_claim_waited_for_longer_than_the_lease_is_done() {
    let place = Place::start().await;
    let mut worker = place.worker(&["--once", "--worker", "waits", "--lease", "5", "--", "true"]);
    until("the worker", async || {
        place
            .host
            .get("/v1/workers")
            .await
            .text()
            .contains(r#""worker":"waits""#)
    })
    .await;
    // By the server's clock: another job's lease of the same length ends.
    place
        .send("POST", "/v1/queues/clock/jobs", &json!({"payload": 1}))
        .await;
    for _ in 0..2 {
        let claim = json!({"lease": 5, "wait": 20});
        assert_eq!(place.send("POST", "/v1/queues/clock/claims", &claim).await.status, 200);
    }
    let id = place.insert(&json!({"payload": 1})).await;
    assert_eq!(worker.ended().await, Some(0));
    let job = place.job(&id).await;
    assert_eq!((&job["state"], &job["attempt"]), (&json!("done"), &json!(1)));
}

#[tokio::test]
async fn the_command_of_a_job_that_is_cancelled_or_taken_away_is_killed_and_nothing_is_said_of_the_job() {
    let place = Place::start().await;
    let cancelled = place.insert(&json!({"payload": 1})).await;
    let script = r#"trap 'exit 0' TERM; echo $$ > cancelled; while :; do sleep 0.01; done"#;
    let mut worker = place.worker(&["--once", "--json", "--lease", "5", "--", "sh", "-c", script]);
    place.line("cancelled").await;
    let answer = place
        .send("DELETE", &format!("/v1/queues/work/jobs/{cancelled}"), &json!({}))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(worker.ended().await, Some(1));
    place.gone("cancelled").await;
    assert!(
        worker.output().contains(r#""status":"cancelled""#),
        "{}",
        worker.output()
    );
    assert_eq!(place.job(&cancelled).await["state"], "cancelled");

    // Who has the receipt can give a job back.
    let taken = place.insert(&json!({"payload": 2})).await;
    let mut worker = place.worker(&["--once", "--json", "--lease", "5", "--", "sh", "-c", WAITS]);
    place.line("pid").await;
    let nack = format!("/v1/queues/work/claims/{}/nack", Place::receipt(&taken));
    place
        .send("POST", &nack, &json!({"error": "by hand", "delay": 0}))
        .await;
    assert_eq!(worker.ended().await, Some(1));
    place.gone("pid").await;
    assert!(worker.output().contains(r#""status":"lost""#), "{}", worker.output());
    let job = place.job(&taken).await;
    assert_eq!((&job["state"], &job["failures"]), (&json!("ready"), &json!(1)));
}

#[tokio::test]
async fn a_command_is_killed_when_the_server_is_away_until_its_lease_is_over_and_the_job_is_done_once_it_is_back() {
    let place = Place::start().await;
    let id = place.insert(&json!({"payload": 1})).await;
    let port = |host: &Host| {
        host.address()
            .rsplit_once(':')
            .expect("a port")
            .1
            .parse()
            .expect("a number")
    };
    let proxy = Proxy::before(port(&place.host));
    let script = format!(r#"[ "$PRESQUE_ATTEMPT" -gt 1 ] || {{ {WAITS}; }}"#);
    let url = format!("http://127.0.0.1:{}", proxy.port());
    let worker = place.worker_at(&url, &["--lease", "5", "-v", "--", "sh", "-c", &script]);
    place.line("pid").await;
    let Place { redis, host, dir } = place;
    host.kill();
    let place = Place {
        host: Host::on(&redis),
        redis,
        dir,
    };
    place.gone("pid").await;
    worker.noted("was not reached before its lease was over").await;
    proxy.lead_to(port(&place.host));
    worker.noted("answers again").await;
    let job = place.job_in("done", &id).await;
    assert_eq!((&job["attempt"], &job["lost_leases"]), (&json!(2), &json!(1)));
    let notes = worker.notes();
    assert_eq!(notes.matches("Trying again").count(), 1, "{notes}");
}

#[tokio::test]
async fn an_ack_whose_answer_was_lost_is_sent_again() {
    let place = Place::start().await;
    let id = place.insert(&json!({"payload": 1})).await;
    let port = place
        .host
        .address()
        .rsplit_once(':')
        .expect("a port")
        .1
        .parse()
        .expect("a number");
    let proxy = Proxy::before(port);
    let url = format!("http://127.0.0.1:{}", proxy.port());
    let mut worker = place.worker_at(&url, &["--once", "--json", "--", "sh", "-c", WAITS]);
    place.line("pid").await;
    proxy.cut(Cut::Replies);
    place.touch("go");
    place.job_in("done", &id).await;
    worker.noted("Trying again").await;
    proxy.cut(Cut::Nothing);
    assert_eq!(worker.ended().await, Some(0));
    assert!(worker.output().contains(r#""status":"done""#), "{}", worker.output());
    assert!(worker.notes().contains("answers again"), "{}", worker.notes());
}
