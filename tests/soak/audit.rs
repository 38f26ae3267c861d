//! The audit: what the ledger says against what the server says.

use super::ledger::{Delivery, Entry, Fate, Ledger};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What the server says of a queue after all work is done.
#[derive(Clone, Debug, Default)]
pub struct Server {
    /// Jobs that should not be there any more: ready, scheduled, active, dead, cancelled.
    pub left: u64,
    pub claimed: u64,
    pub done: u64,
    pub failed: u64,
    pub lost_leases: u64,
    pub released: u64,
    /// The finished jobs by id, where the queue keeps them.
    pub kept: Option<BTreeMap<String, Kept>>,
}

/// What the server says of one finished job.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    pub job: u64,
    pub attempt: u64,
    pub failures: u64,
    pub lost_leases: u64,
    pub released: u64,
}

/// One queue's audit.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// Jobs that a producer sent.
    pub sent: u64,
    /// Those that it knows to be in.
    pub acknowledged: u64,
    /// Those that were refused since another job held their key, or with the word that nothing was changed.
    pub refused: u64,
    /// Those whose answer was lost for good, and how many of them were in.
    pub unsure: u64,
    pub unsure_in: u64,
    /// Deliveries, of all jobs together.
    pub delivered: u64,
    /// Jobs that were finished; and those of them whose worker never learned it.
    pub finished: u64,
    pub finished_unheard: u64,
    /// Deliveries beyond the first of each job.
    pub redelivered: u64,
    /// What the server counted: failures, lost leases, and jobs that were released.
    pub server_redelivered: u64,
    pub lost: u64,
    pub unknown: u64,
    /// Everything that is wrong.
    pub wrong: Vec<String>,
}

impl Audit {
    pub fn of(queue: &str, ledger: &Ledger, server: &Server) -> Self {
        let mut audit = Self {
            server_redelivered: server.failed + server.lost_leases + server.released,
            ..Self::default()
        };
        for (number, entry) in ledger.jobs.iter().filter(|(_, entry)| entry.queue == queue) {
            audit.count(*number, entry);
            audit.check_job(*number, entry);
        }
        for delivery in ledger.unknown.iter().filter(|delivery| delivery.queue == queue) {
            audit.unknown += 1;
            audit.wrong.push(format!("nobody sent what came out: {delivery:?}"));
        }
        audit.check_totals(server);
        if let Some(kept) = &server.kept {
            audit.check_kept(queue, ledger, kept);
        }
        audit.wrong = audit.wrong.iter().map(|what| format!("{queue}: {what}")).collect();
        audit
    }

    fn count(&mut self, number: u64, entry: &Entry) {
        let came_out = !entry.deliveries.is_empty();
        self.sent += 1;
        self.acknowledged += u64::from(entry.fate == Fate::In);
        self.refused += u64::from(matches!(entry.fate, Fate::Duplicate | Fate::Refused));
        self.unsure += u64::from(entry.fate == Fate::Unsure);
        self.unsure_in += u64::from(entry.fate == Fate::Unsure && came_out);
        self.delivered += entry.deliveries.len() as u64;
        self.redelivered += (entry.deliveries.len() as u64).saturating_sub(1);

        let heard = entry.deliveries.values().any(|delivery| delivery.done);
        // An ack was sent, and no answer came: when the queue is empty, it was carried out.
        let unheard = !heard && entry.deliveries.values().any(|delivery| delivery.acks > 0);
        self.finished += u64::from(heard || unheard);
        self.finished_unheard += u64::from(unheard);
        if !heard && !unheard && (entry.fate == Fate::In || came_out) {
            self.lost += 1;
            self.wrong.push(format!("job {number} was lost: {entry:?}"));
        }
    }

    /// What must hold of each job.
    fn check_job(&mut self, number: u64, entry: &Entry) {
        let mut wrong = |what: &str| self.wrong.push(format!("job {number} {what}: {entry:?}"));
        if matches!(entry.fate, Fate::Duplicate | Fate::Refused) && !entry.deliveries.is_empty() {
            wrong("was refused and came out");
        }
        if entry.fate != Fate::Duplicate && entry.ids.len() > 1 {
            wrong("was inserted twice");
        }
        let deliveries: Vec<&Delivery> = entry.deliveries.values().collect();
        if deliveries.iter().filter(|delivery| delivery.done).count() > 1 {
            wrong("was finished twice");
        }
        for pair in deliveries.windows(2) {
            if pair[0].done {
                wrong("came out after it was finished");
            }
            if pair[0].until > pair[1].from && !pair[0].nacked {
                wrong("had two leases at once");
            }
            if pair[0].sent > pair[1].received {
                wrong("has attempts that do not ascend");
            }
        }
    }

    /// What must hold of the queue as a whole.
    fn check_totals(&mut self, server: &Server) {
        // Without the jobs, which are many.
        let reply = Server {
            kept: None,
            ..server.clone()
        };
        let mut must = |holds: bool, what: &str| {
            if !holds {
                self.wrong.push(format!("{what}: {reply:?}"));
            }
        };
        must(server.left == 0, "not all jobs are finished");
        must(
            self.finished == server.done,
            &format!("the server finished another number of jobs than {}", self.finished),
        );
        must(
            self.delivered <= server.claimed,
            &format!("more was delivered than claimed, {}", self.delivered),
        );
        must(
            self.redelivered <= self.server_redelivered,
            &format!("more redeliveries than the server counted, {}", self.redelivered),
        );
        must(
            server.claimed == server.done + self.server_redelivered,
            "a claim did not end as done, failed, lost or released",
        );
    }

    /// What must hold of each job by what the server says.
    fn check_kept(&mut self, queue: &str, ledger: &Ledger, kept: &BTreeMap<String, Kept>) {
        let mut ids: BTreeMap<u64, &str> = BTreeMap::new();
        for (id, done) in kept {
            let mut wrong = |what: &str| self.wrong.push(format!("{id} {what}: {done:?}"));
            if ids.insert(done.job, id).is_some() {
                wrong("is done, and so is another one with its payload");
            }
            if done.attempt != 1 + done.failures + done.lost_leases + done.released {
                wrong("has an attempt that ended in no way");
            }
            let entry = ledger.jobs.get(&done.job).filter(|entry| entry.queue == queue);
            let last = entry.and_then(|entry| entry.deliveries.get(&done.attempt));
            if !last.is_some_and(|last| last.id == *id && last.acks > 0) {
                wrong("was finished by nobody who had it");
            }
        }
        for (number, entry) in ledger.jobs.iter().filter(|(_, entry)| entry.queue == queue) {
            if entry.fate == Fate::In && !ids.contains_key(number) {
                self.wrong.push(format!("job {number} is not among the finished"));
            }
        }
    }
}

/// The lines of a table with a column for each audit, and one for their sum.
pub fn table(audits: &[(&str, Audit)]) -> String {
    type Line = (&'static str, fn(&Audit) -> u64);
    let lines: [Line; 12] = [
        ("inserted", |it| it.sent),
        ("  acknowledged", |it| it.acknowledged),
        ("  refused (its key was held, or no store)", |it| it.refused),
        ("  answer lost for good", |it| it.unsure),
        ("    of which came out", |it| it.unsure_in),
        ("delivered", |it| it.delivered),
        ("finished", |it| it.finished),
        ("  which the worker never heard", |it| it.finished_unheard),
        ("redelivered", |it| it.redelivered),
        ("  as the server counts", |it| it.server_redelivered),
        ("lost", |it| it.lost),
        ("unknown", |it| it.unknown),
    ];
    let mut text = format!("{:42}", "");
    for (queue, _) in audits {
        write!(text, "{queue:>10}").unwrap();
    }
    writeln!(text, "{:>10}", "total").unwrap();
    for (name, number) in lines {
        write!(text, "{name:42}").unwrap();
        for (_, audit) in audits {
            write!(text, "{:>10}", number(audit)).unwrap();
        }
        let sum: u64 = audits.iter().map(|(_, audit)| number(audit)).sum();
        writeln!(text, "{sum:>10}").unwrap();
    }
    text
}
