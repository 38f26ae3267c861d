//! Reading a script's reply, which is a flat list of values.

use super::redis::{RedisError, Reply};

/// A reply that is read from its front. What is not as expected is [`RedisError::Unexpected`].
pub(super) struct Reader {
    replies: std::vec::IntoIter<Reply>,
}

impl Reader {
    pub(super) fn new(replies: Vec<Reply>) -> Self {
        Self {
            replies: replies.into_iter(),
        }
    }

    pub(super) fn integer(&mut self) -> Result<i64, RedisError> {
        match self.replies.next() {
            Some(Reply::Int(number)) => Ok(number),
            other => Err(unexpected("an integer", other.as_ref())),
        }
    }

    /// A count: an integer, or one as text, which is how a hash holds it. `None` where there is none.
    pub(super) fn count(&mut self) -> Result<Option<u64>, RedisError> {
        let reply = self.replies.next();
        let count = match &reply {
            Some(Reply::Nil) => return Ok(None),
            Some(Reply::Int(number)) => u64::try_from(*number).ok(),
            Some(Reply::Bytes(text)) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()),
            _ => None,
        };
        count.map(Some).ok_or_else(|| unexpected("a count", reply.as_ref()))
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, RedisError> {
        match self.replies.next() {
            Some(Reply::Bytes(bytes)) => Ok(bytes),
            other => Err(unexpected("bytes", other.as_ref())),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.replies.len() == 0
    }

    /// All that is left.
    pub(super) fn all_bytes(mut self) -> Result<Vec<Vec<u8>>, RedisError> {
        let mut all = Vec::with_capacity(self.replies.len());
        while !self.is_empty() {
            all.push(self.bytes()?);
        }
        Ok(all)
    }
}

/// A reply can hold a job: only its kind is told.
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
