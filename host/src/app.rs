//! An application that is ready to serve: its routes, and behind each what answers it.

use crate::cache::Compiled;
use crate::engine;
use crate::flags::Flags;
use crate::instance::{MAX_INSTANCES, Maker, Reuse};
use crate::manifest::{self, Handler, Manifest, Route, StaticResponse};
use crate::platform::Grants;
use crate::routes::Router;
use crate::variables::Resolved;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Semaphore;
use wasmtime_wasi_http::handler::ProxyHandler;

/// An application that is ready to serve.
pub(crate) struct App {
    pub(crate) router: Router<Target>,
}

/// What answers the requests to a route.
#[derive(Clone)]
pub(crate) enum Target {
    Component(Component),
    Static(StaticResponse),
}

/// A component and its instances.
#[derive(Clone)]
pub(crate) struct Component {
    pub(crate) id: Arc<str>,
    pub(crate) handler: ProxyHandler<Maker>,
}

impl App {
    /// Compiles and links what the manifest names.
    ///
    /// # Errors
    /// Names the component, route or variable that cannot be served, and why.
    pub(crate) fn load(manifest: &Manifest, variables: &Resolved, flags: &Flags, cache: &Path) -> Result<Self> {
        let reuse = Reuse {
            requests: flags.max_instance_reuse_count.clone(),
            concurrent: flags.max_instance_concurrent_reuse_count.clone(),
            idle: flags.idle_instance_timeout.clone(),
            request_timeout: flags.request_timeout.clone(),
        };
        let components = load_components(manifest, variables, &reuse, flags, cache)?;
        let mut routes = Vec::new();
        for trigger in &manifest.routes {
            let Route::Path(pattern) = &trigger.route else {
                continue; // nothing from outside reaches a private route
            };
            let target = match &trigger.handler {
                Handler::Static(response) => Target::Static(response.clone()),
                Handler::Component(id) => {
                    let component = components.get(id).with_context(|| format!("no component `{id}`"))?;
                    Target::Component(component.clone())
                }
            };
            routes.push((pattern.clone(), target));
        }
        let router = Router::new(routes)?;
        for warning in router.warnings() {
            tracing::warn!("{warning}");
        }
        Ok(Self { router })
    }
}

fn load_components(
    manifest: &Manifest,
    variables: &Resolved,
    reuse: &Reuse,
    flags: &Flags,
    cache: &Path,
) -> Result<BTreeMap<String, Component>> {
    let (log_fuel, connections) = (flags.log_fuel, flags.max_connections);
    let compiled = Compiled::open(cache)?;
    let engine = engine::engine(compiled.cache()?, manifest.components.len(), connections, log_fuel)?;
    let linker = engine::linker(&engine)?;
    let load = |id: &str, component: &manifest::Component| -> Result<Component> {
        let name: Arc<str> = id.into();
        let grants = Grants {
            component: name.clone(),
            allowed_hosts: variables.allowed_hosts(component)?,
            variables: variables.for_component(component)?,
            environment: component.environment.clone(),
        };
        let maker = Maker {
            component: name.clone(),
            engine: engine.clone(),
            pre: engine::load(&linker, id, &component.source)?,
            grants: Arc::new(grants),
            reuse: reuse.clone(),
            log_fuel,
            places: Arc::new(Semaphore::new(MAX_INSTANCES as usize)),
        };
        let handler = ProxyHandler::new(maker);
        Ok(Component { id: name, handler })
    };
    let all: Vec<_> = manifest.components.iter().collect();
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let load_some = |some: &[(&String, &manifest::Component)]| -> Result<Vec<Component>> {
        some.iter().map(|(id, component)| load(id, component)).collect()
    };
    let loaded = std::thread::scope(|scope| -> Result<Vec<_>> {
        let parts = all.chunks(all.len().div_ceil(threads).max(1));
        let loading: Vec<_> = parts.map(|some| scope.spawn(|| load_some(some))).collect();
        let loaded = loading
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        loaded.collect()
    })?;
    compiled.keep();
    Ok(all
        .into_iter()
        .map(|(id, _)| id.clone())
        .zip(loaded.into_iter().flatten())
        .collect())
}
