//! Backoffs, of jobs and of queues: read and written.

use super::members::Members;
use super::problem::Problem;
use super::request::DELAY;
use super::seconds::seconds;
use crate::queue::Backoff;
use crate::web::json::Object;

#[derive(Clone, Copy)]
enum Kind {
    Fixed,
    Exponential,
}

/// The member `backoff` of an object.
pub(super) fn parse_backoff(members: &mut Members<'_>) -> Result<Option<Backoff>, Problem> {
    let Some(mut rule) = members.object("backoff")? else {
        return Ok(None);
    };
    let kind = rule.word("kind", &[("fixed", Kind::Fixed), ("exponential", Kind::Exponential)])?;
    let kind = rule.required("kind", kind)?;
    let delay = rule.seconds("delay", DELAY)?;
    let delay = rule.required("delay", delay)?;
    let backoff = match kind {
        Kind::Fixed => Backoff::Fixed { delay },
        Kind::Exponential => {
            let max = rule.seconds("max", DELAY)?;
            let max = rule.required("max", max)?;
            Backoff::Exponential { delay, max }
        }
    };
    rule.reject_unknown()?;
    Ok(Some(backoff))
}

/// Writes the member `backoff`.
pub(super) fn render_backoff(o: &mut Object<'_>, backoff: Backoff) {
    o.object("backoff", |o| match backoff {
        Backoff::Fixed { delay } => {
            o.text("kind", "fixed").plain("delay", seconds(delay));
        }
        Backoff::Exponential { delay, max } => {
            o.text("kind", "exponential").plain("delay", seconds(delay));
            o.plain("max", seconds(max));
        }
    });
}
