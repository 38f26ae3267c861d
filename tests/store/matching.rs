//! Search, acting on all jobs that match, and dead jobs by their errors.

use super::work::{Work, seconds};
use super::{queue, store_lost_after};
use crate::support::{Native, NativeStore, Redis, assert_sound};
use presque::queue::{Due, Hold, JobId, Priority, QueueName, Settings, State, Unique};
use presque::store::{
    Act, ActOn, Acted, Action, DeathReason, Filter, Insert, InsertBatch, InsertedBatch, InsertedJob, Job, MAX_SLICE,
    Nack, NackKind, Nacked, NewJob, Search, SearchPage, Store,
};
use std::time::Duration;

impl Work {
    /// The next job fails for good.
    async fn bury(&self, error: &str) -> JobId {
        let (job, receipt) = self.claim().await;
        let nack = Nack {
            receipt: &receipt,
            error,
            delay: None,
            kind: NackKind::Rejected,
        };
        assert_eq!(self.store.nack(&self.queue, &[nack]).await.unwrap(), [Nacked::Dead]);
        job.id
    }

    async fn search_for(&self, search: Search<'_>) -> SearchPage {
        self.store.search(search).await.unwrap()
    }

    /// All jobs that match, by one call after the other.
    async fn search(&self, state: Option<State>, filter: &Filter) -> Vec<JobId> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let search = Search {
                after: after.as_ref(),
                ..any(self, state, filter)
            };
            let page = self.search_for(search).await;
            found.extend(ids(&page.jobs));
            after = page.next;
            if after.is_none() {
                assert_eq!((page.left, page.passed_over), (0, 0));
                return found;
            }
        }
    }

    async fn act(&self, action: Action, on: ActOn<'_>, filter: &Filter, max_jobs: usize) -> Acted {
        let act = Act {
            queue: &self.queue,
            action,
            on,
            filter,
            max_jobs,
        };
        self.store.act(act).await.unwrap()
    }

    /// Acts on all jobs of a state that match, so many in a call. Returns how many calls that took, and how many jobs were changed.
    async fn act_on_all(&self, action: Action, state: State, filter: &Filter, max_jobs: usize) -> (u64, u64) {
        let (mut calls, mut changed, mut place) = (0, 0, None);
        loop {
            let acted = self
                .act(action, ActOn::State(state, place.as_ref()), filter, max_jobs)
                .await;
            (calls, changed, place) = (calls + 1, changed + acted.changed, acted.next);
            if place.is_none() {
                assert_eq!(acted.left, 0);
                return (calls, changed);
            }
        }
    }

    /// Inserts jobs with the payloads 1, 2, 3 and so on.
    async fn numbers(&self, count: usize) {
        let payloads: Vec<_> = (1..=count).map(|number| number.to_string().into_bytes()).collect();
        let payloads: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
        let batch = InsertBatch {
            queue: &self.queue,
            payloads: &payloads,
            due: None,
        };
        self.store.insert_batch(batch).await.unwrap();
    }
}

fn any<'a>(work: &'a Work, state: Option<State>, filter: &'a Filter) -> Search<'a> {
    Search {
        queue: &work.queue,
        state,
        ids: &[],
        filter,
        max_jobs: 2,
        after: None,
        has_payloads: false,
    }
}

fn ids(jobs: &[Job]) -> Vec<JobId> {
    jobs.iter().map(|job| job.id).collect()
}

fn all() -> Filter {
    Filter::default()
}

#[tokio::test]
async fn a_search_finds_jobs_by_what_they_have_the_newest_first() {
    let mut work = Work::start().await;
    let text = work.plain(r#"{"to":"Ann","note":"caf\u00e9"}"#).await;
    work.pass(seconds(10)).await;
    let unique = work
        .insert(NewJob {
            payload: b"{}",
            unique: Some(Unique {
                key: b"order 7",
                hold: Hold::UntilEnded,
            }),
            metadata: Some(r#"{"customer":42,"vip":true,"of":null,"list":[1]}"#),
            ..NewJob::default()
        })
        .await;
    let due = Due::In(seconds(60));
    let later = work
        .insert(NewJob {
            payload: b"\"ann\"",
            due,
            ..NewJob::default()
        })
        .await;

    let find = async |filter: Filter| work.search(None, &filter).await;
    let text_of = |text: &str| Filter {
        text: Some(text.into()),
        ..all()
    };
    assert_eq!(
        find(all()).await,
        [later, unique, text],
        "scheduled ones, then ready ones"
    );
    assert_eq!(find(text_of("ANN")).await, [later, text]);
    assert_eq!(find(text_of("caf\u{e9}")).await, [text]);
    assert_eq!(find(text_of("bob")).await, []);
    let unique_of = |key: &str| Filter {
        unique: Some(key.into()),
        ..all()
    };
    assert_eq!(find(unique_of("order 7")).await, [unique]);
    assert_eq!(find(unique_of("order")).await, []);
    let metadata_of = |members: &str| Filter {
        metadata: Some(members.into()),
        ..all()
    };
    assert_eq!(find(metadata_of(r#"{"customer":42.0,"vip":true}"#)).await, [unique]);
    assert_eq!(find(metadata_of(r#"{"of":null}"#)).await, [unique]);
    for none in [
        r#"{"customer":"42"}"#,
        r#"{"customer":42,"vip":false}"#,
        r#"{"other":null}"#,
    ] {
        assert_eq!(find(metadata_of(none)).await, [], "{none}");
    }
    let age = |older_than, newer_than| Filter {
        older_than,
        newer_than,
        ..all()
    };
    assert_eq!(find(age(Some(seconds(10)), None)).await, [text]);
    assert_eq!(find(age(None, Some(seconds(10)))).await, [later, unique]);
    assert_eq!(work.search(Some(State::Scheduled), &all()).await, [later]);
}

#[tokio::test]
async fn a_search_names_jobs_and_finds_those_that_match() {
    let mut work = Work::start().await;
    let ready = work.plain("1").await;
    let due = Due::In(seconds(5));
    let scheduled = work
        .insert(NewJob {
            payload: b"2",
            due,
            ..NewJob::default()
        })
        .await;
    let unknown = JobId::parse("00000000002a19a3f0c2b7e9").unwrap();
    let all_ids = [scheduled, unknown, ready];
    let find = async |work: &Work, state| {
        let filter = all();
        let search = Search {
            ids: &all_ids,
            ..any(work, state, &filter)
        };
        let page = work.search_for(search).await;
        assert_eq!(page.next, None);
        ids(&page.jobs)
    };
    assert_eq!(find(&work, None).await, [scheduled, ready]);
    assert_eq!(find(&work, Some(State::Scheduled)).await, [scheduled]);
    work.pass(seconds(5)).await;
    assert_eq!(
        find(&work, Some(State::Scheduled)).await,
        [],
        "it is due, and so it is ready"
    );
    assert_eq!(find(&work, Some(State::Ready)).await, [scheduled, ready]);
}

#[tokio::test]
async fn a_search_looks_at_a_slice_in_each_call_and_says_how_many_are_left() {
    let work = Work::start().await;
    work.numbers(2 * MAX_SLICE + 10).await;
    let filter = Filter {
        text: Some("no such text".into()),
        ..all()
    };
    let search = any(&work, Some(State::Ready), &filter);
    let first = work.search_for(search).await;
    assert_eq!((first.jobs.len(), first.looked_at, first.left), (0, 1000, 1010));
    let search = Search {
        after: first.next.as_ref(),
        ..search
    };
    let second = work.search_for(search).await;
    assert_eq!((second.looked_at, second.left), (1000, 10));
    let search = Search {
        after: second.next.as_ref(),
        ..search
    };
    let last = work.search_for(search).await;
    assert_eq!((last.looked_at, last.left, last.next), (10, 0, None));
}

#[tokio::test]
async fn a_search_passes_over_all_but_the_newest_hundred_thousand_of_a_state() {
    let work = Work::start().await;
    for _ in 0..2 {
        work.numbers(Search::MAX_IN_STATE / 2 + 50).await;
    }
    let filter = Filter {
        text: Some("no such text".into()),
        ..all()
    };
    let (mut looked_at, mut after) = (0, None);
    loop {
        let search = Search {
            after: after.as_ref(),
            ..any(&work, Some(State::Ready), &filter)
        };
        let page = work.search_for(search).await;
        looked_at += page.looked_at;
        assert_eq!((page.left + looked_at, page.passed_over), (100_000, 100));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(looked_at, 100_000);
}

#[tokio::test]
async fn jobs_are_changed_in_slices_until_all_that_match_were() {
    let work = Work::start().await;
    work.numbers(2500).await;
    let ends_in_7 = Filter {
        text: Some("7".into()),
        ..all()
    };
    let with_7 = (1..=2500)
        .filter(|number: &u32| number.to_string().contains('7'))
        .count() as u64;
    let (calls, deleted) = work.act_on_all(Action::Delete, State::Ready, &ends_in_7, 1000).await;
    assert_eq!((calls, deleted), (3, with_7));
    assert!(work.search(Some(State::Ready), &ends_in_7).await.is_empty());
    let (calls, deleted) = work.act_on_all(Action::Delete, State::Ready, &all(), 300).await;
    assert_eq!((calls, deleted), ((2500 - with_7).div_ceil(300), 2500 - with_7));
    work.assert_sound().await;
}

#[tokio::test]
async fn what_comes_while_calls_go_on_is_passed_over() {
    let mut work = Work::start().await;
    for _ in 0..3 {
        work.plain("1").await;
    }
    let first = work
        .act(Action::Cancel, ActOn::State(State::Ready, None), &all(), 2)
        .await;
    assert_eq!((first.changed, first.left), (2, 1));
    work.pass(seconds(1)).await;
    let new = work.plain("2").await;
    let on = ActOn::State(State::Ready, first.next.as_ref());
    let second = work.act(Action::Cancel, on, &all(), 2).await;
    assert_eq!((second.changed, second.looked_at, second.next), (1, 2, None));
    assert_eq!(work.search(Some(State::Ready), &all()).await, [new]);
}

#[tokio::test]
async fn a_job_that_dies_again_is_not_redriven_again_by_the_same_calls() {
    let mut work = Work::start().await;
    for _ in 0..2 {
        work.plain("1").await;
        work.bury("").await;
    }
    let first = work
        .act(Action::Redrive, ActOn::State(State::Dead, None), &all(), 1)
        .await;
    work.pass(seconds(1)).await;
    work.bury("").await;
    let on = ActOn::State(State::Dead, first.next.as_ref());
    let second = work.act(Action::Redrive, on, &all(), 10).await;
    assert_eq!((second.changed, second.looked_at, second.next), (1, 2, None));
    assert_eq!(work.search(Some(State::Dead), &all()).await.len(), 1);
}

#[tokio::test]
async fn a_promoted_job_comes_before_those_that_were_never_scheduled() {
    let work = Work::start().await;
    let plain = work.plain("1").await;
    let due = Due::In(seconds(600));
    let early = work
        .insert(NewJob {
            payload: b"2",
            due,
            ..NewJob::default()
        })
        .await;
    let late = work
        .insert(NewJob {
            payload: b"3",
            due,
            ..NewJob::default()
        })
        .await;
    let promoted = work
        .act(Action::Promote, ActOn::Ids(&[early, plain], None), &all(), 10)
        .await;
    assert_eq!((promoted.changed, promoted.unknown), (1, 1));
    assert_eq!(ids(&work.claim_many(9).await), [early, plain]);
    assert_eq!(work.state(&late).await, Some(State::Scheduled));
}

#[tokio::test]
async fn deleted_and_cancelled_jobs_release_their_unique_keys() {
    let work = Work::start().await;
    let unique = Some(Unique {
        key: b"k",
        hold: Hold::UntilEnded,
    });
    for (action, due) in [
        (Action::Delete, Due::Now),
        (Action::Cancel, Due::Now),
        (Action::Delete, Due::In(seconds(60))),
        (Action::Cancel, Due::In(seconds(60))),
    ] {
        let job = NewJob {
            payload: b"1",
            unique,
            due,
            ..NewJob::default()
        };
        let id = work.insert(job).await;
        assert_eq!(work.try_insert(job).await, InsertedJob::Duplicate(id));
        assert_eq!(work.act(action, ActOn::Ids(&[id], None), &all(), 10).await.changed, 1);
        work.assert_sound().await;
    }
}

#[tokio::test]
async fn a_worker_learns_that_its_job_was_cancelled_with_others_and_no_job_is_deleted_under_it() {
    let work = Work::start().await;
    let id = work.plain("1").await;
    let (_, receipt) = work.claim().await;
    let deleted = work.act(Action::Delete, ActOn::Ids(&[id], None), &all(), 10).await;
    assert_eq!((deleted.changed, deleted.unknown), (0, 1));
    let cancelled = work.act_on_all(Action::Cancel, State::Active, &all(), 10).await;
    assert_eq!(cancelled, (1, 1));
    assert_eq!(work.extend(&receipt, None).await, presque::store::Extended::Cancelled);
    work.assert_sound().await;
}

#[tokio::test]
async fn cancelled_jobs_are_kept_as_the_queue_says_also_compact_ones() {
    let work = Work::start().await;
    work.configure(Settings {
        retain: Some(seconds(60)),
        ..Settings::default()
    })
    .await;
    work.numbers(3).await;
    assert_eq!(work.act_on_all(Action::Cancel, State::Ready, &all(), 10).await, (1, 3));
    assert_eq!(work.search(Some(State::Cancelled), &all()).await.len(), 3);
    assert_eq!(
        work.act_on_all(Action::Delete, State::Cancelled, &all(), 10).await,
        (1, 3)
    );
    work.assert_sound().await;
}

#[tokio::test]
async fn errors_that_differ_in_numbers_identifiers_and_quotes_are_one_group() {
    let mut work = Work::start().await;
    for error in [
        "timeout after 30 ms\n at line 1",
        "timeout after 4500 ms",
        r#"no user "ann" (0b1f8a2c-1111-4222-8333-abcdefabcdef)"#,
        r#"no user "bob" (0b1f8a2cffff)"#,
        "",
    ] {
        work.pass(seconds(1)).await;
        work.plain("1").await;
        work.bury(error).await;
    }
    let found = work.store.dead_groups(&work.queue, None).await.unwrap();
    let groups: Vec<_> = found
        .groups
        .iter()
        .map(|group| (&*group.group, group.jobs, &*group.newest_error))
        .collect();
    assert_eq!(
        groups,
        [
            ("", 1, ""),
            (r##"no user "" (#)"##, 2, r#"no user "bob" (0b1f8a2cffff)"#),
            ("timeout after # ms", 2, "timeout after 4500 ms"),
        ]
    );
    let timeouts = &found.groups[2];
    assert_eq!(timeouts.reason, Some(DeathReason::Rejected));
    assert_eq!(
        timeouts.newest_ended.since(timeouts.oldest_ended),
        Duration::from_secs(1)
    );

    let filter = Filter {
        group: Some(timeouts.group.clone()),
        reason: timeouts.reason,
        ..all()
    };
    assert_eq!(work.act_on_all(Action::Redrive, State::Dead, &filter, 10).await, (1, 2));
    let found = work.store.dead_groups(&work.queue, None).await.unwrap();
    assert_eq!(found.groups.len(), 2);
}

#[tokio::test]
async fn dead_jobs_are_grouped_a_slice_at_a_time() {
    let work = Work::start().await;
    work.configure(Settings {
        max_attempts: Some(1),
        ..Settings::default()
    })
    .await;
    work.numbers(MAX_SLICE + 5).await;
    loop {
        let jobs = work.claim_many(200).await;
        if jobs.is_empty() {
            break;
        }
        let receipts: Vec<_> = jobs.iter().map(|job| job.receipt().unwrap()).collect();
        let nacks: Vec<_> = receipts
            .iter()
            .map(|receipt| Nack {
                receipt,
                error: "boom",
                delay: None,
                kind: NackKind::Failed,
            })
            .collect();
        work.store.nack(&work.queue, &nacks).await.unwrap();
    }
    let first = work.store.dead_groups(&work.queue, None).await.unwrap();
    assert_eq!((first.groups[0].jobs, first.looked_at, first.left), (1000, 1000, 5));
    let last = work.store.dead_groups(&work.queue, first.next.as_ref()).await.unwrap();
    assert_eq!(
        (last.groups[0].jobs, last.looked_at, last.left, last.next),
        (5, 5, 0, None)
    );
}

#[tokio::test]
async fn a_very_long_error_is_cut_between_characters() {
    let work = Work::start().await;
    work.plain("1").await;
    work.bury(&"\u{e9}".repeat(1500)).await;
    let found = work.store.dead_groups(&work.queue, None).await.unwrap();
    assert!(found.groups[0].newest_error.chars().all(|char| char == '\u{e9}'));
    assert!(found.groups[0].newest_error.len() <= 1000);
    assert!(found.groups[0].group.len() <= 200);
}

#[tokio::test]
async fn ready_jobs_are_all_deleted_though_they_become_ready_before_those_that_were_looked_at() {
    let mut work = Work::start().await;
    for priority in [5, 9] {
        for _ in 0..15 {
            let job = NewJob {
                payload: b"1",
                priority: Priority::new(priority).unwrap(),
                due: Due::In(seconds(5)),
                ..NewJob::default()
            };
            let jobs = [job; 100];
            let insert = Insert {
                queue: &work.queue,
                jobs: &jobs,
                failed: None,
                idempotency: None,
            };
            work.store.insert(insert).await.unwrap();
        }
    }
    work.pass(seconds(5)).await;
    let (_, deleted) = work.act_on_all(Action::Delete, State::Ready, &all(), 1000).await;
    assert_eq!(deleted, 3000);
    work.assert_sound().await;
}

#[tokio::test]
async fn a_call_ends_before_it_has_read_very_many_bytes_of_payloads() {
    let work = Work::start().await;
    let large = "x".repeat(1024 * 1024);
    for _ in 0..10 {
        work.plain(&large).await;
    }
    let filter = Filter {
        text: Some("y".into()),
        ..all()
    };
    let on = ActOn::State(State::Ready, None);
    let acted = work.act(Action::Delete, on, &filter, 1000).await;
    assert_eq!((acted.looked_at, acted.left), (4, 6));
    let found = work.search_for(any(&work, None, &filter)).await;
    assert_eq!((found.looked_at, found.left), (4, 6));
    // Without a text no payload need be read.
    let acted = work.act(Action::Delete, on, &all(), 1000).await;
    assert_eq!((acted.changed, acted.next), (10, None));
}

/// A queue with a batch that was committed and not taken in.
async fn with_waiting_batch(count: usize) -> (Redis, Store<Native>, QueueName) {
    let (redis, q) = (Redis::start(), queue("q"));
    let store = redis.store().await;
    let payloads = vec![&b"1"[..]; count];
    let batch = InsertBatch {
        queue: &q,
        payloads: &payloads,
        due: None,
    };
    // Once as it should be: then the queue is listed, and Redis knows the scripts.
    assert_eq!(store.insert_batch(batch).await.unwrap(), InsertedBatch::Stored);
    assert_eq!(empty(&store, &q).await, count as u64);
    // Two slices, and the commit.
    let lost = store_lost_after(&redis, 3).await;
    assert_eq!(lost.insert_batch(batch).await.unwrap(), InsertedBatch::Stored);
    (redis, store, q)
}

/// Deletes all ready jobs. Returns how many those were.
async fn empty(store: &Store<Native>, queue: &QueueName) -> u64 {
    let (mut deleted, mut place) = (0, None);
    loop {
        let act = Act {
            queue,
            action: Action::Delete,
            on: ActOn::State(State::Ready, place.as_ref()),
            filter: &all(),
            max_jobs: 1000,
        };
        let acted = store.act(act).await.unwrap();
        (deleted, place) = (deleted + acted.changed, acted.next);
        if place.is_none() {
            return deleted;
        }
    }
}

#[tokio::test]
async fn jobs_whose_batch_is_gone_are_orphans_and_keep_nobody() {
    let (redis, store, q) = with_waiting_batch(1500).await;
    redis.run("DEL presque:{q}:batches").await;
    assert_eq!(empty(&store, &q).await, 0);
    let description = store.describe(&q).await.unwrap().unwrap();
    assert_eq!((description.totals.orphans, description.jobs[1].1), (1500, 0));
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_full_redis_lets_a_queue_be_emptied_that_has_a_batch_waiting() {
    let (redis, store, q) = with_waiting_batch(1500).await;
    redis.run("CONFIG SET maxmemory 1").await;
    let deleted = empty(&store, &q).await;
    redis.run("CONFIG SET maxmemory 0").await;
    assert_eq!(deleted, 1500);
    assert_sound(&redis).await;
}

#[tokio::test]
async fn a_promoted_job_that_fails_at_once_is_not_promoted_again_by_the_same_calls() {
    let mut work = Work::start().await;
    for _ in 0..2 {
        work.insert(NewJob {
            payload: b"1",
            due: Due::In(seconds(60)),
            ..NewJob::default()
        })
        .await;
    }
    let on = ActOn::State(State::Scheduled, None);
    let first = work.act(Action::Promote, on, &all(), 1).await;
    assert_eq!((first.changed, first.left), (1, 1));
    work.pass(seconds(1)).await;
    let (_, receipt) = work.claim().await;
    work.nack(&receipt, Some(seconds(600))).await;
    let on = ActOn::State(State::Scheduled, first.next.as_ref());
    let second = work.act(Action::Promote, on, &all(), 10).await;
    assert_eq!((second.changed, second.looked_at, second.next), (1, 2, None));
}

#[tokio::test]
async fn of_jobs_that_are_due_at_the_same_time_none_is_looked_at_twice() {
    let work = Work::start().await;
    let due = Due::In(seconds(60));
    for n in 0..30 {
        let payload = n.to_string();
        work.insert(NewJob {
            payload: payload.as_bytes(),
            due,
            ..NewJob::default()
        })
        .await;
    }
    let odd = Filter {
        text: Some("1".into()),
        ..all()
    };
    let (mut looked_at, mut place) = (0, None);
    loop {
        let on = ActOn::State(State::Scheduled, place.as_ref());
        let acted = work.act(Action::Delete, on, &odd, 1).await;
        (looked_at, place) = (looked_at + acted.looked_at, acted.next);
        if place.is_none() {
            break;
        }
    }
    assert_eq!(looked_at, 30);
    assert_eq!(work.search(None, &odd).await, []);
}

#[tokio::test]
async fn no_more_than_a_hundred_jobs_are_cancelled_in_one_call() {
    let work = Work::start().await;
    work.numbers(250).await;
    let state = ActOn::State(State::Ready, None);
    assert_eq!(work.act(Action::Cancel, state, &all(), 1000).await.changed, 100);
    let left = work.search(Some(State::Ready), &all()).await;
    let acted = work.act(Action::Cancel, ActOn::Ids(&left, None), &all(), 1000).await;
    assert_eq!(
        (acted.changed, acted.looked_at, acted.left, acted.next),
        (100, 100, 50, None)
    );
    assert_eq!(work.search(Some(State::Ready), &all()).await.len(), 50);
    work.assert_sound().await;
}
