//! How jobs are shared, and what a subscriber must say.

use super::{Sent, drain, insert_all, jobs, join, look, round_robin, text, texts};
use crate::store::work::Work;
use crate::support::assert_sound;
use presque::queue::Status;
use presque::store::{Delete, Inbox, Subscriber, SubscriberKind};

#[tokio::test]
async fn each_reader_gets_every_job_in_order() {
    let work = Work::start().await;
    let mut subscribers = [join(&work).await, join(&work).await, join(&work).await];
    insert_all(&work, 0..350).await;
    drain(&work, &mut subscribers).await;
    for subscriber in &subscribers {
        assert_eq!(subscriber.got, texts(0..350));
    }
    assert_eq!(jobs(&work).await, 0);
    assert_sound(&work.redis).await;
}

#[tokio::test]
async fn in_turn_each_job_goes_to_one_reader_and_all_get_equally_many() {
    let work = Work::start().await;
    round_robin(&work).await;
    let mut subscribers = [join(&work).await, join(&work).await, join(&work).await];
    insert_all(&work, 0..1000).await;
    drain(&work, &mut subscribers).await;
    let mut all: Vec<usize> = Vec::new();
    for subscriber in &subscribers {
        assert!((333..=334).contains(&subscriber.got.len()), "{}", subscriber.got.len());
        all.extend(subscriber.got.iter().map(|text| text.parse::<usize>().unwrap()));
    }
    all.sort_unstable();
    assert_eq!(all, (0..1000).collect::<Vec<_>>());
    assert_sound(&work.redis).await;
}

#[tokio::test]
async fn a_job_is_given_again_until_its_reader_says_that_it_was_sent() {
    let work = Work::start().await;
    let mut subscriber = join(&work).await;
    work.plain("1").await;
    subscriber.poll(&work).await;
    let again = look(&work, &subscriber.subscriber, &[]).await;
    assert_eq!(again.iter().map(text).collect::<Vec<_>>(), ["1"]);
    let sent_ids = [again[0].id.clone().unwrap()];
    assert!(look(&work, &subscriber.subscriber, &sent_ids).await.is_empty());
    // To say it twice does no harm.
    assert!(look(&work, &subscriber.subscriber, &sent_ids).await.is_empty());
}

#[tokio::test]
async fn nothing_goes_into_the_mail_while_the_queue_is_stopped() {
    let work = Work::start().await;
    let mut subscriber = join(&work).await;
    work.store.set_status(&work.queue, Status::Stopped).await.unwrap();
    work.plain("1").await;
    assert_eq!(subscriber.poll(&work).await, 0);
    work.store.set_status(&work.queue, Status::Open).await.unwrap();
    assert_eq!(subscriber.poll(&work).await, 1);
}

#[tokio::test]
async fn deleting_a_queue_ends_its_readers_even_of_a_queue_that_never_was() {
    let work = Work::start().await;
    for jobs in 0..2 {
        let subscribers = [join(&work).await, join(&work).await];
        insert_all(&work, 0..jobs).await;
        let had_jobs = work.store.delete(&work.queue, Delete::Jobs).await.unwrap();
        assert_eq!(had_jobs, jobs > 0);
        for subscriber in &subscribers {
            assert_eq!(
                work.store.poll(&subscriber.subscriber, &[], 1).await.unwrap(),
                Inbox::Ended
            );
        }
        assert_sound(&work.redis).await;
    }
    // One that comes after that is a subscriber of the new queue.
    let mut subscriber = join(&work).await;
    work.plain("1").await;
    assert_eq!(subscriber.poll(&work).await, 1);
}

#[tokio::test]
async fn a_reader_is_told_that_it_must_wait_for_another_one() {
    let work = Work::start().await;
    let [mut quick, mut slow] = [join(&work).await, join(&work).await];
    insert_all(&work, 0..102).await;
    assert_eq!(slow.poll(&work).await, 100);
    quick.poll(&work).await;
    let blocked = async |subscriber: &Sent| match work
        .store
        .poll(&subscriber.subscriber, &subscriber.sent_ids, 100)
        .await
        .unwrap()
    {
        Inbox::Open {
            deliveries, is_blocked, ..
        } => (deliveries.len(), is_blocked),
        Inbox::Ended => panic!("the queue was deleted"),
    };
    assert_eq!(blocked(&quick).await, (0, true));
    assert_eq!(blocked(&slow).await, (2, false));
}

#[tokio::test]
async fn with_very_many_readers_little_is_shared_out_at_a_time() {
    let work = Work::start().await;
    let mut subscribers = Vec::new();
    for _ in 0..Subscriber::MAX_PER_QUEUE {
        subscribers.push(join(&work).await);
    }
    insert_all(&work, 0..10).await;
    assert_eq!(subscribers[0].poll(&work).await, 5);
    assert_eq!(
        work.redis.run("ZCARD presque:{q}:deliveries").await,
        redis::Value::Int(5000)
    );
    let one_more = work.store.subscribe(&work.queue, SubscriberKind::Plain).await.unwrap();
    assert!(one_more.is_none());
}
