//! What the tests stand on: all of the testkit, and what needs the library itself: its store on a real Redis, a clock to
//! set, and what must hold of the keys.

mod acl;
mod clock;
mod invariants;
mod native;

pub use acl::{host_on_cluster, login_of_cluster, rule, url_of_user};
pub use clock::{Clock, Clocked};
pub use invariants::{assert_cluster_sound, assert_sound};
pub use native::{Native, NativeStore};
pub use presque_testkit::*;
