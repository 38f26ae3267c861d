//! Claim: jobs are handed out under a lease.

use super::MAX_BYTES;
use super::job::Job;
use super::receipts::{Ack, Acked, ack_args};
use crate::queue::{QueueName, Timestamp};
use crate::store::redis::{QueueKeys, Redis, RedisError, SEEN, Store, millis, scripts};
use std::time::Duration;

/// A request for jobs of some queues.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Where to take them from, in this order, from 1 to [`Claim::MAX_QUEUES`]. They need not exist.
    pub queues: &'a [QueueName],
    /// How many at most, up to [`Claim::MAX_JOBS`]; 0 only acknowledges. There are fewer when they are large: no more are
    /// taken once there are 4 MiB of them.
    pub max_jobs: usize,
    /// How long the lease is. `None` for the job's own, else the queue's.
    pub lease: Option<Duration>,
    /// Who takes them.
    pub worker: Option<&'a [u8]>,
    /// How long to wait when there is no job.
    pub wait: Duration,
    /// What to acknowledge first, on the first queue.
    pub acks: &'a [Ack<'a>],
}

impl Claim<'_> {
    /// How many jobs one claim may ask for.
    pub const MAX_JOBS: usize = 100;
    /// How many queues one claim may name.
    pub const MAX_QUEUES: usize = 20;
}

/// What a [`Claim`] gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// Each job with the index of its queue in [`Claim::queues`]. They are active, and their receipts are good.
    pub jobs: Vec<(usize, Job)>,
    /// What became of each acknowledgement.
    pub acks: Vec<Acked>,
}

/// What a claim on one partition of a queue gave: one run of the script.
struct PartClaim {
    now: Timestamp,
    next_event: Option<Timestamp>,
    acks: Vec<Acked>,
    jobs: Vec<Job>,
}

impl<R: Redis> Store<R> {
    /// Claims the next jobs; the first queue's first.
    ///
    /// One command for each queue that is asked, and one more for every hundred expired jobs that are in the way, however
    /// many they are. A claim that waits blocks on a connection of its own; it asks again when
    /// it is woken, when a job must be due or a lease have ended, and every few seconds. A claim that names its worker takes
    /// one more command about once a minute.
    ///
    /// Where a queue has several partitions, one for each that is asked: no more than four once there are jobs, and all before it
    /// says that there is none; and one for each partition that has jobs to be acknowledged.
    ///
    /// # Errors
    /// When the effect is [unknown](crate::store::Effect::Unknown) jobs may have been claimed: they come back when their
    /// lease ends. An error after the first jobs or acknowledgements ends the claim, which then gives just these.
    pub async fn claim(&self, claim: Claim<'_>) -> Result<Claimed, RedisError> {
        let mut claimed = Claimed {
            jobs: Vec::new(),
            acks: Vec::new(),
        };
        let result = self.claim_into(&claim, &mut claimed).await;
        if claimed.jobs.is_empty() && claimed.acks.is_empty() {
            result?;
        }
        Ok(claimed)
    }

    /// Claims until there are jobs or the wait is over, and adds what each queue gave.
    async fn claim_into(&self, claim: &Claim<'_>, claimed: &mut Claimed) -> Result<(), RedisError> {
        let mut acks = claim.acks;
        let mut deadline = None;
        // The queue and the partition whose token woke this claim, until they have been asked.
        let mut woken: Option<(usize, u8)> = None;
        loop {
            let (mut now, mut pause) = (None, None);
            for (index, queue) in claim.queues.iter().enumerate() {
                let first = woken
                    .filter(|(queue, _)| *queue == index)
                    .map(|(_, partition)| partition);
                let mut tour = self.tour(queue, first);
                while let Some(partition) = self.next_stop(&mut tour) {
                    if acks.iter().any(|ack| ack.receipt.id().partition() != partition) {
                        claimed.acks = self.ack(queue, std::mem::take(&mut acks)).await?;
                    }
                    let max_jobs = claim.max_jobs - claimed.jobs.len();
                    let part = self.claim_once(queue, partition, claim, max_jobs, acks).await?;
                    acks = &[];
                    woken = woken.filter(|woken| *woken != (index, partition));
                    self.note_stop(&tour, partition, part.jobs.len() >= max_jobs);
                    claimed.acks.extend(part.acks);
                    claimed.jobs.extend(part.jobs.into_iter().map(|job| (index, job)));
                    if claimed.jobs.len() >= claim.max_jobs || !claimed.jobs.is_empty() && tour.is_long() {
                        if let Some((queue, partition)) =
                            woken.and_then(|(at, part)| Some((claim.queues.get(at)?, part)))
                        {
                            self.pass_wakeup_on(queue, partition).await;
                        }
                        return Ok(());
                    }
                    // Each by its own server's clock.
                    let until_next = part.next_event.map(|next| next.since(part.now));
                    pause = pause.into_iter().chain(until_next).min();
                    now = now.or(Some(part.now));
                }
            }
            let Some(now) = now.filter(|_| claimed.jobs.is_empty()) else {
                return Ok(());
            };
            for queue in claim.queues {
                self.follow_if_seen(queue).await;
                self.settle_sometimes(queue).await;
            }
            let deadline = *deadline.get_or_insert(now.plus(claim.wait));
            if pause.is_some_and(|pause| pause.is_zero()) {
                // There are more expired jobs, or slices of batches, than one round handles. Each round leaves fewer.
                continue;
            }
            if now >= deadline {
                return Ok(());
            }
            let left = deadline.since(now);
            let waited = self.wait_in_partitions(claim.queues, pause.map_or(left, |pause| pause.min(left)));
            woken = match waited.await {
                // A job that is claimed now could be for nobody.
                Err(RedisError::Interrupted) => return Ok(()),
                woken => woken?,
            };
        }
    }

    /// Asks one partition of a queue for jobs, once.
    async fn claim_once(
        &self,
        queue: &QueueName,
        partition: u8,
        claim: &Claim<'_>,
        max_jobs: usize,
        acks: &[Ack<'_>],
    ) -> Result<PartClaim, RedisError> {
        let max_jobs = max_jobs.min(Claim::MAX_JOBS).to_string();
        let lease = claim.lease.map(|lease| millis(lease).to_string()).unwrap_or_default();
        let worker = claim.worker.unwrap_or_default();
        let max_bytes = MAX_BYTES.to_string();
        let wait = millis(claim.wait).to_string();
        let receipts = acks.len().to_string();
        let mut args = vec![
            max_jobs.as_bytes(),
            lease.as_bytes(),
            worker,
            max_bytes.as_bytes(),
            wait.as_bytes(),
            receipts.as_bytes(),
        ];
        let receipts_and_results = ack_args(acks);
        args.extend(receipts_and_results.iter().map(Vec::as_slice));
        let mut reply = self.run_in(&scripts::CLAIM, queue, partition, &args).await?;
        let now = reply.time()?;
        let now = now.ok_or_else(|| RedisError::Unexpected("no time".into()))?;
        let next_event = reply.time()?;
        if reply.flag()? {
            self.note_seen(queue, partition, worker, now).await;
        }
        Ok(PartClaim {
            now,
            next_event,
            acks: acks.iter().map(|_| Acked::read(&mut reply)).collect::<Result<_, _>>()?,
            jobs: Job::read_all(&mut reply)?,
        })
    }

    /// Notes in the list of all workers that one was seen on a queue. The claim is done already: a note that fails is made
    /// up for by the next one, a minute later.
    async fn note_seen(&self, queue: &QueueName, partition: u8, worker: &[u8], at: Timestamp) {
        let member = [queue.stored().as_bytes(), b"\n", worker].concat();
        let at = at.as_millis().to_string();
        let args = [&member[..], at.as_bytes()];
        let no_queue = QueueKeys::default();
        let noted = self.run_with(&scripts::NOTE_SEEN, &no_queue, Vec::new(), &args);
        let _ = noted.await;
        if partition > 0 {
            // The workers of a queue are counted in its partition 0.
            let seen = QueueKeys::new(queue).key(SEEN.name());
            let _ = self
                .redis
                .command("ZADD", &[seen.as_bytes(), b"GT", at.to_string().as_bytes(), worker])
                .await;
            let _ = self.redis.command("PEXPIRE", &[seen.as_bytes(), b"86400000"]).await;
        }
    }
}
