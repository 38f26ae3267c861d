//! What operations refer to when they are run, and the calls that they become.

use super::call::{Ack, Bytes, Call, Condition, Dead, Extend, Nack, Payloads, Spec};
use super::job::{Job, Left, Place};
use super::op::{ConditionPick, DeadPick, JobPick, Op, Pick, Wait};
use super::rules::DAY;
use super::world::World;

/// An id that no job has.
const MADE_UP: &str = "0000000fffff19c1e0a3f004";

/// What operations refer to.
pub struct Context<'a> {
    pub world: &'a World,
    /// Which step this is: makes payloads, errors and the like different.
    pub step: usize,
    pub last: Option<&'a Call>,
    /// The tags of settings that were told, with what they stand for.
    pub tags: &'a [(String, String)],
}

fn nth<T: Clone>(of: &[T], n: u8) -> Option<T> {
    (!of.is_empty()).then(|| of[usize::from(n) % of.len()].clone())
}

/// Counted from the end.
fn last<T: Clone>(of: &[T], n: u8) -> Option<T> {
    let back = usize::from(n).checked_rem(of.len())?;
    of.iter().rev().nth(back).cloned()
}

impl Context<'_> {
    pub fn time(&self, wait: Wait) -> i64 {
        let now = self.world.now;
        match wait {
            Wait::No => now,
            Wait::Millis(millis) => now + millis,
            Wait::Event(n, more) => {
                let coming = self.world.coming_events();
                let event = coming
                    .into_iter()
                    .filter(|time| *time < now + 40 * DAY)
                    .take(usize::from(n) + 1);
                event.last().map_or(now, |time| now.max(time + more))
            }
        }
    }

    fn receipt(&self, queue: usize, pick: Pick) -> String {
        let jobs = &self.world.queues[queue].jobs;
        let receipt = match pick {
            Pick::Good(n) => {
                let active = jobs.values().filter(|job| matches!(job.at, Place::Active { .. }));
                nth(&active.map(Job::receipt).collect::<Vec<_>>(), n)
            }
            Pick::Given(n) => last(&self.world.receipts, n).map(|(_, receipt)| receipt),
            Pick::Next(n) => {
                let ids: Vec<_> = jobs.keys().collect();
                nth(&ids, n).map(|id| format!("{id}-{}", jobs[id].claims + 1))
            }
            Pick::MadeUp => None,
        };
        receipt.unwrap_or_else(|| format!("{MADE_UP}-1"))
    }

    fn id(&self, queue: usize, pick: JobPick) -> String {
        let there = &self.world.queues[queue];
        let id = match pick {
            JobPick::There(n) => nth(&there.jobs.keys().cloned().collect::<Vec<_>>(), n),
            JobPick::Dead(n) => nth(&there.dead(), n),
            JobPick::Gone(n) => {
                let gone = there.left.iter().filter(|(_, left)| **left == Left::Forgotten);
                last(&gone.map(|(id, _)| id.clone()).collect::<Vec<_>>(), n)
            }
            JobPick::Any(n) => nth(&self.world.ids, n).map(|(_, id)| id),
            JobPick::MadeUp => None,
        };
        id.unwrap_or_else(|| MADE_UP.to_owned())
    }

    fn dead(&self, queue: usize, dead: &DeadPick) -> Dead {
        match dead {
            DeadPick::First(max_jobs) => Dead::First(*max_jobs),
            DeadPick::Ids(jobs) => Dead::Ids(jobs.iter().map(|job| self.id(queue, *job)).collect()),
        }
    }

    fn acks(&self, queue: usize, acks: &[(Pick, bool)]) -> Vec<Ack> {
        let result = |told: bool| told.then(|| format!("{{\"result\":{}}}", self.step));
        acks.iter()
            .map(|(pick, told)| (self.receipt(queue, *pick), result(*told)))
            .collect()
    }

    fn condition(&self, queue: usize, pick: ConditionPick) -> Condition {
        let now = self.world.queues[queue].settings_text();
        let tag = |current: bool| {
            let found = self.tags.iter().find(|(_, text)| (*text == now) == current);
            let text = found.map_or("0123456789abcdef", |(tag, _)| tag).to_owned();
            let stands_for = found.map(|(_, text)| text.clone());
            Condition::Tag { text, stands_for }
        };
        match pick {
            ConditionPick::Always => Condition::Always,
            ConditionPick::Exists => Condition::Exists,
            ConditionPick::Absent => Condition::Absent,
            ConditionPick::CurrentTag => tag(true),
            ConditionPick::OtherTag => tag(false),
        }
    }

    fn payload(&self, name: &str, large: bool) -> Bytes {
        let mut payload = format!("{}{name}", self.step).into_bytes();
        if large {
            payload.extend([b'x'; 20]);
        }
        Bytes(payload)
    }

    pub fn call(&self, op: &Op) -> Call {
        match op {
            Op::Insert {
                queue,
                jobs,
                failed,
                idempotency,
            } => {
                let jobs = jobs.iter().enumerate().map(|(number, (spec, large))| Spec {
                    // Jobs may be any bytes.
                    payload: self.payload(["a\0", "b", "c\u{e9}", "d:"][number % 4], *large),
                    ..spec.clone()
                });
                Call::Insert {
                    queue: *queue,
                    jobs: jobs.collect(),
                    failed: failed.clone(),
                    idempotency: idempotency.clone(),
                }
            }
            Op::Batch {
                queue,
                count,
                large,
                due_in,
            } => Call::Batch {
                queue: *queue,
                payloads: Payloads {
                    name: self.payload(":", *large),
                    count: *count,
                },
                due: due_in.map(|time| self.world.now + time),
            },
            Op::Claim {
                queues,
                max_jobs,
                lease,
                worker,
                acks,
            } => Call::Claim {
                acks: self.acks(queues[0], acks),
                queues: queues.clone(),
                max_jobs: *max_jobs,
                lease: *lease,
                worker: worker.clone(),
            },
            Op::Ack { queue, acks } => Call::Ack {
                queue: *queue,
                acks: self.acks(*queue, acks),
            },
            Op::Nack { queue, nacks } => {
                let nacks = nacks.iter().map(|(pick, delay, kind)| Nack {
                    receipt: self.receipt(*queue, *pick),
                    error: if self.step.is_multiple_of(5) {
                        String::new()
                    } else {
                        format!("error {}", self.step)
                    },
                    delay: *delay,
                    kind: *kind,
                });
                Call::Nack {
                    queue: *queue,
                    nacks: nacks.collect(),
                }
            }
            Op::Extend { queue, extensions } => {
                let extensions = extensions.iter().map(|(pick, lease, told)| Extend {
                    receipt: self.receipt(*queue, *pick),
                    lease: *lease,
                    progress: told.then(|| format!("[{}]", self.step)),
                });
                Call::Extend {
                    queue: *queue,
                    extensions: extensions.collect(),
                }
            }
            Op::Remove { queue, job } => Call::Remove {
                queue: *queue,
                id: self.id(*queue, *job),
            },
            Op::Look { queue, job } => Call::Look {
                queue: *queue,
                id: self.id(*queue, *job),
            },
            Op::Redrive { queue, dead } => Call::Redrive {
                queue: *queue,
                dead: self.dead(*queue, dead),
            },
            Op::Purge { queue, dead } => Call::Purge {
                queue: *queue,
                dead: self.dead(*queue, dead),
            },
            Op::Configure {
                queue,
                settings,
                condition,
            } => Call::Configure {
                queue: *queue,
                settings: *settings,
                condition: self.condition(*queue, *condition),
            },
            Op::Plain(call) => call.clone(),
            Op::Again => self.last.cloned().unwrap_or(Call::Lists),
        }
    }
}
