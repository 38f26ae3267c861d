//! How long instances live, and how many requests they take.

use super::support::{
    Body, Host, KEEP, PLAIN, Redis, Site, WITH_REDIS, hold, instance, other_connections, patiently, redis_variable,
    until,
};

async fn start(arguments: &[&str]) -> Host {
    let arguments: Vec<&str> = KEEP.iter().chain(arguments).copied().collect();
    Site::new(PLAIN).start(&arguments).await
}

#[tokio::test]
async fn an_instance_serves_one_request_after_the_other_up_to_its_number() {
    let host = start(&["--max-instance-reuse-count", "3"]).await;
    let client = host.client();
    let mut ids = Vec::new();
    for count in [1, 2, 3, 1, 2, 3, 1] {
        let (id, counted) = instance(&client).await;
        assert_eq!(counted, count);
        ids.push(id);
    }
    assert!(ids[0] == ids[1] && ids[1] == ids[2] && ids[3] == ids[5], "{ids:?}");
    assert!(ids[2] != ids[3] && ids[5] != ids[6] && ids[0] != ids[6], "{ids:?}");
}

/// The instance that a line of the log names: `... held ID COUNT ...`.
fn held_id(line: &str) -> &str {
    let (_, rest) = line.split_once("held ").unwrap();
    rest.split(' ').next().unwrap()
}

#[tokio::test]
async fn an_instance_serves_as_many_requests_at_once_as_it_may() {
    let mut host = start(&["--max-instance-concurrent-reuse-count", "3"]).await;
    let mut held = Vec::new();
    let mut said = Vec::new();
    for count in [1, 2, 3, 1, 2] {
        held.push(hold(&host));
        said = host.log_lines(&["held"], held.len()).await;
        let counted = format!(" {count} component=");
        assert!(said.last().unwrap().contains(&counted), "{said:?}");
    }
    let ids: Vec<&str> = said.iter().map(|line| held_id(line)).collect();
    assert!(
        ids[0] == ids[1] && ids[1] == ids[2] && ids[3] == ids[4] && ids[2] != ids[3],
        "{ids:?}"
    );
    for ((open, answer), id) in held.into_iter().zip(ids) {
        drop(open);
        let answer = patiently("the answer to a held request", answer).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.text()), (200, id));
    }
}

#[tokio::test]
async fn a_stream_that_has_begun_does_not_count_as_a_request() {
    let host = start(&["--max-instance-concurrent-reuse-count", "1"]).await;
    let client = host.client();
    let (id, _) = instance(&client).await;
    let _stream = host.client().open("GET", "/ticks", &[], Body::default()).await.unwrap();
    assert_eq!(instance(&client).await, (id, 3));
}

#[tokio::test]
async fn no_more_than_1000_instances_of_a_component_live_at_a_time_and_others_have_their_own() {
    let other = r#"
[[trigger.http]]
route = "/other/..."
component = "other"
[component.other]
source = "GUEST"
"#;
    let arguments = [
        "--max-instance-concurrent-reuse-count",
        "1",
        "--max-instance-reuse-count",
        "1",
    ];
    let arguments: Vec<&str> = KEEP.iter().chain(&arguments).copied().collect();
    let mut host = Site::new(&format!("{PLAIN}{other}")).start(&arguments).await;
    let mut held = Vec::new();
    for _ in 0..1000 {
        held.push(hold(&host));
    }
    host.log_lines(&["held"], 1000).await;
    let answer = host.get("/instance").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (503, ""));
    assert_eq!(answer.header("retry-after"), Some("1"));
    host.log_line(&[
        "ERROR",
        "component=\"guest\"",
        "no instance can be made: the component has 1000 instances",
    ])
    .await;
    for _ in 0..10 {
        assert_eq!(host.get("/other/").await.status, 200);
    }
    for (open, answer) in held {
        drop(open);
        let answer = patiently("the answer to a held request", answer).await.unwrap();
        assert_eq!(answer.status, 200);
    }
    until("there is room again", async || {
        host.get("/instance").await.status == 200
    })
    .await;
}

#[tokio::test]
async fn an_idle_instance_is_dropped_and_its_connections_with_it() {
    let redis = Redis::start();
    let mut connection = redis.connection().await;
    let arguments = ["--idle-instance-timeout", "50ms", "--variable", &redis_variable(&redis)];
    let host = Site::new(WITH_REDIS).start(&arguments).await;
    let client = host.client();
    let answer = client.send("POST", "/redis/kept", &[], "PING").await;
    assert_eq!(answer.body, "status PONG");
    until("the instance's connection is closed", async || {
        other_connections(&mut connection).await == 0
    })
    .await;
    assert_eq!(instance(&client).await.1, 1);
}

#[tokio::test]
async fn an_instance_that_waits_is_not_idle() {
    let host = Site::new(PLAIN).start(&["--idle-instance-timeout", "20ms"]).await;
    let answer = host.get("/wait?300").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "waited"));
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered_for_its_component() {
    let mut host = start(&["--request-timeout", "1s"]).await;
    let answer = host.get("/wait?600000").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (500, ""));
    host.log_line(&["WARN", "component=\"guest\"", "no answer within the request timeout"])
        .await;
    // It is not the end of its component.
    for _ in 0..3 {
        assert_eq!(host.get("/wait?1").await.into_text(), "waited");
    }
}

#[tokio::test]
async fn a_stream_that_takes_too_long_is_cut_off() {
    let mut host = start(&["--request-timeout", "1s"]).await;
    let ticks = host.get("/ticks").await;
    assert!(ticks.text().ends_with("tick\n"), "{ticks:?}");
    host.log_line(&["ERROR", "component=\"guest\"", "guest timed out"])
        .await;
}

#[tokio::test]
async fn a_component_that_computes_for_ever_is_ended_and_does_not_stop_the_others() {
    let mut host = start(&["--request-timeout", "2s"]).await;
    let client = host.client();
    let busy = tokio::spawn(async move { client.get("/busy").await });
    host.log_line(&["busy"]).await;
    assert_eq!(host.get("/wait?1").await.status, 200);
    let busy = patiently("an answer for the busy component", busy).await.unwrap();
    // Its instance cannot even be asked to end.
    assert_eq!((busy.status.as_u16(), busy.text()), (500, ""));
    host.log_line(&["ERROR", "component=\"guest\"", "guest timed out"])
        .await;
}
