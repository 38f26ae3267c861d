//! The RestMQ dialect, alone and beside the presque dialect, with a Redis that is away.

use super::Away;
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use presque::dialect::restmq::{Access, CometResponse, Fields};
use presque::dialect::{legacy_routes, restmq};
use presque::gate::Caller;
use presque::queue::Limits;
use presque::store::Store;
use presque::web::{Context, Response};
use proptest::collection::vec;
use proptest::prelude::*;

/// What is answered: by the dialect alone, or by who serves both on this path.
fn answer(request: Request<Full<Bytes>>, alone: bool) -> Response {
    let context = Context {
        store: Store::new(Away),
        limits: Limits {
            max_job_bytes: 1000,
            ..Limits::default()
        },
        caller: Caller::unrestricted(),
    };
    let access = Access::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let group = request.uri().path().split('/').nth(1).unwrap_or_default();
        match group {
            "" if !alone => legacy_routes::index(request, &context, &access, &[]).await,
            "q" if !alone => legacy_routes::queue(request, &context, &access).await,
            "control" if !alone => legacy_routes::control(request, &context, &access).await,
            "j" if !alone => legacy_routes::status(request, &context, &access).await,
            "c" => match restmq::handle_comet(request, &context, &access).await {
                CometResponse::Whole(response) => response,
                CometResponse::Stream(..) => panic!("a stream without a store"),
            },
            _ => restmq::handle(request, &context, &access).await,
        }
    })
}

/// A form in parts, more or less.
fn parts() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just(b"--B".to_vec()),
        Just(b"--".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r\n\r\n".to_vec()),
        Just(b"--B\r\nContent-Disposition: form-data; name=\"value\"\r\n\r\n".to_vec()),
        "Content-Disposition: form-data; (name|filename)(=| = )\"?[a-z\\\\\"; ]{0,9}\"?\r\n"
            .prop_map(String::into_bytes),
        vec(any::<u8>(), 0..20),
    ];
    vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_request_has_an_answer_that_is_no_500(
        alone in any::<bool>(),
        path in "/((q|queue|p|j|stats|control|c|ws|xmlrpc|[a-z]{0,3})(/[/a-z0-9%+.~:é-]{0,20})?)?",
        method in prop::sample::select(vec!["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "X"]),
        query in "((queue|value|msg|ttl|callback|policy|status|body)=[a-z%_0-9+.-]{0,20}&?){0,4}",
        media in prop::option::of(
            "(application/json|application/x-www-form-urlencoded|multipart/form-data; boundary=B|[ -~]{0,20})"
        ),
        login in prop::option::of("(Basic )?[ -~]{0,20}"),
        body in prop_oneof![
            vec(any::<u8>(), 0..1200),
            "((queue|value|msg|ttl|callback|policy|status|body)=[a-z%_0-9+.{}\"-]{0,20}&?){0,4}".prop_map(String::into_bytes),
            "(body=)?\\{(\"(cmd|queue|value|key)\":(\"(add|get|take|del|x:1)\"|[0-9]|\\[\\]|null),?){0,4}\\}"
                .prop_map(String::into_bytes),
            parts(),
        ],
    ) {
        let target = format!("{path}?{query}");
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap());
        for (name, value) in [("content-type", media), ("authorization", login)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        // What is no URI never reaches a handler.
        if let Ok(request) = request.uri(target).body(Full::new(Bytes::from(body))) {
            let status = answer(request, alone).status().as_u16();
            prop_assert!(status < 500 || status == 503, "{status}");
        }
    }

    #[test]
    fn any_bytes_are_a_form_in_parts_or_none(body in parts()) {
        let mut headers = http::HeaderMap::new();
        headers.insert("content-type", "multipart/form-data; boundary=B".parse().unwrap());
        let _ = Fields::parse(None, &headers, &body.into());
    }

    #[test]
    fn a_form_reads_back_what_was_written(value in vec(any::<u8>(), 0..100)) {
        let mut headers = http::HeaderMap::new();
        headers.insert("content-type", "multipart/form-data; boundary=\"a long boundary\"".parse().unwrap());
        let start = b"--a long boundary\r\nContent-Disposition: form-data; name=\"v\"\r\n\r\n";
        let body = [&start[..], &value, b"\r\n--a long boundary--\r\n"].concat();
        let in_parts = Fields::parse(None, &headers, &body.into()).unwrap();
        let escaped: String = value.iter().map(|byte| format!("%{byte:02x}")).collect();
        let in_query = Fields::parse(Some(&format!("v={escaped}")), &headers, &Bytes::new()).unwrap();
        // Of ASCII's control characters these are white space to clients of 2009.
        let is_space = |byte: &u8| b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f ".contains(byte);
        let first = value.iter().position(|byte| !is_space(byte));
        let last = value.iter().rposition(|byte| !is_space(byte));
        let expected = first.zip(last).map(|(first, last)| &value[first..=last]);
        prop_assert_eq!(in_parts.get("v"), expected);
        prop_assert_eq!(in_query.get("v"), expected);
    }
}
