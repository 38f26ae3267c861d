//! The component of one's own is served beside nothing else, by its own manifest.

use crate::support::{Host, HostOptions, Redis};

#[tokio::test]
async fn a_component_of_ones_own_adds_a_header_and_a_route_to_those_of_the_library() {
    let redis = Redis::start();
    let host = Host::start(HostOptions {
        redis_url: Some(redis.url()),
        manifest: Some("examples/component/spin.toml"),
        ..HostOptions::default()
    });
    let client = host.client();
    let inserted = client.post("/v1/queues/mail/jobs", r#"{"payload":1}"#).await;
    let greeted = client.get("/hello/ann").await;
    assert_eq!(
        (inserted.status.as_u16(), greeted.brief()),
        (201, (200, r#"{"hello":"ann"}"#))
    );
    for answer in [inserted, greeted] {
        assert_eq!(answer.header("x-powered-by"), Some("presque"), "{answer:?}");
    }
}
