//! `/v1`: whatever is sent, the answer is none or JSON, and an error is a problem.

use super::{Away, json_value};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use presque::dialect::v1;
use presque::gate::Caller;
use presque::queue::{Limits, Timestamp, rfc3339};
use presque::store::Store;
use presque::web::Context;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::Value;

/// What the handler answers: status, type, body.
fn answer(request: Request<Full<Bytes>>) -> (u16, String, Bytes) {
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
        let (parts, body) = v1::handle(request, &context).await.into_parts();
        let media = parts.headers["content-type"].to_str().unwrap().to_owned();
        (parts.status.as_u16(), media, body.collect().await.unwrap().to_bytes())
    })
}

/// Members that requests know, with values that may fit.
fn members() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "payload",
        "delay",
        "run_at",
        "priority",
        "max_attempts",
        "backoff",
        "kind",
        "max",
        "timeout",
        "expires_in",
        "unique",
        "key",
        "while",
        "for",
        "metadata",
        "jobs",
        "count",
        "lease",
        "worker",
        "wait",
        "acks",
        "receipt",
        "result",
        "queues",
        "error",
        "dead",
        "failed",
        "nacks",
        "extensions",
        "progress",
        "ids",
        "limit",
        "retain",
        "paused",
        "max_bytes",
        "legacy_delivery",
        "partitions",
        "x",
    ]);
    let leaf = prop_oneof![
        any::<f64>().prop_map(Value::from),
        (0..20_u64).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        prop::sample::select(vec![
            "fixed",
            "exponential",
            "waiting",
            "unfinished",
            "at-least-once",
            "00000000002a19a3f0c2b7e9",
            "00000000002a19a3f0c2b7e9-1",
            "2026-11-21T04:20:20+01:00",
            "",
        ])
        .prop_map(Value::from),
        json_value(),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let object = btree_map(name.clone().prop_map(str::to_owned), inner.clone(), 0..5);
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::from),
            object.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn every_request_has_an_answer_and_an_error_is_a_problem(
        path in prop_oneof![
            "/v1/(queues|claims|workers|health)/?",
            "/v1/queues/[a-z%0-9F+é]{0,6}(/(jobs|claims|dead))?/?",
            "/v1/queues/x/(jobs|claims)/00000000002a19a3f0c2b7e9(-[0-9]{1,11})?(/(ack|nack|extend))?",
            "/v1/queues/x/(claims/(ack|nack|extend)|dead/(delete|redrive))",
            "/v1/(overview|queues/x/history)",
            "/v1[/a-z0-9%+.~:é-]{0,20}",
        ],
        query in "(\\?(state=(ready|dead|x)|limit=[0-9-]{0,5}|cursor=[-0-9a-f.]{0,30}|payload=(true|1)|sort=(age|x)|(history|minutes)=[0-9]{0,4}|search=[a-z%]{0,5}|&){0,5})?",
        method in prop::sample::select(vec!["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "X"]),
        media in prop::option::of("(application/json|application/x-www-form-urlencoded|[ -~]{0,20})"),
        header in prop::sample::select(vec!["idempotency-key", "if-match", "if-none-match", "prefer", "traceparent"]),
        value in "[ -~é]{0,300}|(wait=[0-9.]{0,30})|\"[ -~]{0,20}\"|\\*",
        body in prop_oneof![
            members().prop_map(|value| value.to_string().into_bytes()),
            vec(any::<u8>(), 0..1200),
            "[{}\\[\\]\",:a-z0-9\\\\ ]{0,80}".prop_map(String::into_bytes),
        ],
    ) {
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap());
        if let Some(media) = media {
            request = request.header("content-type", media);
        }
        // What is no URI or header never reaches a handler.
        let request = request.header(header, value.as_bytes()).uri([path, query].concat());
        if let Ok(request) = request.body(Full::new(Bytes::from(body))) {
            let (status, media, body) = answer(request);
            prop_assert!(status < 500 || status == 503, "{status}");
            prop_assert_eq!(&*media, if status < 400 { "application/json" } else { "application/problem+json" });
            if status >= 400 {
                let problem: Value = serde_json::from_slice(&body).unwrap();
                prop_assert_eq!(problem["status"].as_u64(), Some(status.into()));
                let pointed = problem["pointer"].is_string() || problem["parameter"].is_string();
                prop_assert!(status != 422 || pointed, "{problem}");
            } else {
                prop_assert_eq!((status, body.len()), (204, 0), "Redis is away");
            }
        }
    }

    #[test]
    fn any_time_is_written_and_those_with_a_year_of_four_digits_read_back(
        millis in prop_oneof![any::<i64>(), -62_167_219_200_000..253_402_300_800_000_i64],
    ) {
        let at = Timestamp::from_millis(millis);
        let read = rfc3339::parse(&rfc3339::format(at)).unwrap();
        let fits = (-62_167_219_200_000..253_402_300_800_000).contains(&millis);
        prop_assert_eq!(read == at, fits);
    }

    #[test]
    fn any_text_is_a_time_or_none(text in ".{0,40}|[0-9TZ:.+-]{0,40}") {
        let _ = rfc3339::parse(&text);
    }
}
