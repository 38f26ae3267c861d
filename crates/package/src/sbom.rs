//! What the command and the components are made of: a list in the form of CycloneDX.

use crate::output;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;
use toml::Table;

/// A part of the package, by its packages: those that are built for a target.
struct Part<'a> {
    name: &'a str,
    target: &'a str,
    packages: &'a [String],
}

/// The crates that are linked into the command and into the components.
#[derive(Clone, Debug)]
pub struct Sbom {
    version: String,
    crates: BTreeMap<(String, String), Crate>,
}

#[derive(Clone, Debug, Default)]
struct Crate {
    licence: String,
    digest: Option<String>,
    parts: Vec<String>,
}

impl Sbom {
    /// Asks cargo what the command `presque` is made of on machines like this one, and these packages with components. All of it must be in
    /// `Cargo.lock`. Crates that are used while something is built, and do not become part of it, are not listed.
    ///
    /// # Errors
    /// Cargo fails, or says what is not understood.
    pub fn of(cargo: &OsStr, root: &Path, components: &[String]) -> Result<Self> {
        let command = ["presque-cli".to_owned()];
        let parts = [
            Part {
                name: "bin/presque",
                target: "host-tuple",
                packages: &command,
            },
            Part {
                name: "share/presque/components",
                target: "wasm32-wasip2",
                packages: components,
            },
        ];
        let digests = digests(root)?;
        let mut sbom = Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            crates: BTreeMap::new(),
        };
        for part in parts {
            let mut tree = Command::new(cargo);
            tree.args([
                "tree",
                "--locked",
                "--edges",
                "normal,no-proc-macro",
                "--prefix",
                "none",
            ]);
            tree.args(["--format", "{p}|{l}", "--target", part.target])
                .current_dir(root);
            for package in part.packages {
                tree.args(["--package", package]);
            }
            for line in String::from_utf8(output(&mut tree)?)?
                .lines()
                .filter(|line| !line.is_empty())
            {
                sbom.add(line, part.name, &digests)
                    .with_context(|| format!("cargo tree says {line}"))?;
            }
        }
        ensure!(!sbom.crates.is_empty(), "cargo tree says nothing");
        Ok(sbom)
    }

    /// Adds a crate of a line: `NAME vVERSION (WHERE)|LICENCE (*)`.
    fn add(&mut self, line: &str, part: &str, digests: &BTreeMap<(String, String), String>) -> Result<()> {
        let (package, licence) = line.split_once('|').context("it has no licence")?;
        let mut words = package.split(' ');
        let name = words.next().unwrap_or_default().to_owned();
        let version = words.next().and_then(|version| version.strip_prefix('v'));
        let key = (name, version.context("it has no version")?.to_owned());
        let digest = digests.get(&key).cloned();
        let entry = self.crates.entry(key).or_default();
        // Some crates write the alternatives of their licence with a slash, as was usual once.
        entry.licence = licence.trim_end_matches(" (*)").replace('/', " OR ");
        entry.digest = digest;
        if !entry.parts.iter().any(|known| known == part) {
            entry.parts.push(part.to_owned());
        }
        Ok(())
    }

    /// The list as JSON. It has no number of its own: the same crates give the same text.
    ///
    /// # Errors
    /// None that is known of.
    pub fn text(&self) -> Result<String> {
        let of = |((name, version), found): (&(String, String), &Crate)| {
            let url = format!("pkg:cargo/{name}@{version}");
            let properties: Vec<Value> = found
                .parts
                .iter()
                .map(|part| json!({"name": "presque:part", "value": part}))
                .collect();
            let mut component = json!({
                "type": "library", "bom-ref": url, "name": name, "version": version, "purl": url, "properties": properties,
            });
            if let Some(members) = component.as_object_mut() {
                if !found.licence.is_empty() {
                    members.insert("licenses".into(), json!([{"expression": found.licence}]));
                }
                if let Some(digest) = &found.digest {
                    members.insert("hashes".into(), json!([{"alg": "SHA-256", "content": digest}]));
                }
            }
            component
        };
        let components: Vec<Value> = self.crates.iter().map(of).collect();
        let list = json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {
                "component": {"type": "application", "name": "presque", "version": self.version, "licenses": [{"expression": "Apache-2.0"}]},
            },
            "components": components,
        });
        Ok(serde_json::to_string_pretty(&list)? + "\n")
    }
}

/// The checksums of `Cargo.lock`, by name and version. Crates of this workspace have none.
fn digests(root: &Path) -> Result<BTreeMap<(String, String), String>> {
    let path = root.join("Cargo.lock");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let lock: Table = text.parse().context("Cargo.lock is not TOML")?;
    let packages = lock.get("package").and_then(|packages| packages.as_array());
    let mut digests = BTreeMap::new();
    for package in packages.context("Cargo.lock names no package")? {
        let member = |name: &str| package.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        if let (Some(name), Some(version), Some(digest)) = (member("name"), member("version"), member("checksum")) {
            digests.insert((name, version), digest);
        }
    }
    Ok(digests)
}
