//! What a command gets, and what its end means.

use super::Place;
use serde_json::{Value, json};

/// What the tests below read of a worker's lines of JSON.
fn statuses(output: &str) -> Vec<(u64, String)> {
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(line["queue"], "work");
        assert!(line["id"].is_string() && line["seconds"].is_number(), "{line}");
        let status = line["status"].as_str().expect("a status").to_owned();
        (line["attempt"].as_u64().expect("a number"), status)
    };
    output.lines().map(line).collect()
}

#[tokio::test]
async fn a_command_gets_the_payload_and_the_facts_and_its_output_is_the_result() {
    let place = Place::start().await;
    let traced = [("Content-Type", "application/json"), ("traceparent", "00-1")];
    let job = r#"{"payload":{"to":  "ann"},"priority":7,"metadata":{"team":"ü"}}"#;
    let answer = place
        .host
        .client()
        .send("POST", "/v1/queues/work/jobs", &traced, job)
        .await;
    let answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let full = answer["id"].as_str().expect("an id");
    let script = r#"echo "$(cat)|$PRESQUE_QUEUE|$PRESQUE_JOB_ID|$PRESQUE_ATTEMPT|$PRESQUE_FAILURES|$PRESQUE_PRIORITY"
        echo "$PRESQUE_INSERTED_AT|$PRESQUE_LEASE_ENDS_AT|$PRESQUE_METADATA|$TRACEPARENT""#;
    let (code, out, _) = place.run(&["--until-empty", "--json", "--", "sh", "-c", script]).await;
    assert_eq!((code, statuses(&out)), (Some(0), vec![(1, "done".to_owned())]));
    let job = place.job(full).await;
    let result = job["result"].as_str().expect("a string");
    let (first, second) = result.split_once('\n').expect("two lines");
    assert_eq!(first, format!(r#"{{"to":  "ann"}}|work|{full}|1|0|7"#));
    let inserted = job["inserted_at"].as_str().expect("a time");
    assert!(second.starts_with(&format!("{inserted}|2")), "{second}");
    assert!(second.ends_with(r#"|{"team":"ü"}|00-1"#), "{second}");

    // JSON stays JSON, what a job lacks is not taken from the worker's own environment, and text that is no strict JSON comes as it is.
    let bare = place.insert(&json!({"payload": 1})).await;
    let script = r#"echo "{\"metadata\": \"$PRESQUE_METADATA$TRACEPARENT\"}""#;
    assert_eq!(place.run(&["--once", "--", "sh", "-c", script]).await.0, Some(0));
    assert_eq!(place.job(&bare).await["result"], json!({"metadata": ""}));
    let cut = r#""cut \ud83d""#;
    place
        .host
        .client()
        .insert("/v1/queues/work/jobs", format!(r#"{{"payload":{cut}}}"#))
        .await;
    assert_eq!(place.run(&["--once", "--", "sh", "-c", "cat > text"]).await.0, Some(0));
    assert_eq!(std::fs::read_to_string(place.path("text")).expect("text"), cut);
}

#[tokio::test]
async fn the_exit_status_says_whether_a_job_failed_or_cannot_be_done_now() {
    let place = Place::start().await;
    place
        .send(
            "PUT",
            "/v1/queues/work",
            &json!({"retain": 600, "max_attempts": 2, "backoff": {"kind": "fixed", "delay": 9}}),
        )
        .await;
    // Their command is their payload.
    let later = place.insert(&json!({"payload": "echo busy >&2; exit 75"})).await;
    let failed = place
        .insert(&json!({"payload": "echo one >&2; echo boom >&2; exit 3"}))
        .await;
    let killed = place.insert(&json!({"payload": "kill -9 $$"})).await;
    let last = place.insert(&json!({"payload": "exit 1", "max_attempts": 1})).await;
    let (code, out, notes) = place
        .run(&[
            "--until-empty",
            "--json",
            "-v",
            "--retry-after",
            "1000",
            "--",
            "sh",
            "-c",
            r#"eval "$(tr -d '"')""#,
        ])
        .await;
    assert_eq!(code, Some(1), "{notes}");
    let named: Vec<String> = statuses(&out).into_iter().map(|(_, status)| status).collect();
    assert_eq!(named, ["later", "failed", "failed", "dead"]);
    // Standard error is passed on, and a line tells of each job.
    assert!(notes.contains("one\nboom\n"), "{notes}");
    assert!(
        notes.contains(&format!("work {failed}: attempt 1: failed after ")),
        "{notes}"
    );
    assert_eq!(place.job(&later).await["released"]["error"], "exit status 75: busy");
    for (id, error) in [
        (&failed, "exit status 3: one\nboom"),
        (&killed, "killed by signal 9"),
        (&last, "exit status 1"),
    ] {
        assert_eq!(place.job(id).await["errors"][0]["error"], error);
    }
    let run_at = async |id: &str| place.job(id).await["run_at"].as_str().expect("a time").to_owned();
    // 1000 s and 9 s from almost the same time.
    assert!(run_at(&later).await > run_at(&failed).await);
    assert_eq!(place.job(&last).await["state"], "dead");
    // To be tried later is no failure.
    assert_eq!(place.job(&later).await["failures"], 0);
    assert_eq!(place.job(&failed).await["failures"], 1);
}

#[tokio::test]
async fn a_command_need_not_read_its_input_and_a_result_too_large_is_not_kept() {
    let place = Place::start().await;
    let unread = place.insert(&json!({"payload": "x".repeat(1 << 20)})).await;
    let (code, _, notes) = place.run(&["--once", "--", "true"]).await;
    assert_eq!(code, Some(0), "{notes}");
    assert_eq!(place.job(&unread).await["state"], "done");

    let large = place.insert(&json!({"payload": 1})).await;
    let (code, _, notes) = place
        .run(&["--once", "--", "sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x"])
        .await;
    assert_eq!(code, Some(0), "{notes}");
    assert!(notes.contains("larger than 65536 bytes"), "{notes}");
    let job = place.job(&large).await;
    assert_eq!((&job["state"], job.get("result")), (&json!("done"), None));

    // Without a job there is nothing to do; without a program no job is taken.
    let (code, out, _) = place.run(&["--once", "--until-empty", "--", "true"]).await;
    assert_eq!((code, out.as_str()), (Some(3), ""));
    let waiting = place.insert(&json!({"payload": 1})).await;
    let (code, _, notes) = place.run(&["--once", "--", "no-such-program"]).await;
    assert_eq!(code, Some(2));
    assert!(notes.contains("no-such-program"), "{notes}");
    // What the server refuses ends the worker: here a queue that cannot be.
    let (code, _, notes) = place.run(&[".", "--", "true"]).await;
    assert_eq!(code, Some(4), "{notes}");
    assert_eq!(place.job(&waiting).await["state"], "ready");
}

#[tokio::test]
async fn as_many_jobs_run_at_once_as_are_asked_for_and_nothing_of_them_remains() {
    let place = Place::start().await;
    let jobs = (0..9).map(|number| json!({"payload": number})).collect::<Vec<_>>();
    place.send("POST", "/v1/queues/work/jobs", &json!({"jobs": jobs})).await;
    // Each of three waits for the two others, and leaves a process behind.
    let script = r#"
        sleep 1000 & echo $! > "left-$PRESQUE_JOB_ID"
        mkdir -p running; touch "running/$PRESQUE_JOB_ID"
        until [ "$(ls running | wc -l)" -ge 3 ]; do sleep 0.01; done
        ls running | wc -l >> seen"#;
    let (code, out, notes) = place
        .run(&["--until-empty", "--json", "-n", "3", "--", "sh", "-c", script])
        .await;
    assert_eq!(code, Some(0), "{notes}");
    assert_eq!(statuses(&out).len(), 9);
    for line in out.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        place
            .gone(&format!("left-{}", line["id"].as_str().expect("an id")))
            .await;
    }
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_ended_and_killed_if_it_does_not_end_unless_it_ends_as_done() {
    let place = Place::start().await;
    let settings = json!({"retain": 600, "backoff": {"kind": "fixed", "delay": 1000}});
    place.send("PUT", "/v1/queues/work", &settings).await;
    let done = place.insert(&json!({"payload": "done"})).await;
    let ends = place.insert(&json!({"payload": "ends"})).await;
    let stays = place.insert(&json!({"payload": "stays"})).await;
    let script = r#"
        case "$(cat)" in
            '"done"') trap 'echo saved; exit 0' TERM ;;
            '"ends"') trap 'echo asked to end >&2; exit 1' TERM ;;
            *) trap '' TERM; echo $$ > stays; sleep 1000 & echo $! > child ;;
        esac
        while :; do sleep 0.01; done"#;
    let (code, out, notes) = place
        .run(&[
            "--until-empty",
            "--json",
            "-n",
            "3",
            "--lease",
            "5",
            "--timeout",
            "1.5",
            "--",
            "sh",
            "-c",
            script,
        ])
        .await;
    assert_eq!(code, Some(1), "{notes}");
    let mut named: Vec<String> = statuses(&out).into_iter().map(|(_, status)| status).collect();
    named.sort();
    assert_eq!(named, ["done", "failed", "failed"]);
    assert_eq!(place.job(&done).await["result"], "saved");
    place.gone("stays").await;
    place.gone("child").await;
    let error = place.job(&ends).await["errors"][0]["error"].clone();
    let error = error.as_str().expect("text");
    // In between the shell may say what became of its `sleep`.
    assert!(
        error.starts_with("timed out after 1.5 s: ") && error.ends_with("asked to end"),
        "{error}"
    );
    let job = place.job(&stays).await;
    // The lease was extended also while it was asked to end.
    assert_eq!(
        (&job["errors"][0]["error"], &job["lost_leases"]),
        (&json!("timed out after 1.5 s"), &json!(0))
    );
}

#[tokio::test]
async fn a_process_that_left_the_group_does_not_hold_up_its_job() {
    let place = Place::start().await;
    let id = place.insert(&json!({"payload": 1})).await;
    let script = "setsid sh -c 'until [ -e go ]; do sleep 0.01; done' & echo begun";
    let (code, _, notes) = place.run(&["--once", "--lease", "5", "--", "sh", "-c", script]).await;
    place.touch("go");
    assert_eq!(code, Some(0), "{notes}");
    assert_eq!(place.job(&id).await["result"], "begun");
}

/// Makes a program of this text in the folder, at once as a whole.
fn install(place: &Place, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let new = place.path("new");
    std::fs::write(&new, text).expect("a file");
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    std::fs::rename(new, place.path("program")).expect("a name");
}

#[tokio::test]
async fn no_job_fails_since_the_command_cannot_be_started() {
    let place = Place::start().await;
    let id = place.insert(&json!({"payload": 1, "max_attempts": 1})).await;
    install(&place, "#!/no/such/interpreter\n");
    let (code, out, notes) = place.run(&["--until-empty", "--json", "--", "./program"]).await;
    assert_eq!(code, Some(1), "{notes}");
    assert_eq!(statuses(&out), [(1, "returned".to_owned())], "{notes}");
    assert_eq!(notes.matches("cannot start ./program").count(), 1, "{notes}");

    // Without an end to come to, the job waits until there is a program.
    let mut worker = place.worker(&["--", "./program"]);
    worker.noted("cannot start ./program").await;
    worker.signal(rustix::process::Signal::TERM);
    assert_eq!(worker.ended().await, Some(0));
    let worker = place.worker(&["--timeout", "1000", "--", "./program"]);
    worker.noted("cannot start ./program").await;
    install(&place, "#!/bin/sh\necho at last\n");
    let job = place.job_in("done", &id).await;
    let facts = (&job["result"], &job["failures"], &job["attempt"]);
    assert_eq!(facts, (&json!("at last"), &json!(0), &json!(3)));
    assert_eq!((&job["lost_leases"], &job["released"]["times"]), (&json!(0), &json!(2)));
    worker.noted("./program can be started again").await;
    let notes = worker.notes();
    assert_eq!(notes.matches("cannot start ./program").count(), 1, "{notes}");
}

#[tokio::test]
async fn a_worker_that_ends_tells_of_jobs_that_others_have() {
    let place = Place::start().await;
    place.insert(&json!({"payload": 1})).await;
    place.send("POST", "/v1/queues/work/claims", &json!({})).await;
    let (code, _, notes) = place.run(&["--until-empty", "--", "true"]).await;
    assert_eq!(code, Some(0), "{notes}");
    assert!(notes.contains("work: other workers have 1 job."), "{notes}");
}
