//! What can be done with queues: counted, described, set, listed, deleted, waited for.

mod catalog;
mod counts;
mod delete;
mod health;
mod settings;
mod wakeup;

pub use catalog::NameList;
pub use counts::Counts;
pub use delete::Delete;
pub use health::Health;
pub use settings::{Condition, Configured, Description, EffectiveSettings, LastMinute, Totals};
