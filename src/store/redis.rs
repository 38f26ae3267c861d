//! How the store reaches Redis.

use std::fmt;

/// A way to reach a Redis server. Small, so that it is quickly written for a platform: see `presque::spin`.
pub trait Redis {
    /// Runs one command and gives its reply as a flat list: arrays lose their nesting, as they do in the
    /// platform's Redis interface. An empty array is an empty list, a nil is one [`Reply::Nil`].
    ///
    /// An implementation may open its connection at the first command. It may send a command a second time only
    /// when the first one surely did nothing.
    ///
    /// # Errors
    /// [`RedisError`] tells what is known about the command's effect.
    fn command(&self, name: &str, args: &[&[u8]]) -> impl Future<Output = Result<Vec<Reply>, RedisError>>;
}

/// One value of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// No value.
    Nil,
    /// A status, such as `OK`.
    Status(String),
    /// An integer.
    Int(i64),
    /// A string of bytes.
    Bytes(Vec<u8>),
}

/// Why a command gave no reply. The texts are for the operator's log and may name addresses, never passwords.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisError {
    /// The server was not reached: the command did nothing.
    Unreachable(String),
    /// The connection broke after the command was sent: it may have been carried out.
    Lost(String),
    /// The server has no script of this hash: the command did nothing.
    NoScript,
    /// The server answered with an error: the command was not carried out.
    Refused(String),
    /// The server answered with something that the store does not expect: another version's script, or not Redis.
    Unexpected(String),
}

impl fmt::Display for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "Redis cannot be reached: {why}"),
            Self::Lost(why) => write!(f, "the connection to Redis was lost under way: {why}"),
            Self::NoScript => f.write_str("Redis does not know the script"),
            Self::Refused(why) => write!(f, "Redis refused the command: {why}"),
            Self::Unexpected(what) => write!(f, "Redis gave an unexpected reply: {what}"),
        }
    }
}

impl std::error::Error for RedisError {}
