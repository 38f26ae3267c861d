//! Producers of `/v1`: what each of them must do, in whatever language.

use super::{Worker, go, script, script_if_there};
use crate::support::{Client, Cut, Host, HostOptions, Proxy, Redis, eventually};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io::{Seek, Write};
use std::process::{Command, Output, Stdio};

/// Runs a producer, which gets these lines, and waits for its end.
async fn run(command: Command, lines: &str) -> Output {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(lines.as_bytes()).unwrap();
    file.rewind().unwrap();
    let mut command = tokio::process::Command::from(command);
    command.stdin(file).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true).output().await.expect("the producer starts")
}

/// The same command with these arguments.
fn with_args(command: &Command, args: &[&str]) -> Command {
    let mut copy = Command::new(command.get_program());
    copy.args(command.get_args()).args(args);
    copy
}

async fn queue(client: &Client, name: &str) -> Option<Value> {
    let answer = client.get(&format!("/v1/queues/{name}")).await;
    (answer.status == 200).then(|| serde_json::from_slice(&answer.body).unwrap())
}

fn ids(output: &Output) -> BTreeSet<String> {
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(str::to_owned).collect()
}

async fn stores_each_job_once_though_answers_were_lost_and_it_ran_twice(command: &Command) {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let port = host.address().rsplit(':').next().unwrap().parse().unwrap();
    let proxy = Proxy::before(port);
    proxy.cut(Cut::Replies);
    let lines: String = (0..1001).map(|number| format!("{{\"n\":{number}}}\n")).collect();
    let address = format!("http://127.0.0.1:{}", proxy.port());
    let producer = run(with_args(command, &[&address, "mail", "a"]), &lines);
    let let_answers_through = async {
        eventually("the first thousand is stored", async || {
            let queue = queue(&client, "mail").await?;
            (queue["counts"]["ready"] == 1000).then_some(())
        })
        .await;
        proxy.cut(Cut::Nothing);
    };
    let (output, ()) = tokio::join!(producer, let_answers_through);
    let first = ids(&output);
    assert_eq!(first.len(), 1001, "{output:?}");
    let again = run(with_args(command, &[&host.base, "mail", "a"]), &lines).await;
    assert_eq!(ids(&again), first);
    assert_eq!(queue(&client, "mail").await.unwrap()["counts"]["ready"], 1001);
    // Under another name they are other jobs.
    let other = run(with_args(command, &[&host.base, "mail", "b"]), "{\"n\":0}\n").await;
    assert!(ids(&other).is_disjoint(&first));
    let claim = client.post("/v1/queues/mail/claims", "{}").await;
    let claim: Value = serde_json::from_slice(&claim.body).unwrap();
    assert_eq!(claim["jobs"][0]["payload"], serde_json::json!({"n": 0}), "{claim}");
}

async fn stops_at_a_refusal_and_says_which_problem_it_is(command: &Command) {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let json = [("Content-Type", "application/json")];
    let set = client.send("PUT", "/v1/queues/mail", &json, r#"{"max_bytes":5}"#).await;
    assert_eq!(set.status, 201, "{set:?}");
    let output = run(
        with_args(command, &[&host.base, "mail", "a"]),
        "1\n\"larger than five bytes\"\n",
    )
    .await;
    assert!(!output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("urn:presque:problem:payload-too-large: "), "{said}");
    assert_eq!(queue(&client, "mail").await.unwrap()["counts"]["ready"], 0);
}

async fn sends_each_line_as_it_is_and_nothing_of_one_that_is_no_json(command: &Command) {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    let command = |name| with_args(command, &[&host.base, "mail", name]);
    // More digits than a double-precision number has.
    let lines = "[12345678901234567890]\n{\"pi\":3.14159265358979323846}\n{}\n";
    assert_eq!(ids(&run(command("a"), lines).await).len(), 3);
    let claim = client.post("/v1/queues/mail/claims", r#"{"count":10}"#).await;
    let claim = claim.into_text();
    for line in lines.lines() {
        assert!(claim.contains(&format!("\"payload\":{line}")), "{line}: {claim}");
    }
    // Put in as text without a look at it, the first would be two jobs, the first of them with a payload of its own.
    for (name, line) in [("b", "1},{\"payload\":2"), ("c", "{\"n\":"), ("d", "mail")] {
        let output = run(command(name), &format!("{line}\n")).await;
        assert!(!output.status.success(), "{line}: {output:?}");
    }
    assert_eq!(queue(&client, "mail").await.unwrap()["counts"]["ready"], 0);
}

/// The producer inserts a job, and the worker does it.
async fn sends_a_key_as_the_worker_does(producer: &Command, worker: &Command) {
    let redis = Redis::start();
    let line = |name: &str, scopes| format!("{name} sha256:{:x} scopes={scopes}", Sha256::digest(name));
    let keys = [line("ours", "insert,work"), line("other", "read")].join(";");
    let host = Host::start(HostOptions {
        redis_url: Some(redis.url()),
        args: &["--variable", &format!("keys={keys}")],
        ..HostOptions::default()
    });
    let client = host.client().with_key("other");
    let without = run(with_args(producer, &[&host.base, "mail", "a"]), "1\n").await;
    let said = String::from_utf8_lossy(&without.stderr);
    assert!(said.contains("urn:presque:problem:key-needed: "), "{said}");
    let mut producer = with_args(producer, &[&host.base, "mail", "a"]);
    producer.env("PRESQUE_KEY", "ours");
    assert_eq!(ids(&run(producer, "1\n").await).len(), 1);
    let mut worker = with_args(worker, &[&host.base, "mail"]);
    worker.env("PRESQUE_KEY", "ours");
    let _worker = Worker::start(worker);
    eventually("the job is done", async || {
        let queue = queue(&client, "mail").await?;
        (queue["totals"]["done"] == 1).then_some(())
    })
    .await;
}

/// A test of a producer, and of a worker beside it. Where what runs them is not installed, the test passes them over.
macro_rules! producer {
    ($test:ident, $producer:expr, $worker:expr) => {
        #[tokio::test]
        async fn $test() {
            let both: (Option<Command>, Option<Command>) = ($producer.into(), $worker.into());
            if let (Some(producer), Some(worker)) = both {
                // At the same time: each waits most of the time.
                tokio::join!(
                    stores_each_job_once_though_answers_were_lost_and_it_ran_twice(&producer),
                    stops_at_a_refusal_and_says_which_problem_it_is(&producer),
                    sends_each_line_as_it_is_and_nothing_of_one_that_is_no_json(&producer),
                    sends_a_key_as_the_worker_does(&producer, &worker),
                );
            }
        }
    };
}

producer!(
    the_producer_in_shell_keeps_the_rules,
    script("sh", "v1/producer.sh"),
    script("sh", "v1/worker.sh")
);

producer!(
    the_producer_in_python_keeps_the_rules,
    script("python3", "v1/producer.py"),
    script("python3", "v1/worker.py")
);

producer!(
    the_producer_in_javascript_keeps_the_rules,
    script("node", "v1/producer.mjs"),
    script("node", "v1/worker.mjs")
);

producer!(the_producer_in_go_keeps_the_rules, go("producer"), go("worker"));

producer!(
    the_producer_in_ruby_keeps_the_rules,
    script_if_there("ruby", "v1/producer.rb"),
    script_if_there("ruby", "v1/worker.rb")
);

producer!(
    the_producer_in_php_keeps_the_rules,
    script_if_there("php", "v1/producer.php"),
    script_if_there("php", "v1/worker.php")
);
