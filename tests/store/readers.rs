//! Readers, who stay and are sent what comes.

use super::work::{Work, seconds};
use crate::support::assert_sound;
use presque::queue::{Policy, Status};
use presque::store::{Delete, Entry, Letter, Mail, NewJob, Reader};

/// A reader that is sent all that it collects.
struct Sent {
    reader: Reader,
    /// What it was sent, and has not said yet.
    entries: Vec<Entry>,
    got: Vec<String>,
}

fn text(letter: &Letter) -> String {
    String::from_utf8(letter.payload.clone()).unwrap()
}

async fn join(work: &Work) -> Sent {
    let (reader, missed) = work.store.join(&work.queue, None).await.unwrap().unwrap();
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

#[tokio::test]
async fn each_reader_gets_every_job_in_order() {
    let work = Work::start().await;
    let mut readers = [join(&work).await, join(&work).await, join(&work).await];
    insert_all(&work, 0..350).await;
    drain(&work, &mut readers).await;
    for reader in &readers {
        assert_eq!(reader.got, texts(0..350));
    }
    assert_eq!(jobs(&work).await, 0);
    assert_sound(&work.redis).await;
}

#[tokio::test]
async fn in_turn_each_job_goes_to_one_reader_and_all_get_equally_many() {
    let work = Work::start().await;
    round_robin(&work).await;
    let mut readers = [join(&work).await, join(&work).await, join(&work).await];
    insert_all(&work, 0..1000).await;
    drain(&work, &mut readers).await;
    let mut all: Vec<usize> = Vec::new();
    for reader in &readers {
        assert!((333..=334).contains(&reader.got.len()), "{}", reader.got.len());
        all.extend(reader.got.iter().map(|text| text.parse::<usize>().unwrap()));
    }
    all.sort_unstable();
    assert_eq!(all, (0..1000).collect::<Vec<_>>());
    assert_sound(&work.redis).await;
}

#[tokio::test]
async fn a_job_is_given_again_until_its_reader_says_that_it_was_sent() {
    let work = Work::start().await;
    let mut reader = join(&work).await;
    work.plain("1").await;
    reader.collect(&work).await;
    let again = look(&work, &reader.reader, &[]).await;
    assert_eq!(again.iter().map(text).collect::<Vec<_>>(), ["1"]);
    let entries = [again[0].entry.clone().unwrap()];
    assert!(look(&work, &reader.reader, &entries).await.is_empty());
    // To say it twice does no harm.
    assert!(look(&work, &reader.reader, &entries).await.is_empty());
}

#[tokio::test]
async fn what_a_reader_was_not_sent_goes_to_the_others_when_it_goes() {
    let work = Work::start().await;
    round_robin(&work).await;
    let mut readers = [join(&work).await, join(&work).await];
    insert_all(&work, 0..10).await;
    for reader in &mut readers {
        reader.collect(&work).await;
    }
    let [mut stays, mut goes] = readers;
    let unsent = goes.entries.split_off(2);
    work.store.part(&goes.reader, &goes.entries).await.unwrap();
    assert_eq!(unsent.len(), 3);
    let mut readers = [stays];
    drain(&work, &mut readers).await;
    [stays] = readers;
    assert_eq!(stays.got, ["0", "2", "4", "6", "8", "5", "7", "9"]);
    assert_eq!(jobs(&work).await, 0);
    assert_sound(&work.redis).await;
}

#[tokio::test]
async fn a_reader_that_vanishes_is_forgotten_and_what_it_was_not_sent_goes_to_the_others() {
    for in_turn in [true, false] {
        let mut work = Work::start().await;
        if in_turn {
            round_robin(&work).await;
        }
        let [mut stays, mut vanishes] = [join(&work).await, join(&work).await];
        insert_all(&work, 0..4).await;
        vanishes.collect(&work).await;
        stays.collect(&work).await;
        for _ in 0..3 {
            work.pass(seconds(5)).await;
            stays.collect(&work).await;
        }
        insert_all(&work, 4..6).await;
        let mut readers = [stays];
        drain(&work, &mut readers).await;
        let expected: &[&str] = if in_turn {
            &["0", "2", "1", "3", "4", "5"]
        } else {
            &["0", "1", "2", "3", "4", "5"]
        };
        assert_eq!(readers[0].got, expected);
        assert_eq!(jobs(&work).await, 0);
        assert_sound(&work.redis).await;
    }
}

#[tokio::test]
async fn when_all_readers_are_gone_their_jobs_are_there_for_workers_again() {
    let mut work = Work::start().await;
    let mut reader = join(&work).await;
    insert_all(&work, 0..2).await;
    reader.collect(&work).await;
    assert_eq!(jobs(&work).await, 2);
    assert!(work.try_claim().await.is_none());
    work.pass(seconds(21)).await;
    assert_eq!(work.claim_many(2).await.len(), 2);
    assert_sound(&work.redis).await;
    // One that says good-bye gives them back at once.
    let mut reader = join(&work).await;
    work.plain("2").await;
    reader.collect(&work).await;
    work.store.part(&reader.reader, &[]).await.unwrap();
    assert_eq!(work.claim_many(2).await.len(), 1);
}

#[tokio::test]
async fn a_job_that_reached_a_reader_is_not_sent_again_when_the_others_vanish() {
    let mut work = Work::start().await;
    let [mut first, mut second] = [join(&work).await, join(&work).await];
    work.plain("1").await;
    first.collect(&work).await;
    first.collect(&work).await;
    second.collect(&work).await;
    work.store.part(&first.reader, &[]).await.unwrap();
    work.pass(seconds(30)).await;
    assert!(work.claim_many(1).await.is_empty());
    assert_eq!(jobs(&work).await, 0);
}

#[tokio::test]
async fn a_slow_reader_keeps_what_it_has_for_as_long_as_it_is_there() {
    let mut work = Work::start().await;
    let mut reader = join(&work).await;
    work.plain("1").await;
    reader.collect(&work).await;
    for _ in 0..10 {
        work.pass(seconds(5)).await;
        assert_eq!(look(&work, &reader.reader, &[]).await.len(), 1);
    }
    assert!(work.claim_many(1).await.is_empty());
}

#[tokio::test]
async fn nothing_goes_into_the_mail_while_the_queue_is_stopped() {
    let work = Work::start().await;
    let mut reader = join(&work).await;
    work.store.set_status(&work.queue, Status::Stopped).await.unwrap();
    work.plain("1").await;
    assert_eq!(reader.collect(&work).await, 0);
    work.store.set_status(&work.queue, Status::Open).await.unwrap();
    assert_eq!(reader.collect(&work).await, 1);
}

#[tokio::test]
async fn deleting_a_queue_ends_its_readers_even_of_a_queue_that_never_was() {
    let work = Work::start().await;
    for jobs in 0..2 {
        let readers = [join(&work).await, join(&work).await];
        insert_all(&work, 0..jobs).await;
        let had_jobs = work.store.delete(&work.queue, Delete::Jobs).await.unwrap();
        assert_eq!(had_jobs, jobs > 0);
        for reader in &readers {
            assert_eq!(work.store.collect(&reader.reader, &[], 1).await.unwrap(), Mail::Ended);
        }
        assert_sound(&work.redis).await;
    }
    // One that comes after that is a reader of the new queue.
    let mut reader = join(&work).await;
    work.plain("1").await;
    assert_eq!(reader.collect(&work).await, 1);
}

#[tokio::test]
async fn a_reader_that_was_cut_off_is_told_what_was_sent_to_all_since() {
    let work = Work::start().await;
    let mut reader = join(&work).await;
    insert_all(&work, 0..5).await;
    drain(&work, std::slice::from_mut(&mut reader)).await;
    let missed = async |last| {
        let (_, missed) = work.store.join(&work.queue, Some(last)).await.unwrap().unwrap();
        assert!(missed.iter().all(|letter| letter.entry.is_none()));
        missed.iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(missed(2).await, ["2", "3", "4"]);
    assert!(missed(5).await.is_empty());
    // What is known no more counts by its number.
    assert_eq!(missed(0).await.len(), 5);
}

#[tokio::test]
async fn in_turn_a_reader_that_was_cut_off_is_told_only_what_was_sent_to_it() {
    let work = Work::start().await;
    round_robin(&work).await;
    let mut readers = [join(&work).await, join(&work).await];
    insert_all(&work, 0..6).await;
    drain(&work, &mut readers).await;
    assert_eq!(readers[0].got, ["0", "2", "4"]);
    let (_, missed) = work.store.join(&work.queue, Some(1)).await.unwrap().unwrap();
    assert_eq!(missed.iter().map(text).collect::<Vec<_>>(), ["2", "4"]);
}

#[tokio::test]
async fn what_was_sent_is_kept_up_to_a_mebibyte() {
    let work = Work::start().await;
    let mut reader = join(&work).await;
    let large = NewJob {
        payload: &vec![b'1'; 400_000],
        ..NewJob::default()
    };
    for _ in 0..5 {
        work.try_insert(large).await;
    }
    drain(&work, std::slice::from_mut(&mut reader)).await;
    let (_, missed) = work.store.join(&work.queue, Some(0)).await.unwrap().unwrap();
    assert_eq!(missed.iter().map(|letter| letter.number).collect::<Vec<_>>(), [4, 5]);
}

#[tokio::test]
async fn a_queue_has_at_most_a_thousand_readers() {
    let work = Work::start().await;
    for _ in 0..Reader::MOST {
        join(&work).await;
    }
    assert_eq!(work.store.join(&work.queue, None).await.unwrap(), None);
}
