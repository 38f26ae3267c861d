//! What can be done with queues: counted, described, set, listed, deleted, waited for.

mod catalog;
mod counts;
mod delete;
mod health;
mod history;
mod overview;
mod settings;
mod wakeup;

pub use catalog::NameList;
pub use counts::Counts;
pub use delete::Delete;
pub use health::{Fsync, Health, Persistence};
pub use history::{History, Minute};
pub use overview::{MAX_LOOKED_AT, Summary};
pub use settings::{Condition, Configured, Description, EffectiveSettings, LastMinute, Totals};
