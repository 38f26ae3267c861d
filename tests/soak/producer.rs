//! Producers: they insert numbered jobs, and write down what they know of them.

use super::api::{Api, PAUSE, Reply};
use super::ledger::{Event, Fate, Journal};
use super::rng::Rng;
use super::{QUEUES, Signals};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

/// When so many jobs are open, producers pause: the end is not to take for ever.
const MAX_OPEN: u64 = 600;

pub struct Producer {
    pub api: Api,
    pub journal: Journal,
    pub rng: Rng,
    pub signals: Signals,
}

impl Producer {
    /// Inserts until it is told to end. What it sent it sees through.
    pub async fn run(mut self) {
        while !self.signals.end.load(Ordering::Relaxed) {
            if self.signals.open.load(Ordering::Relaxed) > MAX_OPEN {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let queue = *self.rng.pick(&QUEUES);
            match self.rng.within(0..10) {
                0..3 => self.insert_legacy(queue).await,
                3 => self.insert_with_own_key(queue).await,
                4..6 => self.insert_batch(queue).await,
                _ => {
                    let job = self.next(queue);
                    let body = self.job(job);
                    self.insert(queue, &[job], &body).await;
                }
            }
        }
    }

    fn next(&mut self, queue: &str) -> u64 {
        let job = self.signals.numbers.fetch_add(1, Ordering::Relaxed);
        let queue = queue.to_owned();
        (self.journal)(Event::Inserting { job, queue });
        job
    }

    fn write_inserted(&self, job: u64, fate: Fate, id: Option<String>) {
        (self.journal)(Event::Inserted { job, fate, id });
    }

    fn job(&mut self, job: u64) -> Value {
        let mut body = json!({"payload": {"n": job}, "priority": self.rng.within(0..10)});
        if self.rng.happens(200) {
            body["delay"] = json!(self.rng.seconds(1..2000));
        }
        if self.rng.happens(100) {
            body["timeout"] = json!(1.5);
        }
        if self.rng.happens(150) {
            // Few keys, so that they meet.
            let scope = *self.rng.pick(&["waiting", "unfinished"]);
            body["unique"] = json!({"key": format!("k{}", self.rng.within(0..20)), "while": scope});
        }
        body
    }

    async fn insert_batch(&mut self, queue: &str) {
        let jobs: Vec<u64> = (0..self.rng.within(2..20)).map(|_| self.next(queue)).collect();
        let bodies: Vec<Value> = jobs.iter().map(|job| self.job(*job)).collect();
        self.insert(queue, &jobs, &json!({"jobs": bodies})).await;
    }

    /// Sends the very same request until it is answered: its `Idempotency-Key` sees to it that it counts once.
    async fn insert(&mut self, queue: &str, jobs: &[u64], body: &Value) {
        let key = format!("\"insert-{}\"", jobs[0]);
        let answer = self
            .send_until_answered(queue, &[("Idempotency-Key", &key)], body)
            .await;
        let reply = match answer["jobs"].as_array() {
            Some(reply) => reply.clone(),
            None => vec![answer],
        };
        if reply.len() != jobs.len() {
            let what = format!("{} jobs were sent, and this was answered: {reply:?}", jobs.len());
            (self.journal)(Event::Unexpected { what });
        }
        for (job, reply) in jobs.iter().zip(reply) {
            let duplicate = reply["duplicate"] == true;
            let fate = if duplicate { Fate::Duplicate } else { Fate::In };
            let id = reply["id"].as_str().filter(|_| !duplicate);
            self.write_inserted(*job, fate, id.map(str::to_owned));
        }
    }

    /// A key that no other job has, held for longer than all this takes: when it was sent twice, the second one is told
    /// to be a duplicate, of itself.
    async fn insert_with_own_key(&mut self, queue: &str) {
        let job = self.next(queue);
        let mut body = self.job(job);
        body["unique"] = json!({"key": format!("own-{job}"), "for": 86_400});
        let answer = self.send_until_answered(queue, &[], &body).await;
        self.write_inserted(job, Fate::In, answer["id"].as_str().map(str::to_owned));
    }

    async fn send_until_answered(&mut self, queue: &str, headers: &[(&str, &str)], body: &Value) -> Value {
        loop {
            let target = format!("/v1/queues/{queue}/jobs");
            match self.api.post(&target, headers, body).await {
                Reply::Answer(200 | 201, reply) => return reply,
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// The legacy dialect has no way to send it again without harm.
    async fn insert_legacy(&mut self, queue: &str) {
        let job = self.next(queue);
        let fate = match self.api.post(&format!("/q/{queue}"), &[], &json!({"n": job})).await {
            Reply::Answer(201, _) => Fate::In,
            Reply::NotApplied => Fate::Refused,
            Reply::Answer(..) | Reply::Unknown => Fate::Unsure,
        };
        self.write_inserted(job, fate, None);
        if fate != Fate::In {
            tokio::time::sleep(PAUSE).await;
        }
    }
}
