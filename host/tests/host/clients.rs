//! Clients that send no more, and clients that have gone: from here they look the same.

use super::support::{Host, PLAIN, Redis, Site, WITH_REDIS, patiently, query, redis_variable, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends bytes, and says that no more will come.
async fn half_closed(host: &Host, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(host.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    stream
}

async fn rest(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    let read = patiently("an answer", stream.read_to_string(&mut answer)).await;
    read.unwrap();
    answer
}

/// A request that waits for an element of this list.
fn pop(list: &str) -> String {
    let command = format!("BLPOP\n{list}\n600");
    let head = "POST /redis HTTP/1.1\r\nhost: h\r\nconnection: close\r\n";
    format!("{head}content-length: {}\r\n\r\n{command}", command.len())
}

/// Until so many clients of Redis are blocked.
async fn blocked(redis: &Redis, count: usize) {
    let mut connection = redis.connection().await;
    let blocked = format!("blocked_clients:{count}\r");
    until("the waits are as expected", async || {
        let info: String = query(&mut connection, &["INFO", "clients"]).await;
        info.contains(&blocked)
    })
    .await;
}

async fn on_redis(redis: &Redis) -> Host {
    Site::new(WITH_REDIS)
        .start(&["--variable", &redis_variable(redis)])
        .await
}

#[tokio::test]
async fn a_client_that_sends_no_more_gets_its_answers() {
    let host = Site::new(PLAIN).start(&[]).await;
    let waits = "GET /wait?200 HTTP/1.1\r\nhost: h\r\n\r\n";
    let answer = rest(half_closed(&host, waits).await).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("waited\r\n0\r\n\r\n"),
        "{answer:?}"
    );
    let answer = rest(half_closed(&host, &waits.replace("1.1", "1.0")).await).await;
    assert!(
        answer.starts_with("HTTP/1.0 200 OK\r\n") && answer.ends_with("waited"),
        "{answer:?}"
    );
    let answers = rest(half_closed(&host, &waits.repeat(2)).await).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{answers:?}");
    assert_eq!(answers.matches("waited\r\n0\r\n\r\n").count(), 2, "{answers:?}");
}

#[tokio::test]
async fn a_client_that_sends_no_more_while_it_waits_is_asked_for_and_reads_the_same_bytes_as_others() {
    let redis = Redis::start();
    let host = on_redis(&redis).await;
    let mut asked = half_closed(&host, &pop("asked")).await;
    blocked(&redis, 1).await;
    // Before there is anything to answer.
    let mut first = [0];
    patiently("the first byte", asked.read_exact(&mut first)).await.unwrap();
    let whole = tokio::spawn({
        let (request, address) = (pop("whole"), host.address().to_owned());
        async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            rest(stream).await
        }
    });
    blocked(&redis, 2).await;
    redis.run("RPUSH asked 1").await;
    redis.run("RPUSH whole 1").await;
    let asked = String::from_utf8(first.into()).unwrap() + &rest(asked).await;
    let whole = patiently("an answer", whole).await.unwrap();
    let without_date = |answer: &str| -> Vec<String> {
        let lines = answer.lines().filter(|line| !line.starts_with("date: "));
        lines.map(|line| line.replace("asked", "whole")).collect()
    };
    assert_eq!(without_date(&asked), without_date(&whole));
    assert!(asked.ends_with("binary asked\nbinary 1\r\n0\r\n\r\n"), "{asked:?}");
}

#[tokio::test]
async fn a_wait_ends_when_its_client_has_gone_and_takes_nothing() {
    let redis = Redis::start();
    let host = on_redis(&redis).await;
    let request = pop("list");
    let mut stream = TcpStream::connect(host.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    blocked(&redis, 1).await;
    drop(stream);
    blocked(&redis, 0).await;
    // Also one that says good-bye in two steps, as most programs do without knowing.
    let stream = half_closed(&host, &request).await;
    blocked(&redis, 1).await;
    drop(stream);
    blocked(&redis, 0).await;
    redis.run("RPUSH list 1").await;
    assert_eq!(redis.run("LLEN list").await, redis::Value::Int(1));
}

#[tokio::test]
async fn a_reader_of_a_stream_that_sends_no_more_goes_on_reading_until_it_has_gone() {
    let mut host = Site::new(PLAIN).start(&[]).await;
    let mut reader = half_closed(&host, "GET /probe HTTP/1.1\r\nhost: h\r\n\r\n").await;
    let mut seen = String::new();
    // All there is to read, and then the zero that it is asked with: the next chunk's length begins with it.
    while !seen.ends_with("6\r\nhello\n\r\n0") {
        let byte = patiently("a byte", reader.read_u8()).await.unwrap();
        seen.push(char::from(byte));
    }
    assert!(!host.log().contains("the reader is gone"), "{}", host.log());
    drop(reader);
    host.log_line(&["the reader is gone"]).await;

    let mut reader = half_closed(&host, "GET /ticks HTTP/1.1\r\nhost: h\r\n\r\n").await;
    let mut ticks = 0;
    let mut seen = Vec::new();
    while ticks < 30 {
        seen.push(patiently("a byte", reader.read_u8()).await.unwrap());
        ticks += usize::from(seen.ends_with(b"tick\n"));
    }
    drop(reader);
    host.log_lines(&["the reader is gone"], 2).await;
}
