//! Whether a queue hands out its jobs: `/control/{queue}`.

use presque::dialect::legacy_routes;
use presque::spin;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin::serve_legacy(request, legacy_routes::control).await
}
