//! Which jobs of a queue a request is about: the members that search and the actions have in common.

use super::insert::KEY_BYTES;
use super::members::Members;
use super::problem::Problem;
use super::request::DELAY;
use crate::queue::{JobId, State};
use crate::store::{Cursor, DeathReason, Filter};
use crate::web::json::is_strict;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// How long a text may be that is looked for.
const TEXT: std::ops::RangeInclusive<usize> = 1..=1000;

/// How long the members of metadata may be that are looked for.
const MAX_METADATA_BYTES: usize = 4096;

/// Takes all members of a filter but `state`, `ids` and `cursor`.
pub(super) fn parse_filter(members: &mut Members<'_>) -> Result<Filter, Problem> {
    Ok(Filter {
        text: members.text("text", TEXT)?,
        error: members.text("error", TEXT)?,
        group: members.text("group", 0..=*TEXT.end())?,
        reason: members.word("reason", &DeathReason::ALL.map(|reason| (reason.name(), reason)))?,
        unique: members.text("unique", KEY_BYTES)?,
        metadata: parse_metadata(members)?,
        older_than: members.seconds("older_than", DELAY)?,
        newer_than: members.seconds("newer_than", DELAY)?,
    })
}

fn parse_metadata(members: &mut Members<'_>) -> Result<Option<String>, Problem> {
    let must = format_args!(
        "an object of at most {MAX_METADATA_BYTES} bytes whose members are strings, numbers, true, false or null"
    );
    members.read("metadata", must, |text| {
        let wanted: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
        let is_plain = wanted.values().all(|value| !value.get().starts_with(['{', '[']));
        (is_plain && is_strict(text) && text.len() <= MAX_METADATA_BYTES).then(|| text.to_owned())
    })
}

/// Takes the state, which is one of these.
pub(super) fn parse_state(members: &mut Members<'_>, states: &[State]) -> Result<Option<State>, Problem> {
    let words: Vec<_> = states.iter().map(|state| (state.name(), *state)).collect();
    members.word("state", &words)
}

/// Takes the ids of jobs.
pub(super) fn parse_ids(members: &mut Members<'_>, max_ids: usize) -> Result<Option<Vec<JobId>>, Problem> {
    let ids = members.list("ids", 1..=max_ids)?;
    ids.map(|ids| ids.into_iter().map(parse_id).collect()).transpose()
}

fn parse_id((value, pointer): (&RawValue, String)) -> Result<JobId, Problem> {
    let text = serde_json::from_str::<String>(value.get()).ok();
    text.and_then(|text| JobId::parse(&text))
        .ok_or_else(|| Problem::member(pointer, "A job's id is a string of 24 hexadecimal digits."))
}

/// Takes the member `cursor`, which `read` can read.
pub(super) fn parse_place<T>(
    members: &mut Members<'_>,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    members.read("cursor", "the `next` of the answer before", |text| {
        read(&serde_json::from_str::<String>(text).ok()?)
    })
}

/// What stands behind the rest of a cursor: the place of a job, if any.
pub(super) fn render_place(after: Option<&Cursor>) -> String {
    after.map_or_else(String::new, |cursor| format!(".{}", super::jobs::render_cursor(cursor)))
}

/// Parts what [`render_place`] wrote from what stands before it. `None` when it is no place.
pub(super) fn split_place(text: &str) -> Option<(&str, Option<Cursor>)> {
    match text.split_once('.') {
        Some((before, place)) => Some((before, Some(super::jobs::read_cursor(place)?))),
        None => Some((text, None)),
    }
}
