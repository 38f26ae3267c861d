//! What metrics are made of: how long jobs waited for a claim, and the largest of many queues.

use super::work::{Work, seconds};
use super::{insert, job, queue};
use crate::support::{NativeStore, Redis, assert_sound};
use presque::queue::{Due, Priority, QueueName, Settings, State};
use presque::store::{Claim, Delete, Fetch, Largest, MAX_LOOKED_AT, NewJob, Summary, Totals, WAIT_BOUNDS, Waits};
use std::time::Duration;

async fn summary(work: &Work) -> Summary {
    let summaries = work.store.summaries(std::slice::from_ref(&work.queue)).await;
    summaries.unwrap().pop().expect("a queue")
}

async fn waits(work: &Work) -> Waits {
    summary(work).await.waits.expect("it was looked at")
}

/// So many claims in each of these places.
fn counts(places: &[(usize, u64)]) -> Waits {
    let mut counts = Waits::default();
    for (place, count) in places {
        counts[*place] = *count;
    }
    counts
}

#[tokio::test]
async fn a_claim_is_counted_by_the_first_bound_that_is_not_below_its_jobs_wait() {
    let mut work = Work::start().await;
    let mut expected = Waits::default();
    for (place, bound) in WAIT_BOUNDS.into_iter().enumerate() {
        let bound = Duration::from_secs_f64(bound);
        for (wait, place) in [(bound, place), (bound + Duration::from_millis(1), place + 1)] {
            work.plain("1").await;
            work.pass(wait).await;
            work.claim().await;
            expected[place] += 1;
            assert_eq!(waits(&work).await, expected, "{wait:?}");
            work.store.delete(&work.queue, Delete::Jobs).await.unwrap();
            assert_eq!(waits(&work).await, Waits::default(), "a deletion forgets them");
            expected = Waits::default();
        }
    }
}

#[tokio::test]
async fn jobs_that_are_claimed_together_are_counted_each_by_its_own_wait() {
    let mut work = Work::start().await;
    for wait in [3000, 20, 2, 0] {
        work.plain("1").await;
        work.pass(seconds(wait)).await;
    }
    // 3022, 22, 2 and 0 seconds.
    assert_eq!(work.claim_many(10).await.len(), 4);
    assert_eq!(waits(&work).await, counts(&[(0, 1), (4, 1), (5, 1), (9, 1)]));
}

#[tokio::test]
async fn of_jobs_of_several_kinds_each_is_counted_since_it_was_ready() {
    let mut work = Work::start().await;
    let with = |priority, due| NewJob {
        payload: b"1",
        priority: Priority::new(priority).unwrap(),
        due,
        ..NewJob::default()
    };
    for priority in [0, 9] {
        work.insert(with(priority, Due::Now)).await;
        work.insert(with(priority, Due::In(seconds(100)))).await;
        work.insert(with(priority, Due::In(seconds(199)))).await;
    }
    work.pass(seconds(200)).await;
    // One that expires is counted nowhere, and stands between those that are claimed.
    work.insert(NewJob {
        expires_in: Some(seconds(1)),
        ..with(5, Due::Now)
    })
    .await;
    work.pass(seconds(2)).await;
    assert_eq!(work.claim_many(10).await.len(), 6);
    // Twice 202, 102 and 3 seconds.
    assert_eq!(waits(&work).await, counts(&[(4, 2), (7, 4)]));
}

#[tokio::test]
async fn what_is_handed_out_in_any_way_is_counted_by_its_wait() {
    let mut work = Work::start().await;
    for _ in 0..4 {
        work.plain("1").await;
    }
    work.pass(seconds(40)).await;
    work.claim().await;
    for max_jobs in [1, 1000] {
        let fetch = Fetch {
            queue: &work.queue,
            worker: None,
            max_jobs,
        };
        work.store.fetch(fetch).await.unwrap();
    }
    work.plain("1").await;
    work.store.take_next(&work.queue).await.unwrap();
    assert_eq!(waits(&work).await, counts(&[(0, 1), (6, 4)]));
    assert_sound(&work.redis).await;
}

#[tokio::test]
async fn a_job_that_failed_is_counted_from_the_end_of_its_backoff_and_a_claim_of_nothing_not_at_all() {
    let mut work = Work::start().await;
    work.configure(Settings::default()).await;
    assert!(work.try_claim().await.is_none());
    assert_eq!(waits(&work).await, Waits::default());
    work.plain("1").await;
    let (_, receipt) = work.claim().await;
    // It is ready again five seconds after its failure, and waits from then on.
    work.nack(&receipt, Some(seconds(5))).await;
    work.pass(seconds(5)).await;
    work.claim().await;
    assert_eq!(waits(&work).await, counts(&[(0, 2)]));
}

#[tokio::test]
async fn a_batch_of_one_wait_is_counted_by_one_command_and_another_by_one_for_each_wait() {
    let mut work = Work::start().await;
    let count = async |work: &Work| work.redis.commands().await["hincrby"];
    let claim = async |work: &Work| {
        let before = count(work).await;
        assert_eq!(work.claim_many(1000).await.len(), 100);
        count(work).await - before
    };
    for _ in 0..100 {
        work.plain("1").await;
    }
    assert_eq!(claim(&work).await, 1);
    for number in 0..100 {
        if number == 50 {
            work.pass(seconds(2)).await;
        }
        work.plain("1").await;
    }
    assert_eq!(claim(&work).await, 2);
}

#[tokio::test]
async fn what_an_older_version_has_claimed_counts_as_claimed_and_has_no_wait() {
    let work = Work::start().await;
    work.plain("1").await;
    work.redis.run("HSET presque:{q}:meta processed 41").await;
    work.claim().await;
    let found = summary(&work).await;
    assert_eq!((found.totals.claimed, found.waits), (42, Some(counts(&[(0, 1)]))));
    let described = work.store.describe(&work.queue).await.unwrap().unwrap();
    assert_eq!(described.totals, found.totals);
    let counted = work.store.counts(&work.queue).await.unwrap();
    let workers = work.store.queue_workers(&work.queue).await.unwrap();
    assert_eq!((counted.processed, workers.processed), (Some(42), Some(42)));
}

#[tokio::test]
async fn an_older_version_that_serves_the_same_queue_makes_no_count_negative() {
    let mut work = Work::start().await;
    for _ in 0..3 {
        work.plain("1").await;
    }
    work.claim().await;
    // As if it had begun this period and the next minute: it takes `processed` for all that was claimed.
    let script = "
        local key = KEYS[1]
        local packed = cmsgpack.unpack(redis.call('HGET', key, 'rates'))
        for _, rate in ipairs(packed) do rate[2][2] = 1000 end
        redis.call('HSET', key, 'rates', cmsgpack.pack(packed))";
    let _: () = work.redis.query(&["EVAL", script, "1", "presque:{q}:meta"]).await;
    work.pass(seconds(10)).await;
    let claimed = async |work: &Work| {
        let described = work.store.describe(&work.queue).await.unwrap().unwrap();
        let history = work.store.history(&work.queue, 3).await.unwrap().unwrap();
        let minutes = history.minutes.iter().map(|minute| minute.claimed);
        (described.last_minute.claimed, minutes.sum::<u64>())
    };
    assert_eq!(claimed(&work).await, (0, 0));
    work.pass(seconds(60)).await;
    work.claim().await;
    assert_eq!(claimed(&work).await, (0, 1));
}

#[tokio::test]
async fn a_summary_has_all_totals_and_one_that_an_older_version_remembered_is_not_used() {
    let redis = Redis::start();
    let store = redis.store().await;
    let names = (0..MAX_LOOKED_AT).map(|number| queue(&format!("q{number}")));
    let last = queue("last");
    insert(&store, job(&last, "1")).await;
    let all: Vec<_> = std::iter::once(last.clone()).chain(names).collect();
    // More recent than any look, so that it is not looked at again.
    let entry = async |text: &str| {
        let _: () = redis.query(&["HSET", "presque:overview", "last", text]).await;
        let found = store.overview(all.clone()).await.unwrap();
        let found = found.into_iter().find(|(queue, _)| *queue == last);
        found.and_then(|(_, summary)| summary).map(|summary| summary.totals)
    };
    let old = "1 99999999999999 1 0 0 0 0 0  5 4 3 2 1";
    assert_eq!(
        entry(old).await.map(|totals| totals.inserted),
        Some(1),
        "it is looked at"
    );
    // As a version told it that did not count what was released.
    let entry_of = format!("{old} 9 8 7 6 5 4 3");
    assert_eq!(entry(&entry_of).await.map(|totals| totals.inserted), Some(1));
    let totals = Totals {
        inserted: 9,
        claimed: 8,
        done: 7,
        failed: 6,
        lost_leases: 5,
        dead: 4,
        released: 3,
        orphans: 2,
    };
    assert_eq!(entry(&format!("{old} 9 8 7 6 5 4 3 2")).await, Some(totals));
}

/// Queues, the first of which has one job, the second two, and so on up to ten, and then again.
async fn fill(redis: &Redis, count: usize) -> Vec<QueueName> {
    let store = redis.store().await;
    let names: Vec<_> = (0..count).map(|number| queue(&format!("q{number:04}"))).collect();
    for (number, name) in names.iter().enumerate() {
        for _ in 0..=number % 10 {
            insert(&store, job(name, "1")).await;
        }
    }
    names
}

fn sizes(largest: &Largest) -> Vec<(u64, &str)> {
    let sizes = largest.queues.iter();
    sizes.map(|summary| (summary.size(), summary.queue.as_str())).collect()
}

#[tokio::test]
async fn the_largest_queues_are_those_with_the_most_jobs_and_of_equals_the_first_by_name() {
    let redis = Redis::start();
    let (store, names) = (redis.store().await, fill(&redis, Largest::MAX_QUEUES + 10).await);
    let mut mixed = names.clone();
    mixed.reverse();
    let found = store.largest(mixed).await.unwrap();
    assert_eq!((found.queues.len(), found.others.len()), (Largest::MAX_QUEUES, 10));
    let sizes = sizes(&found);
    assert_eq!((sizes[0], sizes[1]), ((10, "q0009"), (10, "q0019")));
    assert_eq!((sizes[20], sizes[21]), ((10, "q0209"), (9, "q0008")));
    assert_eq!(sizes[Largest::MAX_QUEUES - 1], (1, "q0100"));
    // Active jobs count, too.
    let claim = Claim {
        queues: &names[9..10],
        max_jobs: 10,
        lease: None,
        worker: None,
        wait: Duration::ZERO,
        acks: &[],
    };
    store.claim(claim).await.unwrap();
    assert_eq!(sizes[0].0, store.largest(names).await.unwrap().queues[0].size());
}

#[tokio::test]
async fn each_of_the_largest_of_very_many_queues_is_told_as_it_is_now() {
    let redis = Redis::start();
    let (store, names) = (redis.store().await, fill(&redis, Largest::MAX_LOOKED_AT + 300).await);
    // The first call learns of a part of them, the second of the others.
    for _ in 0..2 {
        store.largest(names.clone()).await.unwrap();
    }
    let found = store.largest(names.clone()).await.unwrap();
    assert_eq!((found.queues.len(), found.others.len()), (200, 1100));
    assert!(found.queues.iter().all(|summary| summary.waits.is_some()));
    assert!(found.others.iter().all(|(_, summary)| summary.is_some()));
    let first = sizes(&found)[0].1.to_owned();
    // The largest is looked at each time.
    insert(&store, job(&queue(&first), "1")).await;
    let again = store.largest(names.clone()).await.unwrap();
    assert_eq!(sizes(&again)[0], (11, &*first));
    let ready = |largest: &Largest| {
        let others = largest.others.iter().flat_map(|(_, summary)| summary);
        let all = others.chain(&largest.queues).map(|summary| summary.count(State::Ready));
        all.sum::<u64>()
    };
    assert_eq!(ready(&again), 130 * 55 + 1);
    // Where large ones become small, others take their place, some of which were not looked at.
    for queue in names.iter().skip(9).step_by(10).take(50) {
        let fetch = Fetch {
            queue,
            worker: None,
            max_jobs: 10,
        };
        store.fetch(fetch).await.unwrap();
    }
    let looks = async || redis.commands().await["evalsha"];
    let before = looks().await;
    let found = store.largest(names).await.unwrap();
    let looks = looks().await - before;
    assert!(
        found
            .queues
            .iter()
            .all(|summary| summary.waits.is_some() && summary.size() > 8)
    );
    // So these are looked at, too.
    assert!(looks > 1001, "{looks}");
    // One to remember them; those that are told of and were not looked at are looked at as well.
    assert!((1001..=1201).contains(&looks), "{looks}");
}
