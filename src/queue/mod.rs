//! What a job queue is: names, jobs, times, limits. Pure rules, without I/O, a clock or a dialect.

mod job;
mod limits;
mod name;
mod policy;
pub mod rfc3339;
mod settings;
mod status;
mod timestamp;

pub use job::{Backoff, Due, Hold, JobId, Priority, Receipt, State, Unique};
pub use limits::Limits;
pub use name::{NameError, QueueName};
pub use policy::Policy;
pub use settings::Settings;
pub use status::Status;
pub use timestamp::Timestamp;
