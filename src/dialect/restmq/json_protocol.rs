//! `/queue` and `/queue/{queue}`: commands as JSON objects.

use super::access::Access;
use super::messages::{key_of, post, redirect, take};
use super::request::{max_message_body_bytes, parse_fields, parse_queue};
use super::text::{html_response, json_response, spaced};
use super::value::to_value;
use super::{Refusal, respond_options};
use crate::gate::Operation;
use crate::queue::QueueName;
use crate::store::{Effect, Redis, RedisError};
use crate::web::json::members;
use crate::web::{Context, Request, Response, is_json};
use bytes::Bytes;
use http::Method;
use serde_bytes::ByteBuf;

const METHODS: &str = "GET, HEAD, OPTIONS, POST";

/// Responds to a request to `/queue` or `/queue/{queue}`.
pub(super) async fn respond<R: Redis>(
    request: &mut Request,
    context: &Context<R>,
    access: &Access,
) -> Result<Response, Refusal> {
    match *request.method() {
        Method::GET | Method::HEAD => {
            access.producer.check(request.headers(), &context.caller)?;
            Ok(redirect("/"))
        }
        Method::POST => {
            access.producer.check(request.headers(), &context.caller)?;
            // Only the body says what is to be done, and to which queue.
            context.caller.check_key()?;
            let text = parse_text(request, context).await?;
            let queue = parse_queue(request, "/queue")?;
            match run(&text, queue, context).await {
                Ok(answer) => Ok(json_response(answer)),
                Err(Failure::UnknownCommand) => Ok(html_response(render_error("null resultset"))),
                Err(Failure::Error(why)) => Ok(json_response(render_error(&why))),
                Err(Failure::Refused(Refusal::Store(Effect::NotApplied | Effect::Unavailable | Effect::Unknown))) => {
                    Ok(json_response(render_error("Not connected")))
                }
                Err(Failure::Refused(refusal)) => Err(refusal),
            }
        }
        Method::OPTIONS => Ok(respond_options(METHODS)),
        _ => Err(Refusal::MethodNotAllowed(METHODS)),
    }
}

/// The command's JSON text: the body, or a field of it.
async fn parse_text<R>(request: &mut Request, context: &Context<R>) -> Result<Bytes, Refusal> {
    let limit = max_message_body_bytes(&context.limits);
    if is_json(request.headers()) {
        return Ok(request.body(limit).await?);
    }
    let fields = parse_fields(request, limit).await?;
    let command = fields.get("body").or_else(|| fields.get("msg"));
    Ok(Bytes::copy_from_slice(command.ok_or(Refusal::BadRequest)?))
}

/// Why a command gives no result.
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    UnknownCommand,
    /// With the text of the error.
    Error(String),
    Refused(Refusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Add,
    Get,
    Take,
    Del,
}

impl Verb {
    fn operation(self) -> Operation {
        match self {
            Self::Add => Operation::RestmqCommandAdd,
            Self::Get => Operation::RestmqCommandGet,
            Self::Take => Operation::RestmqCommandTake,
            Self::Del => Operation::RestmqCommandDel,
        }
    }
}

/// What every command has, and the members that only some have, with their bytes.
#[derive(Debug, PartialEq, Eq)]
struct Command<'a> {
    verb: Verb,
    queue: QueueName,
    value: Option<&'a [u8]>,
    key: Option<&'a [u8]>,
}

impl<'a> Command<'a> {
    fn parse(text: &'a [u8], queue_in_path: Option<QueueName>) -> Result<Self, Failure> {
        let found = members(text, ["cmd", "queue", "value", "key"]);
        let Some([Some(cmd), queue, value, key]) = found else {
            return Err(Refusal::BadRequest.into());
        };
        let verb = match string(cmd).as_deref() {
            Some(b"add") => Verb::Add,
            Some(b"get") => Verb::Get,
            Some(b"take") => Verb::Take,
            Some(b"del") => Verb::Del,
            _ => return Err(Failure::UnknownCommand),
        };
        let queue = match (queue, queue_in_path) {
            (Some(name), _) => QueueName::new(string_member("queue", Some(name))?).map_err(Refusal::from)?,
            (None, Some(queue)) => queue,
            (None, None) => return Err(missing("queue")),
        };
        Ok(Self {
            verb,
            queue,
            value,
            key,
        })
    }
}

/// Runs a command, and gives the text of the response.
async fn run<R: Redis>(text: &[u8], queue_in_path: Option<QueueName>, context: &Context<R>) -> Result<String, Failure> {
    let Command {
        verb,
        queue,
        value,
        key,
    } = Command::parse(text, queue_in_path)?;
    let queue = context.caller.queue(verb.operation(), queue).map_err(Refusal::from)?;
    let name = queue.as_str().as_bytes();
    Ok(match verb {
        Verb::Add => {
            let value = value.ok_or_else(|| missing("value"))?;
            let value = string(value).unwrap_or_else(|| value.to_vec());
            let key = post(context, &queue, &value, None).await?;
            spaced(|o| {
                o.text("queue", name).text("value", value).text("key", key);
            })
        }
        Verb::Get => {
            let shown = context.store.show_next(&queue).await?;
            let (job, count) = shown.ok_or_else(empty)?;
            let value = to_value(&job.payload, job.is_text);
            spaced(|o| {
                o.text("queue", name).plain("count", count).text("value", value);
                o.text("key", key_of(&queue, &job.id));
            })
        }
        Verb::Take => {
            let (key, value) = take(context, &queue).await?.ok_or_else(empty)?;
            spaced(|o| {
                o.text("queue", name).text("value", value).text("key", key);
            })
        }
        Verb::Del => {
            let key = string_member("key", key)?;
            let deleted = match number_in(&key, &queue) {
                Some(number) => context.store.remove_number(&queue, number).await?,
                None => false,
            };
            spaced(|o| {
                o.text("queue", name).plain("deleted", deleted).text("key", key);
            })
        }
    })
}

/// The number of the message of this queue that has this key.
fn number_in(key: &[u8], queue: &QueueName) -> Option<u64> {
    let number = key.strip_prefix(queue.as_str().as_bytes())?.strip_prefix(b":")?;
    let is_plain = number.iter().all(u8::is_ascii_digit) && !number.starts_with(b"0");
    std::str::from_utf8(number).ok().filter(|_| is_plain)?.parse().ok()
}

/// The bytes that a JSON string stands for, `None` when this is no string.
fn string(json: &[u8]) -> Option<Vec<u8>> {
    let is_string = json.starts_with(b"\"");
    let bytes: ByteBuf = is_string.then(|| serde_json::from_slice(json).ok()).flatten()?;
    Some(bytes.into_vec())
}

fn string_member(name: &str, member: Option<&[u8]>) -> Result<Vec<u8>, Failure> {
    let member = member.ok_or_else(|| missing(name))?;
    string(member).ok_or_else(|| Failure::Error(format!("'{name}' must be a string")))
}

fn missing(name: &str) -> Failure {
    Failure::Error(format!("'{name}'"))
}

fn empty() -> Failure {
    Failure::Error("empty queue".into())
}

fn render_error(why: &str) -> String {
    spaced(|o| {
        o.text("error", why);
    })
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        Self::Refused(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> QueueName {
        QueueName::new(name).unwrap()
    }

    fn error(why: &str) -> Failure {
        Failure::Error(why.into())
    }

    #[test]
    fn a_command_has_its_members_with_their_bytes_and_the_last_of_two_counts() {
        let text = br#" {"queue":"P","cmd":"get","x":{"cmd":1},"\u0063md":"add","value":{"a" : 1.50},"queue":"Q"} "#;
        let command = Command {
            verb: Verb::Add,
            queue: name("Q"),
            value: Some(br#"{"a" : 1.50}"#),
            key: None,
        };
        assert_eq!(Command::parse(text, Some(name("R"))), Ok(command));
        let command = Command::parse(br#"{"cmd":"take"}"#, Some(name("R"))).unwrap();
        assert_eq!((command.verb, command.queue), (Verb::Take, name("R")));
    }

    #[test]
    fn what_is_wrong_with_a_command_is_told_in_order() {
        let deep = format!("{{\"cmd\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let long = format!("{{\"cmd\":\"add\",\"queue\":\"{}\"}}", "q".repeat(513));
        let refused = || Failure::from(Refusal::BadRequest);
        for (text, failure) in [
            ("", refused()),
            ("{nope", refused()),
            ("[1]", refused()),
            ("\"cmd\"", refused()),
            ("{}", refused()),
            ("{\"queue\":1}", refused()),
            ("{\"cmd\":null}", Failure::UnknownCommand),
            ("{\"cmd\":\"ADD\"}", Failure::UnknownCommand),
            ("{\"cmd\":[\"add\"]}", Failure::UnknownCommand),
            ("{\"cmd\":[97,100,100]}", Failure::UnknownCommand),
            (&deep, Failure::UnknownCommand),
            ("{\"cmd\":\"add\"}", error("'queue'")),
            ("{\"cmd\":\"add\",\"queue\":7}", error("'queue' must be a string")),
            ("{\"cmd\":\"add\",\"queue\":null}", error("'queue' must be a string")),
            ("{\"cmd\":\"add\",\"queue\":\"\"}", refused()),
            ("{\"cmd\":\"add\",\"queue\":\"a\\n\"}", refused()),
            (&long, refused()),
        ] {
            assert_eq!(Command::parse(text.as_bytes(), None), Err(failure), "{text}");
        }
    }

    #[test]
    fn a_key_is_the_queues_name_and_a_number() {
        let queue = name("a:1");
        assert_eq!(number_in(b"a:1:12", &queue), Some(12));
        for key in [
            "",
            "a:1",
            "a:1:",
            "a:1:0",
            "a:1:01",
            "a:1:+1",
            "a:1: 1",
            "a:1:1x",
            "b:1:1",
            "a:1:99999999999999999999",
        ] {
            assert_eq!(number_in(key.as_bytes(), &queue), None, "{key}");
        }
    }

    #[test]
    fn only_a_json_string_is_a_string_and_its_bytes_need_not_be_utf8() {
        assert_eq!(string(br#""a\u00e9\"""#).unwrap(), "aé\"".as_bytes());
        assert_eq!(string(b"\"\xe9\"").unwrap(), b"\xe9");
        assert!(string(br#""\ud800""#).is_some());
        for json in ["1", "null", "[97]", "{}", "true"] {
            assert_eq!(string(json.as_bytes()), None);
        }
    }
}
