//! Manifests, as a package has them: they name files beside themselves, and no way to build those.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::path::Path;
use toml::{Table, Value};

/// A manifest of a package.
pub(crate) struct Packed {
    pub(crate) text: String,
    /// The files that it names: their paths beside it, and those that they have in the sources.
    pub(crate) files: BTreeMap<String, String>,
}

/// The members that name a file, with the folders in which the package has it.
const FILES: [(&str, &str); 2] = [("source", "components/"), ("redis_commands", "")];

/// Makes a manifest of a package from one of the sources, line by line: the comments say what its variables are for.
pub(crate) fn packed(text: &str) -> Result<Packed> {
    let mut packed = Packed {
        text: String::new(),
        files: BTreeMap::new(),
    };
    let mut is_build = false;
    for line in text.lines() {
        if line.starts_with('[') {
            is_build = line.starts_with("[component.") && line.ends_with(".build]");
        }
        if is_build {
            continue;
        }
        let line = match file_of(line) {
            Some((member, source, path)) => {
                let line = format!("{member} = \"{path}\"");
                packed.files.insert(path, source.to_owned());
                line
            }
            None => line.to_owned(),
        };
        packed.text.push_str(&line);
        packed.text.push('\n');
    }
    packed.check()?;
    Ok(packed)
}

/// A line that names a file: the member, the file's path in the sources, and the one in the package.
fn file_of(line: &str) -> Option<(&'static str, &str, String)> {
    FILES.iter().find_map(|(member, folder)| {
        let source = line.strip_prefix(member)?.strip_prefix(" = \"")?.strip_suffix('"')?;
        let name = Path::new(source).file_name()?.to_str()?;
        Some((*member, source, format!("{folder}{name}")))
    })
}

impl Packed {
    /// Looks at what was made with a real parser.
    fn check(&self) -> Result<()> {
        let manifest: Table = self.text.parse()?;
        let components = manifest.get("component").and_then(Value::as_table);
        for (id, component) in components.context("there are no components")? {
            ensure!(component.get("build").is_none(), "component {id} can be built");
            let source = component.get("source").and_then(Value::as_str);
            let is_packed = source.is_some_and(|source| self.files.contains_key(source));
            ensure!(
                is_packed,
                "component {id}: a line `source = \"PATH\"` must name its file"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::packed;

    #[test]
    fn a_package_s_manifest_names_files_beside_it_and_builds_nothing() {
        let text = r#"[application.tool.presque-host]
redis_commands = "src/store/commands.toml"
[variables]
# What is asked for.
keys = { default = "" }
[component.a]
source = "target/wasm32-wasip2/release/a.wasm"
[component.a.variables]
keys = "{{ keys }}"
[component.a.build]
command = "cargo build"
"#;
        let packed = packed(text).unwrap();
        assert_eq!(
            packed.text,
            r#"[application.tool.presque-host]
redis_commands = "commands.toml"
[variables]
# What is asked for.
keys = { default = "" }
[component.a]
source = "components/a.wasm"
[component.a.variables]
keys = "{{ keys }}"
"#
        );
        let files: Vec<_> = packed
            .files
            .iter()
            .map(|(to, from)| (to.as_str(), from.as_str()))
            .collect();
        assert_eq!(
            files,
            [
                ("commands.toml", "src/store/commands.toml"),
                ("components/a.wasm", "target/wasm32-wasip2/release/a.wasm"),
            ]
        );
    }

    #[test]
    fn a_manifest_that_names_no_file_is_refused() {
        let error = |text: &str| format!("{:#}", packed(text).err().unwrap());
        let named = "component a: a line `source = \"PATH\"` must name its file";
        assert_eq!(error("[component.a]"), named);
        assert_eq!(error("[component.a]\nsource = { url = \"\" }"), named);
        assert_eq!(error("[component]\na = { source = \"a.wasm\" }"), named);
    }
}
