//! What `/metrics` tells when Redis does not answer as it should.

use super::{Metrics, Server};

#[tokio::test]
async fn when_redis_is_away_a_scrape_says_so_and_nothing_else() {
    let mut server = Server::start();
    server.insert("a", r#"{"payload":1}"#).await;
    assert_eq!(server.scrape().await.value("presque_redis_up", &[]), 1.0);
    server.redis.server.kill().unwrap();
    for target in ["/metrics", "/metrics?queue=a"] {
        let metrics = Metrics::of(&server.client.get(target).await);
        assert_eq!(metrics.value("presque_redis_up", &[]), 0.0);
        assert_eq!(metrics.families(), ["presque_build", "presque_redis_up"]);
    }
}

#[tokio::test]
async fn when_an_answer_of_redis_cannot_be_read_the_log_says_so() {
    let mut server = Server::start();
    server.insert("a", r#"{"payload":1}"#).await;
    server.redis.run("HSET presque:{a}:meta orphans many").await;
    assert_eq!(server.scrape().await.value("presque_redis_up", &[]), 0.0);
    let what = "cannot tell metrics: Redis gave an unexpected reply: bytes where a time should be";
    server.host.log_line(&[what]).await;
}
