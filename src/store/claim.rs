//! Claim: jobs are handed out under a lease.

use super::Store;
use super::fetch::{LOOKS, ROOM};
use super::finish::{Ack, Acked};
use super::job::Job;
use super::keys::QueueKeys;
use super::packed::millis;
use super::redis::{Redis, RedisError};
use super::reply::Reader;
use super::script::{Script, script};
use crate::queue::{QueueName, Timestamp};
use std::time::Duration;

static SCRIPT: Script = script!(
    "claim.lua",
    keys,
    clock,
    job,
    run,
    options,
    settings,
    rules,
    places,
    unique,
    release,
    forget,
    endings,
    counts,
    wake,
    receipt,
    settle,
    holds,
    take,
    lease,
    view,
    events,
    await,
    full
);

/// A request for jobs of some queues.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Where to take them from, in this order, from 1 to [`Claim::MOST_QUEUES`]. They need not exist.
    pub queues: &'a [QueueName],
    /// How many at most, up to [`Claim::MOST`]; 0 only acknowledges. There are fewer when they are large: no more are
    /// taken once there are 4 MiB of them.
    pub most: usize,
    /// How long they are held, where that is not for the job or the queue to say.
    pub lease: Option<Duration>,
    /// Who takes them.
    pub worker: Option<&'a [u8]>,
    /// How long to wait when there is none.
    pub wait: Duration,
    /// What to acknowledge before, on the first queue.
    pub acks: &'a [Ack<'a>],
}

impl Claim<'_> {
    /// The most jobs that one claim may ask for.
    pub const MOST: usize = 100;
    /// The most queues that one claim may name.
    pub const MOST_QUEUES: usize = 20;
}

/// What a [`Claim`] gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// Each job with its queue's place among those that were asked. They are active, and their receipts are good.
    pub jobs: Vec<(usize, Job)>,
    /// What became of each acknowledgement.
    pub acks: Vec<Acked>,
}

/// What one look at one queue gave.
struct Look {
    now: Timestamp,
    next: Option<Timestamp>,
    acks: Vec<Acked>,
    jobs: Vec<Job>,
}

impl<R: Redis> Store<R> {
    /// Claims the next jobs; the first queue's first.
    ///
    /// One command for each queue that is asked. A claim that waits blocks on a connection of its own, looks again when
    /// it is woken, when a job must be due or a lease have ended, and every few seconds. One that names its worker takes
    /// one more command about once a minute.
    ///
    /// # Errors
    /// After [`RedisError::Lost`] and [`RedisError::Unexpected`] jobs may have been claimed: they come back when their
    /// lease ends. An error after the first jobs or acknowledgements ends the claim, which then gives just these.
    pub async fn claim(&self, claim: Claim<'_>) -> Result<Claimed, RedisError> {
        let mut claimed = Claimed {
            jobs: Vec::new(),
            acks: Vec::new(),
        };
        let result = self.claim_more(&claim, &mut claimed).await;
        if claimed.jobs.is_empty() && claimed.acks.is_empty() {
            result?;
        }
        Ok(claimed)
    }

    /// Claims as long as it is to, and adds what each look gave.
    async fn claim_more(&self, claim: &Claim<'_>, claimed: &mut Claimed) -> Result<(), RedisError> {
        let mut acks = claim.acks;
        let mut deadline = None;
        let mut looks = 0;
        // The queue whose token woke this claim, until it has been looked at.
        let mut woken = None;
        loop {
            let (mut now, mut pause) = (None, None);
            for (place, queue) in claim.queues.iter().enumerate() {
                let most = claim.most - claimed.jobs.len();
                let look = self.look_for(queue, claim, most, acks).await?;
                acks = &[];
                woken = woken.filter(|woken| *woken != place);
                claimed.acks.extend(look.acks);
                claimed.jobs.extend(look.jobs.into_iter().map(|job| (place, job)));
                if claimed.jobs.len() >= claim.most {
                    if let Some(queue) = woken.and_then(|woken| claim.queues.get(woken)) {
                        self.pass_on(queue).await;
                    }
                    return Ok(());
                }
                // Each by its own server's clock.
                let until_next = look.next.map(|next| next.since(look.now));
                pause = pause.into_iter().chain(until_next).min();
                now = now.or(Some(look.now));
            }
            let Some(now) = now.filter(|_| claimed.jobs.is_empty()) else {
                return Ok(());
            };
            let deadline = *deadline.get_or_insert(now.plus(claim.wait));
            looks += 1;
            if pause.is_some_and(|pause| pause.is_zero()) && looks < LOOKS {
                // It met only jobs that had expired or died, as many as one look passes over.
                continue;
            }
            if now >= deadline {
                return Ok(());
            }
            let left = deadline.since(now);
            woken = self
                .wait(claim.queues, pause.map_or(left, |pause| pause.min(left)))
                .await?;
        }
    }

    /// Looks once for jobs of one queue.
    async fn look_for(
        &self,
        queue: &QueueName,
        claim: &Claim<'_>,
        most: usize,
        acks: &[Ack<'_>],
    ) -> Result<Look, RedisError> {
        let keys = QueueKeys::new(queue).all();
        let most = most.min(Claim::MOST).to_string();
        let lease = claim.lease.map(|lease| millis(lease).to_string()).unwrap_or_default();
        let worker = claim.worker.unwrap_or_default();
        let room = ROOM.to_string();
        let wait = millis(claim.wait).to_string();
        let count = acks.len().to_string();
        let mut args = vec![
            most.as_bytes(),
            lease.as_bytes(),
            worker,
            room.as_bytes(),
            wait.as_bytes(),
            count.as_bytes(),
        ];
        args.extend(acks.iter().flat_map(Ack::args));
        let mut reply = Reader::new(SCRIPT.run(&self.redis, &keys, &args).await?);
        let now = reply.time()?;
        let now = now.ok_or_else(|| RedisError::Unexpected("no time".into()))?;
        let next = reply.time()?;
        if reply.integer()? == 1 {
            self.note_seen(queue, worker, now).await;
        }
        Ok(Look {
            now,
            next,
            acks: acks.iter().map(|_| Acked::read(&mut reply)).collect::<Result<_, _>>()?,
            jobs: Job::read_all(&mut reply)?,
        })
    }
}
