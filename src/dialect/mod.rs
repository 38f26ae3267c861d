//! The wire protocols. Each is a thin translation: read the request, call one store operation, write the answer.

pub mod presque;
pub mod v1;
