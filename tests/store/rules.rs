//! The rules alone: a script that includes them, and one question.

use crate::support::Redis;
use presque_script_linker::{File, link, read};
use std::path::Path;

/// What each Lua expression gives, as text.
async fn ask<const N: usize>(redis: &Redis, questions: [&str; N]) -> Vec<String> {
    let texts = questions.map(|question| format!("tostring({question})"));
    let rules = "is_out_of_attempts, is_out_of_leases, lease_for, retry_delay";
    let script = format!(
        "-- @keys NONE\n-- @include clock, execution, job, queue\nlocal rules = {{NONE, {rules}}}\n\
         local id = new_id(1, 4, NOW)\nlocal none = settings_of(false)\nreturn {{{}}}",
        texts.join(", ")
    );
    let mut files = read(Path::new("src/store")).unwrap();
    files.insert("test/ask.lua".to_owned(), File::parse(&script));
    let script = link("test/ask.lua", &files).unwrap();
    let mut connection = redis.connection().await;
    redis::cmd("EVAL")
        .arg(script.source)
        .arg(0)
        .query_async(&mut connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_fixed_backoff_is_always_the_same() {
    let redis = Redis::start();
    let fixed = "{backoff = 'fixed', backoff_delay = 1500}";
    let [first, last] = [1, 1000].map(|n| format!("retry_delay(id, {n}, {fixed}, none)"));
    assert_eq!(ask(&redis, [&first, &last]).await, ["1500", "1500"]);
}

#[tokio::test]
async fn an_exponential_backoff_doubles_up_to_its_end_less_at_most_half() {
    let redis = Redis::start();
    let rule = "{backoff = 'exponential', backoff_delay = 100, backoff_max = 100000}";
    for n in [1, 2, 3, 10, 11, 60, 61, 1000, 1_000_000] {
        let whole = 100_000_f64.min(100.0 * 2_f64.powi(n - 1));
        let delay: f64 = ask(&redis, [&*format!("retry_delay(id, {n}, {rule}, none)")]).await[0]
            .parse()
            .unwrap();
        assert!(
            (whole / 2.0).floor() <= delay && delay <= whole,
            "{delay} after {n} failures"
        );
    }
}

#[tokio::test]
async fn the_jobs_own_rule_counts_before_the_queues() {
    let redis = Redis::start();
    let queue = "settings_of(cmsgpack.pack({backoff = 'fixed', backoff_delay = 7, max_attempts = 3, lease = 9}))";
    let answers = ask(
        &redis,
        [
            &format!("retry_delay(id, 1, {{}}, {queue})"),
            &format!("retry_delay(id, 1, {{backoff = 'fixed', backoff_delay = 8}}, {queue})"),
            &format!("is_out_of_attempts(2, {{}}, {queue})"),
            &format!("is_out_of_attempts(3, {{}}, {queue})"),
            &format!("is_out_of_attempts(3, {{max_attempts = 4}}, {queue})"),
            &format!("lease_for(nil, {{}}, {queue}.lease)"),
            &format!("lease_for(nil, {{lease = 10}}, {queue}.lease)"),
            &format!("lease_for(11, {{lease = 10}}, {queue}.lease)"),
        ],
    )
    .await;
    assert_eq!(answers, ["7", "8", "false", "true", "false", "9", "10", "11"]);
}

#[tokio::test]
async fn without_any_setting_the_documented_defaults_count() {
    let redis = Redis::start();
    let answers = ask(
        &redis,
        [
            "is_out_of_attempts(24, {}, none)",
            "is_out_of_attempts(25, {}, none)",
            "is_out_of_leases(9, none)",
            "is_out_of_leases(10, none)",
            "lease_for(nil, {}, none.lease)",
            "retry_delay(id, 1, {}, none) <= 1000",
            "retry_delay(id, 100, {}, none) <= 3600000",
            "retry_delay(id, 100, {}, none) >= 1800000",
        ],
    )
    .await;
    assert_eq!(
        answers,
        ["false", "true", "false", "true", "60000", "true", "true", "true"]
    );
}

#[tokio::test]
async fn a_job_expires_at_its_time_and_not_once_it_was_redriven() {
    let redis = Redis::start();
    let expired = |time: &str, execution: &str| format!("has_expired(id, {{expires = {time}}}, {execution}) or false");
    let answers = ask(
        &redis,
        [
            &expired("0", "{}"),
            &expired("1", "{}"),
            &expired("0", "{redriven = true}"),
            &expired("nil", "{}"),
        ],
    )
    .await;
    assert_eq!(answers, ["true", "false", "false", "false"]);
}
