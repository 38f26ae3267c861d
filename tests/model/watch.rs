//! What must be true of the store's answers, whatever the model says.

use super::call::{Call, Outcome};
use super::job::Left;
use presque::queue::{JobId, State};
use presque::store::{Acked, Extended, Inserted, InsertedJob, Nacked, Removed};
use std::collections::{BTreeMap, BTreeSet};

type Checked = Result<(), String>;

/// Follows a store's answers.
#[derive(Default)]
pub struct Watch {
    inserted: BTreeSet<(usize, String)>,
    /// The last hand-out of each job, as far as it was told, and until when it is leased.
    leases: BTreeMap<(usize, String), (u64, i64)>,
    /// What was acknowledged or given back.
    finished: BTreeSet<(usize, String)>,
}

impl Watch {
    pub fn saw(&mut self, now: i64, call: &Call, outcome: &Outcome) -> Checked {
        match (call, outcome) {
            (Call::Insert { queue, .. }, Outcome::Inserted(Inserted::Jobs(jobs))) => {
                for job in jobs {
                    if let InsertedJob::Stored(id) = job {
                        self.inserted.insert((*queue, id.to_string()));
                    }
                }
            }
            (Call::Claim { queues, acks, .. }, Outcome::Claimed(claimed)) => {
                for ((receipt, _), acked) in acks.iter().zip(&claimed.acks) {
                    self.acked(queues[0], receipt, *acked)?;
                }
                for (place, job) in &claimed.jobs {
                    self.claimed(now, queues[*place], &job.id, job.claims, job.state_time.as_millis())?;
                }
            }
            (Call::Ack { queue, acks }, Outcome::Acked(acked)) => {
                for ((receipt, _), acked) in acks.iter().zip(acked) {
                    self.acked(*queue, receipt, *acked)?;
                }
            }
            (Call::Nack { queue, nacks }, Outcome::Nacked(nacked)) => {
                for (nack, nacked) in nacks.iter().zip(nacked) {
                    if matches!(nacked, Nacked::Scheduled(_) | Nacked::Ready | Nacked::Dead) {
                        self.finished(*queue, &nack.receipt)?;
                    }
                }
            }
            (Call::Extend { queue, extensions }, Outcome::Extended(extended)) => {
                for (extend, extended) in extensions.iter().zip(extended) {
                    if let Extended::Until(end) = extended {
                        let (id, claim) = self.good(*queue, &extend.receipt)?;
                        self.leases.insert((*queue, id), (claim, end.as_millis()));
                    }
                }
            }
            (Call::Remove { queue, id }, Outcome::Removed(Removed::Cancelled)) => {
                if let Some(lease) = self.leases.get_mut(&(*queue, id.clone())) {
                    lease.1 = now;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// No two claims hold a job at a time.
    fn claimed(&mut self, now: i64, queue: usize, id: &JobId, claim: u64, until: i64) -> Checked {
        let key = (queue, id.to_string());
        if let Some((last, lease)) = self.leases.get(&key) {
            if *lease > now {
                return Err(format!("{id} is handed out while it is leased until {lease}"));
            }
            if claim <= *last {
                return Err(format!("{id} is handed out with the number {claim} after {last}"));
            }
        }
        self.leases.insert(key, (claim, until));
        Ok(())
    }

    fn acked(&mut self, queue: usize, receipt: &str, acked: Acked) -> Checked {
        if acked == Acked::Done {
            self.finished(queue, receipt)
        } else {
            Ok(())
        }
    }

    /// A receipt was good: it is the last one that its job had, and nobody finished the job by it.
    fn good(&self, queue: usize, receipt: &str) -> Result<(String, u64), String> {
        let (id, claim) = receipt.split_once('-').expect("a receipt");
        let claim: u64 = claim.parse().expect("a number");
        let stale = self
            .leases
            .get(&(queue, id.to_owned()))
            .is_some_and(|(last, _)| claim < *last);
        if stale || self.finished.contains(&(queue, receipt.to_owned())) {
            return Err(format!("the stale receipt {receipt} was good"));
        }
        Ok((id.to_owned(), claim))
    }

    fn finished(&mut self, queue: usize, receipt: &str) -> Checked {
        let (id, claim) = self.good(queue, receipt)?;
        self.leases.insert((queue, id), (claim, i64::MIN));
        self.finished.insert((queue, receipt.to_owned()));
        Ok(())
    }

    /// Every job that was inserted is in a state, or has left in a way that is known: never both, and never neither.
    pub fn all_accounted_for(
        &self,
        queue: usize,
        there: &BTreeMap<JobId, State>,
        left: &BTreeMap<String, Left>,
    ) -> Checked {
        for (_, id) in self.inserted.iter().filter(|(of, _)| *of == queue) {
            let state = JobId::parse(id).and_then(|id| there.get(&id));
            match (state, left.get(id)) {
                (Some(_), None) | (None, Some(_)) => {}
                (None, None) => return Err(format!("{id} is lost")),
                (Some(state), Some(left)) => return Err(format!("{id} has left ({left:?}) and is {state:?}")),
            }
        }
        Ok(())
    }
}
