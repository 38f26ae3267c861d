//! How the store reaches Redis.

use super::RedisError;
use std::rc::Rc;
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

    /// Runs one command as [`command`](Self::command) does, and answers only when what is told of is as safe as the deployment wants
    /// it: where it wants replicas to have each change, when they have all that came up to this. By default that is at once.
    ///
    /// # Errors
    /// As with [`command`](Self::command), and [`RedisError::NotReplicated`].
    fn change(&self, name: &str, args: &[&[u8]]) -> impl Future<Output = Result<Vec<Reply>, RedisError>> {
        self.command(name, args)
    }

    /// Runs one command without keys on each server that has a part of the data: by default there is one.
    ///
    /// # Errors
    /// As with [`command`](Self::command).
    fn everywhere(&self, name: &str, args: &[&[u8]]) -> impl Future<Output = Result<Vec<Vec<Reply>>, RedisError>> {
        async { Ok(vec![self.command(name, args).await?]) }
    }

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

impl<R: Redis> Redis for Rc<R> {
    async fn command(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        (**self).command(name, args).await
    }

    async fn blocking(&self, name: &str, args: &[&[u8]], max_wait: Duration) -> Result<Vec<Reply>, RedisError> {
        (**self).blocking(name, args, max_wait).await
    }

    async fn change(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        (**self).change(name, args).await
    }

    async fn everywhere(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Vec<Reply>>, RedisError> {
        (**self).everywhere(name, args).await
    }

    fn log(&self, line: &str) {
        (**self).log(line);
    }
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
