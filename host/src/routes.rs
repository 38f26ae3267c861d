//! From the path of a request to what answers it, with the router that Spin uses and by its rules.
//!
//! Routes are compared segment by segment: a word beats `:name`, which beats a trailing `/...`. Percent
//! escapes and `..` stay as they came, and case matters. Slashes at the two ends of a path do not count.

use std::net::SocketAddr;

use anyhow::{Result, anyhow, bail};
use http::{HeaderName, HeaderValue};
use routefinder::{RouteSpec, Segment};

#[cfg(test)]
mod tests;

/// Paths that the host answers itself.
pub const WELL_KNOWN: &str = "/.well-known/spin/";

/// The routes of an application, each with what answers it.
#[derive(Debug)]
pub struct Router<T> {
    finder: routefinder::Router<Entry<T>>,
    warnings: Vec<String>,
}

#[derive(Debug)]
struct Entry<T> {
    /// As the manifest has it.
    raw: String,
    /// Begins with a slash, and has no slash at its end.
    full: String,
    target: T,
}

impl<T> Router<T> {
    /// Builds the router from patterns such as `/`, `/q/...`, `/job/:id`, in the manifest's order. Of routes
    /// with the same text the last one counts.
    ///
    /// # Errors
    /// Names a pattern that can not be a route, and why.
    pub fn new<P: Into<String>>(routes: impl IntoIterator<Item = (P, T)>) -> Result<Self> {
        let mut entries: Vec<Entry<T>> = Vec::new();
        let mut warnings = Vec::new();
        for (raw, target) in routes {
            let raw = raw.into();
            let full = full_route(&raw);
            if full.starts_with(WELL_KNOWN) {
                warnings.push(format!(
                    "route '{raw}' is never reached: {WELL_KNOWN} is the host's own"
                ));
            }
            // The router alone would let the first of two equal routes win.
            match entries.iter_mut().find(|entry| entry.raw == raw) {
                Some(entry) => {
                    warnings.push(format!("route '{raw}' is there more than once: the last one counts"));
                    *entry = Entry { raw, full, target };
                }
                None => entries.push(Entry { raw, full, target }),
            }
        }
        let mut finder = routefinder::Router::new();
        for entry in entries {
            let spec = route_spec(&entry.full).map_err(|why| anyhow!("route '{}': {why}", entry.raw))?;
            finder.add(spec, entry).map_err(|why| anyhow!("{why}"))?;
        }
        Ok(Self { finder, warnings })
    }

    /// Lines for the log: routes that can not be reached.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The best route for a path, which is without its query and with its escapes.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Match<'_, T>> {
        let found = self.finder.best_match(path)?;
        let entry = found.handler();
        let captures = found.captures();
        let named = captures
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Some(Match {
            target: &entry.target,
            raw_route: &entry.raw,
            matched_route: &entry.full,
            component_route: entry.raw.strip_suffix("/...").unwrap_or(&entry.raw),
            path_info: captures
                .wildcard()
                .map(|rest| path_info(rest, path))
                .unwrap_or_default(),
            named,
        })
    }
}

/// The route that answers a path.
#[derive(Debug)]
pub struct Match<'r, T> {
    /// What was given with the route.
    pub target: &'r T,
    /// The route as the manifest has it: `/q/...`.
    pub raw_route: &'r str,
    /// The route with a slash at its start and none at its end; so `/` is empty here, as in Spin.
    pub matched_route: &'r str,
    /// The route without its trailing wildcard: `/q`.
    pub component_route: &'r str,
    /// What the trailing wildcard stands for, with its slash: `/foo` of `/q/foo`. Empty when there is none.
    pub path_info: String,
    /// What each `:name` stands for, in the route's order.
    pub named: Vec<(String, String)>,
}

/// The router drops slashes at the ends; Spin gives one back at each.
fn path_info(rest: &str, path: &str) -> String {
    match (rest.is_empty(), path.ends_with('/')) {
        (true, false) => String::new(),
        (true, true) => "/".to_owned(),
        (false, false) => format!("/{rest}"),
        (false, true) => format!("/{rest}/"),
    }
}

fn full_route(raw: &str) -> String {
    let slash = if raw.starts_with('/') { "" } else { "/" };
    let full = format!("{slash}{raw}");
    full.strip_suffix('/').map(str::to_owned).unwrap_or(full)
}

/// The route for the router, refused where the router would panic when it meets a request.
fn route_spec(full: &str) -> Result<RouteSpec> {
    // The router takes places in bytes for places in characters.
    if !full.is_ascii() {
        bail!("only ASCII may stand in a route; write other characters as a request has them, like %C3%A9");
    }
    let pattern = full
        .strip_suffix("/...")
        .map_or_else(|| full.to_owned(), |prefix| format!("{prefix}/*"));
    let spec: RouteSpec = pattern.parse().map_err(|why: String| anyhow!("{why}"))?;
    let pairs = spec.segments().iter().zip(spec.segments().iter().skip(1));
    for pair in pairs {
        match pair {
            (Segment::Wildcard, _) => {
                bail!("a wildcard can only be the last part of a route, as in /q/...")
            }
            (Segment::Param(_), next) if !matches!(next, Segment::Slash | Segment::Dot) => {
                bail!("a :name must be a whole part of a route")
            }
            _ => {}
        }
    }
    Ok(spec)
}

/// The headers that Spin adds to a request for a component, in its order.
///
/// `path_and_query` and `host` are the request's own. A client can send headers of these names too; Spin
/// keeps those and adds its own behind them.
pub fn spin_headers<T>(
    found: &Match<'_, T>,
    path_and_query: &str,
    host: &str,
    client: SocketAddr,
) -> Vec<(HeaderName, HeaderValue)> {
    let full_url = format!("http://{host}{path_and_query}");
    let client = client.to_string();
    let fixed = [
        ("spin-path-info", found.path_info.as_str()),
        ("spin-full-url", &full_url),
        ("spin-matched-route", found.matched_route),
        ("spin-base-path", "/"),
        ("spin-raw-component-route", found.raw_route),
        ("spin-component-route", found.component_route),
        ("spin-client-addr", &client),
    ];
    let fixed = fixed
        .into_iter()
        .map(|(name, value)| (HeaderName::from_static(name), value));
    let named = found.named.iter().filter_map(|(name, value)| {
        let name = format!("spin-path-match-{}", name.to_ascii_lowercase().replace('_', "-"));
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value.as_str()))
    });
    // What can not be a header is left out, as Spin does.
    fixed
        .chain(named)
        .filter_map(|(name, value)| Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?)))
        .collect()
}
