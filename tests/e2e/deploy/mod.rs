//! How presque is deployed: what `deploy/` has for that. What it has for Prometheus and Grafana is in `metrics/deploy.rs`.

mod kubernetes;
mod nginx;
mod servers;

use std::path::{Path, PathBuf};

/// A file or folder of the project.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    let path = path(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The routes of `spin.toml`, each with its component.
fn routes() -> Vec<(String, String)> {
    let manifest = read("spin.toml");
    let value = |line: &str, name: &str| {
        let rest = line.strip_prefix(name)?.strip_prefix(" = \"")?;
        rest.strip_suffix('"').map(str::to_owned)
    };
    let mut lines = manifest.lines();
    let mut routes = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(route) = value(line, "route") {
            let component = value(lines.next().unwrap(), "component").expect("it follows its route");
            routes.push((route, component));
        }
    }
    assert!(routes.len() > 10, "{routes:?}");
    routes
}

/// The components of `spin.toml`.
fn groups() -> Vec<String> {
    let mut groups: Vec<_> = routes().into_iter().map(|(_, component)| component).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}
