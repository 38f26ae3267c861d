//! The page on which people see the queues: its files. All that it shows and does, it asks `/v1` for, as any client.
//!
//! The files are the same for everybody and tell nothing of the queues, so they are given without a key: the page asks for
//! one. A link on another site may lead to them.

use crate::gate::{Caller, Denied};
use crate::web::{Request, Response, empty, with_body, with_header, with_type};
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    VARY,
};
use http::{HeaderMap, Method, StatusCode};

/// A file of the page.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its path below `/ui/`; `index.html` is the page itself, at `/`.
    pub name: &'static str,
    /// Its entity tag, in quotes.
    pub tag: &'static str,
    /// What it has.
    pub contents: &'static [u8],
    /// The same, compressed by gzip.
    pub gzip: &'static [u8],
}

/// The file at `/`.
const PAGE: &str = "index.html";

/// Nothing from elsewhere, nothing inside of the page that is not in a file of its own, and no other page around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Responds to a GET or HEAD of the page or of one of its files, `None` when the request is for something else.
///
/// # Errors
/// [`Denied`]: the request came under a wrong name, or cannot be judged.
pub(super) fn respond(request: &Request, caller: &Caller, files: &[File]) -> Result<Option<Response>, Denied> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let name = match request.path() {
        "/" | "" => PAGE,
        path => path.strip_prefix("/ui/").unwrap_or_default(),
    };
    let Some(file) = files.iter().find(|file| is_read && file.name == name) else {
        return Ok(None);
    };
    match caller.check_entry() {
        Ok(()) | Err(Denied::OtherSite) => Ok(Some(render(file, request.headers()))),
        Err(denied) => Err(denied),
    }
}

fn render(file: &File, headers: &HeaderMap) -> Response {
    let known = headers.get_all(IF_NONE_MATCH).iter();
    let mut known = known
        .flat_map(|tags| tags.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii);
    let is_known = known.any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == file.tag.as_bytes());
    let is_packed = takes_gzip(headers);
    let mut response = if is_known {
        empty(StatusCode::NOT_MODIFIED)
    } else {
        let contents = if is_packed { file.gzip } else { file.contents };
        with_body(StatusCode::OK, Bytes::from_static(contents))
    };
    if is_packed && !is_known {
        response = with_header(response, CONTENT_ENCODING, "gzip");
    }
    response = with_type(response, media_type(file.name));
    for (name, value) in [
        // To be asked for each time, since an update may have changed it.
        (CACHE_CONTROL, "no-cache"),
        (VARY, "Accept-Encoding"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        response = with_header(response, name, value);
    }
    // Weak, since the compressed file has other bytes.
    with_header(response, ETAG, format!("W/{}", file.tag))
}

/// Whether the client takes what is compressed by gzip: it says so, and not with a quality of 0.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let codings = headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut codings = codings.flat_map(|list| list.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().trim_start_matches(['q', 'Q']).trim_start_matches('=');
        name.trim().eq_ignore_ascii_case("gzip") && weight.parse() != Ok(0.0)
    })
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
