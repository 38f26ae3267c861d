//! What there is to tell once an application is served.

use crate::manifest::{Handler, Manifest, Route};
use crate::private_redis::PrivateRedis;
use crate::redis_address::RedisAddress;
use crate::variables::Resolved;
use anyhow::Result;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// An application that is served.
#[derive(Debug)]
pub struct Serving<'a> {
    pub(crate) manifest: &'a Manifest,
    /// Where it listens.
    pub address: SocketAddr,
    /// The Redis that it uses, if it uses one.
    pub store: Option<Store>,
}

/// A Redis.
#[derive(Debug, PartialEq, Eq)]
pub enum Store {
    /// One that was started for this application.
    Private {
        /// `redis://127.0.0.1:PORT`, without its password.
        url: String,
        /// The folder with its data.
        data: PathBuf,
    },
    /// Another one: `HOST:PORT` of its servers, with commas between.
    Other(String),
}

impl Store {
    /// The one that the variables name. `state` is the folder of a private one.
    pub(crate) fn of(variables: &Resolved, private: Option<&PrivateRedis>, state: &Path) -> Result<Option<Self>> {
        if let Some(private) = private {
            let url = private.url().to_owned();
            let data = state.to_owned();
            return Ok(Some(Self::Private { url, data }));
        }
        let address = RedisAddress::of(variables)?;
        Ok(address.map(|address| {
            let servers: Vec<String> = address.addresses.iter().map(ToString::to_string).collect();
            Self::Other(servers.join(", "))
        }))
    }

    /// A line for people.
    fn describe(&self) -> String {
        match self {
            Self::Private { url, data } => format!("The jobs: {}, kept by a private Redis at {url}", data.display()),
            Self::Other(servers) => format!("The jobs: Redis at {servers}"),
        }
    }
}

impl Serving<'_> {
    /// Where programs find it: `http://HOST:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The components that the manifest describes and that have a path of their own: description and address. That is one that
    /// a browser on this machine can open.
    #[must_use]
    pub fn pages(&self) -> Vec<(&str, String)> {
        let mut address = self.address;
        match address.ip() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        let fixed = self.routes().filter(|(route, _)| !route.ends_with("..."));
        let described = fixed.filter_map(|(route, id)| {
            let description = self.manifest.components.get(id)?.description.as_deref()?;
            Some((description, format!("http://{address}{route}")))
        });
        described.collect()
    }

    fn routes(&self) -> impl Iterator<Item = (&str, &str)> {
        let routes = self.manifest.routes.iter();
        routes.filter_map(|trigger| match (&trigger.route, &trigger.handler) {
            (Route::Path(route), Handler::Component(id)) => Some((route.as_str(), id.as_str())),
            _ => None,
        })
    }

    /// For people: where the described components are, and where the data is. A line each.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        let pages = self.pages().into_iter();
        let pages = pages.map(|(description, url)| format!("{description}: {url}"));
        pages.chain(self.store.as_ref().map(Store::describe)).collect()
    }

    /// All there is to tell. The first line is for programs, too.
    pub(crate) fn text(&self) -> String {
        let mut lines = vec![format!("Serving {}", self.url())];
        lines.extend(self.routes().map(|(route, id)| format!("  {route}  ->  {id}")));
        lines.extend(self.places());
        lines.join("\n") + "\n"
    }

    /// Tells all of it on standard output.
    pub(crate) fn announce(&self) -> Result<()> {
        let mut out = std::io::stdout().lock();
        out.write_all(self.text().as_bytes())?;
        Ok(out.flush()?)
    }
}
