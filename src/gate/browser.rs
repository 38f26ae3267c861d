//! What a browser sends for a page: whether it may, and what the page is told.
//!
//! A browser says of each request which page it is for, and no page can change that. Other clients say nothing, and are let in.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HOST, ORIGIN, REFERER, VARY,
};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

/// The headers that a page may send.
const SENT: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id, prefer, x-api-key, \
     x-presque-workerid",
);

/// The headers of an answer that a page may read.
const READ: HeaderValue = HeaderValue::from_static("allow, etag, link, location, retry-after");

const METHODS: HeaderValue = HeaderValue::from_static("DELETE, GET, HEAD, OPTIONS, POST, PUT");

/// For how many seconds a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

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
            } else if let Some(origin) = origin_of(word).filter(|origin| origin.eq_ignore_ascii_case(word)) {
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

    /// Whether a request was not sent by a browser for a page of a site that is not allowed.
    pub(super) fn admit(&self, head: &Parts) -> bool {
        let headers = &head.headers;
        // A page can keep its address to itself, which gains it nothing, but cannot give another.
        if page(headers).is_some_and(|origin| self.allow(&origin)) {
            return true;
        }
        let mut sites = headers.get_all(SEC_FETCH_SITE).iter().peekable();
        if sites.peek().is_some() {
            return sites.all(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
        }
        headers.get_all(ORIGIN).iter().all(|origin| {
            let origin = origin.to_str().ok().and_then(origin_of);
            origin.is_some_and(|origin| is_at(&origin, host_of(head).as_ref()))
        })
    }

    /// What a response says to the browser beside its own headers.
    pub(super) fn headers(&self, head: &Parts) -> Vec<(HeaderName, HeaderValue)> {
        if !self.any && self.allowed.is_empty() {
            return Vec::new();
        }
        let mut added = vec![(VARY, HeaderValue::from_static("Origin"))];
        let origin = head.headers.get(ORIGIN);
        let text = origin.and_then(|origin| origin_of(origin.to_str().ok()?));
        if let (Some(origin), Some(text)) = (origin, text)
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
    pub(super) fn admit(&self, head: &Parts) -> bool {
        self.names.is_empty()
            || host_of(head).is_some_and(|host| {
                let host = host.host().trim_end_matches('.');
                self.names.iter().any(|name| host.eq_ignore_ascii_case(name))
            })
    }
}

/// Whether a browser asks what a page may send, before it sends that.
pub(super) fn is_preflight(head: &Parts) -> bool {
    head.method == Method::OPTIONS
        && head.headers.contains_key(ORIGIN)
        && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Whether a request names more than one host.
pub(super) fn is_ambiguous(headers: &HeaderMap) -> bool {
    headers.get_all(HOST).iter().nth(1).is_some()
}

/// The origin of the page that a request is for: by its own header, or for scripts and images, which do not have that, by the
/// page's address.
fn page(headers: &HeaderMap) -> Option<String> {
    let header = headers.get(ORIGIN).or_else(|| headers.get(REFERER))?;
    origin_of(header.to_str().ok()?)
}

/// The origin that an address begins with, in lower case.
fn origin_of(address: &str) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let has_user = authority.as_str().contains('@');
    (!has_user).then(|| format!("{scheme}://{authority}").to_ascii_lowercase())
}

/// The host that a request is for.
fn host_of(head: &Parts) -> Option<Authority> {
    let named = || head.headers.get(HOST)?.to_str().ok()?.parse().ok();
    head.uri.authority().cloned().or_else(named)
}

/// Whether an origin is that of a host. A port that is the scheme's own may be left out. Whether this is reached by TLS is not
/// known here: a server in front may end it.
fn is_at(origin: &str, host: Option<&Authority>) -> bool {
    let Some((scheme, origin)) = origin.split_once("://") else {
        return false;
    };
    let own_port = if scheme == "https" { ":443" } else { ":80" };
    let host = host.map(|host| host.as_str().to_ascii_lowercase());
    host.is_some_and(|host| {
        host.strip_suffix(own_port).unwrap_or(&host) == origin.strip_suffix(own_port).unwrap_or(origin)
    })
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(|c: char| c == ',' || c.is_whitespace())
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &[(&'static str, &str)]) -> Parts {
        let mut request = http::Request::get("http://queue.example:3000/q/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn admits(allowed: &str, headers: &[(&'static str, &str)]) -> bool {
        Origins::parse(allowed).unwrap().admit(&head(headers))
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
        assert!(at("http://a", "a:80") && at("http://a", "a") && at("https://a", "a:443") && at("http://a:80", "a"));
        assert!(!at("https://a", "a:80") && !at("http://a", "a:443") && !at("http://a", "a:8080"));
        assert!(!is_at("http://a", None));
    }

    #[test]
    fn origins_that_are_allowed_are_let_in_by_whichever_header_says_them() {
        let allowed = "https://app.example, http://localhost:8080";
        let cross = ("sec-fetch-site", "cross-site");
        assert!(admits(allowed, &[cross, ("origin", "https://app.example")]));
        assert!(admits(allowed, &[cross, ("origin", "http://localhost:8080")]));
        assert!(admits(allowed, &[cross, ("referer", "https://app.example/page?x=1")]));
        assert!(!admits(allowed, &[cross, ("origin", "https://app.example:8443")]));
        assert!(!admits(allowed, &[cross, ("origin", "http://app.example")]));
        assert!(!admits(
            allowed,
            &[cross, ("origin", "null"), ("referer", "https://app.example/")]
        ));
        assert!(!admits(
            allowed,
            &[cross, ("referer", "https://other.example/https://app.example/")]
        ));
        assert!(admits("*", &[cross, ("origin", "https://other.example")]));
        assert!(!admits("*", &[cross, ("origin", "null")]));
    }

    #[test]
    fn a_page_that_is_allowed_is_told_what_it_may_send_and_read() {
        let told = |allowed: &str, headers: &[(&'static str, &str)], method| {
            let mut head = head(headers);
            head.method = method;
            let told = Origins::parse(allowed).unwrap().headers(&head);
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
            hosts.admit(&request.into_parts().0)
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
        assert!(!hosts.admit(&http::Request::get("/").body(()).unwrap().into_parts().0));
        assert!(Hosts::default().admit(&http::Request::get("/").body(()).unwrap().into_parts().0));
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
