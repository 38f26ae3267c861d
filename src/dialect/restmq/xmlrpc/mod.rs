//! `/xmlrpc`: messages in and out by remote calls, `set(queue, value)` and `get(queue)`.
//!
//! An error is a fault, whose status is 200: clients read nothing else.

mod document;
mod request;
mod response;

use super::access::Access;
use super::messages::{post, take};
use super::request::max_message_body_bytes;
use super::{Refusal, respond_options};
use crate::gate::Operation;
use crate::queue::QueueName;
use crate::store::Redis;
use crate::web::{Context, Request, Response, with_body, with_type};
use http::{Method, StatusCode};
use request::{Call, parse};
use response::{fault, key, message};

const METHODS: &str = "OPTIONS, POST";

/// The fault of an unknown method.
const NO_FUNCTION: u16 = 8001;

/// Any other fault.
const FAILURE: u16 = 8002;

/// Responds to a request to `/xmlrpc`.
pub(super) async fn respond<R: Redis>(
    request: &mut Request,
    context: &Context<R>,
    access: &Access,
) -> Result<Response, Refusal> {
    if request.path() != "/xmlrpc" {
        return Err(Refusal::NotFound);
    }
    match *request.method() {
        Method::POST => {
            access.producer.check(request.headers(), &context.caller)?;
            // Only the body says what is to be done, and to which queue.
            context.caller.check_key()?;
            let body = request.body(max_message_body_bytes(&context.limits)).await?;
            let text = run(parse(&body), context).await?;
            Ok(with_type(with_body(StatusCode::OK, text), "text/xml"))
        }
        Method::OPTIONS => Ok(respond_options(METHODS)),
        _ => Err(Refusal::MethodNotAllowed(METHODS)),
    }
}

async fn run<R: Redis>(call: Result<Call, String>, context: &Context<R>) -> Result<String, Refusal> {
    let error = || fault(FAILURE, "error");
    let done = match call {
        Ok(Call::Set { queue, value }) => set(&queue, &value, context).await,
        Ok(Call::Get { queue }) => {
            let taken = get(&queue, context).await;
            taken.map(|taken| taken.map_or_else(error, |(key, value)| message(&key, &value)))
        }
        Ok(Call::WrongArguments) => Ok(error()),
        Ok(Call::Unknown(method)) => Ok(fault(NO_FUNCTION, &format!("function {method} not found"))),
        Err(why) => Ok(fault(FAILURE, &format!("Can't deserialize input: {why}"))),
    };
    match done {
        Err(Refusal::BadRequest) => Ok(error()),
        done => done,
    }
}

async fn set<R: Redis>(queue: &[u8], value: &[u8], context: &Context<R>) -> Result<String, Refusal> {
    let queue = context.caller.queue(Operation::RestmqCallSet, QueueName::new(queue)?)?;
    Ok(key(&post(context, &queue, value, None).await?))
}

async fn get<R: Redis>(queue: &[u8], context: &Context<R>) -> Result<Option<(String, Vec<u8>)>, Refusal> {
    let queue = context.caller.queue(Operation::RestmqCallGet, QueueName::new(queue)?)?;
    take(context, &queue).await
}
