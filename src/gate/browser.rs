//! What a browser sends for a page: whether it may, and what the page is told.
//!
//! A browser says of each request which page it is for, and no page can change that. Other clients say nothing, and are let in.

use super::head::Head;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, VARY,
};
use http::uri::Authority;
use http::{HeaderName, HeaderValue, Method, Uri};

/// The headers that a page may send.
const SENT: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id, prefer, traceparent, \
     tracestate, x-api-key, x-presque-workerid",
);

/// The headers of an answer that a page may read.
const READ: HeaderValue = HeaderValue::from_static("allow, etag, location, retry-after");

const METHODS: HeaderValue = HeaderValue::from_static("DELETE, GET, HEAD, OPTIONS, POST, PUT");

/// For how many seconds a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The pages of other sites whose requests are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Origins {
    /// In lower case, as browsers write them.
    allowed: Vec<String>,
    any: bool,
}

impl Origins {
    /// Reads origins, `scheme://host[:port]`, or `*` for all, separated by commas or white space.
    pub(super) fn parse(list: &str) -> Result<Self, String> {
        let mut origins = Self::default();
        for word in words(list) {
            if word == "*" {
                origins.any = true;
            } else if let (Some(origin), 2) = (origin_of(word), word.matches('/').count()) {
                origins.allowed.push(origin);
            } else {
                return Err(format!(
                    "{word:?} is not an origin such as https://app.example.com:8443, nor *"
                ));
            }
        }
        Ok(origins)
    }

    fn allow(&self, origin: &str) -> bool {
        self.any && origin != "null" || self.allowed.iter().any(|allowed| allowed == origin)
    }

    fn is_empty(&self) -> bool {
        !self.any && self.allowed.is_empty()
    }

    /// Whether a request was not sent by a browser for a page of a site that is not allowed.
    pub(super) fn admit(&self, head: &Head<'_>) -> bool {
        // A page can keep its address to itself, which gains it nothing, but cannot give another.
        if !self.is_empty() && page(head).is_some_and(|origin| self.allow(&origin)) {
            return true;
        }
        if let Some(site) = head.sec_fetch_site.first {
            return !head.sec_fetch_site.has_more && matches!(site.as_bytes(), b"same-origin" | b"none");
        }
        if head.origin.first.is_none() {
            return true;
        }
        let origin = head.origin.text().and_then(origin_of);
        !head.origin.has_more && origin.is_some_and(|origin| is_at(&origin, head.host_asked().as_ref()))
    }

    /// What a response says to the browser beside its own headers.
    pub(super) fn headers(&self, head: &Head<'_>) -> Vec<(HeaderName, HeaderValue)> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut added = vec![(VARY, HeaderValue::from_static("Origin"))];
        let text = head.origin.text().and_then(origin_of);
        if let (Some(origin), Some(text)) = (head.origin.first, text)
            && self.allow(&text)
        {
            added.push((ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()));
            if is_preflight(head) {
                added.push((ACCESS_CONTROL_ALLOW_METHODS, METHODS));
                added.push((ACCESS_CONTROL_ALLOW_HEADERS, SENT));
                added.push((ACCESS_CONTROL_MAX_AGE, MAX_AGE));
            } else {
                added.push((ACCESS_CONTROL_EXPOSE_HEADERS, READ));
            }
        }
        added
    }
}

/// The names under which this is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hosts {
    /// In lower case, without ports. All are right when there is none.
    names: Vec<String>,
}

impl Hosts {
    /// Reads names and addresses, without ports, separated by commas or white space. An address of IPv6 is in brackets.
    pub(super) fn parse(list: &str) -> Result<Self, String> {
        let name = |word: &str| {
            let authority: Option<Authority> = word.parse().ok();
            let is_name = authority.is_some_and(|authority| authority.host() == word);
            if is_name {
                Ok(word.to_ascii_lowercase())
            } else {
                Err(format!("{word:?} is not a host's name or address, without a port"))
            }
        };
        let names = words(list).map(name).collect::<Result<_, _>>()?;
        Ok(Self { names })
    }

    /// Whether a request came under one of the names. One that says none did not.
    pub(super) fn admit(&self, head: &Head<'_>) -> bool {
        self.names.is_empty()
            || head.host_asked().is_some_and(|host| {
                let host = host.host().trim_end_matches('.');
                self.names.iter().any(|name| host.eq_ignore_ascii_case(name))
            })
    }
}

/// Whether a browser asks what a page may send, before it sends that.
pub(super) fn is_preflight(head: &Head<'_>) -> bool {
    *head.method == Method::OPTIONS
        && head.origin.first.is_some()
        && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The origin of the page that a request is for: by its own header, or for scripts, which do not have that, by the page's address.
/// Not so for images and the like, which a page may show for its users without knowing what they are.
fn page(head: &Head<'_>) -> Option<String> {
    let is_script = || head.sec_fetch_dest.text() == Some("script");
    let address = head
        .origin
        .first
        .or_else(|| head.referer.first.filter(|_| is_script()))?;
    origin_of(address.to_str().ok()?)
}

/// The origin that an address begins with, in lower case, and without a port that is the scheme's own.
fn origin_of(address: &str) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let has_user = authority.as_str().contains('@');
    let own_port = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
    let authority = match authority.port_u16() {
        Some(port) if port == own_port => authority.host(),
        _ => authority.as_str(),
    };
    (!has_user).then(|| format!("{scheme}://{authority}").to_ascii_lowercase())
}

/// Whether an origin is that of a host. Whether this is reached by TLS is not known here: a server in front may end it.
fn is_at(origin: &str, host: Option<&Authority>) -> bool {
    let scheme = origin.split("://").next().unwrap_or_default();
    host.is_some_and(|host| origin_of(&format!("{scheme}://{host}")).is_some_and(|host| host == origin))
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(|c: char| c == ',' || c.is_whitespace())
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&'static str, &str)]) -> http::Request<()> {
        let mut request = http::Request::get("http://queue.example:3000/q/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    fn admits(allowed: &str, headers: &[(&'static str, &str)]) -> bool {
        Origins::parse(allowed).unwrap().admit(&Head::of(&request(headers)))
    }

    #[test]
    fn what_no_browser_has_sent_is_let_in() {
        assert!(admits("", &[]));
        assert!(admits("", &[("referer", "http://other.example/")]));
        assert!(admits("https://app.example", &[("user-agent", "curl")]));
    }

    #[test]
    fn a_browser_is_let_in_for_pages_of_this_site_and_for_what_its_user_typed() {
        assert!(admits(
            "",
            &[
                ("sec-fetch-site", "same-origin"),
                ("origin", "http://queue.example:3000")
            ]
        ));
        assert!(admits("", &[("sec-fetch-site", "none")]));
        for site in ["cross-site", "same-site", "", "Same-Origin", "other"] {
            assert!(!admits("", &[("sec-fetch-site", site)]), "{site}");
            assert!(
                !admits("", &[("sec-fetch-site", "none"), ("sec-fetch-site", site)]),
                "{site}"
            );
        }
    }

    #[test]
    fn a_browser_that_says_nothing_of_the_site_is_known_by_its_origin() {
        for own in [
            "http://queue.example:3000",
            "https://queue.example:3000",
            "http://QUEUE.example:3000",
        ] {
            assert!(admits("", &[("origin", own)]), "{own}");
        }
        for other in [
            "null",
            "",
            "http://queue.example",
            "http://queue.example:30000",
            "http://queue.example:3000.evil.example",
            "http://x@queue.example:3000",
            "http://other.example:3000",
            "queue.example:3000",
        ] {
            assert!(!admits("", &[("origin", other)]), "{other}");
        }
    }

    #[test]
    fn a_port_that_is_the_schemes_own_may_be_left_out() {
        let at = |origin, host: &str| is_at(origin, Some(&host.parse().unwrap()));
        assert!(at("http://a", "a:80") && at("http://a", "a") && at("https://a", "a:443"));
        assert!(!at("https://a", "a:80") && !at("http://a", "a:443") && !at("http://a", "a:8080"));
        assert!(admits("https://app.example:443", &[("origin", "https://app.example")]));
        assert!(!is_at("http://a", None));
    }

    #[test]
    fn origins_that_are_allowed_are_let_in_by_whichever_header_says_them() {
        let allowed = "https://app.example, http://localhost:8080";
        let cross = ("sec-fetch-site", "cross-site");
        assert!(admits(allowed, &[cross, ("origin", "https://app.example")]));
        assert!(admits(allowed, &[cross, ("origin", "http://localhost:8080")]));
        let script = ("sec-fetch-dest", "script");
        assert!(admits(
            allowed,
            &[cross, script, ("referer", "https://app.example/page?x=1")]
        ));
        let image = ("sec-fetch-dest", "image");
        assert!(!admits(
            allowed,
            &[cross, image, ("referer", "https://app.example/page?x=1")]
        ));
        assert!(!admits(allowed, &[cross, ("origin", "https://app.example:8443")]));
        assert!(!admits(allowed, &[cross, ("origin", "http://app.example")]));
        assert!(!admits(
            allowed,
            &[cross, script, ("origin", "null"), ("referer", "https://app.example/")]
        ));
        assert!(!admits(
            allowed,
            &[cross, script, ("referer", "https://other.example/https://app.example/")]
        ));
        assert!(admits("*", &[cross, ("origin", "https://other.example")]));
        assert!(!admits("*", &[cross, ("origin", "null")]));
    }

    #[test]
    fn a_page_that_is_allowed_is_told_what_it_may_send_and_read() {
        let told = |allowed: &str, headers: &[(&'static str, &str)], method| {
            let mut request = request(headers);
            *request.method_mut() = method;
            let told = Origins::parse(allowed).unwrap().headers(&Head::of(&request));
            told.into_iter()
                .map(|(name, _)| name.as_str().to_owned())
                .collect::<Vec<_>>()
        };
        let (origin, asks) = (
            ("origin", "https://app.example"),
            ("access-control-request-method", "PUT"),
        );
        assert!(told("", &[origin], Method::GET).is_empty());
        assert_eq!(told("https://other.example", &[origin], Method::GET), ["vary"]);
        assert_eq!(
            told("https://app.example", &[origin], Method::GET),
            ["vary", "access-control-allow-origin", "access-control-expose-headers"]
        );
        let preflight = told("*", &[origin, asks], Method::OPTIONS);
        assert!(
            preflight.contains(&"access-control-allow-methods".to_owned()),
            "{preflight:?}"
        );
        assert_eq!(told("*", &[asks], Method::OPTIONS), ["vary"]);
    }

    #[test]
    fn a_host_is_known_by_its_name_whatever_its_port() {
        let hosts = Hosts::parse("queue.example 127.0.0.1,[::1]").unwrap();
        let admits = |host: &str| {
            let request = http::Request::get("/").header("host", host).body(()).unwrap();
            hosts.admit(&Head::of(&request))
        };
        for host in [
            "queue.example",
            "QUEUE.example:3000",
            "queue.example.:80",
            "127.0.0.1:3000",
            "[::1]:3000",
            "[::1]",
        ] {
            assert!(admits(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "queue.example.evil.example",
            "127.0.0.2",
            "[::2]",
            "localhost",
            "::1",
        ] {
            assert!(!admits(host), "{host}");
        }
        assert!(!hosts.admit(&Head::of(&http::Request::get("/").body(()).unwrap())));
        assert!(Hosts::default().admit(&Head::of(&http::Request::get("/").body(()).unwrap())));
    }

    #[test]
    fn lists_with_something_else_in_them_are_refused() {
        for list in [
            "app.example",
            "https://app.example/",
            "https://app.example/x",
            "ftp",
            "https://a@b",
            "https://",
        ] {
            assert!(Origins::parse(list).is_err(), "{list}");
        }
        for list in ["a:80", "http://a", "a/b", "::1", "a@b"] {
            assert!(Hosts::parse(list).is_err(), "{list}");
        }
    }
}
