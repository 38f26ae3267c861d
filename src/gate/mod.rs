//! Who may do what. Each request passes here before a dialect looks at it.
//!
//! [`Gate::enter`] looks at a request's head and finds out who sent it. What that [`Caller`] may do is asked for by the
//! handlers, each with the [`Operation`] that it carries out, since only they know which queues a request names.

mod attempts;
mod base64;
mod browser;
mod caller;
mod head;
mod keys;
mod operation;

pub use attempts::Attempts;
pub use caller::{CHALLENGES, Caller, Denied, Grant, NotGiven};
pub use keys::{Key, Keys};
pub use operation::{Operation, Scope};

use crate::queue::Timestamp;
use browser::{Hosts, Origins, is_preflight};
use caller::Rights;
use head::Head;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use std::borrow::Cow;
use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// How many keys are remembered as they were sent.
const MAX_REMEMBERED: usize = 8;

/// What a deployment says of who may do what.
#[derive(Debug, Default)]
pub struct Gate {
    keys: Keys,
    origins: Origins,
    hosts: Hosts,
    is_closed: bool,
    /// Keys that were found lately, as they were sent: a digest costs more than all the rest that happens here.
    remembered: RefCell<Vec<(Vec<u8>, Arc<Key>)>>,
}

/// What was found at the gate.
#[derive(Debug)]
pub struct Entry {
    /// Who sent the request.
    pub caller: Caller,
    /// Headers that the response is to have beside its own.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether a browser only asks what a page may send: no handler is needed, and the response has no content.
    pub is_preflight: bool,
    /// Whether a script of a page in a browser sent it. A browser that is asked for a login of HTTP Basic asks its user for one,
    /// and the script waits.
    pub is_by_script: bool,
    /// What an operator should know of a key that did not open: a line for the log.
    pub warning: Option<String>,
}

impl Gate {
    /// A gate as the variables of a deployment describe it, all of which may be empty: `keys` as [`Keys::parse`] reads them;
    /// `allowed_origins`, the sites other than this whose pages may send requests; and `allowed_hosts`, the names under which
    /// this may be called. The last two are lists with commas or white space between their items.
    ///
    /// # Errors
    /// What is wrong with which of them, without what could be a secret.
    pub fn new(keys: &str, allowed_origins: &str, allowed_hosts: &str) -> Result<Self, String> {
        Ok(Self {
            keys: Keys::parse(keys).map_err(|error| format!("keys, {error}"))?,
            origins: Origins::parse(allowed_origins).map_err(|error| format!("allowed_origins: {error}"))?,
            hosts: Hosts::parse(allowed_hosts).map_err(|error| format!("allowed_hosts: {error}"))?,
            ..Self::default()
        })
    }

    /// A gate through which nobody comes: where it is not known who may.
    #[must_use]
    pub fn closed() -> Self {
        Self {
            is_closed: true,
            ..Self::default()
        }
    }

    /// Looks at a request's head. `now` is asked for the time when a key has an end.
    #[must_use]
    pub fn enter<B>(&self, request: &Request<B>, now: impl Fn() -> Timestamp) -> Entry {
        let head = Head::of(request);
        let (rights, warning) = match self.rights(&head, &now) {
            Ok((rights, warning)) => (Ok(rights), warning),
            Err(denied) => (Err(denied), None),
        };
        Entry {
            is_preflight: rights.is_ok() && is_preflight(&head),
            is_by_script: head.is_by_script(),
            caller: Caller::new(rights),
            headers: self.origins.headers(&head),
            warning,
        }
    }

    fn rights(&self, head: &Head<'_>, now: &impl Fn() -> Timestamp) -> Result<(Rights, Option<String>), Denied> {
        if self.is_closed {
            return Err(Denied::NotConfigured);
        }
        if head.host.has_more {
            return Err(Denied::AmbiguousHost);
        }
        if !self.hosts.admit(head) {
            return Err(Denied::OtherHost);
        }
        if !self.origins.admit(head) {
            return Err(Denied::OtherSite);
        }
        if self.keys.is_empty() {
            return Ok((Rights::Everything, None));
        }
        let mut warning = None;
        for sent in sent_keys(head) {
            warning = Some(match self.find(&sent) {
                Some(key) if key.has_expired(now) => format!("the key {:?} has ended", key.name()),
                Some(key) => return Ok((Rights::Key(key), None)),
                None => "a key that is not in the list".to_owned(),
            });
        }
        Ok((Rights::Nothing, warning))
    }

    fn find(&self, sent: &[u8]) -> Option<Arc<Key>> {
        let mut remembered = self.remembered.borrow_mut();
        let known = remembered.iter().find(|(known, _)| known.ct_eq(sent).into());
        if let Some((_, key)) = known {
            return Some(key.clone());
        }
        let key = self.keys.find(sent)?;
        if remembered.len() >= MAX_REMEMBERED {
            remembered.remove(0);
        }
        remembered.push((sent.to_vec(), key.clone()));
        Some(key)
    }
}

/// The keys that a request carries: as a bearer token or the password of HTTP Basic, and in a header of their own.
fn sent_keys<'a>(head: &Head<'a>) -> impl Iterator<Item = Cow<'a, [u8]>> {
    let bearer = || {
        let (scheme, token) = head.authorization.text()?.split_once(' ')?;
        let is_bearer = scheme.eq_ignore_ascii_case("bearer");
        is_bearer.then(|| Cow::Borrowed(token.trim().as_bytes()))
    };
    let password = || {
        let login = login_in(head.authorization.first?)?;
        let colon = login.iter().position(|&byte| byte == b':')?;
        Some(Cow::Owned(login.get(colon + 1..)?.to_vec()))
    };
    let own = head.api_key.first.map(|key| Cow::Borrowed(key.as_bytes()));
    let sent = bearer().or_else(password).into_iter().chain(own);
    sent.filter(|key| !key.is_empty())
}

/// The login that a request carries, `user:password`, as HTTP Basic has it (RFC 7617).
pub(crate) fn basic_login(headers: &HeaderMap) -> Option<Vec<u8>> {
    login_in(headers.get(AUTHORIZATION)?)
}

fn login_in(authorization: &HeaderValue) -> Option<Vec<u8>> {
    let (scheme, text) = authorization.to_str().ok()?.split_once(' ')?;
    let is_basic = scheme.eq_ignore_ascii_case("basic");
    is_basic.then(|| base64::decode(text.trim())).flatten()
}

/// The address that the platform says a request came from. A client can send that header too, and its value comes first.
#[must_use]
pub fn client_address(headers: &HeaderMap) -> Option<IpAddr> {
    let value = headers.get_all("spin-client-addr").iter().next_back()?;
    let address: SocketAddr = value.to_str().ok()?.parse().ok()?;
    Some(address.ip())
}
