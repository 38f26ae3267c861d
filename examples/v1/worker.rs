//! A worker for `/v1` in Rust: `cargo run --example v1_worker -- URL QUEUE [LEASE]`.
//! It prints each job. A job with the member "boom" fails; one with the member "sleep" takes so many seconds.
#![allow(clippy::indexing_slicing, reason = "a member that is not there is null")]

mod call;

use anyhow::{Context, Result, bail};
use call::call;
use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Duration, sleep};

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (url, queue) = args.next().zip(args.next()).context("usage: URL QUEUE [LEASE]")?;
    let lease: f64 = args.next().map_or(Ok(30.0), |lease| lease.parse())?;
    let claims = format!("{url}/v1/queues/{queue}/claims");
    let claim = json!({"worker": format!("rs-{}", std::process::id()), "lease": lease, "wait": 5});
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    // Signals are looked at between jobs: a claim that breaks off could take a job for nobody.
    while term.recv().now_or_never().is_none() && int.recv().now_or_never().is_none() {
        let (_, answer) = call(&claims, &claim).await?;
        for job in answer["jobs"].as_array().into_iter().flatten() {
            let job_path = format!("{claims}/{}", job["receipt"].as_str().context("no receipt")?);
            let (verb, body) = tokio::select! {
                done = work(&job["payload"]) => match done {
                    Ok(result) => ("ack", json!({"result": result})),
                    Err(why) => ("nack", json!({"error": why.to_string().chars().take(1000).collect::<String>()})),
                },
                lost = extend(format!("{job_path}/extend"), lease / 3.0) => { lost?; continue }
            };
            while call(&format!("{job_path}/{verb}"), &body).await?.0 >= 500 {} // a repeated one does no harm
        }
    }
    Ok(())
}

/// Does the job and gives its result, or why it failed. It is dropped when the job is lost.
async fn work(payload: &Value) -> Result<&'static str> {
    sleep(Duration::from_secs_f64(payload["sleep"].as_f64().unwrap_or(0.0))).await;
    if let Some(why) = payload.get("boom") {
        bail!("{}", why.as_str().unwrap_or("boom"));
    }
    eprintln!("{payload}");
    Ok("printed")
}

/// Extends the lease from time to time. Returns when the job is not ours any more.
async fn extend(target: String, pause: f64) -> Result<()> {
    loop {
        sleep(Duration::from_secs_f64(pause)).await;
        if call(&target, &json!({})).await?.0 == 409 {
            return Ok(());
        }
    }
}
