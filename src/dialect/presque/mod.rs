//! The presque dialect of 2010: jobs in JSON, workers that are named by a header. One module per route group.

pub mod queue;
mod refusal;

use refusal::Refusal;
