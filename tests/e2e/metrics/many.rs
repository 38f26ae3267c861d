//! `/metrics` where there are more queues than it tells of one by one.

use super::{Metrics, Server};
use presque::store::Largest;

/// Inserts jobs into so many queues: into each tenth ten more than into the others, which get one. Returns how many jobs there are.
async fn fill(server: &Server, queues: usize) -> usize {
    let mut jobs = 0;
    for number in 0..queues {
        let count = if number % 10 == 0 { 11 } else { 1 };
        let batch = vec!["\"1\""; count].join(",");
        server
            .client
            .insert(&format!("/qb/q{number:04}"), format!("{{\"jobs\":[{batch}]}}"))
            .await;
        jobs += count;
    }
    jobs
}

#[tokio::test]
async fn the_largest_queues_are_told_of_one_by_one_and_the_others_together() {
    let server = Server::start();
    let jobs = fill(&server, 300).await;
    let metrics = server.scrape().await;
    let ready = metrics.samples("presque_jobs", &[("state", "ready")]);
    assert_eq!((ready.len(), Largest::MAX_QUEUES), (200, 200));
    assert_eq!(metrics.value("presque_other_queues", &[]), 100.0);
    // All that have many, and of the others the first by name.
    assert_eq!(ready.iter().filter(|(_, count)| *count == 11.0).count(), 30);
    assert_eq!(
        (metrics.jobs("q0290", "ready"), metrics.jobs("q0188", "ready")),
        (11.0, 1.0)
    );
    assert_eq!(
        metrics
            .samples("presque_jobs", &[("queue", "q0189"), ("state", "ready")])
            .len(),
        0
    );
    let named: f64 = ready.iter().map(|(_, count)| count).sum();
    let others = metrics.value("presque_other_jobs", &[("state", "ready")]);
    assert_eq!((named + others, others), (jobs as f64, 100.0));
    assert!(metrics.value("presque_other_oldest_ready_age_seconds", &[]) > 0.0);
    // One of the others, when it is asked for.
    let one = Metrics::of(&server.client.get("/metrics?queue=q0299").await);
    assert_eq!(
        (
            one.jobs("q0299", "ready"),
            one.samples("presque_other_queues", &[]).len()
        ),
        (1.0, 0)
    );
    // Each family stands in one piece, in the order of names, so that an answer can be compared with the last.
    let names: Vec<_> = ready
        .iter()
        .map(|(labels, _)| labels["queue"].as_str().unwrap())
        .collect();
    assert!(names.is_sorted());
}

#[tokio::test]
async fn of_very_many_queues_a_scrape_looks_at_a_part_and_soon_knows_all() {
    let server = Server::start();
    let queues = Largest::MAX_LOOKED_AT + 100;
    let jobs = fill(&server, queues).await;
    let looks = async || server.redis.commands().await["evalsha"];
    let before = looks().await;
    let first = server.scrape().await;
    let looked = looks().await - before;
    // One for the list of queues, and one to remember what was found.
    let most = Largest::MAX_LOOKED_AT + Largest::MAX_QUEUES + 2;
    assert!(looked <= most as i64, "{looked}");
    let second = server.scrape().await;
    for metrics in [&first, &second] {
        assert_eq!(metrics.value("presque_other_queues", &[]), (queues - 200) as f64);
        assert_eq!(metrics.samples("presque_jobs", &[("state", "ready")]).len(), 200);
    }
    let ready = second.samples("presque_jobs", &[("state", "ready")]);
    let named: f64 = ready.iter().map(|(_, count)| count).sum();
    let others = second.value("presque_other_jobs", &[("state", "ready")]);
    assert_eq!(named + others, jobs as f64);
    assert_eq!(
        ready.iter().filter(|(_, count)| *count == 11.0).count(),
        queues.div_ceil(10)
    );
}
