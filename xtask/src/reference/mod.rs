//! `docs/openapi.yaml` as a page: one file of HTML, which needs nothing from elsewhere and no script.

mod parts;
mod schema;
mod style;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use saphyr::{LoadableYamlNode, Yaml};

use self::parts::{described, escape, in_line, json, list, members, resolve, text};
use crate::workspace;

/// The methods that a path of the document can have, in the order in which they are shown.
const METHODS: [&str; 4] = ["post", "get", "put", "delete"];

/// Writes the page to `target/docs/api.html`, and returns its path.
///
/// # Errors
/// The page cannot be made, or not be written.
pub(crate) fn write() -> Result<PathBuf> {
    let page = make()?;
    let folder = workspace::root().join("target/docs");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join("api.html");
    fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Makes the page.
///
/// # Errors
/// The document cannot be read, or has not what it needs.
pub(crate) fn make() -> Result<String> {
    let source = workspace::root().join("docs/openapi.yaml");
    let text = fs::read_to_string(&source).with_context(|| format!("cannot read {}", source.display()))?;
    page(&text).with_context(|| format!("cannot make a page of {}", source.display()))
}

/// An operation of the document.
struct Operation<'a> {
    method: &'static str,
    path: &'a str,
    /// What all methods of the path have.
    shared: &'a Yaml<'a>,
    its: &'a Yaml<'a>,
}

impl Operation<'_> {
    fn id(&self) -> &str {
        text(self.its, "operationId").unwrap_or_default()
    }
}

/// The page of a document.
fn page(document: &str) -> Result<String> {
    let documents = Yaml::load_from_str(document)?;
    let document = documents.first().context("it is empty")?;
    let info = document.as_mapping_get("info").context("it has no info")?;
    let operations = operations(document);
    let mut nav = String::new();
    let mut main = String::new();
    for tag in list(document, "tags") {
        let name = text(tag, "name").context("a tag has no name")?;
        nav += &format!("<h2>{}</h2>\n", escape(name));
        main += &format!("<h2>{}</h2>\n{}", escape(name), described(tag));
        for operation in operations.iter().filter(|one| has_tag(one.its, name)) {
            let (id, summary) = (operation.id(), text(operation.its, "summary").unwrap_or_default());
            nav += &format!("<a href=\"#{id}\">{}</a>\n", escape(summary.trim_end_matches('.')));
            main += &show(document, operation);
        }
    }
    nav += "<h2>schemas</h2>\n";
    main += "<h2>schemas</h2>\n";
    for (name, schema) in members(
        document
            .as_mapping_get("components")
            .and_then(|all| all.as_mapping_get("schemas")),
    ) {
        nav += &format!("<a href=\"#schema-{name}\">{name}</a>\n");
        let shown = schema::show(schema);
        main += &format!("<section id=\"schema-{name}\">\n<h3>{name}</h3>\n{shown}</section>\n");
    }
    let (title, summary) = (text(info, "title"), text(info, "summary"));
    let title = escape(title.context("it has no title")?);
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}: the API</title>\n<style>\n{}</style>\n</head>\n<body>\n<nav>\n<h1>{title}</h1>\n{nav}</nav>\n\
         <main>\n<h1>{title}</h1>\n<p>{}</p>\n{}{main}</main>\n</body>\n</html>\n",
        style::STYLE,
        escape(summary.unwrap_or_default()),
        described(info),
    ))
}

fn operations<'a>(document: &'a Yaml<'a>) -> Vec<Operation<'a>> {
    let paths = members(document.as_mapping_get("paths"));
    let of_path = |(path, shared): (&'a str, &'a Yaml<'a>)| {
        let its = METHODS.into_iter().filter_map(move |method| {
            let its = shared.as_mapping_get(method)?;
            Some(Operation {
                method,
                path,
                shared,
                its,
            })
        });
        its.collect::<Vec<_>>()
    };
    paths.into_iter().flat_map(of_path).collect()
}

fn has_tag(operation: &Yaml, name: &str) -> bool {
    list(operation, "tags").any(|tag| tag.as_str() == Some(name))
}

fn show(document: &Yaml, operation: &Operation) -> String {
    let Operation {
        method,
        path,
        shared,
        its,
    } = operation;
    let summary = text(its, "summary").unwrap_or_default();
    let mut shown = format!(
        "<section id=\"{}\">\n<h3>{}</h3>\n<p class=\"call\"><b class=\"{method}\">{}</b> <code>{}</code></p>\n",
        operation.id(),
        escape(summary),
        method.to_uppercase(),
        escape(path),
    );
    if let Some(scope) = scope(its) {
        shown += &format!("<p class=\"scope\">scope <code>{}</code></p>\n", escape(scope));
    }
    shown += &described(its);
    let parameters: Vec<_> = list(shared, "parameters").chain(list(its, "parameters")).collect();
    if !parameters.is_empty() {
        shown += "<h4>Parameters</h4>\n<dl>\n";
        for parameter in parameters {
            shown += &parameter_row(resolve(document, parameter));
        }
        shown += "</dl>\n";
    }
    if let Some(body) = its.as_mapping_get("requestBody") {
        let body = resolve(document, body);
        shown += &format!("<h4>Body</h4>\n{}{}", described(body), contents(body));
    }
    shown += "<h4>Responses</h4>\n";
    for (status, response) in members(its.as_mapping_get("responses")) {
        let response = resolve(document, response);
        let description = text(response, "description").unwrap_or_default();
        let headers = header_rows(document, response);
        let open = if status.starts_with('2') { " open" } else { "" };
        shown += &format!(
            "<details{open}>\n<summary><code>{status}</code> {}</summary>\n{headers}{}</details>\n",
            in_line(description),
            contents(response)
        );
    }
    shown + "</section>\n"
}

/// What a key must be for.
fn scope<'a>(operation: &'a Yaml<'a>) -> Option<&'a str> {
    let first = list(operation, "security").next()?;
    list(first, "bearer").next()?.as_str()
}

fn parameter_row(parameter: &Yaml) -> String {
    let place = text(parameter, "in").unwrap_or_default();
    let must = parameter.as_mapping_get("required").and_then(Yaml::as_bool) == Some(true);
    row(
        text(parameter, "name").unwrap_or_default(),
        &format!("{place}{}", if must { ", required" } else { "" }),
        parameter,
    )
}

fn header_rows(document: &Yaml, response: &Yaml) -> String {
    let rows: String = members(response.as_mapping_get("headers"))
        .into_iter()
        .map(|(name, header)| row(name, "header", resolve(document, header)))
        .collect();
    if rows.is_empty() {
        rows
    } else {
        format!("<dl>\n{rows}</dl>\n")
    }
}

fn row(name: &str, place: &str, its: &Yaml) -> String {
    let shown = its.as_mapping_get("schema").map(schema::show).unwrap_or_default();
    let example = its
        .as_mapping_get("example")
        .map(|one| format!("<p>Such as <code>{}</code></p>\n", escape(&json(one))));
    format!(
        "<dt><code>{}</code> <small>{place}</small></dt>\n<dd>{}{shown}{}</dd>\n",
        escape(name),
        described(its),
        example.unwrap_or_default()
    )
}

/// The schemas and examples of a body.
fn contents(body: &Yaml) -> String {
    let mut shown = String::new();
    for (media, content) in members(body.as_mapping_get("content")) {
        shown += &format!("<p><small>{}</small></p>\n", escape(media));
        shown += &content.as_mapping_get("schema").map(schema::show).unwrap_or_default();
        let named = members(content.as_mapping_get("examples"));
        let named = named.into_iter().filter_map(|(_, one)| one.as_mapping_get("value"));
        for example in content.as_mapping_get("example").into_iter().chain(named) {
            shown += &format!("<pre>{}</pre>\n", escape(&json(example)));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{METHODS, escape, page};

    const DOCUMENT: &str = include_str!("../../../docs/openapi.yaml");

    /// What the document calls its operations, read without the code under test.
    fn operation_ids() -> Vec<&'static str> {
        let lines = DOCUMENT.lines().map(str::trim);
        lines.filter_map(|line| line.strip_prefix("operationId: ")).collect()
    }

    #[test]
    fn the_page_has_every_operation_with_its_path_and_a_link_to_it() {
        let page = page(DOCUMENT).unwrap();
        let ids = operation_ids();
        assert!(ids.len() > 20, "{ids:?}");
        for id in ids {
            assert_eq!(page.matches(&format!("<section id=\"{id}\">")).count(), 1, "{id}");
            assert!(page.contains(&format!("<a href=\"#{id}\">")), "{id}");
        }
        let lines = DOCUMENT.lines();
        for path in lines.filter_map(|line| line.strip_prefix("  /")?.strip_suffix(':')) {
            assert!(page.contains(&format!("<code>/{}</code>", escape(path))), "{path}");
        }
    }

    #[test]
    fn the_page_knows_every_method_that_the_document_has() {
        let lines = DOCUMENT
            .lines()
            .filter_map(|line| line.strip_prefix("    ")?.strip_suffix(':'));
        let is_method =
            |line: &&str| ["get", "put", "post", "delete", "patch", "head", "options", "trace"].contains(line);
        assert!(lines.filter(is_method).all(|method| METHODS.contains(&method)));
    }

    #[test]
    fn the_page_loads_nothing_and_refers_to_no_other_host() {
        let page = page(DOCUMENT).unwrap();
        for what in ["http:", "https:", "//", "src=", "<link", "<script", "url(", "@import"] {
            assert!(!page.contains(what), "{what}");
        }
    }

    #[test]
    fn every_link_leads_to_a_place_on_the_page() {
        let page = page(DOCUMENT).unwrap();
        let targets = page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next());
        for target in targets {
            assert!(page.contains(&format!("id=\"{target}\"")), "{target}");
        }
    }

    #[test]
    fn a_description_is_text_and_markup_of_markdown_alone() {
        let document = "info: {title: '<b>', summary: a & b}\ntags: []\npaths: {}\n";
        let page = page(document).unwrap();
        assert!(page.contains("<h1>&lt;b&gt;</h1>\n<p>a &amp; b</p>"), "{page}");
    }
}
