//! Calls and outcomes as a person reads them.

use super::call::{Call, Outcome};
use presque::store::Configured;
use std::fmt::Write;

/// A call on one line, without what is not said.
pub fn tidy(call: &Call) -> String {
    let text = format!("{call:?}");
    let said = text.split(", ").filter(|part| !part.ends_with(": None"));
    said.collect::<Vec<_>>().join(", ")
}

/// Where two outcomes have the same shape, only the lines that differ.
pub fn difference(model: &Outcome, store: &Outcome) -> String {
    let (model, store) = (format!("{model:#?}"), format!("{store:#?}"));
    if model.lines().count() != store.lines().count() {
        return format!("the model says\n{model}\nthe store says\n{store}");
    }
    let mut text = String::new();
    for (model, store) in model.lines().zip(store.lines()) {
        if model == store {
            // The names that lead to what differs.
            let is_name = model.ends_with(['{', '(', '[']) || model.contains("id: ");
            text.extend(is_name.then(|| format!("  {model}\n")));
        } else {
            let _ = writeln!(text, "  {model}   says the model\n  {store}   says the store");
        }
    }
    text
}

/// An outcome on one line, cut where it gets long.
pub fn brief(outcome: &Outcome) -> String {
    let text = match outcome {
        Outcome::Claimed(claimed) => {
            let receipts = claimed.jobs.iter().map(|(_, job)| job.receipt().unwrap().to_string());
            format!("{:?}, acks {:?}", receipts.collect::<Vec<_>>(), claimed.acks)
        }
        // The settings are those of the call.
        Outcome::Configured(Configured::Created(_)) => "Created".to_owned(),
        Outcome::Configured(Configured::Changed(_)) => "Changed".to_owned(),
        other => format!("{other:?}"),
    };
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
