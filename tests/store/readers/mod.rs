//! Readers, who stay and are sent what comes.

mod gone;
mod past;
mod sharing;

use super::work::Work;
use presque::queue::Policy;
use presque::store::{Entry, Letter, Mail, Reader, ReaderKind};

/// A reader that is sent all that it collects.
struct Sent {
    reader: Reader,
    /// What it was sent, and has not said yet.
    entries: Vec<Entry>,
    got: Vec<String>,
}

const EVENTS: ReaderKind = ReaderKind::Events { last: None };

/// An event stream that got this job last.
fn after(number: u64) -> ReaderKind {
    ReaderKind::Events { last: Some(number) }
}

fn text(letter: &Letter) -> String {
    String::from_utf8(letter.payload.clone()).unwrap()
}

async fn join(work: &Work) -> Sent {
    let (reader, missed) = work.store.join(&work.queue, EVENTS).await.unwrap().unwrap();
    assert!(missed.is_empty());
    let (entries, got) = (Vec::new(), Vec::new());
    Sent { reader, entries, got }
}

async fn look(work: &Work, reader: &Reader, sent: &[Entry]) -> Vec<Letter> {
    match work.store.collect(reader, sent, 100).await.unwrap() {
        Mail::Letters { letters, .. } => letters,
        Mail::Ended => panic!("the queue was deleted"),
    }
}

impl Sent {
    /// Says what it was sent, and is sent what it has now. Gives how many these are.
    async fn collect(&mut self, work: &Work) -> usize {
        let letters = look(work, &self.reader, &self.entries).await;
        self.got.extend(letters.iter().map(text));
        self.entries = letters.into_iter().map(|letter| letter.entry.unwrap()).collect();
        self.entries.len()
    }
}

/// Until nobody gets anything any more.
async fn drain(work: &Work, readers: &mut [Sent]) {
    loop {
        let mut got = 0;
        for reader in &mut *readers {
            got += reader.collect(work).await;
        }
        if got == 0 {
            break;
        }
    }
}

async fn insert_all(work: &Work, numbers: std::ops::Range<usize>) {
    for number in numbers {
        work.plain(&number.to_string()).await;
    }
}

fn texts(numbers: impl Iterator<Item = usize>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

async fn round_robin(work: &Work) {
    work.store.set_policy(&work.queue, Policy::RoundRobin).await.unwrap();
}

/// How many jobs there are, in whatever state.
async fn jobs(work: &Work) -> u64 {
    let described = work.store.describe(&work.queue).await.unwrap();
    described.map_or(0, |described| described.jobs.iter().map(|(_, count)| count).sum())
}
