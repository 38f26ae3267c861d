//! `presque bench`.

use crate::support::{presque, printed, run_at};
use presque_testkit::{Host, Redis, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

async fn queues(host: &Host) -> Value {
    serde_json::from_str::<Value>(host.get("/v1/queues").await.text()).expect("JSON")["size"].take()
}

#[tokio::test]
async fn each_job_goes_through_once_and_the_queue_is_gone_afterwards() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let bench = [
        "bench",
        "--jobs",
        "205",
        "--batch",
        "10",
        "--concurrency",
        "4",
        "--json",
    ];
    let measured: Value = serde_json::from_str(&printed(&host, &bench).await).expect("JSON");
    let (insert, work) = (&measured["insert"], &measured["work"]);
    assert_eq!(
        (&insert["jobs"], &insert["requests"], &work["jobs"]),
        (&205.into(), &21.into(), &205.into())
    );
    for phase in [insert, work] {
        let number = |name| phase[name].as_f64().expect("a number");
        assert!(
            number("p50_ms") > 0.0 && number("p50_ms") <= number("p99_ms"),
            "{phase}"
        );
        let product = number("jobs_per_second") * number("seconds");
        assert!((product - 205.0).abs() < 0.001, "{phase}");
    }
    let text = printed(&host, &["bench", "--jobs", "20"]).await;
    assert!(
        text.starts_with("insert ") && text.contains("\nclaim and ack "),
        "{text}"
    );
    assert_eq!(queues(&host).await, 0);
}

#[tokio::test]
async fn the_queue_is_deleted_also_after_ctrl_c() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let mut bench = presque(&host.base)
        .args(["bench", "--jobs", "10000000"])
        .spawn()
        .expect("it runs");
    until("the queue is there", async || queues(&host).await == 1).await;
    let pid = Pid::from_child(&bench);
    kill_process(pid, Signal::INT).expect("it runs");
    let status = tokio::task::spawn_blocking(move || bench.wait().expect("it ends"));
    assert_eq!(status.await.expect("it was waited for").code(), Some(1));
    assert_eq!(queues(&host).await, 0);
}

#[tokio::test]
async fn a_server_elsewhere_is_not_loaded_unless_that_is_allowed() {
    let refused = run_at("http://192.0.2.1:3000", &["bench"]).await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--allow-remote"));
}
