//! The jobs of one round: each has a number, and each number must come out once.

use anyhow::{Result, bail, ensure};
use memchr::memmem::Finder;
use std::cell::{Cell, RefCell};
use std::sync::LazyLock;

/// In front of a job's number, in JSON and in JSON within a string.
static NUMBER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("seq"));
/// A payload without its number and without padding.
const EMPTY: &str = r#"{"seq":,"pad":""}"#;
/// What stands between a payload's number and its padding, and what behind that: in JSON, and in JSON within a string.
const ENDS: [(&[u8], &[u8]); 2] = [(br#","pad":""#, br#""}"#), (br#",\"pad\":\""#, br#"\"}"#)];
/// In front of a receipt.
static RECEIPT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"receipt\":\""));

/// What went in and what came out.
#[derive(Debug)]
pub(crate) struct Jobs {
    size: usize,
    padding: String,
    inserted: Cell<u64>,
    /// Whether each number came out, from 1 on.
    seen: RefCell<Vec<bool>>,
    count: Cell<u64>,
}

impl Jobs {
    /// Jobs with payloads of so many bytes, at least 32.
    pub(crate) fn new(size: usize) -> Self {
        Self {
            size,
            padding: "x".repeat(size),
            inserted: Cell::new(0),
            seen: RefCell::default(),
            count: Cell::new(0),
        }
    }

    /// The bytes of a payload.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Writes the next payload behind a text: `{"seq":17,"pad":"xxx"}`.
    pub(crate) fn write_next(&self, text: &mut String) {
        let number = self.inserted.get() + 1;
        self.inserted.set(number);
        text.push_str("{\"seq\":");
        text.push_str(&number.to_string());
        text.push_str(",\"pad\":\"");
        text.push_str(self.padding_of(number));
        text.push_str("\"}");
    }

    /// The numbers of the jobs in a response, with an error for a payload that is not the one that went in.
    pub(crate) fn numbers(&self, response: &[u8]) -> impl Iterator<Item = Result<u64>> {
        numbers(response).map(|(number, rest)| {
            ensure!(
                self.goes_on_well(number, rest),
                "the payload of job {number} is not the one that went in"
            );
            Ok(number)
        })
    }

    /// Whether a number is followed by the rest of its payload.
    fn goes_on_well(&self, number: u64, rest: &[u8]) -> bool {
        let padding = self.padding_of(number).as_bytes();
        ENDS.iter().any(|(before, behind)| {
            let rest = rest.strip_prefix(*before).and_then(|rest| rest.strip_prefix(padding));
            rest.is_some_and(|rest| rest.starts_with(behind))
        })
    }

    /// What fills the payload of a job up to its size.
    fn padding_of(&self, number: u64) -> &str {
        let digits = number.checked_ilog10().unwrap_or_default() as usize + 1;
        let rest = self.size.saturating_sub(EMPTY.len() + digits);
        self.padding.get(..rest).unwrap_or_default()
    }

    /// Notes the jobs in a response, and gives how many they are.
    ///
    /// # Errors
    /// A job came out twice, or was never inserted, or with another payload.
    pub(crate) fn note(&self, response: &[u8]) -> Result<u64> {
        let mut seen = self.seen.borrow_mut();
        seen.resize(usize::try_from(self.inserted.get())?, false);
        let mut count = 0;
        for number in self.numbers(response) {
            let number = number?;
            let place = usize::try_from(number)?.checked_sub(1).and_then(|at| seen.get_mut(at));
            let Some(place) = place else {
                bail!("job {number} came out and was never inserted");
            };
            ensure!(!std::mem::replace(place, true), "job {number} came out twice");
            count += 1;
        }
        self.count.set(self.count.get() + count);
        Ok(count)
    }

    /// # Errors
    /// Not all jobs came out.
    pub(crate) fn check(&self) -> Result<()> {
        let (inserted, count) = (self.inserted.get(), self.count.get());
        ensure!(inserted == count, "{inserted} jobs were inserted, and {count} came out");
        Ok(())
    }
}

/// The numbers of the jobs in a response, each with what follows it.
fn numbers(response: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    NUMBER.find_iter(response).filter_map(|at| {
        let rest = response.get(at + "seq".len()..)?;
        let start = rest.iter().position(u8::is_ascii_digit)?;
        let rest = rest.get(start..)?;
        let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = rest.split_at_checked(end)?;
        let number = digits.iter().try_fold(0_u64, |number, digit| {
            number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        });
        Some((number?, rest))
    })
}

/// The receipts in a response to a claim.
pub(crate) fn receipts(response: &[u8]) -> impl Iterator<Item = String> {
    RECEIPT.find_iter(response).filter_map(|at| {
        let rest = response.get(at + RECEIPT.needle().len()..)?;
        let end = rest.iter().position(|byte| *byte == b'"')?;
        Some(String::from_utf8_lossy(rest.get(..end)?).into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_has_its_size_and_its_number_comes_back() {
        for size in [100, 10_000] {
            let jobs = Jobs::new(size);
            let mut text = String::new();
            jobs.write_next(&mut text);
            assert_eq!(text.len(), size);
            assert_eq!(jobs.note(text.as_bytes()).unwrap(), 1);
            jobs.check().unwrap();
        }
    }

    #[test]
    fn a_job_that_comes_twice_or_was_never_inserted_or_is_missing_is_an_error() {
        let jobs = Jobs::new(32);
        let mut text = String::new();
        jobs.write_next(&mut text);
        assert!(jobs.check().is_err());
        jobs.note(text.as_bytes()).unwrap();
        assert!(jobs.note(text.as_bytes()).is_err());
        assert!(jobs.note(br#"{"seq":2,"pad":"xxxxxxxxxxxxxxxx"}"#).is_err());
    }

    #[test]
    fn a_payload_that_is_cut_or_changed_is_an_error() {
        let jobs = Jobs::new(32);
        let mut text = String::new();
        jobs.write_next(&mut text);
        for other in [
            text.replacen('x', "", 1),
            text.replacen('x', "y", 1),
            text.replacen('x', "xx", 1),
        ] {
            assert!(jobs.note(other.as_bytes()).is_err(), "{other}");
        }
    }

    #[test]
    fn jobs_are_found_in_json_within_a_string_too() {
        let jobs = Jobs::new(32);
        let mut payloads = [String::new(), String::new()];
        payloads.iter_mut().for_each(|payload| jobs.write_next(payload));
        let response = serde_json::to_vec(&payloads).unwrap();
        assert_eq!(jobs.note(&response).unwrap(), 2);
    }

    #[test]
    fn receipts_are_found_in_the_response_to_a_claim() {
        let found: Vec<_> = receipts(br#"{"jobs":[{"receipt":"ab-1","state":"active"}]}"#).collect();
        assert_eq!(found, ["ab-1"]);
    }
}
