//! Reading a script's reply, which is a flat list of values.

use super::{RedisError, Reply};
use crate::queue::{JobId, Timestamp};
use serde::de::DeserializeOwned;

/// A reply that is read from its front. What is not as expected is [`RedisError::Unexpected`].
pub(in crate::store) struct ReplyReader {
    replies: std::vec::IntoIter<Reply>,
}

impl ReplyReader {
    pub(in crate::store) fn new(replies: Vec<Reply>) -> Self {
        Self {
            replies: replies.into_iter(),
        }
    }

    pub(in crate::store) fn integer(&mut self) -> Result<i64, RedisError> {
        match self.replies.next() {
            Some(Reply::Int(number)) => Ok(number),
            other => Err(unexpected("an integer", other.as_ref())),
        }
    }

    /// 1 or 0: whether something is so.
    pub(in crate::store) fn flag(&mut self) -> Result<bool, RedisError> {
        Ok(self.integer()? == 1)
    }

    /// A count that is there.
    pub(in crate::store) fn count(&mut self) -> Result<u64, RedisError> {
        self.optional_count()?
            .ok_or_else(|| unexpected("a count", Some(&Reply::Nil)))
    }

    /// A count: an integer, or one as text, which is how a hash holds it. `None` where there is none.
    pub(in crate::store) fn optional_count(&mut self) -> Result<Option<u64>, RedisError> {
        let reply = self.replies.next();
        let count = match &reply {
            Some(Reply::Nil) => return Ok(None),
            Some(Reply::Int(number)) => u64::try_from(*number).ok(),
            Some(Reply::Bytes(text)) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()),
            _ => None,
        };
        count.map(Some).ok_or_else(|| unexpected("a count", reply.as_ref()))
    }

    /// A point in time in milliseconds, as an integer or as text. `None` where there is none.
    pub(in crate::store) fn time(&mut self) -> Result<Option<Timestamp>, RedisError> {
        let reply = self.replies.next();
        let millis = match &reply {
            Some(Reply::Nil) => return Ok(None),
            Some(Reply::Int(number)) => Some(*number),
            Some(Reply::Bytes(text)) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()),
            _ => None,
        };
        let time = millis.map(Timestamp::from_millis);
        time.map(Some).ok_or_else(|| unexpected("a time", reply.as_ref()))
    }

    /// The id of a job.
    pub(in crate::store) fn job_id(&mut self) -> Result<JobId, RedisError> {
        let id = JobId::from_bytes(&self.bytes()?);
        id.ok_or_else(|| RedisError::Unexpected("something else where the id of a job should be".into()))
    }

    /// Text, `None` where there is none.
    pub(in crate::store) fn text(&mut self) -> Result<Option<String>, RedisError> {
        match self.replies.next() {
            Some(Reply::Nil) => Ok(None),
            Some(Reply::Bytes(bytes)) => match String::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(RedisError::Unexpected("bytes where text should be".into())),
            },
            other => Err(unexpected("text", other.as_ref())),
        }
    }

    /// Packed members, `None` where there are none.
    pub(in crate::store) fn packed<T: DeserializeOwned>(&mut self) -> Result<Option<T>, RedisError> {
        match self.replies.next() {
            Some(Reply::Nil) => Ok(None),
            Some(Reply::Bytes(bytes)) if bytes.is_empty() => Ok(None),
            Some(Reply::Bytes(bytes)) => match rmp_serde::from_slice(&bytes) {
                Ok(members) => Ok(Some(members)),
                Err(error) => Err(RedisError::Unexpected(format!(
                    "packed members that cannot be read: {error}"
                ))),
            },
            other => Err(unexpected("packed members", other.as_ref())),
        }
    }

    /// One of these words.
    pub(in crate::store) fn one_of<T: Copy>(&mut self, words: &[(&str, T)]) -> Result<T, RedisError> {
        let word = self.bytes()?;
        words
            .iter()
            .find(|(name, _)| name.as_bytes() == word)
            .map(|(_, meaning)| *meaning)
            .ok_or_else(|| RedisError::Unexpected(format!("the word {:?}", String::from_utf8_lossy(&word))))
    }

    pub(in crate::store) fn bytes(&mut self) -> Result<Vec<u8>, RedisError> {
        match self.replies.next() {
            Some(Reply::Bytes(bytes)) => Ok(bytes),
            other => Err(unexpected("bytes", other.as_ref())),
        }
    }

    pub(in crate::store) fn is_empty(&self) -> bool {
        self.replies.len() == 0
    }

    /// All that is left.
    pub(in crate::store) fn all_bytes(mut self) -> Result<Vec<Vec<u8>>, RedisError> {
        let mut all = Vec::with_capacity(self.replies.len());
        while !self.is_empty() {
            all.push(self.bytes()?);
        }
        Ok(all)
    }
}

/// A reply can contain a job, so the error names only its kind.
fn unexpected(wanted: &str, got: Option<&Reply>) -> RedisError {
    let got = match got {
        None => "nothing",
        Some(Reply::Nil) => "nil",
        Some(Reply::Status(_)) => "a status",
        Some(Reply::Int(_)) => "an integer",
        Some(Reply::Bytes(_)) => "bytes",
    };
    RedisError::Unexpected(format!("{got} where {wanted} should be"))
}
