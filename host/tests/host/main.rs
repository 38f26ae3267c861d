//! The command `presque-host` as its users meet it: each test starts it as a process of its own and serves a small
//! application with it. All are in one binary, since each would link all of wasmtime.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking, and its name says what it is for"
)]

mod bodies;
mod clients;
mod command;
mod connections;
mod failures;
mod instances;
mod limits;
mod log;
mod private_redis;
mod redis;
mod routing;
mod shutdown;
mod start_check;
mod streams;
mod support;
mod variables;
