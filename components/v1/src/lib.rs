//! The API of `/v1`: jobs under leases.

use presque::dialect::v1;
use presque::spin;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin::serve(request, v1::handle).await
}
