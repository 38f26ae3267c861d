//! Jobs in and out, one or many at a time: `/q/{queue}`, `/qb/{queue}`.

use presque::dialect::beside;
use presque::spin;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin::serve(request, beside::queue).await
}
