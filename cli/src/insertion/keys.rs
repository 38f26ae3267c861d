//! Keys: what makes it safe to send a batch again.

use super::Batch;
use anyhow::Result;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::fs::File;
use std::io::Read;

/// Which `Idempotency-Key` a batch has: one for the place where it begins, whatever jobs it has. So the server refuses a batch that
/// begins with jobs that are there already, and goes on with others.
#[derive(Clone, Debug)]
pub(crate) enum Keys {
    /// This, which no other run has, and the place.
    Random(String),
    /// A digest of this text, the queue, the input and the place: the same for the same input.
    Digest(&'static str),
    /// This, and the place.
    Named(String),
}

impl Keys {
    /// Keys that no other run has.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub(crate) fn random() -> Result<Self> {
        Ok(Self::Random(random()?))
    }

    /// Whether another run may have the same keys.
    pub(super) fn are_lasting(&self) -> bool {
        !matches!(self, Self::Random(_))
    }

    pub(super) fn of(&self, queue: &str, batch: &Batch) -> String {
        let number = batch.first_number();
        match self {
            Self::Named(name) | Self::Random(name) => format!("{name}:{number}"),
            Self::Digest(salt) => {
                let mut digest = Sha256::new();
                // None of these has the byte 0.
                for text in [salt, queue, &batch.source] {
                    digest.update(text);
                    digest.update([0]);
                }
                digest.update(number.to_be_bytes());
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

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A string takes what is written to it.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::super::Cutter;
    use super::super::batch::tests::{cut, job};
    use super::*;

    #[test]
    fn a_batch_has_the_key_of_the_place_where_it_begins() {
        let (keys, batches) = (Keys::Digest("push"), cut(2000, 1));
        let first = keys.of("q", &batches[0]);
        assert_eq!(keys.of("q", &cut(999, 1)[0]), first, "of fewer jobs");
        assert_ne!(keys.of("q", &batches[1]), first, "equal jobs at another place");
        assert_ne!(keys.of("other", &batches[0]), first);
        assert_ne!(Keys::Digest("import").of("q", &batches[0]), first);
        let mut other = Cutter::new(b"another input");
        other.add(job(b"1", 1), Vec::new(), 1);
        assert_ne!(keys.of("q", &other.end().expect("a batch")), first);
        assert_ne!(
            Keys::random().expect("random bytes").of("q", &batches[0]),
            Keys::random().expect("random bytes").of("q", &batches[0])
        );
        let [first, second] = cut(1000, 1).remove(0).parts();
        assert_eq!((first.len(), second.len(), second.first_line()), (512, 488, 513));
        assert_eq!(Keys::Named("k".to_owned()).of("q", &second), "k:513");
    }
}
