//! From what is written to what is meant: the checks of each part of a manifest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail, ensure};
use toml::{Table, Value};

use super::{Component, Handler, Route, StaticResponse, Trigger, Variable, known, raw};
use crate::outbound::AllowedHosts;
use crate::variables::template;

/// Checks a variable of the application.
pub(super) fn variable(name: &str, raw: raw::Variable) -> Result<Variable> {
    variable_name(name)?;
    match (raw.required, &raw.default) {
        (true, Some(_)) => {
            bail!("variable '{name}' is required and has a default; it can only be one of the two")
        }
        (false, None) => bail!("variable '{name}' needs 'required = true' or a default"),
        _ => Ok(Variable {
            default: raw.default,
            required: raw.required,
            secret: raw.secret,
        }),
    }
}

/// Reads the file of Redis commands that a manifest names.
pub(super) fn redis_commands(path: &Path) -> Result<Vec<Vec<String>>> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| anyhow!("redis_commands: cannot read {}: {error}", path.display()))?;
    let file: raw::RedisCommands = toml::from_str(&text)
        .map_err(|error| anyhow!("redis_commands: {}: {}", path.display(), error.message().trim()))?;
    Ok(file.commands)
}

/// Spin's rule for the names of variables, which makes them fit to be names in the environment.
fn variable_name(name: &str) -> Result<()> {
    let letters = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    ensure!(
        letters && starts && !name.ends_with('_') && !name.contains("__"),
        "variable name '{name}' is not allowed: lower-case letters and digits, starting with a letter, \
         with single underscores between them"
    );
    Ok(())
}

/// Spin's rule for component ids: words of one case, with hyphens between them.
fn component_id(id: &str) -> Result<()> {
    let word = |word: &str| {
        let lower = word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let upper = word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        !word.is_empty() && (lower || upper)
    };
    ensure!(
        id.starts_with(|c: char| c.is_ascii_alphabetic()) && id.split('-').all(word),
        "is not a component id: letters (one case a word) and digits, starting with a letter, \
         with single hyphens between words"
    );
    Ok(())
}

/// Checks a component.
pub(super) fn component(
    id: &str,
    raw: raw::Component,
    dir: &Path,
    variables: &BTreeMap<String, Variable>,
) -> Result<Component> {
    component_id(id)?;
    ensure!(
        raw.files.is_empty(),
        "'files' is not supported: the component would not see them"
    );
    ensure!(
        raw.allowed_http_hosts.is_empty(),
        "'allowed_http_hosts' is not supported; use 'allowed_outbound_hosts'"
    );
    ensure!(
        raw.dependencies.is_empty(),
        "'dependencies' is not supported; compose the component when it is built"
    );
    for (name, template) in &raw.variables {
        variable_name(name)?;
        refers_to_known(template, variables).map_err(|error| anyhow!("variable '{name}': {error}"))?;
    }
    for template in &raw.allowed_outbound_hosts {
        refers_to_known(template, variables).map_err(|error| anyhow!("allowed_outbound_hosts: {error}"))?;
        if template::variables(template)?.is_empty() {
            AllowedHosts::parse(std::slice::from_ref(template))?;
        }
    }
    Ok(Component {
        id: id.to_owned(),
        description: raw.description,
        source: source(&raw.source, dir)?,
        allowed_outbound_hosts: raw.allowed_outbound_hosts,
        variables: raw.variables,
        environment: raw.environment,
    })
}

fn source(raw: &Value, dir: &Path) -> Result<PathBuf> {
    match raw {
        Value::String(path) if !path.is_empty() => Ok(dir.join(path)),
        Value::Table(table) if table.contains_key("url") || table.contains_key("package") => {
            bail!("its 'source' is a download; only local files are served: source = \"path/to/component.wasm\"")
        }
        _ => bail!("its 'source' must be the path of a Wasm file"),
    }
}

fn refers_to_known(template: &str, variables: &BTreeMap<String, Variable>) -> Result<()> {
    for name in template::variables(template)? {
        ensure!(
            variables.contains_key(name),
            "template \"{template}\" refers to '{name}', and there is no such variable in [variables]"
        );
    }
    Ok(())
}

/// Refuses triggers of other types: nobody would notice that they never run.
pub(super) fn only_http(others: &Table) -> Result<()> {
    match others.keys().next() {
        Some(kind) => bail!("[[trigger.{kind}]] is not supported: only http triggers are served"),
        None => Ok(()),
    }
}

/// Checks an HTTP trigger.
pub(super) fn trigger(raw: raw::HttpTrigger, components: &BTreeMap<String, Component>) -> Result<Trigger> {
    for (key, there) in [
        ("components", raw.components.is_some()),
        ("dependencies", raw.dependencies.is_some()),
    ] {
        ensure!(!there, "'{key}' is not supported");
    }
    if let Some(executor) = &raw.executor {
        let kind = executor.get("type").and_then(Value::as_str);
        ensure!(
            matches!(kind, Some("http" | "spin")),
            "its executor must be of type \"http\": no other is supported"
        );
    }
    let handler = match (raw.component, raw.static_response) {
        (Some(component), None) => Handler::Component(component_of(&component, components)?),
        (None, Some(response)) => Handler::Static(static_response(response)?),
        (Some(_), Some(_)) => {
            bail!("has both 'component' and 'static_response'; it can only have one")
        }
        (None, None) => bail!("has neither 'component' nor 'static_response'"),
    };
    Ok(Trigger {
        route: route(&raw.route)?,
        handler,
    })
}

fn route(raw: &Value) -> Result<Route> {
    match raw {
        Value::String(pattern) => Ok(Route::Path(pattern.clone())),
        Value::Table(table) if table.len() == 1 && table.get("private") == Some(&Value::Boolean(true)) => {
            Ok(Route::Private)
        }
        _ => bail!("its route must be a pattern such as \"/q/...\", or {{ private = true }}"),
    }
}

fn component_of(raw: &Value, components: &BTreeMap<String, Component>) -> Result<String> {
    match raw {
        Value::String(id) if components.contains_key(id) => Ok(id.clone()),
        Value::String(id) => bail!("there is no component '{id}'; {}", known(components)),
        Value::Table(_) => bail!("a component inside a trigger is not supported; give it a [component.ID] of its own"),
        _ => bail!("its 'component' must be the id of a component"),
    }
}

fn static_response(raw: raw::StaticResponse) -> Result<StaticResponse> {
    let status_code = raw.status_code.unwrap_or(200);
    // 1xx would leave the client waiting for the response proper.
    ensure!(
        (200..1000).contains(&status_code),
        "status_code {status_code} is not from 200 to 999"
    );
    for (name, value) in &raw.headers {
        let valid = name.parse::<http::HeaderName>().is_ok() && value.parse::<http::HeaderValue>().is_ok();
        ensure!(
            valid,
            "its static_response has a header '{name}' that no response can have"
        );
    }
    Ok(StaticResponse {
        status_code,
        headers: raw.headers,
        body: raw.body,
    })
}
