//! Compiling components, and making them ready to be instantiated.

use crate::instance::{MAX_INSTANCES, TICK};
use crate::platform::{self, Platform};
use anyhow::{Context, Result, bail};
use std::path::Path;
use wasmtime::component::{Component, Linker};
use wasmtime::{Cache, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::p3::bindings::ServicePre;

/// An engine for so many components and so many connections of clients, that keeps what it compiles in this cache. Its clock
/// ticks for as long as it lives. `counts` is whether it counts the instructions that run.
pub(crate) fn engine(cache: Cache, components: usize, connections: usize, counts: bool) -> Result<Engine> {
    let mut config = Config::new();
    config
        .wasm_component_model_async(true)
        .epoch_interruption(true)
        .consume_fuel(counts)
        .cache(Some(cache))
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(components, connections)));
    let engine = Engine::new(&config)?;
    let weak = engine.weak();
    std::thread::Builder::new().name("ticks".into()).spawn(move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    })?;
    Ok(engine)
}

/// Room for all instances, reserved but not used before it is needed.
fn pool(components: usize, connections: usize) -> PoolingAllocationConfig {
    /// Each instance has 4 GiB of addresses reserved, of which a process has 128 TiB. More components share what there is.
    const MAX_COMPONENTS: u32 = 16;
    let components = u32::try_from(components).map_or(MAX_COMPONENTS, |count| count.clamp(1, MAX_COMPONENTS));
    let instances = MAX_INSTANCES * components;
    // A connection has one request at a time, and each request may have an instance to itself.
    let busy = u32::try_from(connections).map_or(instances, |connections| connections.min(instances));
    // A component is made of a main module and some that adapt it.
    const MODULES: u32 = 4;
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(instances)
        // An instance that streams has two. Each stack that there may be takes time when the host starts.
        .total_stacks(busy * 2)
        .total_memories(instances)
        .total_core_instances(instances * MODULES)
        .total_tables(instances * MODULES)
        // A new instance reuses a dropped one's pages, up to this size, instead of asking the kernel for others.
        .linear_memory_keep_resident(256 * 1024)
        .table_keep_resident(16 * 1024);
    pool
}

/// What this host provides for components.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<Platform>> {
    let mut linker = Linker::new(engine);
    platform::add_to_linker(&mut linker)?;
    Ok(linker)
}

/// Compiles a component (or takes it from the cache) and links it.
pub(crate) fn load(linker: &Linker<Platform>, id: &str, source: &Path) -> Result<ProxyPre<Platform>> {
    if !source.is_file() {
        bail!(
            "component `{id}` is not built: {} is missing. Run the build command in its manifest (`cargo xtask build` \
             or `spin build`)",
            source.display()
        );
    }
    let component = Component::from_file(linker.engine(), source)
        .map_err(one_line)
        .with_context(|| format!("component `{id}`: {} is not a WebAssembly component", source.display()))?;
    let pre = linker
        .instantiate_pre(&component)
        .map_err(one_line)
        .with_context(|| format!("component `{id}` imports what this host does not provide"))?;
    let service = ServicePre::new(pre)
        .map_err(one_line)
        .with_context(|| format!("component `{id}` does not export the handler of wasi:http 0.3"))?;
    Ok(ProxyPre::P3(service))
}

/// Some errors here come with line breaks in them.
fn one_line(error: wasmtime::Error) -> anyhow::Error {
    let text = format!("{error:#}");
    anyhow::anyhow!(text.split_whitespace().collect::<Vec<_>>().join(" "))
}
