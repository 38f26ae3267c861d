//! The page on which people see the queues; and what RestMQ has at its address.

use presque::dialect::dashboard::File;
use presque::dialect::legacy_routes;
use presque::spin;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

/// The page's files.
const FILES: &[File] = &include!(concat!(env!("OUT_DIR"), "/files.rs"));

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin::serve_legacy(request, async |request, context, access| {
        legacy_routes::index(request, context, access, FILES).await
    })
    .await
}
