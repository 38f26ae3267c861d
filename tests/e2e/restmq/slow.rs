//! Readers that are slow, or go while they are sent something: made up, since no connection does so on demand.

use super::{context, request};
use crate::support::{NativeStore, Redis, assert_sound};
use presque::dialect::restmq::{self, Access, ChunkSink, CometResponse, Gone};
use presque::queue::QueueName;
use presque::store::{Insert, NewJob};
use std::future::pending;
use std::time::Duration;

/// What becomes of the chunks after the first ones.
#[derive(Clone, Copy)]
enum Then {
    /// They are never taken.
    Stall,
    /// Nobody is there any more, which only a probe tells.
    Gone,
}

/// Takes so many chunks.
struct Reader {
    got: Vec<String>,
    takes: usize,
    then: Then,
}

impl ChunkSink for Reader {
    async fn send(&mut self, chunk: Vec<u8>) -> Result<(), Gone> {
        if self.got.len() == self.takes {
            return pending().await;
        }
        self.got.push(String::from_utf8(chunk).unwrap());
        Ok(())
    }

    async fn probe(&mut self) -> Result<(), Gone> {
        match self.then {
            Then::Gone if self.got.len() == self.takes => Err(Gone),
            _ => Ok(()),
        }
    }

    /// Time flies.
    async fn sleep(_: Duration) {}
}

#[tokio::test]
async fn a_reader_that_stalls_or_goes_is_let_go_and_what_it_was_not_sent_is_in_the_queue_again() {
    for then in [Then::Stall, Then::Gone] {
        let redis = Redis::start();
        let context = context(redis.store().await, 1024);
        let queue = QueueName::new("x").unwrap();
        let jobs = [b"1", b"2", b"3"].map(|payload| NewJob {
            payload,
            ..NewJob::default()
        });
        let insert = Insert {
            queue: &queue,
            jobs: &jobs,
            failed: None,
            idempotency: None,
        };
        context.store.insert(insert).await.unwrap();

        let request = request("GET", "/c/x", &[], "");
        let answer = restmq::handle_comet(request, &context, &Access::default()).await;
        let CometResponse::Stream(head, subscription) = answer else {
            panic!("no stream");
        };
        assert_eq!(head.status(), 200);
        let mut reader = Reader {
            got: Vec::new(),
            takes: 2,
            then,
        };
        subscription.run(&context.store, &mut reader).await;
        assert_eq!(reader.got.len(), 2);
        let next = context.store.take_next(&queue).await.unwrap().unwrap();
        assert_eq!((next.id.number(), &*next.payload), (3, &b"3"[..]));
        assert_eq!(context.store.take_next(&queue).await.unwrap(), None);
        assert_sound(&redis).await;
    }
}
