//! Readers, who stay and are sent what comes.

mod gone;
mod replay;
mod sharing;

use super::work::Work;
use presque::queue::Policy;
use presque::store::{Delivery, DeliveryId, Inbox, Subscriber, SubscriberKind};

/// A subscriber that is sent all that it collects.
struct Sent {
    subscriber: Subscriber,
    /// What it was sent, and has not said yet.
    sent_ids: Vec<DeliveryId>,
    got: Vec<String>,
}

const EVENTS: SubscriberKind<'_> = SubscriberKind::Events { last: &[], ends: true };

/// An event stream that got this job last.
fn after(number: &u64) -> SubscriberKind<'_> {
    let last = std::slice::from_ref(number);
    SubscriberKind::Events { last, ends: true }
}

fn text(delivery: &Delivery) -> String {
    String::from_utf8(delivery.payload.clone()).unwrap()
}

async fn join(work: &Work) -> Sent {
    let (subscriber, missed) = work.store.subscribe(&work.queue, EVENTS).await.unwrap().unwrap();
    assert!(missed.is_empty());
    let (sent_ids, got) = (Vec::new(), Vec::new());
    Sent {
        subscriber,
        sent_ids,
        got,
    }
}

async fn look(work: &Work, subscriber: &Subscriber, sent: &[DeliveryId]) -> Vec<Delivery> {
    match work.store.poll(subscriber, sent, 100).await.unwrap() {
        Inbox::Open { deliveries, .. } => deliveries,
        Inbox::Ended => panic!("the queue was deleted"),
    }
}

impl Sent {
    /// Says what it was sent, and is sent what it has now. Gives how many these are.
    async fn poll(&mut self, work: &Work) -> usize {
        let deliveries = look(work, &self.subscriber, &self.sent_ids).await;
        self.got.extend(deliveries.iter().map(text));
        self.sent_ids = deliveries.into_iter().map(|delivery| delivery.id.unwrap()).collect();
        self.sent_ids.len()
    }
}

/// Until nobody gets anything any more.
async fn drain(work: &Work, subscribers: &mut [Sent]) {
    loop {
        let mut got = 0;
        for subscriber in &mut *subscribers {
            got += subscriber.poll(work).await;
        }
        if got == 0 {
            break;
        }
    }
}

async fn insert_all(work: &Work, numbers: std::ops::Range<usize>) {
    for number in numbers {
        work.plain(&number.to_string()).await;
    }
}

fn texts(numbers: impl Iterator<Item = usize>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

async fn round_robin(work: &Work) {
    work.store.set_policy(&work.queue, Policy::RoundRobin).await.unwrap();
}

/// How many jobs there are, in whatever state.
async fn jobs(work: &Work) -> u64 {
    let described = work.store.describe(&work.queue).await.unwrap();
    described.map_or(0, |described| described.jobs.iter().map(|(_, count)| count).sum())
}

#[tokio::test]
async fn a_full_redis_lets_a_subscriber_come_and_empty_the_queue() {
    let work = Work::start().await;
    work.plain("1").await;
    work.redis.run("CONFIG SET maxmemory 1").await;
    let mut subscriber = join(&work).await;
    subscriber.poll(&work).await;
    assert_eq!(subscriber.got, ["1"]);
    work.redis.run("CONFIG SET maxmemory 0").await;
}
