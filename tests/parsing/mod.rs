//! Whatever is sent, the handlers answer it: natively, with a Redis that is away, so that only the reading of requests
//! is at work.

mod restmq;
mod v1;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use presque::dialect::presque::{control, queue, status, worker};
use presque::gate::Caller;
use presque::queue::Limits;
use presque::store::{Redis, RedisError, Reply, Store};
use presque::web::{Context, Response, json};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

/// A Redis that is away.
struct Away;

impl Redis for Away {
    async fn command(&self, _name: &str, _args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        Err(RedisError::Unreachable("away".into()))
    }

    async fn blocking(&self, name: &str, args: &[&[u8]], _: std::time::Duration) -> Result<Vec<Reply>, RedisError> {
        self.command(name, args).await
    }
}

/// What the group's handler answers.
fn answer(group: &str, request: Request<Full<Bytes>>) -> Response {
    let context = Context {
        store: Store::new(Away),
        limits: Limits {
            max_job_bytes: 1000,
            ..Limits::default()
        },
        caller: Caller::unrestricted(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        match group {
            "q" | "qb" => queue::handle(request, &context).await,
            "control" => control::handle(request, &context).await,
            "w" => worker::handle(request, &context).await,
            _ => status::handle(request, &context).await,
        }
    })
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((".{0,4}", inner), 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_request_has_an_answer_that_is_no_500(
        group in prop::sample::select(vec!["q", "qb", "control", "status", "j", "w"]),
        method in prop::sample::select(vec!["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "X"]),
        name in "[/a-z0-9%+.~:é-]{0,20}",
        query in "[?&=a-z_%0-9+.-]{0,60}",
        media in prop::option::of("(application/json|application/x-www-form-urlencoded|[ -~]{0,20})"),
        worker in prop::option::of(vec(0x20_u8..0x7f, 0..2000)),
        body in prop_oneof![
            vec(any::<u8>(), 0..1200),
            "[{}\\[\\]\",:a-z0-9\\\\ ]{0,80}".prop_map(String::into_bytes),
            json_value().prop_map(|value| value.to_string().into_bytes()),
        ],
    ) {
        let target = format!("/{group}/{name}?{query}");
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap());
        if let Some(media) = media {
            request = request.header("content-type", media);
        }
        if let Some(worker) = worker {
            request = request.header("x-presque-workerid", worker);
        }
        // What is no URI never reaches a handler.
        if let Ok(request) = request.uri(target).body(Full::new(Bytes::from(body))) {
            let answer = answer(group, request);
            let status = answer.status().as_u16();
            prop_assert!(status < 500 || status == 503, "{status}");
            prop_assert_eq!(answer.headers().get("content-type").unwrap(), "application/json");
        }
    }

    #[test]
    fn the_elements_of_a_list_are_those_that_a_json_parser_finds(
        elements in vec(json_value(), 0..8),
        others in vec((".{0,6}", json_value()), 0..4),
    ) {
        let mut members: serde_json::Map<String, Value> = others.into_iter().collect();
        members.insert("jobs".into(), Value::from(elements.clone()));
        for text in [
            Value::Object(members.clone()).to_string(),
            serde_json::to_string_pretty(&members).unwrap(),
        ] {
            let found = json::list_member(text.as_bytes(), "jobs").unwrap();
            let found: Vec<Value> = found.iter().map(|part| serde_json::from_slice(part).unwrap()).collect();
            prop_assert_eq!(&found, &elements);
        }
    }

    #[test]
    fn any_bytes_are_a_list_member_or_an_error(text in vec(any::<u8>(), 0..200), tail in "[{}\\[\\]\",:jobs ]{0,60}") {
        let _ = json::list_member(&text, "jobs");
        let _ = json::list_member(tail.as_bytes(), "jobs");
    }

    #[test]
    fn any_text_reads_back_from_its_json_string(text in ".*") {
        let read: String = serde_json::from_str(&json::string(text.as_bytes())).unwrap();
        prop_assert_eq!(read, text);
    }

    #[test]
    fn any_bytes_make_a_json_string(bytes in vec(any::<u8>(), 0..100)) {
        prop_assert!(serde_json::from_str::<String>(&json::string(&bytes)).is_ok());
    }
}
