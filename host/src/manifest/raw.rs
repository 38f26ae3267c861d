//! The manifest as it is written. Keys that Spin does not have are errors here, as they are there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::{Table, Value};

/// A key that does not matter for serving. Its value may be anything.
type Ignored = Option<IgnoredAny>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    #[serde(rename = "spin_manifest_version")]
    _version: IgnoredAny,
    pub(super) application: Application,
    #[serde(default)]
    pub(super) variables: BTreeMap<String, Variable>,
    #[serde(default)]
    pub(super) trigger: Triggers,
    #[serde(default)]
    pub(super) component: BTreeMap<String, Component>,
}

impl Manifest {
    pub(super) fn parse(text: &str) -> Result<Self> {
        // First the version: with another one, all other errors mislead.
        let table: Table = toml::from_str(text).map_err(|error| located(&error, text))?;
        match table.get("spin_manifest_version") {
            Some(Value::Integer(2)) => {}
            Some(other) => bail!("spin_manifest_version is {other}; only version 2 is served"),
            None => bail!("there is no 'spin_manifest_version = 2'"),
        }
        toml::from_str(text).map_err(|error| located(&error, text))
    }
}

/// The parser's error as one line.
fn located(error: &toml::de::Error, text: &str) -> anyhow::Error {
    let message = error.message().trim().replace('\n', ", ");
    let before = error.span().and_then(|span| text.get(..span.start));
    match before {
        Some(before) => anyhow!("line {}: {message}", before.matches('\n').count() + 1),
        None => anyhow!("{message}"),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Application {
    pub(super) name: String,
    #[serde(rename = "version")]
    _version: Ignored,
    #[serde(rename = "description")]
    _description: Ignored,
    #[serde(rename = "authors")]
    _authors: Ignored,
    #[serde(rename = "targets")]
    _targets: Ignored,
    // Settings of trigger types. Those for http (`base`) went with Spin 3.
    #[serde(rename = "trigger")]
    _trigger: Ignored,
    #[serde(default)]
    pub(super) tool: Tools,
}

/// Settings for tools, which Spin ignores. Those of other tools than this host are ignored here, too.
#[derive(Deserialize, Default)]
pub(super) struct Tools {
    #[serde(rename = "presque-host", default)]
    pub(super) host: HostSettings,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct HostSettings {
    pub(super) redis_commands: Option<PathBuf>,
}

/// The file that `redis_commands` names.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RedisCommands {
    pub(super) commands: Vec<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Variable {
    #[serde(rename = "description")]
    _description: Ignored,
    pub(super) default: Option<String>,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) secret: bool,
}

#[derive(Deserialize, Default)]
pub(super) struct Triggers {
    #[serde(default)]
    pub(super) http: Vec<HttpTrigger>,
    #[serde(flatten)]
    pub(super) others: Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpTrigger {
    pub(super) id: Option<String>,
    pub(super) route: Value,
    pub(super) component: Option<Value>,
    pub(super) static_response: Option<StaticResponse>,
    pub(super) executor: Option<Table>,
    pub(super) components: Option<IgnoredAny>,
    pub(super) dependencies: Option<IgnoredAny>,
}

impl HttpTrigger {
    /// A name for messages: its id, else its route, else its place.
    pub(super) fn describe(&self, at: usize) -> String {
        match (&self.id, &self.route) {
            (Some(id), _) => format!("'{id}'"),
            (None, Value::String(route)) => format!("with route \"{route}\""),
            (None, _) => format!("number {}", at + 1),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StaticResponse {
    pub(super) status_code: Option<u16>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) body: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Component {
    pub(super) source: Value,
    #[serde(default)]
    pub(super) allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    pub(super) variables: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) environment: BTreeMap<String, String>,

    // Errors when they say something: a component would start without them, and behave differently.
    #[serde(default)]
    pub(super) files: Vec<Value>,
    #[serde(default)]
    pub(super) allowed_http_hosts: Vec<Value>,
    #[serde(default)]
    pub(super) dependencies: Table,

    // Mean something only together with `files` and `dependencies`.
    #[serde(rename = "exclude_files")]
    _exclude_files: Ignored,
    #[serde(rename = "dependencies_inherit_configuration")]
    _dependencies_inherit_configuration: Ignored,

    // A component that uses one of these imports an interface that is not there: it fails at its start.
    #[serde(rename = "key_value_stores")]
    _key_value_stores: Ignored,
    #[serde(rename = "sqlite_databases")]
    _sqlite_databases: Ignored,
    #[serde(rename = "ai_models")]
    _ai_models: Ignored,

    // For people and for other tools. Profiles count only where one is asked for.
    pub(super) description: Option<String>,
    #[serde(rename = "targets")]
    _targets: Ignored,
    #[serde(rename = "build")]
    _build: Ignored,
    #[serde(rename = "tool")]
    _tool: Ignored,
    #[serde(rename = "profile")]
    _profile: Ignored,
}
