//! Messages to many readers at a time: each reader of `/c/{queue}` gets each message.

use crate::calls::{Call, Round};
use crate::client::Connection;
use crate::jobs::Jobs;
use crate::redis::Redis;
use crate::servers::{Kind, Server};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Serialize;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Messages to many readers at a time.
#[derive(Debug, Serialize)]
pub(crate) struct FanOut {
    pub(crate) server: Kind,
    pub(crate) readers: usize,
    /// To each reader.
    pub(crate) messages: u64,
    /// The median.
    pub(crate) deliveries_per_second: f64,
}

/// How many readers there are.
pub(crate) const READERS: usize = 100;

/// How many messages each is sent.
pub(crate) const MESSAGES: u64 = 200;

/// The payload of a message, in bytes.
const PAYLOAD: usize = 100;

/// Whether a server has streams.
pub(crate) fn takes_part(kind: Kind) -> bool {
    matches!(kind, Kind::Presque | Kind::Also(_) | Kind::Spin)
}

/// Sends the messages one after another, and gives how long it took until all readers had all of them. `place` is the place
/// of this round.
pub(crate) async fn round(server: &Server, redis: &Redis, place: u32) -> Result<Duration> {
    redis.clear().await?;
    // What a reader of another server or round leaves behind is of its queue.
    let queue = format!("fan-out-{}-{place}", server.process.address.port());
    let round = Rc::new(Round::new(queue, server.bare(), PAYLOAD));
    let address = server.process.address;
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let mut connection = Connection::open(address).await?;
        let target = format!("/c/{}", round.queue);
        // Its head comes when the reader has subscribed.
        let response = connection.open_response(Method::GET, &target, Bytes::new()).await?;
        ensure!(response.status().is_success(), "{}", response.status());
        let round = round.clone();
        readers.spawn_local(async move {
            let read = read(response.into_body(), &round.jobs).await;
            drop(connection);
            read
        });
    }
    let mut producer = Connection::open(address).await?;
    let start = Instant::now();
    let mut held = Vec::new();
    for _ in 0..MESSAGES {
        let request = Call::Insert.request(&round, &mut held).context("an insert")?;
        let (status, body) = producer.send(request.method, &request.target, request.body).await?;
        Call::Insert.read(&round, &mut held, status, &body)?;
    }
    while let Some(read) = readers.join_next().await {
        read??;
    }
    Ok(start.elapsed())
}

/// Reads all messages of a stream.
///
/// # Errors
/// One came twice or with another payload, or the stream ended before the last.
async fn read(mut stream: Incoming, jobs: &Jobs) -> Result<()> {
    let mut seen = vec![false; usize::try_from(MESSAGES)?];
    let mut count = 0;
    let mut text = Vec::new();
    while count < MESSAGES {
        let frame = stream.frame().await.context("the stream has ended")??;
        text.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
        // A message ends with its line.
        let Some(end) = text.iter().rposition(|byte| *byte == b'\n') else {
            continue;
        };
        for number in jobs.numbers(text.get(..end).unwrap_or_default()) {
            let number = number?;
            let place = usize::try_from(number)?.checked_sub(1).and_then(|at| seen.get_mut(at));
            let place = place.with_context(|| format!("message {number} came and was never sent"))?;
            ensure!(!std::mem::replace(place, true), "message {number} came twice");
            count += 1;
        }
        text.drain(..=end);
    }
    Ok(())
}
