//! The wire protocols. Each is a thin translation, whose handlers share three verbs: parse the request, run an operation of
//! the store, render the response.

pub mod dashboard;
pub mod legacy_routes;
pub mod metrics;
pub mod presque;
pub mod restmq;
pub mod v1;
