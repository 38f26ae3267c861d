//! Whoever sent a request, and what they may do.

use super::keys::Key;
use super::operation::{Operation, Scope};
use crate::queue::{NameError, QueueName};
use std::sync::{Arc, OnceLock};

/// Whoever sent a request. A handler gets from it the names of the queues that it works on, and asks for that with the
/// [`Operation`] that it carries out.
#[derive(Debug)]
pub struct Caller {
    rights: Result<Rights, Denied>,
    /// What was permitted that an operator may want to know of.
    audit: OnceLock<String>,
    /// Set when another login than a key has opened.
    is_vouched_for: OnceLock<()>,
}

/// What a caller may do.
#[derive(Clone, Debug)]
pub(super) enum Rights {
    /// There are no keys: everybody may do everything.
    Everything,
    Key(Arc<Key>),
    /// There are keys, and this request has none, or a wrong one.
    Nothing,
}

/// Why a request is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It is not known who may do what: the deployment's settings cannot be used.
    NotConfigured,
    /// It does not say in one way which host it is for.
    AmbiguousHost,
    /// It is for a host that this is not.
    OtherHost,
    /// A browser sent it for a page of another site.
    OtherSite,
    /// It has no key, or one that is not in the list or has ended.
    NoKey,
    /// Its key lacks this scope, for all queues or for this one.
    Scope(Scope),
}

impl Denied {
    /// The status of the response.
    #[must_use]
    pub const fn status(self) -> http::StatusCode {
        match self {
            Self::NotConfigured => http::StatusCode::SERVICE_UNAVAILABLE,
            Self::AmbiguousHost => http::StatusCode::BAD_REQUEST,
            Self::OtherHost => http::StatusCode::MISDIRECTED_REQUEST,
            Self::OtherSite | Self::Scope(_) => http::StatusCode::FORBIDDEN,
            Self::NoKey => http::StatusCode::UNAUTHORIZED,
        }
    }

    /// What was wrong, and what is right, as a sentence without its full stop.
    #[must_use]
    pub fn why(self) -> String {
        match self {
            Self::NotConfigured => "the settings of this server are not usable: its log says why".into(),
            Self::AmbiguousHost => "a request must have one host header".into(),
            Self::OtherHost => "this host is not named in allowed_hosts".into(),
            Self::OtherSite => {
                "a browser sent this for a page of another site: its origin must be in allowed_origins".into()
            }
            Self::NoKey => {
                "a valid key is needed, as a bearer token, as the password of HTTP Basic, or in x-api-key".into()
            }
            Self::Scope(scope) => format!("the key lacks the scope {scope} here"),
        }
    }
}

/// What clients without a key, or with a wrong one, are told of how to send one.
pub const CHALLENGES: [&str; 2] = ["Bearer realm=\"presque\"", "Basic realm=\"presque\", charset=\"UTF-8\""];

/// Why a handler does not get the name of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotGiven {
    /// The caller may not do this.
    Denied(Denied),
    /// There is no such name.
    Name(NameError),
}

impl From<Denied> for NotGiven {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<NameError> for NotGiven {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

/// What somebody may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The scopes.
    pub scopes: Vec<Scope>,
    /// Patterns of the names of queues: `*` stands for any characters, `?` for one. One of them must match.
    pub queues: Vec<String>,
}

impl Caller {
    /// A caller who may do everything: where nobody is asked for a key.
    #[must_use]
    pub fn unrestricted() -> Self {
        Self::new(Ok(Rights::Everything))
    }

    pub(super) fn new(rights: Result<Rights, Denied>) -> Self {
        Self {
            rights,
            audit: OnceLock::new(),
            is_vouched_for: OnceLock::new(),
        }
    }

    /// Whether the request may be looked at, whoever sent it: it came to the right host, and for no page of another site.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn check_entry(&self) -> Result<(), Denied> {
        self.rights.as_ref().map(|_| ()).map_err(|denied| *denied)
    }

    /// Whether the caller is known: for routes where only the body says what is to be done.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn check_key(&self) -> Result<(), Denied> {
        match self.rights()? {
            Rights::Nothing => Err(Denied::NoKey),
            Rights::Everything | Rights::Key(_) => Ok(()),
        }
    }

    /// Whether the caller may do this on some queue, or where no queue is concerned.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn check_scope(&self, operation: Operation) -> Result<(), Denied> {
        self.check_key()?;
        match self.rights()? {
            Rights::Key(key) if !key.may(operation) => Err(Denied::Scope(operation.scope())),
            _ => Ok(()),
        }
    }

    /// The queue that the caller means by this name, to do this on it.
    ///
    /// # Errors
    /// [`NotGiven`].
    pub fn queue(&self, operation: Operation, name: QueueName) -> Result<QueueName, NotGiven> {
        self.check_scope(operation)?;
        let name = match self.rights()? {
            Rights::Key(key) => {
                let name = name.below(key.root())?;
                if !key.is_for(name.stored()) {
                    return Err(Denied::Scope(operation.scope()).into());
                }
                name
            }
            _ => name,
        };
        if operation.scope() == Scope::Admin {
            self.note(operation, &name);
        }
        Ok(name)
    }

    /// A queue by its name in the store, as the caller sees it. `None` when the caller does not.
    #[must_use]
    pub fn see(&self, stored: QueueName) -> Option<QueueName> {
        match self.rights() {
            Ok(Rights::Everything) => Some(stored),
            Ok(Rights::Key(key)) if key.is_for(stored.stored()) => stored.seen_below(key.root()),
            _ => None,
        }
    }

    /// Whether the caller sees every queue.
    #[must_use]
    pub fn sees_all(&self) -> bool {
        match self.rights() {
            Ok(Rights::Everything) => true,
            Ok(Rights::Key(key)) => key.is_for_all_queues(),
            _ => false,
        }
    }

    /// What the caller may do, on queues of which names.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn grant(&self) -> Result<Grant, Denied> {
        self.check_key()?;
        Ok(match self.rights()? {
            Rights::Key(key) => Grant {
                scopes: Scope::ALL.into_iter().filter(|scope| key.has(*scope)).collect(),
                queues: key.patterns().collect(),
            },
            _ => Grant {
                scopes: Scope::ALL.to_vec(),
                queues: vec!["*".to_owned()],
            },
        })
    }

    /// What the names of the caller's queues begin with in the store, where the caller does not see that. Mostly nothing.
    #[must_use]
    pub fn root(&self) -> &str {
        match self.rights() {
            Ok(Rights::Key(key)) => key.root(),
            _ => "",
        }
    }

    /// Lets a caller without a key do everything, who has shown a login of another kind to whoever calls this.
    pub fn vouch(&self) {
        let _ = self.is_vouched_for.set(());
    }

    /// Whether the request has a valid key.
    #[must_use]
    pub fn has_key(&self) -> bool {
        matches!(self.rights, Ok(Rights::Key(_)))
    }

    /// What was permitted that belongs in an operator's log: who, what, and which queue.
    #[must_use]
    pub fn audit(&self) -> Option<&str> {
        self.audit.get().map(String::as_str)
    }

    fn rights(&self) -> Result<&Rights, Denied> {
        match self.rights.as_ref().map_err(|denied| *denied)? {
            Rights::Nothing if self.is_vouched_for.get().is_some() => Ok(&Rights::Everything),
            rights => Ok(rights),
        }
    }

    fn note(&self, operation: Operation, queue: &QueueName) {
        let who = match &self.rights {
            Ok(Rights::Key(key)) => format!("key {:?}", key.name()),
            Ok(Rights::Nothing) => "a login of RestMQ".to_owned(),
            // Where nobody is asked who they are, there is nothing to tell.
            _ => return,
        };
        let line = format!("{who} did {:?} on queue {:?}", operation.route(), queue.stored());
        // A request does one thing to one queue.
        let _ = self.audit.set(line);
    }
}
