//! The first page: the queues; and what RestMQ has at this address.

use presque::dialect::legacy_routes;
use presque::spin;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin::serve_legacy(request, legacy_routes::index).await
}
