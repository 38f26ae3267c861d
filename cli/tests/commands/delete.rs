//! `presque delete` and `presque drain`.

use crate::support::{errors, get, post, printed, run};
use presque_testkit::{Host, Redis};
use serde_json::json;

#[tokio::test]
async fn what_deletes_asks_first_and_where_nobody_can_be_asked_needs_a_flag() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let jobs = json!({"jobs": [{"payload": 1}, {"payload": 2}, {"payload": 3, "delay": 60}, {"payload": 4}]});
    let inserted = post(&host, "/v1/queues/q/jobs", jobs).await;
    let id = inserted["jobs"][3]["id"].as_str().expect("an id");
    for args in [&["drain", "q"][..], &["delete", "q"], &["delete", "q", "--job", id]] {
        // The tests have no terminal.
        let output = run(&host, args).await;
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(errors(&output).contains("--yes"), "{args:?}: {}", errors(&output));
        let missing = run(&host, &[&[args[0], "none", "--yes"], &args[2..]].concat()).await;
        assert_eq!(missing.status.code(), Some(3), "{args:?}");
    }
    assert_eq!(get(&host, "/v1/queues/q").await["counts"]["ready"], 3);

    assert_eq!(
        printed(&host, &["delete", "q", "--job", id, "--yes"]).await,
        format!("{id} cancelled\n")
    );
    post(&host, "/v1/queues/q/claims", json!({"lease": 600})).await;
    assert_eq!(printed(&host, &["drain", "q", "--yes"]).await, "2 jobs deleted\n");
    let counts = &get(&host, "/v1/queues/q").await["counts"];
    assert_eq!(
        (&counts["active"], &counts["ready"], &counts["scheduled"]),
        (&1.into(), &0.into(), &0.into())
    );
    let deleted = printed(&host, &["delete", "q", "-y", "--json"]).await;
    assert_eq!(deleted, "{\"deleted\":1,\"queue\":\"q\"}\n");
    assert_eq!(host.get("/v1/queues/q").await.status, 404);
}
