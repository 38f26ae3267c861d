//! What is told of a queue with several partitions: sums, lists, searches; and what is done with all that match.

use super::{Spread, insert, job};
use presque::queue::{Due, JobId, State, Timestamp};
use presque::store::{
    Act, ActOn, Action, Cursor, DeadJobs, Filter, ListJobs, Nack, NackKind, NewJob, Removed, Search, SearchPlace,
};
use std::collections::BTreeSet;

async fn fill(spread: &Spread, count: usize) -> BTreeSet<JobId> {
    let mut ids = BTreeSet::new();
    for number in 0..count {
        ids.insert(spread.plain(&number.to_string()).await);
    }
    ids
}

async fn bury_all(spread: &Spread) {
    for job in spread.claim_all().await {
        let nack = Nack {
            receipt: &job.receipt().unwrap(),
            error: if job.id.number().is_multiple_of(2) {
                "even"
            } else {
                "odd"
            },
            delay: None,
            kind: NackKind::Rejected,
        };
        spread.store.nack(&spread.queue, &[nack]).await.unwrap();
    }
}

#[tokio::test]
async fn counts_are_those_of_all_partitions() {
    let spread = Spread::over(4).await;
    fill(&spread, 10).await;
    for _ in 0..3 {
        let later = NewJob {
            due: Due::At(Timestamp::from_millis(9_000_000_000_000)),
            ..job("later")
        };
        insert(&spread.store, &spread.queue, &[later]).await;
    }
    spread.claim(2).await;
    let other = spread.other().await;
    for store in [&spread.store, &other] {
        let described = store.describe(&spread.queue).await.unwrap().unwrap();
        let count = |state| described.jobs.iter().find(|(of, _)| *of == state).unwrap().1;
        assert_eq!(
            [count(State::Ready), count(State::Scheduled), count(State::Active)],
            [8, 3, 2]
        );
        assert_eq!((described.totals.inserted, described.totals.claimed), (13, 2));
        let counts = store.counts(&spread.queue).await.unwrap();
        assert_eq!((counts.ready, counts.processed), (8, Some(2)));
        let summaries = store.summaries(std::slice::from_ref(&spread.queue)).await.unwrap();
        assert_eq!(summaries[0].count(State::Ready), 8);
        assert_eq!((summaries[0].totals.inserted, summaries[0].totals.claimed), (13, 2));
        assert_eq!(summaries[0].waits.unwrap().iter().sum::<u64>(), 2);
        let history = store.history(&spread.queue, 3).await.unwrap().unwrap();
        assert_eq!(history.minutes.iter().map(|minute| minute.inserted).sum::<u64>(), 13);
        assert_eq!(history.minutes.iter().map(|minute| minute.claimed).sum::<u64>(), 2);
        let peeked = store.peek(&spread.queue).await.unwrap();
        assert_eq!((peeked.ready, peeked.jobs.len()), (8, 8));
        assert_eq!(store.queue_workers(&spread.queue).await.unwrap().processed, Some(2));
    }
}

#[tokio::test]
async fn what_was_released_is_summed_over_all_partitions() {
    let spread = Spread::over(4).await;
    fill(&spread, 8).await;
    for job in spread.claim(8).await {
        let release = Nack {
            receipt: &job.receipt().unwrap(),
            error: "",
            delay: None,
            kind: NackKind::Released,
        };
        spread.store.nack(&spread.queue, &[release]).await.unwrap();
    }
    for store in [&spread.store, &spread.other().await] {
        let described = store.describe(&spread.queue).await.unwrap().unwrap();
        let summaries = store.summaries(std::slice::from_ref(&spread.queue)).await.unwrap();
        assert_eq!((described.totals.released, summaries[0].totals.released), (8, 8));
        let history = store.history(&spread.queue, 3).await.unwrap().unwrap();
        assert_eq!(history.minutes.iter().map(|minute| minute.released).sum::<u64>(), 8);
    }
}

#[tokio::test]
async fn a_list_has_each_job_once_whatever_the_size_of_its_pages() {
    let spread = Spread::over(4).await;
    let ids = fill(&spread, 23).await;
    for max_jobs in [1, 3, 6, 23, 100] {
        for is_newest_first in [false, true] {
            let (mut seen, mut after): (Vec<JobId>, Option<Cursor>) = (Vec::new(), None);
            loop {
                // Each page by another instance.
                let store = spread.other().await;
                let list = ListJobs {
                    queue: &spread.queue,
                    state: State::Ready,
                    max_jobs,
                    after: after.as_ref(),
                    is_newest_first,
                    has_payloads: true,
                };
                let page = store.jobs(list).await.unwrap();
                assert!(page.jobs.len() <= max_jobs);
                seen.extend(page.jobs.iter().map(|job| job.id));
                after = page.jobs.last().map(|job| Cursor {
                    position: job.position,
                    id: job.id,
                });
                if !page.has_more {
                    break;
                }
            }
            assert_eq!(seen.len(), ids.len(), "{max_jobs} {is_newest_first}");
            for partition in 0..4 {
                let of: Vec<_> = seen.iter().filter(|id| id.partition() == partition).collect();
                let is_sorted = if is_newest_first {
                    of.iter().rev().is_sorted()
                } else {
                    of.is_sorted()
                };
                assert!(is_sorted);
            }
            assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), ids);
        }
    }
}

#[tokio::test]
async fn a_search_looks_at_all_states_of_all_partitions() {
    let spread = Spread::over(3).await;
    fill(&spread, 12).await;
    bury_all(&spread).await;
    fill(&spread, 10).await;
    spread.claim(4).await;
    for filter in [
        Filter::default(),
        Filter {
            text: Some("1".into()),
            ..Filter::default()
        },
    ] {
        let (mut seen, mut after, mut lefts): (Vec<JobId>, Option<SearchPlace>, _) = (Vec::new(), None, Vec::new());
        loop {
            let search = Search {
                queue: &spread.queue,
                state: None,
                ids: &[],
                filter: &filter,
                max_jobs: 3,
                after: after.as_ref(),
                has_payloads: false,
            };
            let page = spread.other().await.search(search).await.unwrap();
            seen.extend(page.jobs.iter().map(|job| job.id));
            lefts.push(page.left);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert!(lefts.is_sorted_by(|one, other| one > other), "{lefts:?}");
        assert_eq!(lefts.last(), Some(&0));
        let count = seen.len();
        assert_eq!(count, if filter == Filter::default() { 22 } else { 4 });
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), count);
        let search = Search {
            queue: &spread.queue,
            state: None,
            ids: &seen,
            filter: &filter,
            max_jobs: 200,
            after: None,
            has_payloads: false,
        };
        let found = spread.other().await.search(search).await.unwrap();
        assert_eq!(found.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), seen);
        assert_eq!((found.looked_at, found.left), (count as u64, 0));
    }
}

#[tokio::test]
async fn an_action_comes_to_all_partitions_some_jobs_at_a_time() {
    let spread = Spread::over(3).await;
    fill(&spread, 20).await;
    bury_all(&spread).await;
    let groups = spread.other().await.dead_groups(&spread.queue, None).await.unwrap();
    assert_eq!((groups.looked_at, groups.left, groups.next), (20, 0, None));
    let sizes: u64 = groups.groups.iter().map(|group| group.jobs).sum();
    assert_eq!((groups.groups.len(), sizes), (2, 20));
    for (action, state) in [(Action::Redrive, State::Dead), (Action::Cancel, State::Ready)] {
        let (mut changed, mut calls, mut place) = (0, 0, None);
        loop {
            let act = Act {
                queue: &spread.queue,
                action,
                on: ActOn::State(state, place.as_ref()),
                filter: &Filter::default(),
                max_jobs: 4,
            };
            let acted = spread.other().await.act(act).await.unwrap();
            assert!(acted.changed <= 4);
            changed += acted.changed;
            calls += 1;
            assert_eq!(acted.in_state, 20 - changed);
            assert_eq!(acted.left, 20 - changed);
            place = acted.next;
            if place.is_none() {
                break;
            }
        }
        assert_eq!((changed, calls), (20, 5));
    }
    spread.assert_sound().await;
}

#[tokio::test]
async fn jobs_are_redriven_and_forgotten_by_ids_of_any_partition() {
    let spread = Spread::over(3).await;
    let ids: Vec<JobId> = fill(&spread, 9).await.into_iter().collect();
    bury_all(&spread).await;
    let redriven = spread
        .store
        .redrive(&spread.queue, DeadJobs::Ids(&ids[..6]))
        .await
        .unwrap();
    assert_eq!((redriven.redriven, redriven.unknown, redriven.dead), (6, 0, 3));
    let purged = spread
        .store
        .purge_dead(&spread.queue, DeadJobs::Ids(&ids))
        .await
        .unwrap();
    assert_eq!((purged.removed, purged.unknown, purged.dead), (3, 6, 0));
    for id in &ids[..6] {
        assert_eq!(
            spread.store.remove(&spread.queue, id).await.unwrap(),
            Removed::Cancelled
        );
    }
    let none = JobId::parse("fc000000000119a3f0c2b7e9").unwrap();
    assert_eq!(spread.store.job(&spread.queue, &none).await.unwrap(), None);
    assert_eq!(
        spread.store.remove(&spread.queue, &none).await.unwrap(),
        Removed::Unknown
    );
    let keys: Vec<String> = spread.redis.query(&["KEYS", "presque:{q%/63}*"]).await;
    assert_eq!(keys, Vec::<String>::new());
    spread.assert_sound().await;
}

#[tokio::test]
async fn of_many_ids_no_more_than_a_hundred_are_cancelled_and_it_is_told_how_many_are_left() {
    let spread = Spread::over(3).await;
    let ids: Vec<JobId> = fill(&spread, 130).await.into_iter().collect();
    let act = Act {
        queue: &spread.queue,
        action: Action::Cancel,
        on: ActOn::Ids(&ids, None),
        filter: &Filter::default(),
        max_jobs: 1000,
    };
    let acted = spread.store.act(act).await.unwrap();
    assert_eq!((acted.changed, acted.left, acted.next), (100, 30, None));
    let rest = Act {
        on: ActOn::Ids(&ids[100..], None),
        ..act
    };
    assert_eq!(spread.store.act(rest).await.unwrap().changed, 30);
}
