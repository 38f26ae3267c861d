//! The command against the real server on a real Redis.

mod commands;
mod support;
