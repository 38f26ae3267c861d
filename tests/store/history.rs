//! What happened on queues minute by minute, and how many queues are at once.

use super::work::{Work, seconds};
use super::{insert, job, queue};
use crate::support::{Native, NativeStore, Redis, assert_sound};
use presque::queue::{Due, Priority, QueueName, Settings, State};
use presque::store::{Delete, History, MAX_LOOKED_AT, Minute, Nack, NackKind, NewJob, Store, Summary};
use std::time::Duration;

async fn history(work: &Work, minutes: usize) -> History {
    let found = work.store.history(&work.queue, minutes).await;
    found.unwrap().expect("a history")
}

#[tokio::test]
async fn each_minute_tells_what_was_counted_in_it() {
    let mut work = Work::start().await;
    // The clock of the test begins with a minute.
    work.pass(seconds(10)).await;
    work.configure(Settings {
        max_lost_leases: Some(1),
        lease: Some(seconds(1)),
        ..Settings::default()
    })
    .await;
    for _ in 0..4 {
        work.plain("1").await;
    }
    let (_, receipt) = work.claim().await;
    work.ack(&receipt).await;
    let (_, receipt) = work.claim().await;
    work.nack(&receipt, Some(seconds(3600))).await;
    work.pass(seconds(60)).await;
    work.pass(seconds(60)).await;
    work.claim().await;
    // Its lease is lost, and it is dead by that.
    work.pass(seconds(60)).await;
    work.claim().await;

    let minutes = history(&work, 4).await.minutes;
    let counts = |minute: &Minute| {
        let Minute {
            inserted,
            claimed,
            done,
            failed,
            lost_leases,
            dead,
            released,
            ..
        } = *minute;
        [inserted, claimed, done, failed, lost_leases, dead, released]
    };
    let counts: Vec<_> = minutes.iter().map(counts).collect();
    assert_eq!(
        counts,
        [
            [4, 2, 1, 1, 0, 0, 0],
            [0; 7],
            [0, 1, 0, 0, 0, 0, 0],
            [0, 1, 0, 0, 1, 1, 0]
        ]
    );
    // Since the first minute two jobs waited, one for two minutes, the other for three: from ten seconds after its begin.
    let age = |minute: &Minute| minute.oldest_ready.as_secs();
    assert_eq!(minutes.iter().map(age).collect::<Vec<_>>(), [50, 110, 170, 180]);
    assert_sound(&work.redis).await;
}

#[tokio::test]
async fn a_history_ends_after_three_hours_and_takes_little_memory() {
    let mut work = Work::start().await;
    for _ in 0..200 {
        work.plain("1").await;
        work.claim().await;
        work.pass(seconds(60)).await;
    }
    let all = history(&work, 1000).await;
    assert_eq!(all.minutes.len(), History::MAX_MINUTES);
    // The running minute is the last, in which nothing has happened yet.
    assert!(all.minutes[..179].iter().all(|minute| minute.inserted == 1), "{all:?}");
    let bytes: usize = work.redis.query(&["HSTRLEN", "presque:{q}:meta", "history"]).await;
    assert!(bytes < 180 * 20, "{bytes}");

    work.pass(seconds(3 * 3600)).await;
    let left = history(&work, 180).await.minutes;
    assert!(
        left.iter()
            .all(|minute| minute.inserted + minute.claimed + minute.lost_leases == 0)
    );
    // A look sweeps.
    work.store.describe(&work.queue).await.unwrap();
    for field in ["period", "rates", "history", "longest-wait"] {
        let is_there: bool = work.redis.query(&["HEXISTS", "presque:{q}:meta", field]).await;
        assert!(!is_there, "{field}");
    }
}

#[tokio::test]
async fn a_deleted_queue_has_no_history_and_a_new_one_of_its_name_another() {
    let work = Work::start().await;
    work.plain("1").await;
    let inserted = async || {
        let found = work.store.history(&work.queue, 1).await.unwrap();
        found.map(|history| history.minutes[0].inserted)
    };
    assert_eq!(inserted().await, Some(1));
    work.store.delete(&work.queue, Delete::Queue).await.unwrap();
    assert_eq!(inserted().await, None);
    work.plain("1").await;
    assert_eq!(inserted().await, Some(1));
}

#[tokio::test]
async fn a_claim_costs_no_more_commands_however_long_its_job_has_waited() {
    let mut work = Work::start().await;
    for _ in 0..20 {
        work.plain("1").await;
    }
    work.pass(seconds(100)).await;
    // The first claim of a minute notes the wait, and so does one of a job that waited longer by a tenth.
    work.claim().await;
    let mut costs = Vec::new();
    for _ in 0..10 {
        let before: i64 = work.redis.commands().await.values().sum();
        work.claim().await;
        let after: i64 = work.redis.commands().await.values().sum();
        costs.push(after - before);
    }
    assert!(costs.iter().all(|cost| *cost == costs[0]), "{costs:?}");
    let waits: i64 = work.redis.query(&["HGET", "presque:{q}:meta", "longest-wait"]).await;
    assert!((100_000..110_000).contains(&waits), "{waits}");
}

#[tokio::test]
async fn of_jobs_that_are_claimed_together_the_longest_wait_is_noted_whatever_their_order() {
    let mut work = Work::start().await;
    work.pass(seconds(10)).await;
    let with_priority = |priority| NewJob {
        payload: b"1",
        priority: Priority::new(priority).unwrap(),
        ..NewJob::default()
    };
    work.insert(with_priority(0)).await;
    work.pass(seconds(20)).await;
    let scheduled = NewJob {
        due: Due::In(seconds(1)),
        ..with_priority(9)
    };
    work.insert(scheduled).await;
    work.insert(with_priority(9)).await;
    work.pass(seconds(5)).await;
    assert_eq!(work.claim_many(3).await.len(), 3);
    let wait: u64 = work.redis.query(&["HGET", "presque:{q}:meta", "longest-wait"]).await;
    assert_eq!(wait, 25_000);
    // A job is ready from when it is due, and not from its insertion.
    work.insert(NewJob {
        due: Due::In(seconds(30)),
        ..with_priority(9)
    })
    .await;
    work.pass(seconds(32)).await;
    work.claim().await;
    let wait: u64 = work.redis.query(&["HGET", "presque:{q}:meta", "longest-wait"]).await;
    assert_eq!(wait, 2_000);
}

async fn fill(store: &Store<Native>, count: usize) -> Vec<QueueName> {
    let names: Vec<_> = (0..count).map(|number| queue(&format!("q{number}"))).collect();
    for name in &names {
        insert(store, job(name, "1")).await;
    }
    names
}

fn known(overview: &[(QueueName, Option<Summary>)]) -> usize {
    let known = overview.iter().filter(|(_, summary)| summary.is_some());
    known.count()
}

#[tokio::test]
async fn an_overview_looks_at_some_queues_and_remembers_the_others() {
    let redis = Redis::start();
    let store = redis.store().await;
    let names = fill(&store, MAX_LOOKED_AT + 50).await;
    let overview = async || store.overview(names.clone()).await.unwrap();
    let first = overview().await;
    assert_eq!((first.len(), known(&first)), (names.len(), MAX_LOOKED_AT));
    // Those that were not looked at come first now.
    let all = overview().await;
    assert_eq!((all.len(), known(&all)), (names.len(), names.len()));
    assert!(
        all.iter()
            .flat_map(|(_, one)| one)
            .all(|one| one.count(State::Ready) == 1)
    );

    let count = async |command: &str| redis.commands().await[command];
    let before = count("evalsha").await;
    overview().await;
    // One for each that is looked at, and one to remember them.
    assert_eq!(count("evalsha").await - before, MAX_LOOKED_AT as i64 + 1);

    // What is gone is forgotten at once, or when it is looked at again.
    store.delete(&names[0], Delete::Queue).await.unwrap();
    let remembered: u64 = redis.query(&["HLEN", "presque:overview"]).await;
    assert_eq!(remembered, names.len() as u64 - 1);
    for _ in 0..2 {
        overview().await;
    }
    assert!(
        overview()
            .await
            .iter()
            .all(|(queue, summary)| *queue != names[0] || summary.is_none())
    );
    let left = Duration::from_millis(redis.query(&["PTTL", "presque:overview"]).await);
    assert!(left <= seconds(600) && left > seconds(500), "{left:?}");
    assert_sound(&redis).await;
}

#[tokio::test]
async fn an_overview_goes_on_when_redis_is_full() {
    let redis = Redis::start();
    let store = redis.store().await;
    let names = fill(&store, MAX_LOOKED_AT + 1).await;
    redis.run("CONFIG SET maxmemory 1").await;
    let overview = store.overview(names).await.unwrap();
    assert_eq!(known(&overview), MAX_LOOKED_AT);
    redis.run("CONFIG SET maxmemory 0").await;
}

#[tokio::test]
async fn a_summary_tells_what_a_description_does() {
    let mut work = Work::start().await;
    for _ in 0..3 {
        work.plain("1").await;
    }
    work.claim().await;
    let (_, receipt) = work.claim().await;
    work.nack(&receipt, Some(seconds(1000))).await;
    let (_, receipt) = work.claim().await;
    let release = Nack {
        receipt: &receipt,
        error: "",
        delay: None,
        kind: NackKind::Released,
    };
    work.store.nack(&work.queue, &[release]).await.unwrap();
    work.pass(seconds(70)).await;
    let described = work.store.describe(&work.queue).await.unwrap().expect("a queue");
    let never = queue("never");
    let summaries = work.store.summaries(&[work.queue.clone(), never]).await.unwrap();
    let [summary] = &summaries[..] else {
        panic!("{summaries:?}");
    };
    assert_eq!(summary.jobs, described.jobs);
    assert_eq!(summary.last_minute, described.last_minute);
    assert_eq!(summary.totals, described.totals);
    assert_eq!((summary.totals.failed, summary.totals.released), (1, 1));
    assert_eq!(summary.workers, described.workers);
    assert_eq!(
        summary.ready_since.map(|since| summary.at.since(since)),
        described.oldest_ready
    );
}

#[tokio::test]
async fn minutes_that_an_older_version_counted_have_none_released() {
    let mut work = Work::start().await;
    for _ in 0..2 {
        work.plain("1").await;
        work.pass(seconds(60)).await;
    }
    work.plain("1").await;
    // As it was when seven numbers and six totals were kept, before that of what was released.
    let script = "
        local rates, history = unpack(redis.call('HMGET', KEYS[1], 'rates', 'history'))
        rates, history = cmsgpack.unpack(rates), cmsgpack.unpack(history)
        for _, rate in ipairs(rates) do table.remove(rate[2]) end
        for _, minute in ipairs(history) do table.remove(minute, 8) end
        redis.call('HSET', KEYS[1], 'rates', cmsgpack.pack(rates), 'history', cmsgpack.pack(history))
        return #history";
    let kept: i64 = work.redis.query(&["EVAL", script, "1", "presque:{q}:meta"]).await;
    assert!(kept > 0);
    let sums = async |work: &Work| {
        let minutes = history(work, 10).await.minutes;
        let sum = |of: fn(&Minute) -> u64| minutes.iter().map(of).sum::<u64>();
        (sum(|minute| minute.inserted), sum(|minute| minute.released))
    };
    assert_eq!(sums(&work).await, (3, 0));
    // They are packed anew.
    work.pass(seconds(60)).await;
    work.plain("1").await;
    assert_eq!(sums(&work).await, (4, 0));
}
