//! The wire protocols. Each is a thin translation: read the request, call one store operation, write the answer.

pub mod beside;
pub mod presque;
pub mod restmq;
pub mod v1;
