//! Many clients at once: in order, nothing lost, nothing doubled.

use crate::support::{Client, Host, HostOptions, Redis};
use std::collections::{BTreeMap, BTreeSet};

const CLIENTS: usize = 16;
const JOBS: usize = 1000;

/// `producer:number`, as a JSON string.
fn parse(job: &str) -> (usize, usize) {
    let (producer, number) = job.trim_matches('"').split_once(':').expect("a job of ours");
    (producer.parse().unwrap(), number.parse().unwrap())
}

/// Each client posts its part of the jobs, one after the other, all clients at once.
async fn produce(client: &Client, target: &str) {
    let producers = (0..CLIENTS).map(|producer| {
        let (client, target) = (client.clone(), target.to_owned());
        tokio::spawn(async move {
            for number in (producer..JOBS).step_by(CLIENTS) {
                client.insert(&target, format!("\"{producer}:{number}\"")).await;
            }
        })
    });
    for producer in producers.collect::<Vec<_>>() {
        producer.await.unwrap();
    }
}

/// Fetches until there is nothing, with each job's place in the order of answers of this client.
async fn consume(client: &Client, target: &str) -> Vec<(usize, usize)> {
    let mut jobs = Vec::new();
    loop {
        let answer = client.get(target).await;
        match answer.status.as_u16() {
            200 => jobs.push(parse(answer.text())),
            404 => return jobs,
            status => panic!("{status}"),
        }
    }
}

/// One client's jobs must come in the order in which they were posted, to every reader.
fn assert_in_order(jobs: &[(usize, usize)]) {
    let mut last = BTreeMap::new();
    for &(producer, number) in jobs {
        let before = last.insert(producer, number);
        assert!(
            before.is_none_or(|before| before < number),
            "{producer}: {before:?} before {number}"
        );
    }
}

fn assert_all_there(jobs: &[(usize, usize)]) {
    let numbers: BTreeSet<_> = jobs.iter().map(|&(_, number)| number).collect();
    assert_eq!(jobs.len(), JOBS, "doubled or lost");
    assert_eq!(numbers, (0..JOBS).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_jobs_of_sixteen_clients_come_out_in_order_none_lost_or_doubled() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    produce(&client, "/q/one").await;
    let jobs = consume(&client, "/q/one").await;
    assert_in_order(&jobs);
    assert_all_there(&jobs);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_readers_share_the_jobs_of_sixteen_clients() {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    produce(&client, "/q/many").await;
    let consumers = (0..CLIENTS).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { consume(&client, "/q/many").await })
    });
    let mut all = Vec::new();
    for consumer in consumers.collect::<Vec<_>>() {
        let jobs = consumer.await.unwrap();
        assert_in_order(&jobs);
        all.extend(jobs);
    }
    assert_all_there(&all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hosts_on_one_redis_serve_one_queue() {
    let redis = Redis::start();
    let (one, two) = (Host::on(&redis), Host::on(&redis));
    produce(&one.client(), "/q/x").await;
    let (one, two) = (one.client(), two.client());
    let (mut jobs, others) = tokio::join!(consume(&one, "/q/x"), consume(&two, "/q/x"));
    assert_in_order(&jobs);
    assert_in_order(&others);
    jobs.extend(others);
    assert_all_there(&jobs);
}

#[tokio::test]
async fn one_component_can_be_served_alone() {
    let redis = Redis::start();
    let host = Host::start(HostOptions {
        redis_url: Some(redis.url()),
        args: &["--component", "queue"],
        ..HostOptions::default()
    });
    host.client().insert("/q/x", "1").await;
    assert_eq!(host.client().get("/q/x").await.text(), "1");
}
