//! What the worker needs of an HTTP client.

use anyhow::{Result, bail};
use http::Request;
use http_body_util::BodyExt;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::Value;
use tokio::time::{Duration, sleep, timeout};

/// Gives the status and the answer: 409 when the job is not ours any more, 503 after a pause when the server is away.
pub(crate) async fn call(target: &str, body: &Value) -> Result<(u16, Value)> {
    let request = Request::post(target).header("Content-Type", "application/json");
    let request = request.body(body.to_string())?;
    let exchange = async {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let answer = client.request(request).await?;
        let status = answer.status().as_u16();
        anyhow::Ok((status, answer.into_body().collect().await?.to_bytes()))
    };
    let answer = timeout(Duration::from_secs(30), exchange).await;
    match answer.unwrap_or_else(|late| Err(late.into())) {
        Ok((status @ (200 | 409), text)) => Ok((status, serde_json::from_slice(&text)?)),
        Ok((status @ 204, _)) => Ok((status, Value::Null)),
        Ok((status @ (400..=407 | 410..500), text)) => bail!("{target}: {status} {}", String::from_utf8_lossy(&text)),
        Ok(_) | Err(_) => {
            sleep(Duration::from_secs(1)).await;
            Ok((503, Value::Null))
        }
    }
}
