//! Batches: many jobs in one insert.

use super::keys::hex;
use sha2::{Digest, Sha256};

/// How many jobs one insert may have.
pub(crate) const MAX_JOBS: usize = 1000;

/// How many bytes of jobs a batch has, unless one job alone has more. Proxies refuse bodies of more than a megabyte, as they
/// come.
const MAX_BYTES: usize = 512 * 1024;

/// A job as it is sent.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) json: Vec<u8>,
    /// The line that it comes from.
    pub(crate) line: u64,
    /// Its place among the jobs of the input. The same input gives a job the same number each time.
    pub(crate) number: u64,
}

/// Jobs for one insert.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    jobs: Vec<Job>,
    bytes: usize,
    /// What tells its input from others.
    pub(super) source: String,
    /// It ends where the input ends, and so would be larger in one that goes on.
    is_last: bool,
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

    /// The number of its first job.
    pub(super) fn first_number(&self) -> u64 {
        self.jobs.first().map_or(0, |job| job.number)
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

    /// Its two parts, of two jobs or more. The first has the largest power of two of jobs that leaves some: so parts of parts begin
    /// and end at the same places, however many jobs there are.
    pub(super) fn parts(mut self) -> [Self; 2] {
        let first = self.len().next_power_of_two() / 2;
        let second = Self {
            jobs: self.jobs.split_off(first),
            source: self.source.clone(),
            headers: self.headers.clone(),
            ..self
        };
        [self, second]
    }

    /// As it is sent first, the last part first. The end of an input that may be longer the next time goes in parts of powers of two,
    /// which are parts of the larger batch, too.
    pub(super) fn cut(mut self, may_grow: bool) -> Vec<Self> {
        let mut parts = Vec::new();
        while may_grow && self.is_last && !self.len().is_power_of_two() {
            let [first, rest] = self.parts();
            parts.push(first);
            self = rest;
        }
        parts.push(self);
        parts.reverse();
        parts
    }
}

/// Cuts jobs into batches. Where it cuts depends on the jobs alone, so that the same input always gives the same batches, and a
/// longer one the same, but for the last.
#[derive(Debug)]
pub(crate) struct Cutter {
    batch: Batch,
    source: String,
}

impl Cutter {
    /// With what tells the input from others.
    pub(crate) fn new(source: &[u8]) -> Self {
        Self {
            batch: Batch::default(),
            source: hex(&Sha256::digest(source)),
        }
    }

    /// Adds a job. Returns the batch before it, if the job belongs to the next one: when there is no room, or its headers
    /// differ.
    pub(crate) fn add(&mut self, job: Job, headers: Vec<(&'static str, String)>, read: u64) -> Option<Batch> {
        let bytes = job.json.len();
        let has_room = self.batch.len() < MAX_JOBS && self.batch.bytes + bytes <= MAX_BYTES;
        let complete = match has_room && self.batch.headers == headers {
            true => None,
            false => self.cut(),
        };
        self.batch.headers = headers;
        self.batch.bytes += bytes;
        self.batch.read = read;
        self.batch.jobs.push(job);
        complete
    }

    /// The batch so far. `None` if it has no jobs.
    pub(crate) fn cut(&mut self) -> Option<Batch> {
        let mut batch = std::mem::take(&mut self.batch);
        batch.source.clone_from(&self.source);
        (batch.len() > 0).then_some(batch)
    }

    /// The last batch. `None` if it would have no jobs.
    pub(crate) fn end(mut self) -> Option<Batch> {
        let batch = self.cut()?;
        Some(Batch { is_last: true, ..batch })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The batches of so many jobs of so many bytes, one a line.
    pub(in super::super) fn cut(jobs: u64, bytes: usize) -> Vec<Batch> {
        let mut cutter = Cutter::new(b"an input");
        let add = |line| cutter.add(job(&vec![b'1'; bytes], line), Vec::new(), line * bytes as u64);
        let mut batches: Vec<Batch> = (1..=jobs).filter_map(add).collect();
        batches.extend(cutter.end());
        batches
    }

    pub(in super::super) fn job(json: &[u8], line: u64) -> Job {
        Job {
            json: json.to_vec(),
            line,
            number: line,
        }
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
        let mut cutter = Cutter::new(b"");
        let header = |value: &str| vec![("traceparent", value.to_owned())];
        assert!(cutter.add(job(b"1", 1), header("a"), 1).is_none());
        assert!(cutter.add(job(b"2", 2), header("a"), 2).is_none());
        let batch = cutter.add(job(b"3", 3), header("b"), 3).expect("the first two");
        assert_eq!(
            (batch.headers.clone(), batch.body()),
            (header("a"), b"{\"jobs\":[1,2]}".to_vec())
        );
    }

    #[test]
    fn the_parts_of_an_end_are_parts_of_every_larger_batch() {
        let ranges = |batch: Batch| -> Vec<(u64, u64)> {
            let parts = batch.cut(true);
            parts
                .iter()
                .rev()
                .map(|part| (part.first_line(), part.last_line()))
                .collect()
        };
        assert_eq!(ranges(cut(13, 1).remove(0)), [(1, 8), (9, 12), (13, 13)]);
        assert_eq!(cut(13, 1).remove(0).cut(false).len(), 1);
        assert_eq!(
            cut(1013, 1).remove(0).cut(true).len(),
            1,
            "one that is full does not grow"
        );
        for small in 1..200 {
            let mut wanted = ranges(cut(small, 1).remove(0));
            let mut parts = vec![cut(731, 1).remove(0)];
            while let Some(part) = parts.pop() {
                let range = (part.first_line(), part.last_line());
                match wanted.first() {
                    Some(first) if *first == range => drop(wanted.remove(0)),
                    Some(first) if first.0 == range.0 => {
                        let [first, second] = part.parts();
                        parts.extend([second, first]);
                    }
                    // New.
                    _ => {}
                }
            }
            assert!(wanted.is_empty(), "{small}: {wanted:?}");
        }
    }
}
