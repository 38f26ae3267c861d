//! `/v1/queues/{q}/jobs/search`, the actions on all jobs that match, and `/v1/queues/{q}/dead/groups`.

use super::{Server, body_of, wrong_member, wrong_parameter};
use serde_json::{Value, json};

const SEARCH: &str = "/v1/queues/x/jobs/search";

fn ids(found: &Value) -> Vec<&str> {
    let jobs = found["jobs"].as_array().expect("jobs");
    jobs.iter().map(|job| job["id"].as_str().expect("an id")).collect()
}

async fn bury(server: &Server, error: &str) {
    let receipt = server.claim_one("x").await["receipt"].clone();
    let nack = json!({"dead": true, "error": error}).to_string();
    server.finish("x", &receipt, "nack", &nack).await;
}

#[tokio::test]
async fn jobs_are_found_by_text_metadata_key_and_state() {
    let server = Server::start();
    let job = json!({"payload": {"to": "Ann"}, "metadata": {"team": "a", "n": 1}, "unique": {"key": "k", "while": "unfinished"}});
    let first = server.insert("x", job).await;
    let second = server.insert("x", json!({"payload": "ann", "delay": 60})).await;
    for (search, expected) in [
        (json!({}), vec![&second, &first]),
        (json!({"text": "ann"}), vec![&second, &first]),
        (json!({"text": "ann", "state": "scheduled"}), vec![&second]),
        (json!({"metadata": {"team": "a", "n": 1.0}}), vec![&first]),
        (json!({"metadata": {"team": "b"}}), vec![]),
        (json!({"unique": "k"}), vec![&first]),
        (json!({"ids": [second, first]}), vec![&second, &first]),
        (json!({"older_than": 3600}), vec![]),
        (json!({"newer_than": 3600}), vec![&second, &first]),
    ] {
        let found = server.done(SEARCH, search.clone()).await;
        assert_eq!(ids(&found), expected, "{search}");
        assert_eq!((&found["left"], &found["next"]), (&json!(0), &json!(null)), "{search}");
    }
    let found = server.done(SEARCH, json!({"text": "ann", "payload": true})).await;
    assert_eq!(found["jobs"][1]["payload"], json!({"to": "Ann"}));
}

#[tokio::test]
async fn a_search_goes_on_at_its_cursor_through_all_states() {
    let server = Server::start();
    for n in 0..3 {
        server.insert("x", json!({"payload": n})).await;
        server.insert("x", json!({"payload": n, "delay": 60})).await;
    }
    let all = server.done(SEARCH, json!({"limit": 6})).await;
    let (mut found, mut cursor) = (Vec::new(), json!(null));
    loop {
        let mut search = json!({"limit": 2});
        if !cursor.is_null() {
            search["cursor"] = cursor;
        }
        let page = server.done(SEARCH, search).await;
        found.extend(ids(&page).into_iter().map(str::to_owned));
        cursor = page["next"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(found, ids(&all));
}

#[tokio::test]
async fn a_list_can_begin_with_the_newest() {
    let server = Server::start();
    let mut all = Vec::new();
    for n in 0..3 {
        all.push(server.insert("x", json!({"payload": n})).await);
    }
    all.reverse();
    let first = body_of(
        &server.get("/v1/queues/x/jobs?state=ready&order=newest&limit=2").await,
        200,
    );
    assert_eq!(ids(&first), all[..2]);
    let next = format!(
        "/v1/queues/x/jobs?state=ready&order=newest&cursor={}",
        first["next"].as_str().unwrap()
    );
    let second = body_of(&server.get(&next).await, 200);
    assert_eq!((ids(&second), &second["next"]), (vec![&*all[2]], &json!(null)));
}

#[tokio::test]
async fn all_that_match_are_promoted_cancelled_redriven_and_deleted() {
    let server = Server::start();
    for n in 0..4 {
        server
            .insert("x", json!({"payload": n, "delay": 60, "metadata": {"n": n}}))
            .await;
    }
    let act = async |action: &str, body: Value| server.done(&format!("/v1/queues/x/jobs/{action}"), body).await;
    let promoted = act("promote", json!({"metadata": {"n": 3}})).await;
    assert_eq!(
        promoted,
        json!({"promoted": 1, "unknown": 0, "looked_at": 4, "left": 0, "next": null})
    );
    assert_eq!(server.claim_one("x").await["metadata"], json!({"n": 3}));
    let first = act("promote", json!({"limit": 2})).await;
    assert_eq!((&first["promoted"], &first["left"]), (&json!(2), &json!(1)));
    let second = act("promote", json!({"cursor": first["next"]})).await;
    assert_eq!(
        (&second["promoted"], &second["left"], &second["next"]),
        (&json!(1), &json!(0), &json!(null))
    );

    bury(&server, "no mailbox 17").await;
    bury(&server, "no mailbox 18").await;
    let groups = body_of(&server.get("/v1/queues/x/dead/groups").await, 200);
    let group = &groups["groups"][0];
    assert_eq!(
        (
            &group["group"],
            &group["reason"],
            &group["jobs"],
            &group["newest"]["error"]
        ),
        (
            &json!("no mailbox #"),
            &json!("rejected"),
            &json!(2),
            &json!("no mailbox 18")
        )
    );
    let redriven = act("redrive", json!({"error": "MAILBOX 17"})).await;
    assert_eq!(
        redriven,
        json!({"redriven": 1, "conflicts": 0, "unknown": 0, "looked_at": 2, "left": 0, "next": null})
    );
    let deleted = act(
        "delete",
        json!({"state": "dead", "group": "no mailbox #", "reason": "rejected"}),
    )
    .await;
    assert_eq!(deleted["deleted"], json!(1));
    let cancelled = act("cancel", json!({"state": "ready"})).await;
    assert_eq!(cancelled["cancelled"], json!(2));
    server.assert_sound().await;
}

#[tokio::test]
async fn a_queue_that_does_not_exist_has_no_job_that_matches() {
    let server = Server::start();
    assert_eq!(server.done(SEARCH, "").await["jobs"], json!([]));
    assert_eq!(
        server.done("/v1/queues/x/jobs/delete", json!({"state": "dead"})).await["deleted"],
        json!(0)
    );
    assert_eq!(
        body_of(&server.get("/v1/queues/x/dead/groups").await, 200)["groups"],
        json!([])
    );
    assert_eq!(body_of(&server.get("/v1/queues").await, 200)["size"], json!(0));
}

#[tokio::test]
async fn what_is_wrong_with_a_filter_is_told() {
    let server = Server::start();
    let id = "00000000002a19a3f0c2b7e9";
    for (action, body, pointer) in [
        ("search", json!({"state": "asleep"}), "/state"),
        ("search", json!({"text": ""}), "/text"),
        ("search", json!({"text": 7}), "/text"),
        ("search", json!({"metadata": {"a": [1]}}), "/metadata"),
        ("search", json!({"metadata": "a"}), "/metadata"),
        ("search", json!({"reason": "tired"}), "/reason"),
        ("search", json!({"limit": 201}), "/limit"),
        ("search", json!({"cursor": "1.2"}), "/cursor"),
        ("search", json!({"cursor": "dead-0", "state": "ready"}), "/cursor"),
        ("search", json!({"older_than": -1}), "/older_than"),
        ("search", json!({"ids": [id], "payload": true}), "/payload"),
        ("search", json!({"ids": ["7"]}), "/ids/0"),
        ("search", json!({"txt": "a"}), "/txt"),
        ("redrive", json!({"state": "done"}), "/state"),
        ("promote", json!({"ids": []}), "/ids"),
        ("promote", json!({"limit": 1001}), "/limit"),
        ("cancel", json!({"state": "dead"}), "/state"),
        ("cancel", json!({}), ""),
        ("delete", json!({"text": "a"}), ""),
        ("delete", json!({"state": "active"}), "/state"),
        ("delete", json!({"ids": [id], "cursor": "17"}), "/cursor"),
        ("delete", json!({"ids": [id], "limit": 1}), "/limit"),
        ("delete", json!({"state": "done", "cursor": "dead-0"}), "/cursor"),
    ] {
        let answer = server
            .post(&format!("/v1/queues/x/jobs/{action}"), body.to_string())
            .await;
        wrong_member(&answer, pointer);
    }
    for query in ["cursor=x", "cursor=1", "limit=5", "order=newest"] {
        let answer = server.get(&format!("/v1/queues/x/dead/groups?{query}")).await;
        wrong_parameter(&answer, query.split('=').next().unwrap());
    }
    let answer = server.get("/v1/queues/x/jobs?state=ready&order=oldest").await;
    wrong_parameter(&answer, "order");
}
