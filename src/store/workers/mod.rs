//! Workers: legacy ones, which register, and those that claim by name.

mod registered;
mod seen;

pub use registered::{QueueWorkers, Worker};
pub use seen::SeenWorker;
