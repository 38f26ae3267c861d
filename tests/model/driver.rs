//! Runs a sequence on the model and on the store, and compares what they say.

use super::call::{Call, Outcome, QUEUES};
use super::context::Context;
use super::op::{Op, Step};
use super::rules::Mistake;
use super::show::{brief, difference, tidy};
use super::store;
use super::watch::Watch;
use super::world::World;
use crate::support::{Clock, Clocked, NativeStore, Redis, assert_sound};
use futures_util::FutureExt;
use futures_util::future::join_all;
use presque::queue::{JobId, State, Timestamp};
use presque::store::{Configured, Store};
use redis::aio::MultiplexedConnection;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::panic::AssertUnwindSafe;

/// After how many steps all jobs are compared.
const LOOK_EVERY: usize = 4;
/// After how many sequences the keys are looked at in every detail.
const SOUND_EVERY: usize = 8;

/// When each sequence begins.
const START: i64 = 1_770_000_000_217;

/// A server, and the way to it.
pub struct Bench {
    redis: Redis,
    connection: MultiplexedConnection,
    store: Store<Clocked>,
    clock: Clock,
    sequences: usize,
}

/// One sequence under way.
struct Run<'a> {
    bench: &'a mut Bench,
    world: World,
    watch: Watch,
    tags: Vec<(String, String)>,
    last: Option<Call>,
    trace: Vec<String>,
}

/// A difference, after all that led to it.
type Checked = Result<(), String>;

impl Bench {
    pub async fn start() -> Self {
        let redis = Redis::start();
        // Nothing is kept: the disk would be most of the time that this takes.
        redis.run("CONFIG SET appendonly no").await;
        let connection = redis.connection().await;
        let (store, clock) = redis.store_with_clock().await;
        Self {
            redis,
            connection,
            store,
            clock,
            sequences: 0,
        }
    }

    /// Runs a sequence on an empty server.
    pub async fn run(&mut self, steps: &[Step], mistake: Mistake) -> Checked {
        self.sequences += 1;
        let () = redis::cmd("FLUSHALL").query_async(&mut self.connection).await.unwrap();
        let start = Timestamp::from_millis(START);
        self.clock.set(start).await;
        let mut run = Run {
            bench: self,
            world: World::new(start, mistake),
            watch: Watch::default(),
            tags: Vec::new(),
            last: None,
            trace: Vec::new(),
        };
        let result = run.all(steps).await;
        result.map_err(|difference| format!("{}\n{difference}", run.trace.join("\n")))
    }
}

impl Run<'_> {
    async fn all(&mut self, steps: &[Step]) -> Checked {
        for (number, step) in steps.iter().enumerate() {
            self.step(number, step).await?;
            if number % LOOK_EVERY == LOOK_EVERY - 1 {
                self.look_at_all().await?;
            }
        }
        self.trace.push("at the end".to_owned());
        self.look_at_all().await?;
        self.look_at_the_rest().await
    }

    async fn step(&mut self, number: usize, step: &Step) -> Checked {
        let context = Context {
            world: &self.world,
            step: number,
            last: self.last.as_ref(),
            tags: &self.tags,
        };
        let now = context.time(step.wait);
        if now != self.world.now {
            self.world.set_now(now);
            self.bench.clock.set(Timestamp::from_millis(now)).await;
        }
        // Made up only now: what is good or dead depends on the time.
        let context = Context {
            world: &self.world,
            step: number,
            last: self.last.as_ref(),
            tags: &self.tags,
        };
        let call = context.call(&step.op);
        let since = now - START;
        let again = if matches!(step.op, Op::Again) { "again " } else { "" };
        self.trace.push(format!(
            "{number:2} at {:>9}.{:03} s  {again}{}",
            since / 1000,
            since % 1000,
            tidy(&call)
        ));
        let found = store::call(&self.bench.store, &call).await;
        let found = self.compare(&call, found)?;
        self.watch.saw(now, &call, &found)?;
        self.last = Some(call);
        Ok(())
    }

    /// Compares what the store said with what the model says, which must not have been asked before.
    fn compare(&mut self, call: &Call, found: Result<Outcome, presque::store::RedisError>) -> Result<Outcome, String> {
        let mut found = found.map_err(|error| format!("{call:?}\nthe store fails: {error}"))?;
        let expected = self.world.call(call);
        self.take_out_tag(call, &mut found)?;
        if found == expected {
            if let Some(last) = self.trace.last_mut()
                && !matches!(
                    found,
                    Outcome::Jobs(_) | Outcome::Described(_) | Outcome::History(_) | Outcome::Lists(..)
                )
                && !last.contains(" -> ")
            {
                let _ = write!(last, "\n        -> {}", brief(&found));
            }
            return Ok(found);
        }
        Err(format!("{call:?}\n{}", difference(&expected, &found)))
    }

    /// Settings have a tag that is the store's own: the same for the same settings, another for others.
    fn take_out_tag(&mut self, call: &Call, outcome: &mut Outcome) -> Checked {
        let (Call::Configure { queue, .. } | Call::Describe { queue }) = call else {
            return Ok(());
        };
        let effective = match outcome {
            Outcome::Configured(Configured::Created(effective) | Configured::Changed(effective)) => effective,
            Outcome::Described(Some(description)) => &mut description.effective,
            _ => return Ok(()),
        };
        let tag = std::mem::take(&mut effective.tag);
        let text = self.world.queues[*queue].settings_text();
        if tag.len() != 16 || tag.bytes().any(|byte| !byte.is_ascii_hexdigit()) {
            return Err(format!("{tag:?} is no tag"));
        }
        match self
            .tags
            .iter()
            .find(|(known, stands_for)| *known == tag || *stands_for == text)
        {
            None => self.tags.push((tag, text)),
            Some((known, stands_for)) if *known == tag && *stands_for == text => {}
            Some(other) => return Err(format!("the tag of {text} is {tag}, and there is {other:?}")),
        }
        Ok(())
    }

    /// Compares all that can be seen without changing anything.
    async fn look_at_all(&mut self) -> Checked {
        let mut calls = Vec::new();
        for queue in 0..QUEUES.len() {
            calls.extend([
                Call::Describe { queue },
                Call::History { queue },
                Call::Counts { queue },
                Call::QueueWorkers { queue },
            ]);
            // To list the ready ones moves those that are due, which is for steps to do.
            let states = State::ALL.into_iter().filter(|state| *state != State::Ready);
            calls.extend(states.map(|state| list(queue, state)));
            let ready = self.world.queues[queue].jobs.values();
            let ready = ready.filter(|job| job.state(self.world.now) == State::Ready).take(20);
            calls.extend(ready.map(|job| Call::Look {
                queue,
                id: job.id.clone(),
            }));
        }
        let found = join_all(calls.iter().map(|call| store::call(&self.bench.store, call))).await;
        for (call, found) in calls.iter().zip(found) {
            self.compare(call, found)?;
        }
        Ok(())
    }

    async fn look_at_the_rest(&mut self) -> Checked {
        for queue in 0..QUEUES.len() {
            let mut there = BTreeMap::new();
            for state in State::ALL {
                let call = list(queue, state);
                let found = store::call(&self.bench.store, &call).await;
                let Outcome::Jobs(jobs) = self.compare(&call, found)? else {
                    unreachable!("jobs");
                };
                for job in jobs {
                    if let Some(other) = there.insert(job.id, state) {
                        return Err(format!("{} is {state:?} and {other:?}", job.id));
                    }
                }
            }
            self.watch
                .all_accounted_for(queue, &there, &self.world.queues[queue].left)?;
            let call = Call::Peek { queue };
            let found = store::call(&self.bench.store, &call).await;
            self.compare(&call, found)?;
            self.compare_holders(queue).await?;
        }
        let workers: Vec<_> = self
            .world
            .queues
            .iter()
            .flat_map(|queue| queue.workers.keys().cloned())
            .collect();
        for call in workers
            .into_iter()
            .map(|worker| Call::Worker { worker })
            .chain([Call::Lists])
        {
            let found = store::call(&self.bench.store, &call).await;
            self.compare(&call, found)?;
        }
        self.is_sound().await
    }

    /// The jobs that hold a unique key.
    async fn compare_holders(&mut self, queue: usize) -> Checked {
        let name = QUEUES[queue]
            .replace('%', "%25")
            .replace('{', "%7B")
            .replace('}', "%7D");
        let key = |kind| format!("presque:{{{name}}}:{kind}");
        let mut get = redis::pipe();
        get.hgetall(key("unique")).zrange_withscores(key("unique-until"), 0, -1);
        type Held = BTreeMap<Vec<u8>, Vec<u8>>;
        let found = get.query_async(&mut self.bench.connection).await;
        let (held, timed): (Held, BTreeMap<Vec<u8>, i64>) = found.unwrap();
        let over = |key: &Vec<u8>| timed.get(key).is_some_and(|until| *until <= self.world.now);
        let held = held.iter().filter(|(key, _)| !over(key));
        let mut found: Vec<String> = held
            .map(|(_, id)| JobId::from_bytes(id).expect("an id").to_string())
            .collect();
        let holders = self.world.queues[queue].holders.values();
        let mut expected: Vec<String> = holders.map(|(id, _)| id.clone()).collect();
        found.sort();
        expected.sort();
        if found != expected {
            return Err(format!(
                "unique keys are held by {found:?}, and should be by {expected:?}"
            ));
        }
        Ok(())
    }

    async fn is_sound(&mut self) -> Checked {
        if !self.bench.sequences.is_multiple_of(SOUND_EVERY) {
            return Ok(());
        }
        let () = redis::cmd("DEL")
            .arg("test:clock")
            .query_async(&mut self.bench.connection)
            .await
            .unwrap();
        let sound = AssertUnwindSafe(assert_sound(&self.bench.redis)).catch_unwind().await;
        sound.map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            format!("the keys are not sound: {}", text.unwrap_or_default())
        })
    }
}

fn list(queue: usize, state: State) -> Call {
    let (page, payload) = (200, true);
    Call::List {
        queue,
        state,
        page,
        payload,
    }
}
