//! The values of an application's variables, and the texts of the manifest that refer to them.
//!
//! As in Spin a value comes from `--variable`, else from `SPIN_VARIABLE_NAME` in the environment, else from
//! the same name in a `.env` file, else from the manifest's default. No error and no `Debug` output of this
//! module shows a value that the manifest calls secret.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use crate::manifest::{Component, Variable};
use crate::outbound::{self, AllowedHosts};

pub(crate) mod template;
#[cfg(test)]
mod tests;

use template::Part;

/// Where values come from, besides the environment and the manifest.
#[derive(Clone, Default)]
pub struct Sources {
    /// Names and values given by hand: `--variable name=value`. The last of several of a name counts.
    pub given: Vec<(String, String)>,
    /// A file of lines `SPIN_VARIABLE_NAME=value`. It need not exist.
    pub dotenv: Option<PathBuf>,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.given.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Sources")
            .field("given", &names)
            .field("dotenv", &self.dotenv)
            .finish()
    }
}

impl Sources {
    /// What sets a variable of this name, before the manifest's default does: an argument, this process's environment or
    /// the file.
    ///
    /// # Errors
    /// A value that is not UTF-8, a bad `.env` file.
    pub fn value(&self, name: &str) -> Result<Option<String>> {
        if let Some((_, value)) = self.given.iter().rev().find(|(given, _)| given == name) {
            return Ok(Some(value.clone()));
        }
        let dotenv = self.read_dotenv()?;
        from_environment(name, |name: &str| std::env::var_os(name), &dotenv)
    }

    fn read_dotenv(&self) -> Result<BTreeMap<String, String>> {
        Ok(self.dotenv.as_deref().map(read_dotenv).transpose()?.unwrap_or_default())
    }
}

/// Reads one `--variable`: `name=value`, `name=@file` (the file's text is the value) or `@file.toml` (a table
/// of names and values).
///
/// # Errors
/// Names a file that can not be read, or says what forms there are. The value is never shown.
pub fn parse_given(argument: &str) -> Result<Vec<(String, String)>> {
    let read = |path: &str| std::fs::read_to_string(path).with_context(|| format!("--variable: cannot read '{path}'"));
    match (argument.strip_prefix('@'), argument.split_once('=')) {
        (Some(path), _) if path.ends_with(".toml") => {
            let table: BTreeMap<String, String> = toml::from_str(&read(path)?)
                .map_err(|_| anyhow!("--variable: '{path}' must hold lines such as name = \"value\""))?;
            Ok(table.into_iter().collect())
        }
        (Some(path), _) => {
            bail!("--variable: '{path}' must be a .toml file of lines such as name = \"value\"")
        }
        (None, Some((name, value))) => {
            let value = value.strip_prefix('@').map_or_else(|| Ok(value.to_owned()), read)?;
            Ok(vec![(name.to_owned(), value)])
        }
        (None, None) => bail!("--variable must be name=value, name=@file or @file.toml"),
    }
}

/// The variables of an application with their values.
#[derive(Clone)]
pub struct Resolved {
    values: BTreeMap<String, Value>,
}

#[derive(Clone)]
struct Value {
    text: String,
    secret: bool,
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Value| {
            if value.secret {
                "(secret)".to_owned()
            } else {
                value.text.clone()
            }
        };
        f.debug_map()
            .entries(self.values.iter().map(|(name, value)| (name, shown(value))))
            .finish()
    }
}

impl Resolved {
    /// Finds the value of each declared variable, with the environment of this process.
    ///
    /// # Errors
    /// As [`Resolved::with_environment`].
    pub fn new(declared: &BTreeMap<String, Variable>, sources: &Sources) -> Result<Self> {
        Self::with_environment(declared, sources, |name| std::env::var_os(name))
    }

    /// Finds the value of each declared variable.
    ///
    /// # Errors
    /// A required variable without a value (all of them are named), a given name that the manifest does not
    /// declare (Spin ignores it; it is a slip of the pen), a value that is not UTF-8, a bad `.env` file.
    pub fn with_environment(
        declared: &BTreeMap<String, Variable>,
        sources: &Sources,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self> {
        if let Some((name, _)) = sources.given.iter().find(|(name, _)| !declared.contains_key(name)) {
            bail!(
                "--variable {name}=...: the manifest has no variable '{name}'; {}",
                known(declared)
            );
        }
        let dotenv = sources.read_dotenv()?;
        let mut values = BTreeMap::new();
        let mut missing = Vec::new();
        for (name, variable) in declared {
            let given = sources.given.iter().rev().find(|(given, _)| given == name);
            let text = match given {
                Some((_, value)) => Some(value.clone()),
                None => from_environment(name, &environment, &dotenv)?.or_else(|| variable.default.clone()),
            };
            match text {
                Some(text) => drop(values.insert(
                    name.clone(),
                    Value {
                        text,
                        secret: variable.secret,
                    },
                )),
                None => missing.push(explain_missing(name, sources.dotenv.as_deref())),
            }
        }
        if !missing.is_empty() {
            bail!("{}", missing.join("; "));
        }
        Ok(Self { values })
    }

    /// The text with the value of each variable that it refers to as `{{ name }}`.
    ///
    /// # Errors
    /// A `{{` without its `}}`, a variable that there is not.
    pub fn render(&self, template: &str) -> Result<String> {
        let mut text = String::new();
        for part in template::parts(template)? {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Variable(name) => text.push_str(&self.value(name, template)?.text),
            }
        }
        Ok(text)
    }

    /// The variables that a component sees: what its `variables` table has, rendered.
    ///
    /// # Errors
    /// As [`Resolved::render`], with the component's and the variable's name.
    pub fn for_component(&self, component: &Component) -> Result<BTreeMap<String, String>> {
        let rendered = component.variables.iter().map(|(name, template)| {
            let value = self
                .render(template)
                .map_err(|error| anyhow!("variable '{name}' of component '{}': {error}", component.id))?;
            Ok((name.clone(), value))
        });
        rendered.collect()
    }

    /// The addresses that a component may open: its `allowed_outbound_hosts`, rendered.
    ///
    /// # Errors
    /// Names the component and the entry, and says what is wrong with it.
    pub fn allowed_hosts(&self, component: &Component) -> Result<AllowedHosts> {
        let entries = component.allowed_outbound_hosts.iter().map(|template| {
            self.allowed_host(template).map_err(|error| {
                anyhow!(
                    "allowed_outbound_hosts of component '{}': entry \"{template}\" {error}",
                    component.id
                )
            })
        });
        entries.collect()
    }

    fn allowed_host(&self, template: &str) -> Result<outbound::Entry> {
        let text = self.render(template)?;
        let used = template::variables(template)?;
        let secret = used
            .iter()
            .any(|name| self.values.get(*name).is_some_and(|value| value.secret));
        outbound::Entry::parse(&text).map_err(|problem| match (used.is_empty(), secret) {
            (true, _) => anyhow!("{problem}"),
            (false, true) => anyhow!("has a secret value that {problem}"),
            (false, false) => anyhow!("has the value '{}', which {problem}", outbound::shown(&text)),
        })
    }

    fn value(&self, name: &str, template: &str) -> Result<&Value> {
        self.values.get(name).ok_or_else(|| {
            anyhow!("template \"{template}\" refers to '{name}', and the manifest has no variable of that name")
        })
    }
}

fn known(declared: &BTreeMap<String, Variable>) -> String {
    if declared.is_empty() {
        return "it has none".to_owned();
    }
    let names: Vec<&str> = declared.keys().map(String::as_str).collect();
    format!("it has {}", names.join(", "))
}

fn environment_name(variable: &str) -> String {
    format!("SPIN_VARIABLE_{}", variable.to_ascii_uppercase())
}

fn from_environment(
    variable: &str,
    environment: impl Fn(&str) -> Option<OsString>,
    dotenv: &BTreeMap<String, String>,
) -> Result<Option<String>> {
    let name = environment_name(variable);
    match environment(&name).map(OsString::into_string) {
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(_)) => bail!("{name} in the environment is not UTF-8"),
        None => Ok(dotenv.get(&name).cloned()),
    }
}

fn explain_missing(variable: &str, dotenv: Option<&Path>) -> String {
    let name = environment_name(variable);
    let file = dotenv.unwrap_or(Path::new(".env")).display();
    format!(
        "variable '{variable}' is required and has no value: give --variable {variable}=VALUE, \
         set {name} in the environment, or write {name}=VALUE into {file}"
    )
}

fn read_dotenv(path: &Path) -> Result<BTreeMap<String, String>> {
    let shown = path.display();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => bail!("cannot read {shown}: {error}"),
    };
    dotenvy::from_read_iter(text.as_bytes())
        .map(|line| {
            // The parser's own message shows the line, and with it a value.
            line.map_err(|error| match error {
                dotenvy::Error::LineParse(bad, _) => {
                    let first = bad.lines().next().unwrap_or_default();
                    let number = text
                        .lines()
                        .position(|line| line.trim() == first.trim())
                        .map_or(0, |at| at + 1);
                    anyhow!("{shown}: line {number} is not NAME=value")
                }
                _ => anyhow!("{shown}: a line is not NAME=value"),
            })
        })
        .collect()
}
