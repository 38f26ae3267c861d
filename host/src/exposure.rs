//! Who can reach an application, and what it asks of them.
//!
//! An application may have a variable `keys`, which says who may do what, and a variable `allowed_hosts`, the names under which
//! it may be called. Both are open when they are empty.

use crate::flags::Flags;
use crate::manifest::Manifest;
use crate::redis_address::bracketed;
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
    if !address.ip().is_loopback() || !is_empty(manifest, sources, ALLOWED_HOSTS)? {
        return Ok(None);
    }
    let own = bracketed(&address.ip().to_string());
    Ok(Some((ALLOWED_HOSTS.to_owned(), format!("{LOOPBACK_NAMES} {own}"))))
}

/// Refuses to serve an application beyond this machine that asks nobody for a key, unless that is wanted.
pub(crate) fn check(manifest: &Manifest, sources: &Sources, address: SocketAddr, flags: &Flags) -> Result<()> {
    if address.ip().is_loopback() || !is_empty(manifest, sources, KEYS)? {
        return Ok(());
    }
    let risk = "whoever reaches it may do everything: the variable `keys` is empty";
    if !flags.open {
        let allow = flags.open_flag;
        bail!("will not listen on {address}, since {risk}. Set it, or say {allow} where nobody else can reach it");
    }
    tracing::warn!("listening on {address}, and {risk}");
    Ok(())
}

/// Whether the manifest has this variable, and neither anything given nor the default there says a value.
fn is_empty(manifest: &Manifest, sources: &Sources, name: &str) -> Result<bool> {
    let Some(declared) = manifest.variables.get(name) else {
        return Ok(false);
    };
    let value = sources.value(name)?.or_else(|| declared.default.clone());
    Ok(value.is_none_or(|value| value.trim().is_empty()))
}
