//! What can be done with queues: counted, described, set, listed, deleted, waited for.

mod catalog;
mod counts;
mod delete;
mod health;
mod history;
mod largest;
mod overview;
mod partitions;
mod settings;
mod tour;
mod wakeup;

pub use catalog::NameList;
pub use counts::Counts;
pub(in crate::store) use counts::sum;
pub use delete::Delete;
pub use health::{Fsync, Health, Persistence};
pub use history::{History, Minute};
pub use largest::Largest;
pub use overview::{Known, MAX_LOOKED_AT, Summary, WAIT_BOUNDS, Waits};
pub use settings::{Condition, Configured, Description, EffectiveSettings, LastMinute, Totals};
