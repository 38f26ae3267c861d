//! A worker in Rust: `cargo run --example legacy_worker -- URL QUEUE`.
//! It prints each job. A job with the member "boom" fails, and is tried five times in all.
#![allow(clippy::indexing_slicing, reason = "only an object gets as far as that")]

use anyhow::{Context, Result, bail};
use futures_util::FutureExt;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (url, queue) = args.next().zip(args.next()).context("usage: worker URL QUEUE")?;
    let (jobs, me) = (format!("{url}/q/{queue}"), format!("{url}/w/{queue}"));
    let mut stop = signal(SignalKind::terminate())?;
    call(Method::POST, &me, "{}").await?;
    // The signal is looked at between jobs: a GET that is broken off could lose its job.
    while stop.recv().now_or_never().is_none() {
        let Ok((StatusCode::OK, body)) = call(Method::GET, &jobs, "").await else {
            let pause = tokio::time::sleep(std::time::Duration::from_secs(1)); // nothing to do, or the server is away
            tokio::select! { () = pause => continue, _ = stop.recv() => break }
        };
        let mut job: Value = serde_json::from_slice(&body)?;
        let Err(why) = work(&job) else { continue };
        let left = job["retries_left"].as_i64().unwrap_or(5) - 1;
        match &mut job["fail"] {
            Value::Array(failures) => failures.push(json!(why.to_string())),
            none => *none = json!([why.to_string()]),
        }
        job["retries_left"] = json!(left);
        if left > 0 {
            call(Method::PUT, &jobs, &job.to_string()).await?;
        }
    }
    call(Method::DELETE, &me, "").await.map(drop)
}

fn work(job: &Value) -> Result<()> {
    if let Some(why) = job.get("boom") {
        bail!("{}", why.as_str().unwrap_or("boom"));
    }
    eprintln!("{job}");
    Ok(())
}

async fn call(method: Method, target: &str, body: &str) -> Result<(StatusCode, bytes::Bytes)> {
    let mut request = Request::new(Full::<bytes::Bytes>::from(body.to_owned()));
    (*request.method_mut(), *request.uri_mut()) = (method, target.parse()?);
    let headers = request.headers_mut();
    headers.insert("Content-Type", "application/json".parse()?);
    headers.insert("X-presque-workerid", format!("rs-{}", std::process::id()).parse()?);
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(request).await?;
    Ok((answer.status(), answer.into_body().collect().await?.to_bytes()))
}
