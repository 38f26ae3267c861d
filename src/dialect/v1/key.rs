//! `GET /v1/key`: what the key of the request is for.

use super::problem::Problem;
use super::respond;
use crate::store::Redis;
use crate::web::json::push_string;
use crate::web::{Context, Response};
use http::StatusCode;

pub(super) fn show<R: Redis>(context: &Context<R>) -> Result<Response, Problem> {
    let grant = context.caller.grant()?;
    Ok(respond(StatusCode::OK, |o| {
        o.array("scopes", grant.scopes, |out, scope| {
            push_string(out, scope.name().as_bytes())
        });
        o.array("queues", grant.queues, |out, pattern| {
            push_string(out, pattern.as_bytes())
        });
    }))
}
