//! Numbers for Prometheus and what reads the same: `/metrics`.

use presque::dialect::metrics;
use presque::spin;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin::serve(request, metrics::handle).await
}
