//! How the store reaches Redis.

use std::fmt;
use std::time::Duration;

/// A way to reach a Redis server. Small, so that it is quickly written for a platform: see `presque::spin`.
pub trait Redis {
    /// Runs one command and gives its reply as a flat list: arrays lose their nesting, as they do in the
    /// platform's Redis interface. An empty array is an empty list, a nil is one [`Reply::Nil`].
    ///
    /// An implementation may open its connection at the first command. It may send a command a second time only
    /// when the first one surely did nothing.
    ///
    /// # Errors
    /// [`RedisError::effect`] says what is known about the command's effect.
    fn command(&self, name: &str, args: &[&[u8]]) -> impl Future<Output = Result<Vec<Reply>, RedisError>>;

    /// Runs one command that answers within `max_wait`, on a connection that no other command uses meanwhile. An
    /// implementation may give up some time after that, and it may send the command a second time when a connection broke:
    /// repeating must do no harm.
    ///
    /// # Errors
    /// As with [`command`](Self::command).
    fn blocking(
        &self,
        name: &str,
        args: &[&[u8]],
        max_wait: Duration,
    ) -> impl Future<Output = Result<Vec<Reply>, RedisError>>;

    /// Takes a line for the operator's log. By default it goes nowhere.
    fn log(&self, _line: &str) {}
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
    /// The platform has ended a command that blocked, since nobody waits for it any more, or it is about to stop. What is
    /// left of the request should change nothing.
    Interrupted,
    /// The server has no script of this hash: the command did nothing.
    NoScript,
    /// The server is at its memory limit: the command did nothing.
    Full(String),
    /// The server answered with another error.
    Refused(String),
    /// The server answered with something that the store does not expect: another version's script, or not Redis.
    Unexpected(String),
}

impl fmt::Display for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "Redis cannot be reached: {why}"),
            Self::Lost(why) => write!(f, "the connection to Redis was lost under way: {why}"),
            Self::Interrupted => f.write_str("a wait for Redis was ended: nobody waits for it any more"),
            Self::NoScript => f.write_str("Redis does not know the script"),
            Self::Full(why) => write!(f, "Redis is full: {why}"),
            Self::Refused(why) => write!(f, "Redis refused the command: {why}"),
            Self::Unexpected(what) => write!(f, "Redis gave an unexpected reply: {what}"),
        }
    }
}

impl std::error::Error for RedisError {}

/// What is known of the effect of an operation that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing was changed: the server was not reached.
    NotApplied,
    /// It may have been carried out: no answer came, or one that makes no sense.
    Unknown,
    /// The server refused it.
    Refused,
    /// Nothing was changed: the server's memory is full.
    Full,
}

impl RedisError {
    /// What is known of the effect of the operation that failed with this.
    #[must_use]
    pub fn effect(&self) -> Effect {
        match self {
            Self::Unreachable(_) | Self::Interrupted | Self::NoScript => Effect::NotApplied,
            Self::Lost(_) | Self::Unexpected(_) => Effect::Unknown,
            Self::Refused(_) => Effect::Refused,
            Self::Full(_) => Effect::Full,
        }
    }

    /// The same error, of a command that came after others which were carried out: then it is no longer true that
    /// nothing was changed.
    pub(in crate::store) fn after_a_change(self) -> Self {
        match self {
            Self::Unreachable(why) | Self::Refused(why) | Self::Full(why) => Self::Lost(why),
            other => other,
        }
    }

    /// The error of a text from the platform's Redis interface, which has no codes.
    ///
    /// Errors that the server answered with have two forms, that of the Redis client of Spin for codes that it knows,
    /// and `CODE: text` for others. All other texts come from the connection.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        if text.starts_with("interrupted: ") {
            // What the host of this project says. Others do not end a wait.
            return Self::Interrupted;
        }
        if text.starts_with("OOM") {
            return Self::Full(text);
        }
        if let Some(known) = text.strip_prefix("An error was signalled by the server - ") {
            return if known.starts_with("NoScriptError") {
                Self::NoScript
            } else if known.starts_with("BusyLoadingError") {
                // It is there, and not yet: nothing was done.
                Self::Unreachable(known.to_owned())
            } else {
                Self::Refused(known.to_owned())
            };
        }
        let code = text.split(": ").next().unwrap_or_default();
        if !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Self::Refused(text);
        }
        Self::Lost(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_error_tells_whether_the_server_answered() {
        let refused = [
            "WRONGTYPE: Operation against a key holding the wrong kind of value",
            "MISCONF: Redis is configured to save RDB snapshots",
            "An error was signalled by the server - ResponseError: unknown command",
            "An error was signalled by the server - ReadOnly: You can't write against a read only replica.",
        ];
        for text in refused {
            assert!(
                matches!(RedisError::from_text(text.into()), RedisError::Refused(_)),
                "{text}"
            );
        }
        let lost = [
            "broken pipe",
            "Connection reset by peer (os error 104)",
            "unexpected end of file",
            "",
        ];
        for text in lost {
            assert!(
                matches!(RedisError::from_text(text.into()), RedisError::Lost(_)),
                "{text}"
            );
        }
        let text = "An error was signalled by the server - BusyLoadingError: Redis is loading the dataset in memory";
        assert!(matches!(RedisError::from_text(text.into()), RedisError::Unreachable(_)));
        let text = "interrupted: nobody waits for this any more";
        assert_eq!(RedisError::from_text(text.into()), RedisError::Interrupted);
        let text = "OOM: command not allowed when used memory > 'maxmemory'.";
        assert_eq!(RedisError::from_text(text.into()), RedisError::Full(text.into()));
        let text = "An error was signalled by the server - NoScriptError: No matching script. Please use EVAL.";
        assert_eq!(RedisError::from_text(text.into()), RedisError::NoScript);
    }
}
