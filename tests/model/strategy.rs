//! Operations at random. There are few queues, keys and workers, and times are few and round, so that things meet.

use super::call::{Bytes, Call, Spec};
use super::op::{ConditionPick, DeadPick, JobPick, Op, Pick, Step, Wait};
use super::opening::opening;
use presque::queue::{Backoff, Due, Hold, Settings, State, Status, Timestamp};
use presque::store::{Action, NackKind};
use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::select;
use std::time::Duration;

/// Up to so many steps.
pub fn steps(max_steps: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (wait(), op()).prop_map(|(wait, op)| Step { wait, op });
    (opening(), vec(step, 1..=max_steps)).prop_map(|(mut first, steps)| {
        first.extend(steps);
        first
    })
}

fn wait() -> impl Strategy<Value = Wait> {
    prop_oneof![
        10 => Just(Wait::No),
        2 => (1_i64..2000).prop_map(Wait::Millis),
        2 => (1_i64..=15).prop_map(|seconds| Wait::Millis(seconds * 1000)),
        1 => (1_i64..100).prop_map(|minutes| Wait::Millis(minutes * 60_000)),
        1 => (1_i64..=20).prop_map(|days| Wait::Millis(days * 86_400_000)),
        6 => (0_u8..3, select(vec![0, 0, 0, -1, 1])).prop_map(|(n, more)| Wait::Event(n, more)),
    ]
}

fn queue() -> impl Strategy<Value = usize> {
    prop_oneof![5 => Just(0_usize), 1 => Just(1)]
}

fn bytes(of: &'static [&'static [u8]]) -> impl Strategy<Value = Bytes> {
    select(of).prop_map(|bytes| Bytes(bytes.to_vec()))
}

fn worker() -> impl Strategy<Value = Bytes> {
    bytes(&[b"w", b"w", b"\xff\nv"])
}

fn seconds(of: &'static [u64]) -> impl Strategy<Value = Duration> {
    select(of).prop_map(Duration::from_secs)
}

fn lease() -> impl Strategy<Value = Duration> {
    prop_oneof![4 => seconds(&[1, 5, 60]), 1 => Just(Duration::from_micros(1_500_001)), 1 => seconds(&[3600, 86_400])]
}

fn delay() -> impl Strategy<Value = Duration> {
    seconds(&[0, 0, 1, 5, 60])
}

fn backoff() -> impl Strategy<Value = Backoff> {
    prop_oneof![
        seconds(&[0, 2, 10]).prop_map(|delay| Backoff::Fixed { delay }),
        (seconds(&[1, 5]), seconds(&[4, 30, 3600])).prop_map(|(delay, max)| Backoff::Exponential { delay, max }),
    ]
}

fn due() -> impl Strategy<Value = Due> {
    let date = |millis| Due::At(Timestamp::from_millis(millis));
    prop_oneof![
        8 => Just(Due::Now),
        4 => seconds(&[0, 1, 5, 5, 60, 3600]).prop_map(Due::In),
        1 => select(vec![1000, 1_000_000, -5000, 0]).prop_map(date),
        1 => Just(date(i64::MAX)),
        1 => (0_i64..20).prop_map(move |seconds| date(1_770_000_000_000 + seconds * 1000)),
    ]
}

fn hold() -> impl Strategy<Value = Hold> {
    prop_oneof![
        2 => Just(Hold::UntilClaimed),
        3 => Just(Hold::UntilEnded),
        2 => seconds(&[1, 5, 60]).prop_map(Hold::For),
    ]
}

fn spec() -> impl Strategy<Value = Spec> {
    let unique = weighted(0.4, (bytes(&[b"k", b"k", b"l", b"\xff\0"]), hold()));
    let notes = weighted(0.1, select(vec!["{\"a\":1}", "\"\u{e9}\""]).prop_map(str::to_owned));
    (
        prop_oneof![6 => Just(4_u8), 1 => Just(0), 1 => Just(5), 1 => Just(9)],
        due(),
        unique,
        weighted(0.2, 1_u32..4),
        weighted(0.2, backoff()),
        weighted(0.2, lease()),
        weighted(0.2, select(vec![1, 1000, 5000, 60_000]).prop_map(Duration::from_millis)),
        notes,
    )
        .prop_map(
            |(priority, due, unique, max_attempts, backoff, timeout, expires_in, notes)| Spec {
                priority,
                unique,
                max_attempts,
                backoff,
                timeout,
                expires_in,
                is_text: notes.is_some(),
                metadata: notes.clone(),
                traceparent: notes.clone(),
                tracestate: notes,
                ..Spec::plain(Bytes(Vec::new()), due)
            },
        )
}

fn act() -> impl Strategy<Value = (Action, State)> {
    let action = select(vec![Action::Redrive, Action::Promote, Action::Cancel, Action::Delete]);
    action.prop_flat_map(|action| select(action.states()).prop_map(move |state| (action, state)))
}

pub fn settings() -> impl Strategy<Value = Settings> {
    (
        weighted(0.5, lease()),
        weighted(0.3, 1_u32..4),
        weighted(0.6, 1_u32..4),
        weighted(0.3, backoff()),
        weighted(0.5, seconds(&[0, 5, 60, 3600])),
        weighted(0.3, seconds(&[0, 10, 86_400])),
        weighted(0.2, 0_u32..4),
        weighted(0.1, select(vec![2_u64, 3, 12])),
        any::<bool>(),
        prop_oneof![6 => Just(Status::Open), 1 => Just(Status::Stopped)],
    )
        .prop_map(
            |(
                lease,
                max_attempts,
                max_lost_leases,
                backoff,
                retain,
                dead_retain,
                max_dead,
                max_bytes,
                legacy,
                status,
            )| {
                Settings {
                    lease,
                    max_attempts,
                    max_lost_leases,
                    backoff,
                    retain,
                    dead_retain,
                    max_dead,
                    max_bytes,
                    is_legacy_leased: legacy,
                    partitions: 1,
                    status,
                }
            },
        )
}

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![
        12 => (0_u8..4).prop_map(Pick::Good),
        2 => (0_u8..6).prop_map(Pick::Given),
        1 => any::<u8>().prop_map(Pick::Given),
        1 => (0_u8..4).prop_map(Pick::Next),
        1 => Just(Pick::MadeUp),
    ]
}

fn job() -> impl Strategy<Value = JobPick> {
    prop_oneof![
        6 => (0_u8..8).prop_map(JobPick::There),
        2 => (0_u8..3).prop_map(JobPick::Gone),
        2 => (0_u8..4).prop_map(JobPick::Dead),
        2 => any::<u8>().prop_map(JobPick::Any),
        1 => Just(JobPick::MadeUp),
    ]
}

fn dead() -> impl Strategy<Value = DeadPick> {
    let one = prop_oneof![4 => (0_u8..4).prop_map(JobPick::Dead), 1 => job(), 1 => (0_u8..3).prop_map(JobPick::Gone)];
    prop_oneof![
        select(vec![0, 1, 2, 1000]).prop_map(DeadPick::First),
        vec(one, 0..4).prop_map(DeadPick::Ids),
    ]
}

fn max_jobs() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 1_usize..4, 2 => Just(100), 1 => Just(0)]
}

fn acks(max_acks: usize) -> impl Strategy<Value = Vec<(Pick, bool)>> {
    vec((pick(), any::<bool>()), 0..=max_acks)
}

fn insert() -> impl Strategy<Value = Op> {
    let large = prop_oneof![12 => Just(false), 1 => Just(true)];
    let name = (bytes(&[b"x", b"\xfe"]), bytes(&[b"1", b"1", b"2"]));
    (
        queue(),
        vec((spec(), large), 1..4),
        weighted(0.25, weighted(0.8, worker())),
        weighted(0.1, name),
    )
        .prop_map(|(queue, jobs, failed, idempotency)| Op::Insert {
            queue,
            jobs,
            failed,
            idempotency,
        })
}

fn batch() -> impl Strategy<Value = Op> {
    let count = prop_oneof![8 => 0_usize..4, 1 => Just(110), 1 => Just(230)];
    let due_in = weighted(0.6, select(vec![-1000, 0, 1, 5000, 60_000]));
    let large = prop_oneof![12 => Just(false), 1 => Just(true)];
    (queue(), count, large, due_in).prop_map(|(queue, count, large, due_in)| Op::Batch {
        queue,
        count,
        large,
        due_in,
    })
}

fn claim() -> impl Strategy<Value = Op> {
    let queues =
        prop_oneof![8 => queue().prop_map(|queue| vec![queue]), 2 => select(vec![vec![0, 1], vec![1, 0], vec![0, 0]])];
    (
        queues,
        max_jobs(),
        weighted(0.5, lease()),
        of(worker()),
        weighted(0.3, acks(3)),
    )
        .prop_map(|(queues, max_jobs, lease, worker, acks)| Op::Claim {
            queues,
            max_jobs,
            lease,
            worker,
            acks: acks.unwrap_or_default(),
        })
}

fn nacks() -> impl Strategy<Value = Vec<(Pick, Option<Duration>, NackKind)>> {
    vec(
        (
            pick(),
            weighted(0.3, delay()),
            prop_oneof![8 => Just(NackKind::Failed), 2 => Just(NackKind::Rejected), 3 => Just(NackKind::Released)],
        ),
        0..4,
    )
}

fn op() -> impl Strategy<Value = Op> {
    let fetch = (queue(), weighted(0.7, worker()), 1_usize..4);
    let condition = select(vec![
        ConditionPick::Always,
        ConditionPick::Always,
        ConditionPick::Always,
        ConditionPick::Exists,
        ConditionPick::Absent,
        ConditionPick::CurrentTag,
        ConditionPick::CurrentTag,
        ConditionPick::OtherTag,
    ]);
    let extension = (pick(), of(lease()), any::<bool>());
    let list = (queue(), select(&State::ALL[..]), select(vec![1, 3, 200]), any::<bool>());
    prop_oneof![
        12 => insert(),
        2 => batch(),
        14 => claim(),
        8 => fetch.prop_map(|(queue, worker, max_jobs)| Op::Plain(Call::Fetch { queue, worker, max_jobs })),
        2 => queue().prop_map(|queue| Op::Plain(Call::Take { queue })),
        2 => queue().prop_map(|queue| Op::Plain(Call::Show { queue })),
        2 => (queue(), 1_u64..15).prop_map(|(queue, number)| Op::Plain(Call::RemoveNumber { queue, number })),
        6 => (queue(), acks(4)).prop_map(|(queue, acks)| Op::Ack { queue, acks }),
        8 => (queue(), nacks()).prop_map(|(queue, nacks)| Op::Nack { queue, nacks }),
        4 => (queue(), vec(extension, 0..3)).prop_map(|(queue, extensions)| Op::Extend { queue, extensions }),
        4 => (queue(), job()).prop_map(|(queue, job)| Op::Remove { queue, job }),
        4 => (queue(), dead()).prop_map(|(queue, dead)| Op::Redrive { queue, dead }),
        2 => (queue(), dead()).prop_map(|(queue, dead)| Op::Purge { queue, dead }),
        4 => (queue(), act()).prop_map(|(queue, (action, state))| Op::Plain(Call::Act { queue, action, state })),
        6 => (queue(), settings(), condition).prop_map(|(queue, settings, condition)| Op::Configure {
            queue,
            settings,
            condition,
        }),
        1 => (queue(), any::<bool>()).prop_map(|(queue, open)| Op::Plain(Call::SetStatus { queue, open })),
        2 => (queue(), any::<bool>()).prop_map(|(queue, settings)| Op::Plain(Call::Delete { queue, settings })),
        2 => (0_usize..2, worker()).prop_map(|(queue, worker)| Op::Plain(Call::Register { queue, worker })),
        2 => (0_usize..2, worker()).prop_map(|(queue, worker)| Op::Plain(Call::Unregister { queue, worker })),
        3 => (queue(), job()).prop_map(|(queue, job)| Op::Look { queue, job }),
        3 => list.prop_map(|(queue, state, page, payload)| Op::Plain(Call::List {
            queue,
            state,
            page,
            payload,
        })),
        1 => queue().prop_map(|queue| Op::Plain(Call::Peek { queue })),
        6 => Just(Op::Again),
    ]
}
