//! Batches: many jobs in one insert.

use anyhow::Result;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::fs::File;
use std::io::Read;

/// How many jobs one insert may have.
pub(crate) const MAX_JOBS: usize = 1000;

/// How many bytes of jobs a batch has, unless one job alone has more. Proxies refuse bodies of more than a megabyte, as they
/// come.
const MAX_BYTES: usize = 512 * 1024;

/// A job as it is sent, and the line that it comes from.
#[derive(Debug)]
struct Job {
    json: Vec<u8>,
    line: u64,
}

/// Jobs for one insert.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    jobs: Vec<Job>,
    bytes: usize,
    /// Headers that hold for all of its jobs.
    pub(super) headers: Vec<(&'static str, String)>,
    /// How many bytes of the input were read when it was complete.
    pub(super) read: u64,
}

impl Batch {
    /// The body of the insert.
    pub(super) fn body(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.bytes + self.jobs.len() + 16);
        body.extend_from_slice(b"{\"jobs\":[");
        for (index, job) in self.jobs.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            body.extend_from_slice(&job.json);
        }
        body.extend_from_slice(b"]}");
        body
    }

    /// How many jobs it has.
    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    /// The line of its first job.
    pub(super) fn first_line(&self) -> u64 {
        self.jobs.first().map_or(0, |job| job.line)
    }

    /// The line of its last job.
    pub(super) fn last_line(&self) -> u64 {
        self.jobs.last().map_or(0, |job| job.line)
    }

    /// The line of the job with this index.
    pub(super) fn line(&self, index: usize) -> Option<u64> {
        self.jobs.get(index).map(|job| job.line)
    }

    /// Its two halves.
    pub(super) fn halves(mut self) -> [Self; 2] {
        let jobs = self.jobs.split_off(self.jobs.len() / 2);
        let second = Self {
            jobs,
            bytes: self.bytes,
            headers: self.headers.clone(),
            read: self.read,
        };
        [self, second]
    }
}

/// Cuts jobs into batches. Where it cuts depends on the jobs alone, so that the same input always gives the same batches.
#[derive(Debug, Default)]
pub(crate) struct Cutter {
    batch: Batch,
}

impl Cutter {
    /// Adds a job. Returns the batch before it, if the job belongs to the next one: when there is no room, or its headers
    /// differ.
    pub(crate) fn add(
        &mut self,
        json: Vec<u8>,
        line: u64,
        headers: Vec<(&'static str, String)>,
        read: u64,
    ) -> Option<Batch> {
        let has_room = self.batch.len() < MAX_JOBS && self.batch.bytes + json.len() <= MAX_BYTES;
        let complete = match has_room && self.batch.headers == headers {
            true => None,
            false => self.cut(),
        };
        self.batch.headers = headers;
        self.batch.bytes += json.len();
        self.batch.read = read;
        self.batch.jobs.push(Job { json, line });
        complete
    }

    /// The batch so far. `None` if it has no jobs.
    pub(crate) fn cut(&mut self) -> Option<Batch> {
        let batch = std::mem::take(&mut self.batch);
        (batch.len() > 0).then_some(batch)
    }
}

/// Which `Idempotency-Key` a batch has.
#[derive(Clone, Debug)]
pub(crate) enum Keys {
    /// A digest of this text, the queue, the batch's first line and its jobs: the same for the same input.
    Digest(String),
    /// This, and the batch's first line.
    Named(String),
}

impl Keys {
    /// Keys that no other run has.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub(crate) fn random() -> Result<Self> {
        Ok(Self::Digest(random()?))
    }

    pub(super) fn of(&self, queue: &str, batch: &Batch, body: &[u8]) -> String {
        let line = batch.first_line();
        match self {
            Self::Named(name) => format!("{name}:{line}"),
            Self::Digest(salt) => {
                let mut digest = Sha256::new();
                // None of these two has the byte 0.
                for text in [salt, queue] {
                    digest.update(text);
                    digest.update([0]);
                }
                digest.update(line.to_be_bytes());
                digest.update(body);
                hex(&digest.finalize())
            }
        }
    }
}

/// A random text.
///
/// # Errors
/// The system gives no random bytes.
pub(crate) fn random() -> Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A string takes what is written to it.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The batches of so many jobs of so many bytes, one a line.
    fn cut(jobs: u64, bytes: usize) -> Vec<Batch> {
        let mut cutter = Cutter::default();
        let add = |line| cutter.add(vec![b'1'; bytes], line, Vec::new(), line * bytes as u64);
        let mut batches: Vec<Batch> = (1..=jobs).filter_map(add).collect();
        batches.extend(cutter.cut());
        batches
    }

    #[test]
    fn a_batch_ends_with_its_thousandth_job_or_before_it_is_too_large() {
        let lens = |batches: &[Batch]| batches.iter().map(Batch::len).collect::<Vec<_>>();
        assert_eq!(lens(&cut(0, 1)), [0; 0]);
        assert_eq!(lens(&cut(2001, 1)), [1000, 1000, 1]);
        assert_eq!(lens(&cut(5, 200 * 1024)), [2, 2, 1]);
        assert_eq!(
            lens(&cut(3, MAX_BYTES + 1)),
            [1, 1, 1],
            "one that is too large stands alone"
        );
        let batches = cut(1500, 1);
        assert_eq!((batches[1].first_line(), batches[1].last_line()), (1001, 1500));
    }

    #[test]
    fn jobs_with_other_headers_are_in_another_batch() {
        let mut cutter = Cutter::default();
        let header = |value: &str| vec![("traceparent", value.to_owned())];
        assert!(cutter.add(b"1".to_vec(), 1, header("a"), 1).is_none());
        assert!(cutter.add(b"2".to_vec(), 2, header("a"), 2).is_none());
        let batch = cutter.add(b"3".to_vec(), 3, header("b"), 3).expect("the first two");
        assert_eq!(
            (batch.headers.clone(), batch.body()),
            (header("a"), b"{\"jobs\":[1,2]}".to_vec())
        );
    }

    #[test]
    fn the_same_lines_at_the_same_place_have_the_same_key() {
        let key = |keys: &Keys, queue: &str, batch: &Batch| keys.of(queue, batch, &batch.body());
        let (keys, batches) = (Keys::Digest("push".to_owned()), cut(2000, 1));
        let first = key(&keys, "q", &batches[0]);
        assert_eq!(key(&keys, "q", &cut(1000, 1)[0]), first);
        assert_ne!(key(&keys, "q", &batches[1]), first, "equal jobs at another place");
        assert_ne!(key(&keys, "other", &batches[0]), first);
        assert_ne!(key(&keys, "q", &cut(999, 1)[0]), first);
        assert_ne!(key(&Keys::random().expect("random bytes"), "q", &batches[0]), first);
        let [first, second] = cut(1000, 1).remove(0).halves();
        assert_eq!((first.len(), second.len(), second.first_line()), (500, 500, 501));
        assert_eq!(key(&Keys::Named("k".to_owned()), "q", &second), "k:501");
    }
}
