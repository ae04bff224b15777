//! Channels and select: as in micro_channel and micro_select.
//!
//! tokio has no unbuffered channel: the nearest holds one item. Its channels have one receiver, so several share
//! async-channel's, as tokio's own documentation advises.

use std::time::Instant;

use tokio::sync::mpsc;

use crate::tasks::join;
use crate::{nanoseconds, Request, Row};

pub const ROWS: &[Row] = &[
    ("ping_pong", |r| vec![("ping_pong", per_round_trip(r))]),
    ("buffered_1_1", |r| vec![("buffered_1_1", one_to_one(r))]),
    ("buffered_4_4", |r| vec![("buffered_4_4", four_to_four(r))]),
    ("select_unbuffered", |r| vec![("select_unbuffered", per_select(r, 1))]),
    ("select_buffered", |r| vec![("select_buffered", per_select(r, CAPACITY))]),
];

const CAPACITY: usize = 128;

fn per_round_trip(r: &Request) -> f64 {
    let trips = r.scaled(1_000_000);
    r.run(async move {
        let (there, mut asked) = mpsc::channel(1);
        let (answer, mut back) = mpsc::channel(1);
        tokio::spawn(async move {
            while let Some(v) = asked.recv().await {
                answer.send(v).await.unwrap();
            }
        });
        let start = Instant::now();
        for i in 0..trips {
            there.send(i).await.unwrap();
            back.recv().await.unwrap();
        }
        nanoseconds(start, trips)
    })
}

fn one_to_one(r: &Request) -> f64 {
    let items = r.scaled(4_000_000);
    r.run(async move {
        let (sender, mut receiver) = mpsc::channel(CAPACITY);
        let start = Instant::now();
        let received = tokio::spawn(async move { while receiver.recv().await.is_some() {} });
        let sent = tokio::spawn(async move {
            for i in 0..items {
                sender.send(i).await.unwrap();
            }
        });
        join(vec![sent, received]).await;
        nanoseconds(start, items)
    })
}

fn four_to_four(r: &Request) -> f64 {
    const EACH: usize = 4;
    let items = r.scaled(4_000_000);
    r.run(async move {
        let (sender, receiver) = async_channel::bounded(CAPACITY);
        let start = Instant::now();
        let mut tasks = Vec::new();
        for _ in 0..EACH {
            let receiver = receiver.clone();
            tasks.push(tokio::spawn(async move { while receiver.recv().await.is_ok() {} }));
        }
        for _ in 0..EACH {
            let sender = sender.clone();
            tasks.push(tokio::spawn(async move {
                for i in 0..items / EACH {
                    sender.send(i).await.unwrap();
                }
            }));
        }
        drop(sender); // the last of the others closes it
        join(tasks).await;
        nanoseconds(start, items)
    })
}

fn per_select(r: &Request, capacity: usize) -> f64 {
    let items = r.scaled(1_000_000) / 4 * 4;
    r.run(async move {
        let (to_a, mut a) = mpsc::channel(capacity);
        let (to_b, mut b) = mpsc::channel(capacity);
        let (to_c, mut c) = mpsc::channel(capacity);
        let (to_d, mut d) = mpsc::channel(capacity);
        let senders = [to_a, to_b, to_c, to_d]; // kept, so that none is closed before the end
        let start = Instant::now();
        for sender in senders.clone() {
            tokio::spawn(async move {
                for i in 0..items / 4 {
                    sender.send(i).await.unwrap();
                }
            });
        }
        for _ in 0..items {
            tokio::select! {
                _ = a.recv() => {}
                _ = b.recv() => {}
                _ = c.recv() => {}
                _ = d.recv() => {}
            }
        }
        nanoseconds(start, items)
    })
}
