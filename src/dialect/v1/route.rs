//! The routes of the dialect.

use super::act::action_named;
use super::problem::{Problem, ProblemType};
use super::receipts::Verb;
use super::request::{parse_job_id, parse_queue, parse_receipt};
use crate::queue::{JobId, QueueName, Receipt};
use crate::store::Action;
use crate::web::segments;

/// What a path names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    Jobs(QueueName),
    Job(QueueName, JobId),
    Search(QueueName),
    Act(Action, QueueName),
    Claims(QueueName),
    ClaimsOfMany,
    UseReceipt(Verb, QueueName, Receipt),
    UseReceipts(Verb, QueueName),
    Queues,
    Queue(QueueName),
    Dead(QueueName),
    DeleteDead(QueueName),
    Redrive(QueueName),
    DeadGroups(QueueName),
    History(QueueName),
    Overview,
    Workers,
    Key,
    Health,
}

impl Route {
    /// The route of a path.
    pub(super) fn of(path: &str) -> Result<Self, Problem> {
        let ["v1", rest @ ..] = &segments(path)[..] else {
            return Err(not_found());
        };
        Ok(match rest {
            ["claims"] => Self::ClaimsOfMany,
            ["overview"] => Self::Overview,
            ["workers"] => Self::Workers,
            ["key"] => Self::Key,
            ["health"] => Self::Health,
            ["queues"] => Self::Queues,
            ["queues", queue] => Self::Queue(parse_queue(queue)?),
            ["queues", queue, "jobs"] => Self::Jobs(parse_queue(queue)?),
            ["queues", queue, "jobs", "search"] => Self::Search(parse_queue(queue)?),
            ["queues", queue, "jobs", id] if let Some(action) = action_named(id) => {
                Self::Act(action, parse_queue(queue)?)
            }
            ["queues", queue, "jobs", id] => Self::Job(parse_queue(queue)?, parse_job_id(id)?),
            ["queues", queue, "claims"] => Self::Claims(parse_queue(queue)?),
            ["queues", queue, "claims", verb] => {
                let verb = Verb::named(verb).ok_or_else(not_found)?;
                Self::UseReceipts(verb, parse_queue(queue)?)
            }
            ["queues", queue, "claims", of, verb] => {
                let verb = Verb::named(verb).ok_or_else(not_found)?;
                Self::UseReceipt(verb, parse_queue(queue)?, parse_receipt(of)?)
            }
            ["queues", queue, "dead"] => Self::Dead(parse_queue(queue)?),
            ["queues", queue, "dead", "delete"] => Self::DeleteDead(parse_queue(queue)?),
            ["queues", queue, "dead", "redrive"] => Self::Redrive(parse_queue(queue)?),
            ["queues", queue, "dead", "groups"] => Self::DeadGroups(parse_queue(queue)?),
            ["queues", queue, "history"] => Self::History(parse_queue(queue)?),
            _ => return Err(not_found()),
        })
    }

    /// The methods that it has.
    pub(super) fn methods(&self) -> &'static str {
        match self {
            Self::Jobs(_) => "GET, HEAD, OPTIONS, POST",
            Self::Job(..) => "DELETE, GET, HEAD, OPTIONS",
            Self::Queue(_) => "DELETE, GET, HEAD, OPTIONS, PUT",
            Self::Queues
            | Self::DeadGroups(_)
            | Self::History(_)
            | Self::Overview
            | Self::Workers
            | Self::Key
            | Self::Health => "GET, HEAD, OPTIONS",
            Self::Dead(_) => "DELETE, OPTIONS",
            Self::Claims(_)
            | Self::ClaimsOfMany
            | Self::UseReceipt(..)
            | Self::UseReceipts(..)
            | Self::Search(_)
            | Self::Act(..)
            | Self::DeleteDead(_)
            | Self::Redrive(_) => "OPTIONS, POST",
        }
    }
}

fn not_found() -> Problem {
    Problem::new(
        ProblemType::NotFound,
        "There is no such route. docs/api.md lists the routes of /v1.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00000000002a19a3f0c2b7e9";

    fn name(name: &str) -> QueueName {
        QueueName::new(name).unwrap()
    }

    #[test]
    fn a_queue_is_one_segment_and_a_slash_at_the_end_is_none() {
        assert_eq!(Route::of("/v1/queues/"), Ok(Route::Queues));
        assert_eq!(Route::of("/v1/queues/a%2Fb"), Ok(Route::Queue(name("a/b"))));
        assert_eq!(Route::of("/v1/queues/a+b/jobs/"), Ok(Route::Jobs(name("a+b"))));
        assert_eq!(Route::of("/v1/queues/jobs/jobs"), Ok(Route::Jobs(name("jobs"))));
        assert_eq!(Route::of("/v1/claims"), Ok(Route::ClaimsOfMany));
        let id = JobId::parse(ID).unwrap();
        assert_eq!(
            Route::of(&format!("/v1/queues/x/jobs/{ID}")),
            Ok(Route::Job(name("x"), id))
        );
        assert_eq!(Route::of("/v1/queues/x/jobs/search"), Ok(Route::Search(name("x"))));
        assert_eq!(
            Route::of("/v1/queues/x/jobs/promote"),
            Ok(Route::Act(Action::Promote, name("x")))
        );
        assert_eq!(
            Route::of("/v1/queues/x/claims/nack"),
            Ok(Route::UseReceipts(Verb::Nack, name("x")))
        );
        let receipt = Receipt::parse(&format!("{ID}-1")).unwrap();
        assert_eq!(
            Route::of(&format!("/v1/queues/x/claims/{ID}-1/ack")),
            Ok(Route::UseReceipt(Verb::Ack, name("x"), receipt))
        );
    }

    #[test]
    fn what_is_wrong_with_a_path_is_told_apart() {
        let not_found = Err(not_found());
        for path in [
            "/",
            "/v1",
            "/v1/",
            "/v2/queues",
            "/v1/jobs",
            "/v1/queues/x/job",
            "/v1/queues/x/claims/finish",
            "/v1/queues/x/claims/1/finish",
            "/v1/queues/x/dead/x",
            "/v1/queues/x/jobs/1/2",
            "/v1/%71ueues",
        ] {
            assert_eq!(Route::of(path), not_found, "{path}");
        }
        let invalid = QueueName::new("").map_err(Problem::from).unwrap_err();
        for path in ["/v1/queues//jobs", "/v1/queues/%ff", "/v1/queues/a%00/claims"] {
            assert_eq!(Route::of(path), Err(invalid.clone()), "{path}");
        }
        assert_eq!(Route::of("/v1/queues/x/jobs/7"), Err(parse_job_id("7").unwrap_err()));
        assert_eq!(
            Route::of("/v1/queues/x/claims/7/ack"),
            Err(parse_receipt("7").unwrap_err())
        );
    }
}
