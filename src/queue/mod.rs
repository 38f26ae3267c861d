//! What a job queue is: names, times, limits. Pure rules, without I/O, a clock or a dialect.

mod limits;
mod name;
mod status;
mod timestamp;

pub use limits::Limits;
pub use name::{NameError, QueueName};
pub use status::Status;
pub use timestamp::Timestamp;
