//! `presque queues`.

use crate::support::{printed, run_at};
use presque_testkit::{Host, Redis};

#[tokio::test]
async fn queues_are_listed_with_the_numbers_of_their_jobs() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    assert_eq!(printed(&host, &["queues"]).await, "There are no queues.\n");
    let json = [("Content-Type", "application/json")];
    for body in [r#"{"payload":1}"#, r#"{"payload":2,"delay":60}"#] {
        let target = "/v1/queues/mail/jobs";
        assert_eq!(
            host.client().send("POST", target, &json, body.to_owned()).await.status,
            201
        );
    }
    let table = printed(&host, &["queues"]).await;
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["QUEUE", "READY", "SCHEDULED", "ACTIVE", "DEAD", "OLDEST"]);
    assert_eq!(rows[1][..5], ["mail", "1", "1", "0", "0"]);
    // One whose jobs are all taken has no oldest one.
    let claim = host.client().send("POST", "/v1/queues/mail/claims", &json, "{}").await;
    assert_eq!(claim.status, 200);
    let taken = printed(&host, &["queues"]).await;
    let row: Vec<&str> = taken.lines().nth(1).expect("a row").split_whitespace().collect();
    assert_eq!(row, ["mail", "0", "1", "1", "0", "-"]);
    let line: serde_json::Value = serde_json::from_str(&printed(&host, &["queues", "--json"]).await).expect("JSON");
    assert_eq!((&line["queue"], &line["counts"]["ready"]), (&"mail".into(), &0.into()));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_of_with_the_way_to_start_one() {
    // A port that nobody has: it was given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("its address")
        .port();
    let url = format!("http://127.0.0.1:{port}");
    let output = run_at(&url, &["queues"]).await;
    let error = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(5), "{error}");
    assert!(error.contains("presque up"), "{error}");
}
