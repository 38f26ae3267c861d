//! The rules that are the same where a queue has several partitions: the same tests, on a queue with three. `Work` knows by the test's
//! name.

// The same tests.
#![allow(clippy::duplicate_mod)]

use super::*;

#[path = "lease.rs"]
mod lease;
#[path = "unique.rs"]
mod unique;
