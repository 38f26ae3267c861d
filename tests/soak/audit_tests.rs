//! The audit is worth something: it finds what is wrong.

use super::audit::{Audit, Kept, Server, table};
use super::ledger::{Claim, Delivery, Event, Fate, Ledger};
use std::collections::BTreeMap;

/// A ledger of three jobs and what the server says of them, with nothing wrong. Job 2 was delivered twice.
struct Story {
    events: Vec<Event>,
    server: Server,
}

fn delivery(job: u64, attempt: u64) -> Delivery {
    Delivery {
        job,
        queue: "q".to_owned(),
        id: format!("id{job}"),
        receipt: format!("id{job}-{attempt}"),
        attempt,
        from: format!("10:00:0{attempt}"),
        until: format!("10:00:0{}", attempt + 1),
        sent: attempt.into(),
        received: attempt.into(),
        ..Delivery::default()
    }
}

fn inserting(job: u64) -> Event {
    let queue = "q".to_owned();
    Event::Inserting { job, queue }
}

fn inserted(job: u64, fate: Fate) -> Event {
    let id = (fate == Fate::In).then(|| format!("id{job}"));
    Event::Inserted { job, fate, id }
}

fn claim(job: u64, attempt: u64) -> Claim {
    delivery(job, attempt).claim()
}

fn acked(job: u64, attempt: u64, repeated: bool) -> Event {
    let claim = claim(job, attempt);
    Event::Acked { claim, repeated }
}

fn finished(job: u64, attempt: u64) -> [Event; 2] {
    [Event::Acking(claim(job, attempt)), acked(job, attempt, false)]
}

impl Story {
    fn good() -> Self {
        let mut events = Vec::new();
        for job in 1..4 {
            events.extend([
                inserting(job),
                inserted(job, Fate::In),
                Event::Received(delivery(job, 1)),
            ]);
        }
        events.push(Event::Received(delivery(2, 2)));
        for (job, attempt) in [(1, 1), (2, 2), (3, 1)] {
            events.extend(finished(job, attempt));
        }
        let kept = |job, lost_leases| Kept {
            job,
            attempt: 1 + lost_leases,
            failures: 0,
            lost_leases,
            released: 0,
        };
        let kept = [(1, 0), (2, 1), (3, 0)].map(|(job, lost)| (format!("id{job}"), kept(job, lost)));
        let server = Server {
            left: 0,
            claimed: 4,
            done: 3,
            failed: 0,
            lost_leases: 1,
            released: 0,
            kept: Some(BTreeMap::from(kept)),
        };
        Self { events, server }
    }

    fn with(mut self, events: impl IntoIterator<Item = Event>) -> Self {
        self.events.extend(events);
        self
    }

    /// Without those events of which the text has this.
    fn without(mut self, text: &str) -> Self {
        let before = self.events.len();
        self.events.retain(|event| !format!("{event:?}").contains(text));
        assert!(self.events.len() < before, "no event has {text}");
        self
    }

    fn without_event(self, event: &Event) -> Self {
        self.without(&format!("{event:?}"))
    }

    fn server(mut self, change: impl FnOnce(&mut Server)) -> Self {
        change(&mut self.server);
        self
    }

    fn audit(self) -> (Audit, Vec<String>) {
        let mut ledger = Ledger::default();
        self.events.into_iter().for_each(|event| ledger.enter(event));
        let audit = Audit::of("q", &ledger, &self.server);
        let wrong = [audit.wrong.clone(), ledger.unexpected].concat();
        (audit, wrong)
    }

    /// Fails unless the audit says so.
    fn finds(self, what: &str) {
        let (_, wrong) = self.audit();
        assert!(wrong.iter().any(|wrong| wrong.contains(what)), "{what}: {wrong:#?}");
    }
}

#[test]
fn a_correct_ledger_has_nothing_wrong_and_its_numbers_are_shown() {
    let (audit, wrong) = Story::good().audit();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!((audit.sent, audit.acknowledged, audit.finished), (3, 3, 3));
    assert_eq!((audit.delivered, audit.redelivered, audit.lost), (4, 1, 0));
    assert!(table(&[("q", audit)]).contains("delivered"));
}

#[test]
fn a_delivery_that_is_taken_out_of_the_ledger_is_found_to_be_a_loss() {
    let story = || Story::good().without("id3-1");
    let (audit, _) = story().audit();
    assert_eq!(audit.lost, 1);
    story().finds("job 3 was lost");
    story().finds("id3 was finished by nobody who had it");
}

#[test]
fn a_job_that_was_delivered_and_never_finished_is_found_to_be_a_loss() {
    Story::good()
        .without_event(&Event::Acking(claim(1, 1)))
        .without_event(&acked(1, 1, false))
        .finds("job 1 was lost");
}

#[test]
fn an_ack_with_a_stale_receipt_finishes_nothing() {
    let stale = [Event::Acking(claim(1, 1)), Event::Stale(claim(1, 1))];
    let story = Story::good().without_event(&Event::Acking(claim(1, 1)));
    let story = story.without_event(&acked(1, 1, false)).with(stale);
    story.finds("job 1 was lost");
}

#[test]
fn a_finish_whose_worker_never_heard_of_it_counts_when_the_server_counts_it() {
    let story = || Story::good().without_event(&acked(1, 1, false));
    let (audit, wrong) = story().audit();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!((audit.finished, audit.finished_unheard), (3, 1));
    let fewer = |server: &mut Server| {
        server.done = 2;
        server.lost_leases = 2;
    };
    story().server(fewer).finds("another number of jobs");
}

#[test]
fn a_job_that_was_finished_twice_is_found() {
    Story::good().with(finished(2, 1)).finds("job 2 was finished twice");
}

#[test]
fn an_ack_that_was_said_to_change_nothing_and_did_is_found() {
    let again = [
        Event::NotAcked(claim(1, 1)),
        Event::Acking(claim(1, 1)),
        acked(1, 1, true),
    ];
    Story::good().with(again).finds("said to have changed nothing");
    let again = [Event::Acking(claim(1, 1)), acked(1, 1, true)];
    let (_, wrong) = Story::good().with(again).audit();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_job_that_comes_out_after_its_end_is_found() {
    let again = Event::Received(delivery(1, 2));
    Story::good()
        .with([again])
        .finds("job 1 came out after it was finished");
}

#[test]
fn a_job_from_nowhere_is_found() {
    let (audit, _) = Story::good().with([Event::Received(delivery(9, 1))]).audit();
    assert_eq!(audit.unknown, 1);
}

#[test]
fn a_job_that_was_refused_and_comes_out_is_found() {
    for fate in [Fate::Duplicate, Fate::Refused] {
        Story::good()
            .with([inserted(3, fate)])
            .finds("job 3 was refused and came out");
    }
}

#[test]
fn a_job_whose_insert_was_not_answered_may_come_out_once_or_not_at_all() {
    let (audit, wrong) = Story::good().with([inserting(4), inserted(3, Fate::Unsure)]).audit();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!((audit.unsure, audit.unsure_in), (2, 1));
    let twice = Delivery {
        id: "other".to_owned(),
        ..delivery(3, 2)
    };
    Story::good()
        .with([Event::Received(twice)])
        .finds("job 3 was inserted twice");
}

#[test]
fn leases_that_overlap_are_found_unless_the_first_was_given_back() {
    let early = Delivery {
        from: "10:00:01".to_owned(),
        ..delivery(2, 2)
    };
    let story = || Story::good().without("id2-2").with([Event::Received(early.clone())]);
    let story = || story().with(finished(2, 2));
    story().finds("job 2 had two leases at once");
    let (_, wrong) = story().with([Event::Nacking(claim(2, 1))]).audit();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let (claim, until) = (claim(2, 1), "10:00:03".to_owned());
    Story::good()
        .with([Event::Extended { claim, until }])
        .finds("job 2 had two leases at once");
}

#[test]
fn attempts_that_repeat_or_descend_are_found() {
    Story::good()
        .with([Event::Received(delivery(2, 2))])
        .finds("delivered twice");
    let late = Delivery {
        sent: 9,
        ..delivery(2, 1)
    };
    Story::good()
        .with([Event::Received(late)])
        .finds("job 2 has attempts that do not ascend");
}

#[test]
fn redeliveries_that_the_server_did_not_count_are_found() {
    let story = Story::good().server(|server| server.lost_leases = 0);
    story.finds("more redeliveries than the server counted");
}

#[test]
fn what_is_left_or_missing_at_the_end_is_found() {
    Story::good()
        .server(|server| server.left = 1)
        .finds("not all jobs are finished");
    let story = Story::good().server(|server| {
        server.kept.as_mut().unwrap().remove("id1");
    });
    story.finds("job 1 is not among the finished");
}
