//! Workers: they claim jobs, work, finish them in one of many ways, and die.

use super::QUEUES;
use super::api::{Api, Heard, PAUSE};
use super::book::{Event, Handout, Held, Journal};
use super::chance::Chance;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

/// How often a worker sends an ack whose answer is lost.
const TRIES: usize = 5;

/// Stands for the answer that nothing was changed.
const UNCHANGED: &str = "unchanged";

/// How workers are, in parts of a thousand jobs.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// At each of three times: before work, during it, and between work and ack.
    pub dies: u64,
    pub nacks: u64,
    pub extends: u64,
    /// Works for longer than its lease.
    pub oversleeps: u64,
}

impl Manners {
    pub const WILD: Self = Self {
        dies: 12,
        nacks: 60,
        extends: 60,
        oversleeps: 5,
    };
    /// To bring all to an end.
    pub const GOOD: Self = Self {
        dies: 0,
        nacks: 0,
        extends: 0,
        oversleeps: 0,
    };
}

/// A worker in one life.
pub struct Worker {
    pub name: String,
    pub api: Api,
    pub journal: Journal,
    pub chance: Chance,
    pub manners: Manners,
}

/// It stops without a word, and so does everything it was about to do.
struct Death;

impl Worker {
    /// Works until it dies.
    pub async fn live(mut self) {
        let carries = self.chance.happens(300);
        let mut finished: Vec<Held> = Vec::new();
        loop {
            // Acks go with a claim on their own queue.
            let queue = match finished.first() {
                Some(held) => held.queue.clone(),
                None => (*self.chance.pick(&QUEUES)).to_owned(),
            };
            let (to_ack, later) = finished.into_iter().partition(|held| held.queue == queue);
            finished = later;
            let Some(jobs) = self.claim(&queue, &to_ack).await else {
                // Whether they were acknowledged is not known: they are sent again.
                finished.extend(to_ack);
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            for held in jobs {
                match self.work(&held).await {
                    Ok(true) => finished.push(held),
                    Ok(false) => {}
                    Err(Death) => return,
                }
            }
            if !carries {
                self.ack_all(std::mem::take(&mut finished)).await;
            }
        }
    }

    /// `None` when there was no answer, or an error.
    async fn claim(&mut self, queue: &str, acks: &[Held]) -> Option<Vec<Held>> {
        let count = *self.chance.pick(&[1, 1, 1, 2, 5]);
        let lease = self.chance.seconds(1000..2000);
        let wait = *self.chance.pick(&[0.0, 0.3, 1.0]);
        let mut body = json!({"count": count, "lease": lease, "wait": wait, "worker": self.name});
        let from_all = acks.is_empty() && self.chance.happens(200);
        let target = if from_all {
            body["queues"] = json!(QUEUES);
            "/v1/claims".to_owned()
        } else {
            format!("/v1/queues/{queue}/claims")
        };
        if !acks.is_empty() {
            let sent = acks.iter().map(|held| json!({"receipt": held.receipt}));
            body["acks"] = sent.collect();
            acks.iter().for_each(|held| self.write_acking(held));
        }
        let sent = now();
        let told = match self.api.post(&target, &[], &body).await {
            Heard::Answer(200, told) => told,
            Heard::Answer(204, _) => return Some(Vec::new()),
            Heard::Unchanged => {
                acks.iter().for_each(|held| self.write_not_acked(held));
                return None;
            }
            Heard::Answer(..) | Heard::Nothing => return None,
        };
        let received = now();
        let jobs = told["jobs"].as_array().into_iter().flatten();
        let jobs = jobs.map(|job| self.receive(job, sent, received)).collect();
        for (held, told) in acks.iter().zip(told["acks"].as_array().into_iter().flatten()) {
            self.write_acked(held, told);
        }
        Some(jobs)
    }

    fn receive(&self, job: &Value, sent: u128, received: u128) -> Held {
        let text = |name: &str| job[name].as_str().unwrap_or_default().to_owned();
        let handout = Handout {
            // What is no payload of ours is nobody's number.
            job: job["payload"]["n"].as_u64().unwrap_or(u64::MAX),
            queue: text("queue"),
            id: text("id"),
            receipt: text("receipt"),
            attempt: job["attempt"].as_u64().unwrap_or_default(),
            from: text("claimed_at"),
            until: text("lease_ends_at"),
            sent,
            received,
            ..Handout::default()
        };
        let held = handout.held();
        (self.journal)(Event::Received(handout));
        held
    }

    /// Does the work. Tells whether it is to be acknowledged.
    async fn work(&mut self, held: &Held) -> Result<bool, Death> {
        self.may_die("before work")?;
        tokio::time::sleep(self.chance.millis(0..20)).await;
        if self.chance.happens(self.manners.extends) {
            // Longer than any lease was, so that nobody's is made shorter.
            let body = json!({"lease": 2.5, "progress": {"half": true}});
            if let Heard::Answer(200, told) = self.tell(held, "extend", &body).await {
                let until = told["lease_ends_at"].as_str().unwrap_or_default().to_owned();
                let held = held.clone();
                (self.journal)(Event::Extended { held, until });
            }
        }
        self.may_die("during work")?;
        if self.chance.happens(self.manners.oversleeps) {
            self.broke("worker worked for longer than its lease");
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        if self.chance.happens(self.manners.nacks) {
            (self.journal)(Event::Nacking(held.clone()));
            let body = json!({"error": "no luck", "delay": self.chance.seconds(0..500)});
            self.tell(held, "nack", &body).await;
            return Ok(false);
        }
        self.may_die("after work, before the ack")?;
        Ok(true)
    }

    fn may_die(&mut self, when: &str) -> Result<(), Death> {
        if self.chance.happens(self.manners.dies) {
            self.broke(&format!("worker died {when}"));
            return Err(Death);
        }
        Ok(())
    }

    /// Acknowledges all, one by one or together.
    async fn ack_all(&mut self, mut held: Vec<Held>) {
        for _ in 0..TRIES {
            let Some(first) = held.first() else { return };
            held.iter().for_each(|held| self.write_acking(held));
            let known: Vec<Value> = if held.len() > 1 && held.iter().all(|held| held.queue == first.queue) {
                let target = format!("/v1/queues/{}/claims/ack", first.queue);
                let receipts: Value = held.iter().map(|held| json!({"receipt": held.receipt})).collect();
                match self.api.post(&target, &[], &json!({"acks": receipts})).await {
                    Heard::Answer(200, told) => told["results"].as_array().cloned().unwrap_or_default(),
                    Heard::Unchanged => vec![json!(UNCHANGED); held.len()],
                    Heard::Answer(..) | Heard::Nothing => vec![Value::Null; held.len()],
                }
            } else {
                let mut known = Vec::new();
                for held in &held {
                    known.push(match self.tell(held, "ack", &json!({"result": "good"})).await {
                        Heard::Answer(200, told) => told,
                        Heard::Answer(409, _) => json!({"status": "stale"}),
                        Heard::Unchanged => json!(UNCHANGED),
                        Heard::Answer(..) | Heard::Nothing => Value::Null,
                    });
                }
                known
            };
            let mut open = Vec::new();
            for (held, told) in held.into_iter().zip(known) {
                if told == UNCHANGED {
                    self.write_not_acked(&held);
                    open.push(held);
                } else if told.is_null() {
                    open.push(held);
                } else {
                    self.write_acked(&held, &told);
                }
            }
            held = open;
            if !held.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Sends something about a job in hand.
    async fn tell(&mut self, held: &Held, verb: &str, body: &Value) -> Heard {
        let target = format!("/v1/queues/{}/claims/{}/{verb}", held.queue, held.receipt);
        self.api.post(&target, &[], body).await
    }

    fn write_acking(&self, held: &Held) {
        (self.journal)(Event::Acking(held.clone()));
    }

    fn write_not_acked(&self, held: &Held) {
        (self.journal)(Event::NotAcked(held.clone()));
    }

    fn write_acked(&self, held: &Held, told: &Value) {
        let held = held.clone();
        (self.journal)(match told["status"].as_str() {
            Some(told @ ("done" | "repeated")) => Event::Acked {
                held,
                repeated: told == "repeated",
            },
            Some("stale") => Event::Stale(held),
            _ => Event::Odd {
                what: format!("an ack of {held:?} was answered by {told}"),
            },
        });
    }

    fn broke(&self, how: &str) {
        let how = how.to_owned();
        (self.journal)(Event::Broke { how });
    }
}

fn now() -> u128 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_micros()
}
