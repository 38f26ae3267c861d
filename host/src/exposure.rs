//! Who can reach an application, and what it asks of them.
//!
//! An application may have a variable `keys`, which says who may do what, and a variable `allowed_hosts`, the names under which
//! it may be called. Both are open when they are empty.

use crate::manifest::Manifest;
use crate::variables::Sources;
use anyhow::{Result, bail};
use std::net::SocketAddr;

const KEYS: &str = "keys";
const ALLOWED_HOSTS: &str = "allowed_hosts";

/// What the application is called on the loopback. A web page could get there under a name of its own, which it lets point to
/// the loopback ("DNS rebinding").
const LOOPBACK_NAMES: &str = "localhost 127.0.0.1 [::1]";

/// The value of `allowed_hosts` where the application listens on the loopback and nothing says another.
pub(crate) fn loopback_names(
    manifest: &Manifest,
    sources: &Sources,
    address: SocketAddr,
) -> Result<Option<(String, String)>> {
    let is_asked = manifest.variables.contains_key(ALLOWED_HOSTS) && address.ip().is_loopback();
    if !is_asked
        || sources
            .value(ALLOWED_HOSTS)?
            .is_some_and(|given| !given.trim().is_empty())
    {
        return Ok(None);
    }
    Ok(Some((ALLOWED_HOSTS.to_owned(), LOOPBACK_NAMES.to_owned())))
}

/// Refuses to serve an application beyond this machine that asks nobody for a key, unless that is wanted.
pub(crate) fn check(manifest: &Manifest, sources: &Sources, address: SocketAddr, is_wanted: bool) -> Result<()> {
    let Some(declared) = manifest.variables.get(KEYS).filter(|_| !address.ip().is_loopback()) else {
        return Ok(());
    };
    let keys = sources.value(KEYS)?.or_else(|| declared.default.clone());
    if keys.is_some_and(|keys| !keys.trim().is_empty()) {
        return Ok(());
    }
    let risk = "whoever reaches it may do everything: the variable `keys` is empty";
    if !is_wanted {
        bail!("will not listen on {address}, since {risk}. Set it, or say --open where nobody else can reach it");
    }
    tracing::warn!("listening on {address}, and {risk}");
    Ok(())
}
