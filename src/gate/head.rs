//! What the gate looks at in a request.

use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, Request, Uri};

/// The head of a request, with the headers that matter here. All are found in one pass, which costs a fourth of looking each
/// up by its name.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    pub(super) host: Values<'a>,
    pub(super) origin: Values<'a>,
    pub(super) sec_fetch_site: Values<'a>,
    pub(super) sec_fetch_dest: Values<'a>,
    pub(super) referer: Values<'a>,
    pub(super) requested_with: Values<'a>,
    pub(super) authorization: Values<'a>,
    pub(super) api_key: Values<'a>,
}

/// The values of a header: the first, and whether there are others.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Values<'a> {
    pub(super) first: Option<&'a HeaderValue>,
    pub(super) has_more: bool,
}

impl<'a> Values<'a> {
    fn add(&mut self, value: &'a HeaderValue) {
        self.has_more = self.first.is_some();
        self.first = self.first.or(Some(value));
    }

    /// The first one, where it is text.
    pub(super) fn text(self) -> Option<&'a str> {
        self.first?.to_str().ok()
    }
}

impl<'a> Head<'a> {
    pub(super) fn of<B>(request: &'a Request<B>) -> Self {
        let mut head = Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            host: Values::default(),
            origin: Values::default(),
            sec_fetch_site: Values::default(),
            sec_fetch_dest: Values::default(),
            referer: Values::default(),
            requested_with: Values::default(),
            authorization: Values::default(),
            api_key: Values::default(),
        };
        for (name, value) in head.headers {
            let values = match name.as_str() {
                "host" => &mut head.host,
                "origin" => &mut head.origin,
                "sec-fetch-site" => &mut head.sec_fetch_site,
                "sec-fetch-dest" => &mut head.sec_fetch_dest,
                "referer" => &mut head.referer,
                "x-requested-with" => &mut head.requested_with,
                "authorization" => &mut head.authorization,
                "x-api-key" => &mut head.api_key,
                _ => continue,
            };
            values.add(value);
        }
        head
    }

    /// Whether a script of a page in a browser sent it. Beyond the loopback browsers say so over TLS alone, so scripts that want it
    /// known say it themselves.
    pub(super) fn is_by_script(&self) -> bool {
        self.sec_fetch_dest.text() == Some("empty") || self.requested_with.text() == Some("XMLHttpRequest")
    }

    /// The host that the request is for.
    pub(super) fn host_asked(&self) -> Option<Authority> {
        let named = || self.host.text()?.parse().ok();
        self.uri.authority().cloned().or_else(named)
    }
}
