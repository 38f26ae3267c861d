//! The account: what the book says against what the server says.

use super::book::{Book, Entry, Fate, Handout};
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
}

/// One queue's account.
#[derive(Clone, Debug, Default)]
pub struct Account {
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
    /// What the server counted: failures and lost leases.
    pub server_redelivered: u64,
    pub lost: u64,
    pub unknown: u64,
    /// Everything that is wrong.
    pub wrong: Vec<String>,
}

impl Account {
    pub fn of(queue: &str, book: &Book, server: &Server) -> Self {
        let mut account = Self {
            server_redelivered: server.failed + server.lost_leases,
            ..Self::default()
        };
        for (number, entry) in book.jobs.iter().filter(|(_, entry)| entry.queue == queue) {
            account.count(*number, entry);
            account.check_job(*number, entry);
        }
        for handout in book.unknown.iter().filter(|handout| handout.queue == queue) {
            account.unknown += 1;
            account.wrong.push(format!("nobody sent what came out: {handout:?}"));
        }
        account.check_totals(server);
        if let Some(kept) = &server.kept {
            account.check_kept(queue, book, kept);
        }
        account.wrong = account.wrong.iter().map(|what| format!("{queue}: {what}")).collect();
        account
    }

    fn count(&mut self, number: u64, entry: &Entry) {
        let came_out = !entry.handouts.is_empty();
        self.sent += 1;
        self.acknowledged += u64::from(entry.fate == Fate::In);
        self.refused += u64::from(matches!(entry.fate, Fate::Duplicate | Fate::Refused));
        self.unsure += u64::from(entry.fate == Fate::Unsure);
        self.unsure_in += u64::from(entry.fate == Fate::Unsure && came_out);
        self.delivered += entry.handouts.len() as u64;
        self.redelivered += (entry.handouts.len() as u64).saturating_sub(1);

        let heard = entry.handouts.values().any(|handout| handout.done);
        // An ack was sent, and no answer came: when the queue is empty, it was carried out.
        let unheard = !heard && entry.handouts.values().any(|handout| handout.acks > 0);
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
        if matches!(entry.fate, Fate::Duplicate | Fate::Refused) && !entry.handouts.is_empty() {
            wrong("was refused and came out");
        }
        if entry.fate != Fate::Duplicate && entry.ids.len() > 1 {
            wrong("was inserted twice");
        }
        let handouts: Vec<&Handout> = entry.handouts.values().collect();
        if handouts.iter().filter(|handout| handout.done).count() > 1 {
            wrong("was finished twice");
        }
        for pair in handouts.windows(2) {
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
        let told = Server {
            kept: None,
            ..server.clone()
        };
        let mut must = |holds: bool, what: &str| {
            if !holds {
                self.wrong.push(format!("{what}: {told:?}"));
            }
        };
        must(server.left == 0, "not all jobs are finished");
        must(
            self.finished == server.done,
            &format!("the server finished another number of jobs than {}", self.finished),
        );
        must(
            self.delivered <= server.claimed,
            &format!("more was delivered than handed out, {}", self.delivered),
        );
        must(
            self.redelivered <= self.server_redelivered,
            &format!("more redeliveries than the server counted, {}", self.redelivered),
        );
        must(
            server.claimed == server.done + self.server_redelivered,
            "a hand-out did not end as done, failed or lost",
        );
    }

    /// What must hold of each job by the server's own word.
    fn check_kept(&mut self, queue: &str, book: &Book, kept: &BTreeMap<String, Kept>) {
        let mut ids: BTreeMap<u64, &str> = BTreeMap::new();
        for (id, done) in kept {
            let mut wrong = |what: &str| self.wrong.push(format!("{id} {what}: {done:?}"));
            if ids.insert(done.job, id).is_some() {
                wrong("is done, and so is another one with its payload");
            }
            if done.attempt != 1 + done.failures + done.lost_leases {
                wrong("has an attempt that ended in no way");
            }
            let entry = book.jobs.get(&done.job).filter(|entry| entry.queue == queue);
            let last = entry.and_then(|entry| entry.handouts.get(&done.attempt));
            if !last.is_some_and(|last| last.id == *id && last.acks > 0) {
                wrong("was finished by nobody who had it");
            }
        }
        for (number, entry) in book.jobs.iter().filter(|(_, entry)| entry.queue == queue) {
            if entry.fate == Fate::In && !ids.contains_key(number) {
                self.wrong.push(format!("job {number} is not among the finished"));
            }
        }
    }
}

/// The lines of a table with a column for each account, and one for their sum.
pub fn table(accounts: &[(&str, Account)]) -> String {
    type Line = (&'static str, fn(&Account) -> u64);
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
    for (queue, _) in accounts {
        write!(text, "{queue:>10}").unwrap();
    }
    writeln!(text, "{:>10}", "total").unwrap();
    for (name, number) in lines {
        write!(text, "{name:42}").unwrap();
        for (_, account) in accounts {
            write!(text, "{:>10}", number(account)).unwrap();
        }
        let sum: u64 = accounts.iter().map(|(_, account)| number(account)).sum();
        writeln!(text, "{sum:>10}").unwrap();
    }
    text
}
