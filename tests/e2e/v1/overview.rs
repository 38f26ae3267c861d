//! `/v1/overview` and `/v1/queues/{q}/history`.

use super::{Server, body_of, problem, wrong_parameter};
use presque::store::MAX_LOOKED_AT;
use serde_json::{Value, json};

fn names(overview: &Value) -> Vec<&str> {
    let queues = overview["queues"].as_array().expect("queues");
    queues
        .iter()
        .map(|queue| queue["queue"].as_str().expect("a name"))
        .collect()
}

#[tokio::test]
async fn an_overview_tells_of_each_queue_and_of_all_together() {
    let server = Server::start();
    server.insert("a", json!({"payload": 1})).await;
    server.insert("b%2Fc", json!({"payload": 1, "delay": 1000})).await;
    server.claim("a", r#"{"worker":"w"}"#).await;
    body_of(&server.send("PUT", "/v1/queues/b%2Fc", r#"{"paused":true}"#).await, 200);
    let mut overview = body_of(&server.get("/v1/overview?history=2").await, 200);
    let of_minutes = |count: &Value| {
        count
            .as_array()
            .expect("minutes")
            .iter()
            .filter_map(Value::as_u64)
            .sum::<u64>()
    };
    for queue in overview["queues"].as_array_mut().unwrap() {
        let queue = queue.as_object_mut().unwrap();
        let history = queue.remove("history").expect("a history");
        assert_eq!(history["inserted"].as_array().map(Vec::len), Some(2));
        assert_eq!(of_minutes(&history["inserted"]), 1);
        queue.remove("rates").expect("rates");
    }
    let counts = |active: u64, scheduled: u64| json!({"ready": 0, "scheduled": scheduled, "active": active, "done": 0, "dead": 0, "cancelled": 0});
    let row = |queue: &str, paused: bool, counts: Value, workers: u64| json!({"queue": queue, "paused": paused, "counts": counts, "oldest_ready_age": null, "workers": workers});
    assert_eq!(
        overview["queues"],
        json!([row("a", false, counts(1, 0), 1), row("b/c", true, counts(0, 1), 0)])
    );
    assert_eq!(overview["totals"]["queues"], 2);
    assert_eq!(overview["totals"]["counts"], counts(1, 1));
    assert_eq!((&overview["matching"], &overview["next"]), (&json!(2), &Value::Null));
    let without = body_of(&server.get("/v1/overview").await, 200);
    assert_eq!(without["queues"][0]["history"], Value::Null);
}

#[tokio::test]
async fn queues_are_searched_sorted_and_paged() {
    let server = Server::start();
    for (queue, jobs) in [("a", 1), ("b", 3), ("Größe %", 2), ("c", 3)] {
        let path = queue
            .replace(' ', "%20")
            .replace('%', "%25")
            .replace("%2520", "%20")
            .replace("ö", "%C3%B6")
            .replace("ß", "%C3%9F");
        for _ in 0..jobs {
            server.insert(&path, json!({"payload": 1})).await;
        }
    }
    let overview = async |query: &str| body_of(&server.get(&format!("/v1/overview?{query}")).await, 200);
    assert_eq!(names(&overview("").await), ["Größe %", "a", "b", "c"]);
    assert_eq!(names(&overview("sort=ready").await), ["b", "c", "Größe %", "a"]);
    for sort in ["name", "active", "dead", "inserted", "age"] {
        assert_eq!(names(&overview(&format!("sort={sort}")).await).len(), 4, "{sort}");
    }
    let found = overview("search=GR%C3%B6SSE").await;
    assert_eq!((names(&found), &found["totals"]["queues"]), (vec![], &json!(4)));
    let found = overview("search=gr%C3%96%C3%9F").await;
    assert_eq!((names(&found), &found["matching"]), (vec!["Größe %"], &json!(1)));

    for sort in ["name", "ready", "age"] {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = overview(&format!("sort={sort}&limit=1{cursor}")).await;
            all.extend(names(&page).into_iter().map(str::to_owned));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={}", next.replace('%', "%25"));
        }
        let mut sorted = all.clone();
        sorted.sort();
        assert_eq!(sorted, ["Größe %", "a", "b", "c"], "{sort}: {all:?}");
    }
}

#[tokio::test]
async fn a_history_tells_each_minute_and_the_last_one_is_running() {
    let server = Server::start();
    problem(&server.get("/v1/queues/x/history").await, 404, "no-such-queue");
    server.insert("x", json!({"payload": 1})).await;
    server.claim_one("x").await;
    let history = body_of(&server.get("/v1/queues/x/history").await, 200);
    assert_eq!((&history["queue"], &history["step"]), (&json!("x"), &json!(60)));
    for name in [
        "inserted",
        "claimed",
        "done",
        "failed",
        "lost_leases",
        "dead",
        "released",
        "oldest_ready_age",
    ] {
        assert_eq!(history[name].as_array().map(Vec::len), Some(180), "{name}");
    }
    // A minute may have ended since.
    let last = |name: &str| history[name][178].as_u64().unwrap() + history[name][179].as_u64().unwrap();
    assert_eq!((last("inserted"), last("claimed"), last("done")), (1, 1, 0));
    let short = body_of(&server.get("/v1/queues/x/history?minutes=3").await, 200);
    assert_eq!(short["done"], json!([0, 0, 0]));
}

#[tokio::test]
async fn what_is_wrong_with_a_parameter_of_these_is_named() {
    let server = Server::start();
    server.insert("x", json!({"payload": 1})).await;
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("history=181", "history"),
        ("sort=size", "sort"),
        ("cursor=", "cursor"),
        ("cursor=x.y", "cursor"),
        ("cursor=1", "cursor"),
        ("cursor=1.%25ff", "cursor"),
        ("cursor=99999999999999999999.x", "cursor"),
    ] {
        wrong_parameter(&server.get(&format!("/v1/overview?{query}")).await, name);
    }
    for minutes in ["0", "181", "x", ""] {
        let answer = server.get(&format!("/v1/queues/x/history?minutes={minutes}")).await;
        wrong_parameter(&answer, "minutes");
    }
    for (target, name) in [
        ("/v1/overview?sorted=name", "sorted"),
        ("/v1/queues/x/history?minutes=1&limit=1", "limit"),
        ("/v1/queues/x/history?%ff", "\u{fffd}"),
        ("/v1/overview?=1", ""),
    ] {
        wrong_parameter(&server.get(target).await, name);
    }
}

#[tokio::test]
async fn of_very_many_queues_each_page_is_right_and_the_totals_follow() {
    let server = Server::start();
    let queues = MAX_LOOKED_AT + 20;
    for number in 0..queues {
        server.insert(&format!("q{number:04}"), r#"{"payload":1}"#).await;
    }
    let overview = async |query: &str| body_of(&server.get(&format!("/v1/overview?{query}")).await, 200);
    // By name, pages have all queues from the first request on, with what they have now.
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = overview(&format!("limit=100{cursor}")).await;
        assert_eq!(
            (&page["matching"], &page["totals"]["queues"]),
            (&json!(queues), &json!(queues))
        );
        for queue in page["queues"].as_array().unwrap() {
            assert_eq!(queue["counts"]["ready"], 1, "{queue}");
        }
        all.extend(names(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let expected: Vec<_> = (0..queues).map(|number| format!("q{number:04}")).collect();
    assert_eq!(all, expected);
    let page = overview("limit=1&sort=age").await;
    assert_eq!(
        (names(&page), &page["totals"]["counts"]["ready"]),
        (vec!["q0000"], &json!(queues))
    );
}
