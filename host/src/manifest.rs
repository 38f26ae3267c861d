//! The manifest of an application: `spin.toml`, version 2.
//!
//! What Spin's manifest can hold and this host does not serve is an error where its absence could go
//! unnoticed (files, wagi, other triggers), and ignored where it does not matter for serving (build commands,
//! descriptions) or where a component that needs it fails at its start (key-value stores, databases, models).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};

mod check;
mod raw;
#[cfg(test)]
mod tests;

/// An application.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The application's name.
    pub name: String,
    /// The application's variables. Components see only what they map.
    pub variables: BTreeMap<String, Variable>,
    /// The HTTP triggers, in the manifest's order.
    pub routes: Vec<Trigger>,
    /// The components by their ids.
    pub components: BTreeMap<String, Component>,
    /// Commands that the application's Redis must carry out, each with arguments that do no harm: those of the file that
    /// `redis_commands` in `[application.tool.presque-host]` names. They are tried before anything is served.
    pub redis_commands: Vec<Vec<String>>,
    /// The directory of the manifest, absolute. Paths in the manifest start there.
    pub dir: PathBuf,
}

/// A variable of the application. Either it is required, or it has a default.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variable {
    /// Its value when nothing else sets it.
    pub default: Option<String>,
    /// Whether a start without a value fails.
    pub required: bool,
    /// Whether its value must not be shown.
    pub secret: bool,
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = if self.secret {
            self.default.as_deref().map(|_| "(secret)")
        } else {
            self.default.as_deref()
        };
        f.debug_struct("Variable")
            .field("default", &default)
            .field("required", &self.required)
            .field("secret", &self.secret)
            .finish()
    }
}

/// What answers the requests to a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The requests that it is for.
    pub route: Route,
    /// What answers them.
    pub handler: Handler,
}

/// The requests that a trigger is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Those to paths of this pattern: `/q/...`.
    Path(String),
    /// None from outside (`route = { private = true }`).
    Private,
}

/// What answers a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handler {
    /// The component of this id.
    Component(String),
    /// Always the same response.
    Static(StaticResponse),
}

/// A response that needs no component. Its status and its headers are valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticResponse {
    /// 200 unless the manifest says otherwise.
    pub status_code: u16,
    /// Names and values.
    pub headers: BTreeMap<String, String>,
    /// Empty unless the manifest says otherwise.
    pub body: String,
}

/// A component, and what it may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its id, for messages.
    pub id: String,
    /// What it is, in a word or two.
    pub description: Option<String>,
    /// Its Wasm file, absolute. It may not be there (yet).
    pub source: PathBuf,
    /// The addresses it may open, as templates.
    pub allowed_outbound_hosts: Vec<String>,
    /// The variables it sees, with templates for their values.
    pub variables: BTreeMap<String, String>,
    /// Its environment, which has no templates.
    pub environment: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads a manifest; `path` is its file, or the directory of a `spin.toml`.
    ///
    /// # Errors
    /// One line, with the file and what is wrong in it.
    pub fn load(path: &Path) -> Result<Self> {
        let file = if path.is_dir() {
            path.join("spin.toml")
        } else {
            path.to_owned()
        };
        let text = std::fs::read_to_string(&file).map_err(|error| {
            anyhow!(
                "cannot read {}: {error}; give the path of a spin.toml, or of its directory",
                file.display()
            )
        })?;
        // The parent of a bare file name is the empty path, which is no directory.
        let dir = file
            .parent()
            .filter(|dir| !dir.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        Self::parse(&text, dir).map_err(|error| anyhow!("{}: {error:#}", file.display()))
    }

    /// Reads a manifest from its text. Its paths start at `dir`.
    ///
    /// # Errors
    /// One line that says what is wrong, and where.
    pub fn parse(text: &str, dir: &Path) -> Result<Self> {
        let dir = std::path::absolute(dir).with_context(|| format!("bad directory '{}'", dir.display()))?;
        let raw = raw::Manifest::parse(text)?;
        check::only_http(&raw.trigger.others)?;
        ensure!(
            !raw.trigger.http.is_empty(),
            "there is no [[trigger.http]]: nothing to serve"
        );
        let mut variables = BTreeMap::new();
        for (name, variable) in raw.variables {
            let variable = check::variable(&name, variable)?;
            variables.insert(name, variable);
        }
        let mut components = BTreeMap::new();
        for (id, component) in raw.component {
            let component = check::component(&id, component, &dir, &variables)
                .map_err(|error| anyhow!("component '{id}': {error:#}"))?;
            components.insert(id, component);
        }
        let mut routes = Vec::new();
        for (at, trigger) in raw.trigger.http.into_iter().enumerate() {
            let name = trigger.describe(at);
            let trigger =
                check::trigger(trigger, &components).map_err(|error| anyhow!("[[trigger.http]] {name}: {error:#}"))?;
            routes.push(trigger);
        }
        let redis_commands = match raw.application.tool.host.redis_commands {
            Some(file) => check::redis_commands(&dir.join(file))?,
            None => Vec::new(),
        };
        Ok(Self {
            name: raw.application.name,
            variables,
            routes,
            components,
            redis_commands,
            dir,
        })
    }

    /// Drops all components but these, and the triggers of what is dropped, static responses too. This is
    /// `spin up --component ID`. All variables stay. No ids: all components stay.
    ///
    /// # Errors
    /// An id that there is not, or one without a trigger.
    pub fn keep_only(&mut self, ids: &[String]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        if let Some(id) = ids.iter().find(|id| !self.components.contains_key(*id)) {
            bail!("there is no component '{id}'; {}", known(&self.components));
        }
        let ids: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        let handled_by = |trigger: &Trigger| match &trigger.handler {
            Handler::Component(id) => ids.get(id.as_str()).copied(),
            Handler::Static(_) => None,
        };
        let with_trigger: BTreeSet<&str> = self.routes.iter().filter_map(handled_by).collect();
        if let Some(id) = ids.difference(&with_trigger).next() {
            bail!("component '{id}' has no [[trigger.http]]: nothing to serve");
        }
        self.components.retain(|id, _| ids.contains(id.as_str()));
        self.routes.retain(|trigger| handled_by(trigger).is_some());
        Ok(())
    }
}

fn known(components: &BTreeMap<String, Component>) -> String {
    if components.is_empty() {
        return "the manifest has none".to_owned();
    }
    let ids: Vec<&str> = components.keys().map(String::as_str).collect();
    format!("the manifest has {}", ids.join(", "))
}
