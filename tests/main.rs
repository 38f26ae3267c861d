//! All tests that need more than pure rules: the store against a real Redis, and the built components on the host
//! against a real Redis, over HTTP. Each test has its own Redis, host and port.
//!
//! `cargo xtask test` builds the components and the host's command first.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test that meets the unexpected fails, and nothing uses these modules from outside"
)]

mod conformance;
mod e2e;
mod model;
mod parsing;
mod soak;
mod store;
mod support;
