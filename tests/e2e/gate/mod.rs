//! Who may do what: keys, browsers, hosts, tenants.

pub mod calls;
mod contract;
mod hosts;
mod keys;
mod tenants;

use crate::support::{Host, HostOptions, Redis};
use sha2::{Digest, Sha256};

/// A line of the list of keys, for a key whose text is its name.
pub(super) fn line(name: &str, more: &str) -> String {
    format!("{name} sha256:{:x} {more}", Sha256::digest(name))
}

/// A host with these lines as its list of keys, whose instances live as long as it does.
pub(super) fn host_with(redis: &Redis, lines: &[String]) -> Host {
    let keys = format!("keys={}", lines.join(";"));
    Host::start(HostOptions {
        redis_url: Some(redis.url()),
        args: &["--variable", &keys, "--log-level", "info"],
        ..HostOptions::default()
    })
}
