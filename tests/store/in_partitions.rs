//! The rules that are the same where a queue has several partitions: the same tests, on a queue with three. `Work` knows by the test's
//! name.

// The same tests.
#![allow(clippy::duplicate_mod)]

use super::*;

#[path = "claim.rs"]
mod claim;
#[path = "endings.rs"]
mod endings;
#[path = "history.rs"]
mod history;
#[path = "lease.rs"]
mod lease;
#[path = "legacy.rs"]
mod legacy;
#[path = "numbers.rs"]
mod numbers;
#[path = "show_next.rs"]
mod show_next;
#[path = "take_next.rs"]
mod take_next;
#[path = "unique.rs"]
mod unique;
