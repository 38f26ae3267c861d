//! How some sequences begin: with what steps at random would seldom lead to.

use super::call::{Bytes, Call, Spec};
use super::op::{ConditionPick, Op, Pick, Step, Wait};
use super::strategy::settings;
use presque::queue::{Due, Settings, Status};
use presque::store::NackKind;
use proptest::option::of;
use proptest::prelude::*;
use std::time::Duration;

pub fn opening() -> impl Strategy<Value = Vec<Step>> {
    prop_oneof![
        12 => Just(Vec::new()),
        1 => many_leases(),
        1 => many_expired(),
        1 => many_due(),
        1 => many_failures(),
        2 => two_registrations(),
        3 => legacy_deliveries(),
    ]
}

fn now(op: Op) -> Step {
    Step { wait: Wait::No, op }
}

fn insert(jobs: impl Iterator<Item = Spec>) -> Step {
    now(Op::Insert {
        queue: 0,
        jobs: jobs.map(|job| (job, false)).collect(),
        failed: None,
        idempotency: None,
    })
}

fn batch(count: usize, due_in: Option<i64>) -> Step {
    now(Op::Batch {
        queue: 0,
        count,
        large: false,
        due_in,
    })
}

fn claim(max_jobs: usize) -> Op {
    Op::Claim {
        queues: vec![0],
        max_jobs,
        lease: Some(Duration::from_secs(5)),
        worker: None,
        acks: Vec::new(),
    }
}

fn configure(settings: Settings) -> Step {
    now(Op::Configure {
        queue: 0,
        settings,
        condition: ConditionPick::Always,
    })
}

/// More leases than are looked at in one call, which end together or one after the other.
fn many_leases() -> impl Strategy<Value = Vec<Step>> {
    (settings(), of(Just(0_i64)), 0_i64..2).prop_map(|(settings, due_in, after)| {
        let later = || Step {
            wait: Wait::Millis(after),
            op: claim(100),
        };
        vec![
            configure(settings),
            batch(230, due_in),
            now(claim(100)),
            later(),
            later(),
        ]
    })
}

/// More expired jobs than are passed over in one call.
fn many_expired() -> impl Strategy<Value = Vec<Step>> {
    (0_u64..2, 0_usize..3).prop_map(|(seconds, kept)| {
        let job = move |number| Spec {
            expires_in: (number >= kept).then(|| Duration::from_secs(seconds)),
            ..Spec::plain(Bytes(Vec::new()), Due::Now)
        };
        vec![insert((0..130).map(job))]
    })
}

/// More jobs that are due than one call moves, with more urgent ones behind them.
fn many_due() -> impl Strategy<Value = Vec<Step>> {
    (98_usize..103, 1_usize..3).prop_map(|(count, max_jobs)| {
        let urgent = |seconds| Spec {
            priority: 9,
            ..Spec::plain(Bytes(Vec::new()), Due::In(Duration::from_secs(seconds)))
        };
        let later = Step {
            wait: Wait::Millis(3000),
            op: claim(max_jobs),
        };
        vec![batch(count, Some(1000)), insert([2, 2].map(urgent).into_iter()), later]
    })
}

/// A job that failed more often than its errors are kept.
fn many_failures() -> impl Strategy<Value = Vec<Step>> {
    (5_usize..8).prop_map(|count| {
        let nack = Op::Nack {
            queue: 0,
            nacks: vec![(Pick::Good(0), Some(Duration::ZERO), NackKind::Failed)],
        };
        let job = Spec::plain(Bytes(Vec::new()), Due::Now);
        let failures = (0..count).flat_map(|_| [now(claim(1)), now(nack.clone())]);
        [insert([job].into_iter())].into_iter().chain(failures).collect()
    })
}

/// A worker that leaves one of its queues can be seen by what it did there.
fn two_registrations() -> impl Strategy<Value = Vec<Step>> {
    (0_i64..2).prop_map(|seconds| {
        let worker = || Bytes(b"w".to_vec());
        let register = |queue| Step {
            wait: Wait::Millis(seconds * 1000),
            op: Op::Plain(Call::Register {
                queue,
                worker: worker(),
            }),
        };
        let fetch = Call::Fetch {
            queue: 0,
            worker: Some(worker()),
            max_jobs: 3,
        };
        let failed = Op::Insert {
            queue: 0,
            jobs: vec![(Spec::plain(Bytes(Vec::new()), Due::Now), false)],
            failed: Some(Some(worker())),
            idempotency: None,
        };
        let fetch = now(Op::Plain(fetch));
        vec![register(0), register(1), batch(3, None), fetch, now(failed)]
    })
}

/// A queue that delivers at least once to workers that know no leases, one of which may hold two jobs for a short and for
/// a long time.
fn legacy_deliveries() -> impl Strategy<Value = Vec<Step>> {
    (settings(), any::<bool>()).prop_map(|(settings, holds)| {
        let configure = configure(Settings {
            is_legacy_leased: true,
            status: Status::Open,
            ..settings
        });
        let job = |timeout: Option<u64>| Spec {
            timeout: timeout.map(Duration::from_secs),
            ..Spec::plain(Bytes(Vec::new()), Due::Now)
        };
        let fetch = Call::Fetch {
            queue: 0,
            worker: Some(Bytes(b"w".to_vec())),
            max_jobs: 2,
        };
        let held = [insert([job(Some(1)), job(None)].into_iter()), now(Op::Plain(fetch))];
        let held = held.into_iter().filter(|_| holds);
        [configure].into_iter().chain(held).collect()
    })
}
