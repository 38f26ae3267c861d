//! Why a command gave no reply, and what is known of its effect.

use std::fmt;

/// Why a command gave no reply. The texts are for the operator's log and may name addresses, never passwords.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisError {
    /// The server was not reached: the command did nothing.
    Unreachable(String),
    /// The connection broke after the command was sent: it may have been carried out.
    Lost(String),
    /// The command was carried out, or one before it was, and too few replicas had that in time: it can be lost with the server.
    NotReplicated(String),
    /// The platform has ended a command that blocked, since nobody waits for it any more, or it is about to stop. What is
    /// left of the request should change nothing.
    Interrupted,
    /// The server has no script of this hash: the command did nothing.
    NoScript,
    /// The server is at its memory limit: the command did nothing.
    Full(String),
    /// The server was reached, and does not do this now, for this reason: the command did nothing.
    Unavailable(Unavailable, String),
    /// The user of the connection lacks a permission. A script may have been stopped in its middle.
    Forbidden(String),
    /// The server answered with another error. A script may have been stopped in its middle.
    Refused(String),
    /// The server answered with something that the store does not expect: another version's script, or not Redis.
    Unexpected(String),
}

/// Why a server that was reached does nothing. None of these can begin in the middle of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// It is a replica: it was demoted, or the address is wrong.
    ReadOnly,
    /// It is a replica that has lost its primary.
    PrimaryAway,
    /// It is still reading its data.
    Loading,
    /// The connection has no login, or the login is wrong.
    NotAuthenticated,
    /// It is a node of a cluster that does not serve the key.
    OtherNode,
    /// It is a primary, and fewer replicas follow it than its `min-replicas-to-write` asks for.
    NoReplicas,
    /// It cannot save its data, as when a disk is full.
    CannotSave,
    /// It runs a script that takes long.
    Busy,
    /// It has as many connections as its `maxclients` allows.
    TooManyClients,
}

impl Unavailable {
    /// The reason by the code of an error, as the server or the Redis client of Spin has it.
    fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "READONLY" | "ReadOnly" => Self::ReadOnly,
            "MASTERDOWN" | "MasterDown" => Self::PrimaryAway,
            "LOADING" | "BusyLoadingError" => Self::Loading,
            "NOAUTH" | "WRONGPASS" => Self::NotAuthenticated,
            "CLUSTERDOWN" | "ClusterDown" | "MOVED" | "Moved" | "ASK" | "Ask" | "TRYAGAIN" | "TryAgain" => {
                Self::OtherNode
            }
            "NOREPLICAS" => Self::NoReplicas,
            "MISCONF" => Self::CannotSave,
            "BUSY" => Self::Busy,
            _ => return None,
        })
    }

    /// Whether a new connection may do better, since the address may lead to another server by now, or since it would log in.
    #[must_use]
    pub fn asks_for_new_connection(self) -> bool {
        match self {
            // A failover has made, or is about to make, another server the primary. The one that was cut off from its replicas is
            // the old primary. One that loads was restarted.
            Self::ReadOnly | Self::PrimaryAway | Self::Loading | Self::NoReplicas => true,
            // A password was set since the connection was opened.
            Self::NotAuthenticated => true,
            // The server has closed this one.
            Self::TooManyClients => true,
            // It has other slots, which this connection is good for.
            Self::OtherNode => false,
            // It is the right server, and will serve this connection as soon as any other.
            Self::CannotSave | Self::Busy => false,
        }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadOnly => "Redis is a read-only replica; redis_url must lead to the primary",
            Self::PrimaryAway => "Redis is a replica that has lost its primary; redis_url must lead to the primary",
            Self::Loading => "Redis is still loading its data",
            Self::NotAuthenticated => "Redis does not accept the login; redis_password must be its password",
            Self::OtherNode => "Redis is a cluster that does not serve this key now, or a node of one",
            Self::NoReplicas => "Redis has fewer replicas than its min-replicas-to-write asks for",
            Self::CannotSave => "Redis cannot save its data and takes no changes; its own log says why",
            Self::Busy => "Redis is busy with a script",
            Self::TooManyClients => "Redis has as many connections as its maxclients allows",
        })
    }
}

impl fmt::Display for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "Redis cannot be reached: {why}"),
            Self::Lost(why) => write!(f, "the connection to Redis was lost under way: {why}"),
            Self::NotReplicated(why) => write!(f, "too few replicas: {why}"),
            Self::Interrupted => f.write_str("a wait for Redis was ended: nobody waits for it any more"),
            Self::NoScript => f.write_str("Redis does not know the script"),
            Self::Full(why) => write!(f, "Redis is full: {why}"),
            Self::Unavailable(reason, why) => write!(f, "{reason}: {why}"),
            Self::Forbidden(why) => write!(f, "Redis does not permit the command: {why}"),
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
    /// Nothing was changed: the server was reached, and does not do this now.
    Unavailable,
    /// The server refused it. What it had done before that, as in the middle of a script, stays.
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
            Self::Lost(_) | Self::NotReplicated(_) | Self::Unexpected(_) => Effect::Unknown,
            Self::Unavailable(..) => Effect::Unavailable,
            Self::Forbidden(_) | Self::Refused(_) => Effect::Refused,
            Self::Full(_) => Effect::Full,
        }
    }

    /// The same error, of a command that came after others which were carried out: then it is no longer true that
    /// nothing was changed.
    pub(in crate::store) fn after_a_change(self) -> Self {
        match self.effect() {
            Effect::Unknown => self,
            Effect::NotApplied | Effect::Unavailable | Effect::Refused | Effect::Full => Self::Lost(self.to_string()),
        }
    }

    /// The same error, of something that changes nothing: of opening a connection, or of a wait.
    pub(crate) fn without_effect(self) -> Self {
        match self {
            Self::Lost(why) | Self::Unexpected(why) => Self::Unreachable(why),
            other => other,
        }
    }

    /// Whether this connection should not be used again, and a new one may do better.
    #[must_use]
    pub fn asks_for_new_connection(&self) -> bool {
        match self {
            Self::Lost(_) => true,
            Self::Unavailable(reason, _) => reason.asks_for_new_connection(),
            _ => false,
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
        if text.contains("max number of clients") {
            return Self::Unavailable(Unavailable::TooManyClients, text);
        }
        // The latter is what Redis says to a long command of a connection without a login, before it closes that.
        if text.contains("AuthenticationFailed") || text.contains("Protocol error: unauthenticated") {
            return Self::Unavailable(Unavailable::NotAuthenticated, text);
        }
        // So is what blocks answered when its server becomes a replica.
        if text.contains("instance state changed") {
            return Self::Unavailable(Unavailable::ReadOnly, text);
        }
        let Some(code) = error_code(&text) else {
            return Self::Lost(text);
        };
        match code {
            "NOSCRIPT" | "NoScriptError" => Self::NoScript,
            "OOM" => Self::Full(text),
            "NOPERM" => Self::Forbidden(text),
            code => match Unavailable::from_code(code) {
                Some(reason) => Self::Unavailable(reason, text),
                // What Redis says without a code where a script calls a command.
                None if text.contains("user executing the script can't") || text.contains("ACL failure") => {
                    Self::Forbidden(text)
                }
                None => Self::Refused(text),
            },
        }
    }
}

/// The code of an error that the server answered with.
fn error_code(text: &str) -> Option<&str> {
    let is_code = |code: &&str| !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if text.starts_with("OOM") {
        return Some("OOM");
    }
    // Redis before 7 puts a script's error in the text of another one.
    let inner = text.split(": -").nth(1).and_then(|inner| inner.split(' ').next());
    if let Some(code) = inner.filter(is_code) {
        return Some(code);
    }
    match text.strip_prefix("An error was signalled by the server") {
        Some(known) => known.trim_start_matches([' ', '-']).split(':').next(),
        None => {
            let code = text.split(": ").next();
            code.filter(|code| is_code(code) || Unavailable::from_code(code).is_some())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_error_tells_whether_the_server_answered() {
        let refused = [
            "WRONGTYPE: Operation against a key holding the wrong kind of value",
            "UNBLOCKED: client unblocked via CLIENT UNBLOCK",
            "An error was signalled by the server - ResponseError: unknown command",
            "An error was signalled by the server- ResponseError",
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
        let text = "interrupted: nobody waits for this any more";
        assert_eq!(RedisError::from_text(text.into()), RedisError::Interrupted);
        let text = "OOM: command not allowed when used memory > 'maxmemory'.";
        assert_eq!(RedisError::from_text(text.into()), RedisError::Full(text.into()));
        let text = "An error was signalled by the server - NoScriptError: No matching script. Please use EVAL.";
        assert_eq!(RedisError::from_text(text.into()), RedisError::NoScript);
    }
    #[test]
    fn an_error_that_surely_did_nothing_is_told_with_its_reason() {
        let known = "An error was signalled by the server - ";
        let in_script = "ResponseError: Error running script (call to f_1): @user_script:12: @user_script: 12: -";
        for (text, reason, is_other_server) in [
            (
                "ReadOnly: You can't write against a read only replica.",
                Unavailable::ReadOnly,
                true,
            ),
            ("MasterDown: Link with MASTER is down", Unavailable::PrimaryAway, true),
            (
                "BusyLoadingError: Redis is loading the dataset in memory",
                Unavailable::Loading,
                true,
            ),
            ("ClusterDown: The cluster is down", Unavailable::OtherNode, false),
            ("Moved: 3999 127.0.0.1:6381", Unavailable::OtherNode, false),
            (
                "ResponseError: max number of clients reached",
                Unavailable::TooManyClients,
                true,
            ),
            ("NOAUTH: Authentication required.", Unavailable::NotAuthenticated, true),
            (
                "ResponseError: Protocol error: unauthenticated multibulk length",
                Unavailable::NotAuthenticated,
                true,
            ),
            (
                "WRONGPASS: invalid username-password pair",
                Unavailable::NotAuthenticated,
                true,
            ),
            (
                "Password authentication failed- AuthenticationFailed",
                Unavailable::NotAuthenticated,
                true,
            ),
            (
                "NOREPLICAS: Not enough good replicas to write.",
                Unavailable::NoReplicas,
                true,
            ),
            (
                "UNBLOCKED: force unblock from blocking operation, instance state changed (master -> replica?)",
                Unavailable::ReadOnly,
                true,
            ),
            (
                "MISCONF: Redis is configured to save RDB snapshots",
                Unavailable::CannotSave,
                false,
            ),
            ("BUSY: Redis is busy running a script.", Unavailable::Busy, false),
            (
                &format!("{in_script}READONLY You can't write"),
                Unavailable::ReadOnly,
                true,
            ),
            (
                &format!("{in_script}NOREPLICAS Not enough"),
                Unavailable::NoReplicas,
                true,
            ),
        ] {
            let is_known = text
                .split(':')
                .next()
                .is_some_and(|code| code.contains(char::is_lowercase));
            let text = if is_known && !text.starts_with("Password") {
                [known, text].concat()
            } else {
                text.to_owned()
            };
            let error = RedisError::from_text(text.clone());
            assert_eq!(error, RedisError::Unavailable(reason, text));
            assert_eq!(error.effect(), Effect::Unavailable);
            assert_eq!(error.asks_for_new_connection(), is_other_server, "{error}");
        }
        let full = format!("{known}{in_script}OOM command not allowed when used memory > 'maxmemory'.");
        assert_eq!(RedisError::from_text(full.clone()), RedisError::Full(full));
        // What a script of Redis 6.2 returns that has caught it.
        let full = "@user_script:: 1: -OOM command not allowed when used memory > 'maxmemory'.".to_owned();
        assert_eq!(RedisError::from_text(full.clone()), RedisError::Full(full));
    }

    #[test]
    fn a_missing_permission_is_told_from_other_refusals() {
        for text in [
            "NOPERM: this user has no permissions to run the 'evalsha' command",
            "An error was signalled by the server - ResponseError: The user executing the script can't run this command",
            "An error was signalled by the server - ResponseError: ACL failure in script: User u has no permissions",
        ] {
            assert_eq!(RedisError::from_text(text.into()), RedisError::Forbidden(text.into()));
        }
    }
}
