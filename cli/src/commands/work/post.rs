//! Doing a job by a request to a local HTTP server.

use super::causes::Causes;
use super::outcome::{MAX_ERROR, Outcome, Output, error_with_start};
use super::server::Pauses;
use super::tell::note;
use crate::api::{ClaimedJob, reason};
use anyhow::{Context, Result, ensure};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

/// Posts jobs to one address.
#[derive(Debug)]
pub(super) struct Poster {
    http: Client,
    url: Url,
    /// Without a password.
    shown: String,
    retry_after: Duration,
    is_away: AtomicBool,
}

impl Poster {
    /// Posts jobs to this address.
    ///
    /// # Errors
    /// It is not one of HTTP.
    pub(super) fn new(url: Url, retry_after: Duration) -> Result<Self> {
        ensure!(
            matches!(url.scheme(), "http" | "https") && url.has_host(),
            "--to must be an address such as http://127.0.0.1:8080/jobs"
        );
        // Not the client of presque: that sends the key.
        let http = Client::builder()
            .user_agent(concat!("presque/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            // The server is near.
            .no_proxy()
            // A connection that waited may be closed by the time that it is used again, and the job would have failed for that.
            .pool_max_idle_per_host(0)
            .build()
            .context("cannot make a client for --to")?;
        let mut shown = url.clone();
        // Only an address without a host can have none.
        let _ = shown.set_username("").and_then(|()| shown.set_password(None));
        Ok(Self {
            http,
            url,
            shown: shown.to_string(),
            retry_after,
            is_away: AtomicBool::new(false),
        })
    }

    /// Posts a job, until there is an answer or it is to be ended.
    pub(super) async fn run(&self, job: &ClaimedJob, causes: &mut Causes<'_>) -> Outcome {
        let headers = headers(job, causes);
        let mut pauses = Pauses::default();
        loop {
            let outcome = tokio::select! {
                // What is done is done.
                biased;
                outcome = self.post(job, headers.clone()) => outcome,
                cause = causes.next() => Some(cause.outcome(b"")),
            };
            if let Some(outcome) = outcome {
                return outcome;
            }
            if let Err(outcome) = causes.pause(pauses.next()).await {
                return outcome;
            }
        }
    }

    /// Posts a job. `None` when nothing listens there: nothing was sent, so the job has no part in it, and waits.
    async fn post(&self, job: &ClaimedJob, headers: HeaderMap) -> Option<Outcome> {
        let request = self.http.post(self.url.clone()).headers(headers);
        let answer = request.body(job.payload().to_vec()).send().await;
        if let Err(error) = &answer
            && error.is_connect()
        {
            if !self.is_away.swap(true, Ordering::Relaxed) {
                let why = reason(error);
                note(format!(
                    "{} cannot be reached: {why}. Trying again until it can",
                    self.shown
                ));
            }
            return None;
        }
        if self.is_away.swap(false, Ordering::Relaxed) {
            note(format!("{} can be reached again", self.shown));
        }
        Some(match answer {
            Ok(answer) => self.outcome(answer).await,
            Err(error) => Outcome::Failed {
                error: format!("the answer of {} was lost: {}", self.shown, reason(&error)),
            },
        })
    }

    async fn outcome(&self, mut answer: Response) -> Outcome {
        let status = answer.status();
        let delay = retry_after(answer.headers());
        let mut output = Output::default();
        while output.has_room() {
            match answer.chunk().await {
                Ok(Some(bytes)) => output.0.extend_from_slice(&bytes),
                Ok(None) => break,
                Err(error) if status.is_success() => {
                    return Outcome::Failed {
                        error: format!("the end of the answer was lost: {}", reason(&error)),
                    };
                }
                Err(_) => break,
            }
        }
        if status.is_success() {
            return Outcome::Done(output);
        }
        let said = output.0.get(..MAX_ERROR).unwrap_or(&output.0);
        let error = error_with_start(&format!("HTTP {}", status.as_u16()), said);
        match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Outcome::Later {
                delay: delay.unwrap_or(self.retry_after),
                error,
            },
            _ => Outcome::Failed { error },
        }
    }
}

/// The facts as headers: `PRESQUE_JOB_ID` is `presque-job-id`.
fn headers(job: &ClaimedJob, causes: &Causes<'_>) -> HeaderMap {
    // A payload of `null` is JSON, too.
    let content_type = match &job.payload_text {
        None => "application/json",
        Some(_) => "text/plain; charset=utf-8",
    };
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
    for (name, value) in causes.facts(job) {
        let name = HeaderName::try_from(name.to_lowercase().replace('_', "-"));
        // JSON has line breaks only where it may have spaces.
        let value =
            value.and_then(|value| HeaderValue::try_from(value.replace(['\n', '\r', '\t'], " ").into_bytes()).ok());
        if let (Ok(name), Some(value)) = (name, value) {
            headers.insert(name, value);
        }
    }
    headers
}

/// What `Retry-After` asks for, by seconds or a date: a second at least, or a server that is busy would be asked without a pause.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = httpdate::parse_http_date(text).ok()?;
            date.duration_since(SystemTime::now()).unwrap_or_default()
        }
    };
    Some(pause.max(Duration::from_secs(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_for(text: &str) -> Option<Duration> {
        retry_after(&HeaderMap::from_iter([(
            RETRY_AFTER,
            HeaderValue::from_str(text).unwrap(),
        )]))
    }

    #[test]
    fn retry_after_has_seconds_or_a_date_and_is_never_at_once() {
        assert_eq!(asked_for("120"), Some(Duration::from_secs(120)));
        assert_eq!(asked_for("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(1)));
        assert_eq!(asked_for("0"), Some(Duration::from_secs(1)));
        let in_an_hour = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3600));
        let delay = asked_for(&in_an_hour).unwrap().as_secs();
        assert!((3000..=3600).contains(&delay), "{delay}");
        assert_eq!(asked_for("soon"), None);
    }
}
