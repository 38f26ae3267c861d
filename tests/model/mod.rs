//! The store beside a model of it: sequences of calls at random, on a server whose clock the test moves.
//!
//! The model is written from `docs/jobs.md` and knows nothing of the scripts. It is simple where the store is fast: a map
//! of jobs, looked through from end to end. When the two differ, the sequence is made as short as it gets and shown.
//!
//! `PRESQUE_MODEL_SEQUENCES` says how many sequences are run, `PRESQUE_MODEL_SEED` which ones.

mod call;
mod context;
mod driver;
mod finish;
mod insert;
mod inspect;
mod job;
mod op;
mod opening;
mod queue;
mod rules;
mod show;
mod store;
mod strategy;
mod take;
mod watch;
mod world;

use driver::Bench;
use op::Step;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use rules::Mistake;
use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use strategy::steps;
use tokio::runtime::Runtime;

const SEQUENCES: usize = 1000;
const SEED: u64 = 2010;
/// The most steps of a sequence.
const STEPS: usize = 40;
/// Each has a server of its own.
const THREADS: usize = 2;

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    let said = std::env::var(name).ok();
    said.map_or(default, |said| {
        said.parse().unwrap_or_else(|_| panic!("{name} is no number: {said}"))
    })
}

fn runner(cases: usize, seed: u64) -> TestRunner {
    let config = Config {
        cases: u32::try_from(cases).expect("fewer sequences"),
        failure_persistence: None,
        max_shrink_iters: 4000,
        max_shrink_time: 120_000,
        ..Config::default()
    };
    let seed = seed.to_be_bytes().repeat(4);
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Runs so many sequences. Tells of the first difference, when it is made small.
fn run(sequences: usize, seed: u64) -> Result<(), String> {
    let runtime = runtime();
    let bench = RefCell::new(runtime.block_on(Bench::start()));
    let mut runner = runner(sequences, seed);
    let result = runner.run(&steps(STEPS), |steps| {
        let result = runtime.block_on(bench.borrow_mut().run(&steps, Mistake::None));
        result.map_err(TestCaseError::fail)
    });
    result.map_err(|error| match error {
        TestError::Fail(reason, steps) => {
            let again = |steps: &[Step]| runtime.block_on(bench.borrow_mut().run(steps, Mistake::None)).err();
            let reason = shortest(steps, again).unwrap_or_else(|| reason.to_string());
            format!("PRESQUE_MODEL_SEED={seed}:\n{reason}\n")
        }
        TestError::Abort(reason) => format!("PRESQUE_MODEL_SEED={seed}: {reason}"),
    })
}

/// Leaves out every step without which there still is a difference. `proptest` tries each only once, and what it does to
/// the others then makes more of them needless.
fn shortest(mut steps: Vec<Step>, mut differs: impl FnMut(&[Step]) -> Option<String>) -> Option<String> {
    let mut reason = differs(&steps)?;
    let mut at = 0;
    while at < steps.len() {
        let mut fewer = steps.clone();
        fewer.remove(at);
        if let Some(difference) = differs(&fewer) {
            (steps, reason, at) = (fewer, difference, 0);
        } else {
            at += 1;
        }
    }
    Some(reason)
}

#[test]
fn the_store_does_what_the_model_does() {
    let sequences: usize = setting("PRESQUE_MODEL_SEQUENCES", SEQUENCES);
    let seed = setting("PRESQUE_MODEL_SEED", SEED);
    let failures = std::thread::scope(|scope| {
        let run = |thread: usize| scope.spawn(move || run(sequences.div_ceil(THREADS), seed + thread as u64));
        let threads: Vec<_> = (0..THREADS).map(run).collect();
        let ended = threads
            .into_iter()
            .map(|thread| thread.join().expect("the thread ends"));
        ended.filter_map(Result::err).collect::<Vec<_>>()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// How many sequences it takes at most to find that a rule is wrong.
const ENOUGH: usize = 400;

#[test]
fn a_model_with_a_wrong_rule_is_found_out() {
    let mistakes = [
        Mistake::OneLeaseMore,
        Mistake::KeyKeptWhenClaimed,
        Mistake::ScheduledLast,
        Mistake::NoJitter,
        Mistake::ForgottenLate,
        Mistake::LostLeaseCanAck,
        Mistake::AllLeasesAtOnce,
        Mistake::KeyKeptByExpired,
        Mistake::ReleasedHasFailed,
    ];
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let runtime = runtime();
                let mut bench = runtime.block_on(Bench::start());
                while let Some(mistake) = mistakes.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let mut runner = runner(0, SEED);
                    let made = steps(STEPS);
                    let mut sequences = (0..ENOUGH).map(|_| made.new_tree(&mut runner).expect("a sequence").current());
                    let found = sequences.any(|steps| runtime.block_on(bench.run(&steps, *mistake)).is_err());
                    assert!(found, "{mistake:?} is not found out");
                }
            });
        }
    });
}
