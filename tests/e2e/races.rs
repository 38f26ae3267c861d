//! Requests at once: none lost, none doubled, none late.

use crate::support::{Client, Host, Redis, assert_sound};
use futures_util::future::join_all;
use std::collections::BTreeSet;

const ROUNDS: usize = 300;

async fn delete(client: &Client, target: &str) {
    assert_eq!(client.send("DELETE", target, &[], "").await.status, 204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_201_was_received_is_in_the_next_get() {
    let redis = Redis::start();
    let (one, two) = (Host::on(&redis), Host::on(&redis));
    let (one, two) = (one.client(), two.client());
    for round in 0..ROUNDS {
        one.insert("/q/x", round.to_string()).await;
        assert_eq!(two.get("/q/x").await.text(), round.to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixteen_posts_with_one_key_at_once_one_wins() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    for round in 0..ROUNDS {
        let target = format!("/q/u?uniq={}", round % 7);
        let answers = join_all((0..16).map(|_| client.post(&target, "1"))).await;
        let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((count(201), count(400)), (1, 15));
        assert_eq!(client.get("/q/u").await.status, 200);
    }
    assert_sound(&redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_204_of_a_delete_no_old_job_comes_out() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    for round in 0..ROUNDS {
        let jobs: Vec<_> = (0..8).map(|number| format!("\"{round}:{number}\"")).collect();
        client
            .insert("/qb/x", format!("{{\"jobs\":[{}]}}", jobs.join(",")))
            .await;
        let fetches = join_all((0..4).map(|_| client.get("/q/x")));
        let (fetched, ()) = tokio::join!(fetches, delete(&client, "/q/x"));
        let distinct: BTreeSet<_> = fetched
            .iter()
            .filter(|answer| answer.status == 200)
            .map(|a| a.text())
            .collect();
        assert_eq!(
            distinct.len(),
            fetched.iter().filter(|answer| answer.status == 200).count(),
            "doubled"
        );
        assert_eq!(client.get("/q/x").await.status, 404, "an old job came out");
        client.insert("/q/x", "\"new\"").await;
        assert_eq!(client.get("/q/x").await.text(), "\"new\"");
    }
    assert_sound(&redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_insert_that_meets_a_delete_is_either_gone_or_listed() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    for _ in 0..ROUNDS {
        tokio::join!(client.insert("/q/x?uniq=k", "1"), delete(&client, "/q/x"));
        assert_sound(&redis).await;
        let left = client.get("/q/x").await.status;
        assert!([200, 404].contains(&left.as_u16()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_insert_of_a_queue_that_meets_a_delete_is_either_gone_or_listed() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    for round in 0..ROUNDS {
        let target = format!("/q/{round}");
        tokio::join!(client.insert(&target, "1"), delete(&client, &target));
    }
    assert_sound(&redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_and_single_fetches_share_a_queue() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    for round in 0..ROUNDS {
        let all: BTreeSet<_> = (0..20).map(|number| format!("{}", round * 100 + number)).collect();
        let jobs: Vec<_> = all.iter().cloned().collect();
        client
            .insert("/qb/x", format!("{{\"jobs\":[{}]}}", jobs.join(",")))
            .await;
        let singles = join_all((0..8).map(|_| client.get("/q/x")));
        let batches = join_all((0..4).map(|_| client.get("/qb/x?batch_size=5")));
        let (singles, batches) = tokio::join!(singles, batches);
        let mut fetched: Vec<String> = singles
            .iter()
            .filter(|answer| answer.status == 200)
            .map(|answer| answer.text().to_owned())
            .collect();
        for batch in batches.iter().filter(|answer| answer.status == 200) {
            fetched.extend(serde_json::from_slice::<Vec<String>>(&batch.body).unwrap());
        }
        assert_eq!(fetched.len(), 20, "lost or doubled");
        assert_eq!(fetched.into_iter().collect::<BTreeSet<_>>(), all);
    }
    assert_sound(&redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_is_sound_at_every_moment_while_jobs_come_and_go() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    client.insert("/q/x", "1").await;
    let work = async |name: &str| {
        for round in 0..ROUNDS {
            client.insert(&format!("/q/x?uniq={name}{round}"), "1").await;
            assert_eq!(client.get("/q/x").await.status, 200);
        }
    };
    let watch = async || {
        for _ in 0..ROUNDS / 3 {
            assert_sound(&redis).await;
        }
    };
    tokio::join!(work("a"), work("b"), watch());
}
