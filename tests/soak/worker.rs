//! Workers: they claim jobs, work, finish them in one of many ways, and die.

use super::QUEUES;
use super::api::{Api, PAUSE, Reply};
use super::ledger::{Claim, Delivery, Event, Journal};
use super::rng::Rng;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

/// How often a worker sends an ack whose answer is lost.
const TRIES: usize = 5;

/// Stands for the answer that nothing was changed.
const NOT_APPLIED: &str = "not applied";

/// How often a worker does what, in parts of a thousand jobs.
#[derive(Clone, Copy, Debug)]
pub struct Behaviour {
    /// At each of three times: before work, during it, and between work and ack.
    pub dies: u64,
    pub nacks: u64,
    pub extends: u64,
    /// Works for longer than its lease.
    pub overruns: u64,
}

impl Behaviour {
    pub const FAULTY: Self = Self {
        dies: 12,
        nacks: 60,
        extends: 60,
        overruns: 5,
    };
    /// To bring all to an end.
    pub const RELIABLE: Self = Self {
        dies: 0,
        nacks: 0,
        extends: 0,
        overruns: 0,
    };
}

/// A worker, from its start to its death.
pub struct Worker {
    pub name: String,
    pub api: Api,
    pub journal: Journal,
    pub rng: Rng,
    pub behaviour: Behaviour,
}

/// It stops without a word, and so does everything it was about to do.
struct Death;

impl Worker {
    /// Works until it dies.
    pub async fn run(mut self) {
        let acks_with_claims = self.rng.happens(300);
        let mut finished: Vec<Claim> = Vec::new();
        loop {
            // Acks go with a claim on their own queue.
            let queue = match finished.first() {
                Some(claim) => claim.queue.clone(),
                None => (*self.rng.pick(&QUEUES)).to_owned(),
            };
            let (to_ack, later) = finished.into_iter().partition(|claim| claim.queue == queue);
            finished = later;
            let Some(jobs) = self.claim(&queue, &to_ack).await else {
                // Whether they were acknowledged is not known: they are sent again.
                finished.extend(to_ack);
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            for claim in jobs {
                match self.work(&claim).await {
                    Ok(true) => finished.push(claim),
                    Ok(false) => {}
                    Err(Death) => return,
                }
            }
            if !acks_with_claims {
                self.ack_all(std::mem::take(&mut finished)).await;
            }
        }
    }

    /// `None` when there was no answer, or an error.
    async fn claim(&mut self, queue: &str, acks: &[Claim]) -> Option<Vec<Claim>> {
        let count = *self.rng.pick(&[1, 1, 1, 2, 5]);
        let lease = self.rng.seconds(1000..2000);
        let wait = *self.rng.pick(&[0.0, 0.3, 1.0]);
        let mut body = json!({"count": count, "lease": lease, "wait": wait, "worker": self.name});
        let from_all = acks.is_empty() && self.rng.happens(200);
        let target = if from_all {
            body["queues"] = json!(QUEUES);
            "/v1/claims".to_owned()
        } else {
            format!("/v1/queues/{queue}/claims")
        };
        if !acks.is_empty() {
            let sent = acks.iter().map(|claim| json!({"receipt": claim.receipt}));
            body["acks"] = sent.collect();
            acks.iter().for_each(|claim| self.write_acking(claim));
        }
        let sent = now();
        let reply = match self.api.post(&target, &[], &body).await {
            Reply::Answer(200, reply) => reply,
            Reply::Answer(204, _) => return Some(Vec::new()),
            Reply::NotApplied => {
                acks.iter().for_each(|claim| self.write_not_acked(claim));
                return None;
            }
            Reply::Answer(..) | Reply::Unknown => return None,
        };
        let received = now();
        let jobs = reply["jobs"].as_array().into_iter().flatten();
        let jobs = jobs.map(|job| self.receive(job, sent, received)).collect();
        for (claim, reply) in acks.iter().zip(reply["acks"].as_array().into_iter().flatten()) {
            self.write_acked(claim, reply);
        }
        Some(jobs)
    }

    fn receive(&self, job: &Value, sent: u128, received: u128) -> Claim {
        let text = |name: &str| job[name].as_str().unwrap_or_default().to_owned();
        let delivery = Delivery {
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
            ..Delivery::default()
        };
        let claim = delivery.claim();
        (self.journal)(Event::Received(delivery));
        claim
    }

    /// Does the work. Tells whether it is to be acknowledged.
    async fn work(&mut self, claim: &Claim) -> Result<bool, Death> {
        self.may_die("before work")?;
        tokio::time::sleep(self.rng.millis(0..20)).await;
        if self.rng.happens(self.behaviour.extends) {
            // Longer than any lease was, so that nobody's is made shorter.
            let body = json!({"lease": 2.5, "progress": {"half": true}});
            if let Reply::Answer(200, reply) = self.post(claim, "extend", &body).await {
                let until = reply["lease_ends_at"].as_str().unwrap_or_default().to_owned();
                let claim = claim.clone();
                (self.journal)(Event::Extended { claim, until });
            }
        }
        self.may_die("during work")?;
        if self.rng.happens(self.behaviour.overruns) {
            self.write_fault("worker worked for longer than its lease");
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        if self.rng.happens(self.behaviour.nacks) {
            (self.journal)(Event::Nacking(claim.clone()));
            let has_failed = self.rng.happens(500);
            let body = json!({"error": "no luck", "delay": self.rng.seconds(0..500), "failed": has_failed});
            self.post(claim, "nack", &body).await;
            return Ok(false);
        }
        self.may_die("after work, before the ack")?;
        Ok(true)
    }

    fn may_die(&mut self, when: &str) -> Result<(), Death> {
        if self.rng.happens(self.behaviour.dies) {
            self.write_fault(&format!("worker died {when}"));
            return Err(Death);
        }
        Ok(())
    }

    /// Acknowledges all, one by one or together.
    async fn ack_all(&mut self, mut claims: Vec<Claim>) {
        for _ in 0..TRIES {
            let Some(first) = claims.first() else { return };
            claims.iter().for_each(|claim| self.write_acking(claim));
            let known: Vec<Value> = if claims.len() > 1 && claims.iter().all(|claim| claim.queue == first.queue) {
                let target = format!("/v1/queues/{}/claims/ack", first.queue);
                let receipts: Value = claims.iter().map(|claim| json!({"receipt": claim.receipt})).collect();
                match self.api.post(&target, &[], &json!({"acks": receipts})).await {
                    Reply::Answer(200, reply) => reply["results"].as_array().cloned().unwrap_or_default(),
                    Reply::NotApplied => vec![json!(NOT_APPLIED); claims.len()],
                    Reply::Answer(..) | Reply::Unknown => vec![Value::Null; claims.len()],
                }
            } else {
                let mut known = Vec::new();
                for claim in &claims {
                    known.push(match self.post(claim, "ack", &json!({"result": "good"})).await {
                        Reply::Answer(200, reply) => reply,
                        Reply::Answer(409, _) => json!({"status": "stale"}),
                        Reply::NotApplied => json!(NOT_APPLIED),
                        Reply::Answer(..) | Reply::Unknown => Value::Null,
                    });
                }
                known
            };
            let mut open = Vec::new();
            for (claim, reply) in claims.into_iter().zip(known) {
                if reply == NOT_APPLIED {
                    self.write_not_acked(&claim);
                    open.push(claim);
                } else if reply.is_null() {
                    open.push(claim);
                } else {
                    self.write_acked(&claim, &reply);
                }
            }
            claims = open;
            if !claims.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Sends a request about one claim.
    async fn post(&mut self, claim: &Claim, verb: &str, body: &Value) -> Reply {
        let target = format!("/v1/queues/{}/claims/{}/{verb}", claim.queue, claim.receipt);
        self.api.post(&target, &[], body).await
    }

    fn write_acking(&self, claim: &Claim) {
        (self.journal)(Event::Acking(claim.clone()));
    }

    fn write_not_acked(&self, claim: &Claim) {
        (self.journal)(Event::NotAcked(claim.clone()));
    }

    fn write_acked(&self, claim: &Claim, reply: &Value) {
        let claim = claim.clone();
        (self.journal)(match reply["status"].as_str() {
            Some(reply @ ("done" | "repeated")) => Event::Acked {
                claim,
                repeated: reply == "repeated",
            },
            Some("stale") => Event::Stale(claim),
            _ => Event::Unexpected {
                what: format!("an ack of {claim:?} was answered by {reply}"),
            },
        });
    }

    fn write_fault(&self, how: &str) {
        let how = how.to_owned();
        (self.journal)(Event::Fault { how });
    }
}

fn now() -> u128 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_micros()
}
