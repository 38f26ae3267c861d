//! Paths that both legacy protocols have: which of the two owns a request, and who responds to it.
//!
//! The function `owner` decides; if nothing says RestMQ, the request is presque's. Only forms are read to decide: presque's
//! workers say JSON, or send no body.

use super::dashboard::{self, File};
use super::restmq::form::{Fields, trim};
use super::restmq::request::{MAX_SMALL_BODY_BYTES, max_message_body_bytes};
use super::restmq::text::is_placeholder;
use super::restmq::{self, Access, refusal::Refusal, respond_options};
use super::{presque, restmq::pages};
use crate::gate::{Caller, Denied};
use crate::store::Redis;
use crate::web::{Context, Query, Request, Response, is_form, is_json, is_multipart, json};
use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body_util::Empty;

const METHODS_OF_INDEX: &str = "GET, HEAD, OPTIONS, POST";
const METHODS_OF_FILES: &str = "GET, HEAD, OPTIONS";

/// A protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Presque,
    Restmq,
}

/// The routes of one component. A component is asked for these alone; the path may be written in other ways, as `//q/x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Routes {
    /// `/`
    Index,
    /// `/q/` and `/qb/`
    Queue,
    /// `/control/`
    Control,
    /// `/status/` and `/j/`
    Status,
}

/// The protocol that owns a request. `form` has the fields of its form, `None` where there is none or it cannot be read;
/// [`needs_form`] says whether it must be.
///
/// RestMQ's are
///
/// - at `/`: a POST, and a GET or HEAD with a `queue`;
/// - at `/q/{queue}`: a POST with a `value` or `msg` in its form or query, unless it is said to be JSON, and a GET with a
///   `callback`;
/// - at `/control/`: a POST of a form with a `status`, and a GET or HEAD with a `callback`;
/// - at `/j/`: a GET or HEAD with a `callback`.
fn owner(
    routes: Routes,
    method: &Method,
    path: &str,
    query: Query<'_>,
    headers: &HeaderMap,
    form: Option<&Fields>,
) -> Owner {
    let is_get_or_head = *method == Method::GET || *method == Method::HEAD;
    let in_form = |name| form.is_some_and(|form| form.get(name).is_some());
    let is_restmq = match routes {
        Routes::Index => *method == Method::POST || is_get_or_head && has(query, "queue"),
        Routes::Queue if is_batch(path) => false,
        Routes::Queue if *method == Method::POST => {
            let is_readable = form.is_some() || !says_form(headers);
            let is_message = |name| has(query, name) || in_form(name);
            has_queue(path) && !is_json(headers) && is_readable && (is_message("value") || is_message("msg"))
        }
        // HEAD is nobody's here.
        Routes::Queue => *method == Method::GET && has_callback(query),
        Routes::Control if *method == Method::POST => has_queue(path) && in_form("status"),
        Routes::Control => is_get_or_head && has_callback(query),
        Routes::Status => path.starts_with("/j") && is_get_or_head && has_callback(query),
    };
    if is_restmq { Owner::Restmq } else { Owner::Presque }
}

/// Whether a request's form must be read to find its owner.
fn needs_form(routes: Routes, method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let may_decide = match routes {
        Routes::Queue => !is_batch(path),
        Routes::Control => true,
        Routes::Index | Routes::Status => false,
    };
    may_decide && *method == Method::POST && has_queue(path) && says_form(headers)
}

fn says_form(headers: &HeaderMap) -> bool {
    is_form(headers) || is_multipart(headers)
}

/// Whether the path is one of `/qb/`.
fn is_batch(path: &str) -> bool {
    path.starts_with("/qb")
}

/// Whether anything follows the first segment. Where nothing does, both dialects refuse a POST.
fn has_queue(path: &str) -> bool {
    path.split('/').nth(2).is_some_and(|rest| !rest.is_empty())
}

/// Whether the query has the name of a function to call.
fn has_callback(query: Query<'_>) -> bool {
    let mut pairs = query.pairs();
    pairs.any(|(key, value)| key == "callback".as_bytes() && !trim(&value).is_empty() && !is_placeholder(trim(&value)))
}

/// Whether the query has this parameter, and something in it.
fn has(query: Query<'_>, name: &str) -> bool {
    let mut pairs = query.pairs();
    pairs.any(|(key, value)| key == name.as_bytes() && !trim(&value).is_empty())
}

/// The owner of a request, whose form of at most `limit` bytes is read where it must be. Of somebody who may do nothing anyway
/// it is not.
async fn owner_by_form(routes: Routes, request: &mut Request, limit: usize, caller: &Caller, access: &Access) -> Owner {
    let is_known = caller.check_key().is_ok() || access.producer.recognizes(request.headers());
    if !is_known || !needs_form(routes, request.method(), request.path(), request.headers()) {
        return owner_of(routes, request, None);
    }
    let body = request.body(limit).await.ok();
    let form = body.and_then(|body| parse_form(routes, request.raw_query(), request.headers(), &body));
    owner_of(routes, request, form.as_ref())
}

fn owner_of(routes: Routes, request: &Request, form: Option<&Fields>) -> Owner {
    let (path, query) = (request.path(), request.query());
    owner(routes, request.method(), path, query, request.headers(), form)
}

/// The fields of a form. A JSON text is no form, whatever it is called: that is what `curl -d` sends by default.
///
/// A message may also be in the query. So there the fields of both count, together up to [`Fields::MAX_FIELDS`].
fn parse_form(routes: Routes, query: Option<&str>, headers: &HeaderMap, body: &Bytes) -> Option<Fields> {
    if json::is_text(body) {
        return None;
    }
    let query = query.filter(|_| routes == Routes::Queue);
    Fields::parse(query, headers, body).ok()
}

/// Responds to a request to `/q/{queue}` or `/qb/{queue}`.
pub async fn queue<B: http_body::Body + 'static, R: Redis>(
    request: http::Request<B>,
    context: &Context<R>,
    access: &Access,
) -> Response {
    let mut request = Request::new(request);
    if let Err(denied) = context.caller.check_entry() {
        return refuse(denied, Routes::Queue, &request);
    }
    let limit = max_message_body_bytes(&context.limits);
    match owner_by_form(Routes::Queue, &mut request, limit, &context.caller, access).await {
        Owner::Presque => presque::queue::respond(&mut request, context).await,
        Owner::Restmq => render(restmq::messages::respond(&mut request, context, access).await),
    }
}

/// Responds to a request to `/control/` or `/control/{queue}`.
pub async fn control<B: http_body::Body + 'static, R: Redis>(
    request: http::Request<B>,
    context: &Context<R>,
    access: &Access,
) -> Response {
    let mut request = Request::new(request);
    if let Err(denied) = context.caller.check_entry() {
        return refuse(denied, Routes::Control, &request);
    }
    match owner_by_form(
        Routes::Control,
        &mut request,
        MAX_SMALL_BODY_BYTES,
        &context.caller,
        access,
    )
    .await
    {
        Owner::Presque => presque::control::respond(&mut request, context).await,
        Owner::Restmq => render(restmq::control::respond(&mut request, context, access).await),
    }
}

/// Responds to a request to `/status/`, `/status/{queue}` or `/j/{queue}`.
pub async fn status<B, R: Redis>(request: http::Request<B>, context: &Context<R>, access: &Access) -> Response {
    // The body is dropped here: no route reads it, and the component is smaller without code that reads bodies.
    let request = Request::new(request.map(|_| Empty::<Bytes>::new()));
    if let Err(denied) = context.caller.check_entry() {
        return refuse(denied, Routes::Status, &request);
    }
    match owner_of(Routes::Status, &request, None) {
        Owner::Presque => presque::status::respond(&request, context).await,
        Owner::Restmq => render(pages::respond(&request, context, access).await),
    }
}

/// Responds to a request to `/`, RestMQ's messages or the page of these files, or to `/ui/`, where the page's other files are.
pub async fn index<B: http_body::Body + 'static, R: Redis>(
    request: http::Request<B>,
    context: &Context<R>,
    access: &Access,
    files: &[File],
) -> Response {
    let mut request = Request::new(request);
    let is_index = matches!(request.path(), "/" | "");
    let is_message = is_index && owner_of(Routes::Index, &request, None) == Owner::Restmq;
    if !is_message {
        match dashboard::respond(&request, &context.caller, files) {
            Ok(Some(response)) => return response,
            Ok(None) => {}
            Err(denied) => return Refusal::from(denied).into(),
        }
    }
    if let Err(denied) = context.caller.check_entry() {
        return Refusal::from(denied).into();
    }
    if is_message {
        return render(restmq::messages::respond(&mut request, context, access).await);
    }
    let methods = if is_index { METHODS_OF_INDEX } else { METHODS_OF_FILES };
    match *request.method() {
        Method::OPTIONS => respond_options(methods),
        Method::GET | Method::HEAD => Refusal::NotFound.into(),
        _ => Refusal::MethodNotAllowed(methods).into(),
    }
}

/// The response to a request that may not be looked at, in the form of its owner as far as its head tells that.
fn refuse(denied: Denied, routes: Routes, request: &Request) -> Response {
    match owner_of(routes, request, None) {
        Owner::Presque => presque::refuse(denied),
        Owner::Restmq => Refusal::from(denied).into(),
    }
}

fn render(response: Result<Response, Refusal>) -> Response {
    response.unwrap_or_else(Response::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Owner::{Presque, Restmq};
    use http::HeaderValue;
    use http::header::CONTENT_TYPE;

    const JSON: &str = "application/json";
    const FORM: &str = "application/x-www-form-urlencoded";

    /// The component that a path is given to: what serves it does not count its leading slashes.
    fn routes_of(path: &str) -> Routes {
        match path.trim_start_matches('/').split('/').next() {
            Some("q" | "qb") => Routes::Queue,
            Some("control") => Routes::Control,
            Some("status" | "j") => Routes::Status,
            _ => Routes::Index,
        }
    }

    /// The owner of a request with this body.
    fn owner_with(method: &str, target: &str, media: &str, body: &str) -> Owner {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = HeaderMap::new();
        if !media.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_str(media).unwrap());
        }
        let routes = routes_of(path);
        let form = needs_form(routes, &method, path, &headers)
            .then(|| parse_form(routes, Some(query), &headers, &Bytes::from(body.to_owned())))
            .flatten();
        owner(routes, &method, path, Query::new(Some(query)), &headers, form.as_ref())
    }

    #[test]
    fn each_request_has_one_owner() {
        for (method, target, media, body, expected) in [
            // Messages are RestMQ's, jobs presque's.
            ("POST", "/q/x", FORM, "value=1", Restmq),
            ("POST", "/q/x", FORM, "msg=1", Restmq),
            ("POST", "/q/x", FORM, "value=", Presque),
            ("POST", "/q/x", FORM, "job=1", Presque),
            ("POST", "/q/x?value=1", FORM, "", Restmq),
            ("POST", "/q/x?value=1", FORM, "{}", Presque),
            ("POST", "/q/x?value=1", "multipart/form-data", "x", Presque),
            ("POST", "/q/x?value=1", "", "", Restmq),
            ("POST", "/q/x?msg=1", "text/plain", "x", Restmq),
            ("POST", "/q/x?value=+", "", "", Presque),
            ("POST", "/q/x?value=1", JSON, "{}", Presque),
            ("POST", "/q/x", JSON, "value=1", Presque),
            ("POST", "/q/", FORM, "value=1", Presque),
            ("POST", "/q", FORM, "value=1", Presque),
            ("GET", "/q/x", "", "", Presque),
            ("GET", "/q/x?callback=cb", "", "", Restmq),
            ("GET", "/q/x?callback=", "", "", Presque),
            ("GET", "/q/x?callback=?", "", "", Presque),
            ("HEAD", "/q/x?callback=cb", "", "", Presque),
            ("PUT", "/q/x?callback=cb&value=1", FORM, "value=1", Presque),
            ("DELETE", "/q/x?callback=cb", "", "", Presque),
            ("POST", "/qb/x?value=1", FORM, "value=1", Presque),
            ("GET", "/qb/x?callback=cb", "", "", Presque),
            // Whether a queue is stopped.
            ("POST", "/control/x", FORM, "status=stop", Restmq),
            ("POST", "/control/x?status=stop", FORM, "", Presque),
            ("POST", "/control/x", JSON, "{\"status\":\"stop\"}", Presque),
            ("POST", "/control/", FORM, "status=stop", Presque),
            ("GET", "/control/x?callback=cb", "", "", Restmq),
            ("HEAD", "/control/x?callback=cb", "", "", Restmq),
            ("GET", "/control/x", "", "", Presque),
            // Counts.
            ("GET", "/j/x", "", "", Presque),
            ("GET", "/j/x?callback=cb", "", "", Restmq),
            ("POST", "/j/x?callback=cb", "", "", Presque),
            ("GET", "/status/x?callback=cb", "", "", Presque),
            // The root, where presque has nothing but a page.
            ("POST", "/", FORM, "queue=x&value=1", Restmq),
            ("POST", "/", JSON, "{}", Restmq),
            ("GET", "/?queue=x", "", "", Restmq),
            ("HEAD", "/?queue=x", "", "", Restmq),
            ("GET", "/?queue=", "", "", Presque),
            ("GET", "/", "", "", Presque),
            ("OPTIONS", "/", "", "", Presque),
            // What serves a path does not count its leading slashes: each is still its component's.
            ("POST", "//q/x", JSON, "{}", Presque),
            ("POST", "//qb/x", JSON, "{}", Presque),
            ("GET", "//q/x?callback=cb", "", "", Restmq),
            ("POST", "//control/x", JSON, "{}", Presque),
            ("GET", "//control/x?queue=y", "", "", Presque),
            ("GET", "//status/?queue=y", "", "", Presque),
        ] {
            assert_eq!(
                owner_with(method, target, media, body),
                expected,
                "{method} {target} {media} {body}"
            );
        }
    }

    #[test]
    fn a_query_and_a_form_with_too_many_fields_together_are_no_message() {
        let half = "a=1&".repeat(Fields::MAX_FIELDS / 2);
        let owner_of = |body: &str| owner_with("POST", &format!("/q/x?{half}"), FORM, body);
        assert_eq!(owner_of("value=v"), Restmq);
        assert_eq!(owner_of(&format!("{half}value=v")), Presque);
    }

    #[test]
    fn only_forms_are_read_to_find_the_owner() {
        let needs = |method, path, media: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
            needs_form(routes_of(path), &method, path, &headers)
        };
        assert!(needs(Method::POST, "/q/x", FORM));
        assert!(needs(Method::POST, "/control/x", "multipart/form-data; boundary=b"));
        assert!(!needs(Method::POST, "/q/x", JSON));
        assert!(!needs(Method::POST, "/q/x", "text/plain"));
        assert!(!needs(Method::PUT, "/q/x", FORM));
        assert!(!needs(Method::POST, "/qb/x", FORM));
        assert!(!needs(Method::POST, "/q/", FORM));
        assert!(!needs(Method::POST, "/", FORM));
    }
}
