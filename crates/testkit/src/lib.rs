//! What the tests of this workspace share: the host's command, Redis and a cluster of it as child processes, an HTTP client that holds
//! answers to docs/openapi.yaml, a proxy that breaks connections.
//!
//! All of it panics where something unexpected happens, as a test does. Nothing here needs wasmtime: the host is found
//! where Cargo puts it, `target/<profile>/presque-host`, and must have been built before (`cargo xtask test` does so).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails"
)]

mod client;
mod cluster;
mod crd;
mod document;
mod host;
mod listener;
mod openapi;
mod proxy;
mod redis;
mod schema;
mod wait;

pub use client::{Answer, Body, Client, piecewise};
pub use cluster::{Cluster, Migration, Node};
pub use crd::Definitions;
pub use document::{documents, run_document};
pub use host::{Host, HostOptions, command_path, isolate, target_dir};
pub use listener::Listener;
pub use openapi::{operations, yaml};
pub use proxy::{Cut, Proxy};
pub use redis::{Commands, Redis, other_connections, query};
pub use wait::{PATIENCE, eventually, patiently, until};
