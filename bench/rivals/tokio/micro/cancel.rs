//! Tokens that cancel 1, 1,000 and 100,000 waiting tasks, and what a token costs: as in micro_cancel and micro_context.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;

use crate::tasks::join;
use crate::{milliseconds, nanoseconds, percentile, Request, Row, Values};

pub const ROWS: &[Row] = &[
    ("cancel_1", cancel_1),
    ("cancel_1000", cancel_1000),
    ("cancel_100000", cancel_100000),
    ("context_cancel", |r| vec![("context_cancel", per_token(r))]),
    ("context_tree", |r| vec![("context_tree", tree_milliseconds(r))]),
];

fn asleep(tid: &str) -> bool {
    match std::fs::read_to_string(format!("/proc/self/task/{tid}/stat")) {
        Ok(text) => text.rsplit(')').next().map_or(false, |rest| rest.starts_with(" S")),
        Err(_) => true, // the thread has ended
    }
}

fn all_asleep() -> bool {
    let own = unsafe { libc::gettid() }.to_string();
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let mut names = threads.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.all(|tid| tid == own || asleep(&tid))
}

/// Two looks in a row, as in support/quiet.cpp.
fn others_asleep(limit: Duration) -> bool {
    let end = Instant::now() + limit;
    let mut looks = 0;
    while looks < 2 && Instant::now() < end {
        looks = if all_asleep() { looks + 1 } else { 0 };
    }
    looks == 2
}

struct State {
    start: Instant,
    stamps: Vec<AtomicU64>,
    arrived: AtomicUsize,
}

/// From the cancellation until the last task had run, in nanoseconds.
async fn round(s: &Arc<State>) -> u64 {
    let tasks = s.stamps.len();
    let token = CancellationToken::new();
    s.arrived.store(0, Relaxed);
    let waiting = |i: usize, s: Arc<State>, token: CancellationToken| async move {
        s.arrived.fetch_add(1, Relaxed);
        token.cancelled().await;
        s.stamps[i].store(s.start.elapsed().as_nanos() as u64, Relaxed);
    };
    let all = (0..tasks).map(|i| tokio::spawn(waiting(i, s.clone(), token.clone()))).collect();
    while s.arrived.load(Relaxed) != tasks {
        yield_now().await;
    }
    for _ in 0..3 {
        yield_now().await;
    }
    others_asleep(Duration::from_millis(20));

    let begin = s.start.elapsed().as_nanos() as u64;
    token.cancel();
    join(all).await;
    s.stamps.iter().map(|stamp| stamp.load(Relaxed)).max().unwrap() - begin
}

fn last_of_rounds(r: &Request, tasks: usize, rounds: usize) -> Vec<u64> {
    let mut last = r.run(async move {
        let s = Arc::new(State {
            start: Instant::now(),
            stamps: (0..tasks).map(|_| AtomicU64::new(0)).collect(),
            arrived: AtomicUsize::new(0),
        });
        for _warm_up in 0..(rounds / 10).max(1) {
            round(&s).await;
        }
        let mut last = Vec::with_capacity(rounds);
        for _ in 0..rounds {
            last.push(round(&s).await);
        }
        last
    });
    last.sort();
    last
}

fn cancel_1(r: &Request) -> Values {
    let last = last_of_rounds(r, 1, r.scaled(5000));
    vec![("cancel_1_p50", percentile(&last, 50) / 1e3), ("cancel_1_p99", percentile(&last, 99) / 1e3)]
}

fn cancel_1000(r: &Request) -> Values {
    let last = last_of_rounds(r, 1000, r.scaled(200));
    vec![("cancel_1000", percentile(&last, 50) / 1e3)]
}

fn cancel_100000(r: &Request) -> Values {
    let last = last_of_rounds(r, 100_000, r.scaled(5).max(1));
    vec![("cancel_100000", percentile(&last, 50) / 1e6)]
}

fn per_token(r: &Request) -> f64 {
    let tokens = r.scaled(2_000_000);
    let start = Instant::now();
    for _ in 0..tokens {
        CancellationToken::new().cancel();
    }
    nanoseconds(start, tokens)
}

fn tree_milliseconds(_: &Request) -> f64 {
    let mut tree = vec![CancellationToken::new()];
    for parent in 0..11_111 {
        for _ in 0..10 {
            tree.push(tree[parent].child_token());
        }
    }
    let start = Instant::now();
    tree[0].cancel();
    let took = milliseconds(start);
    assert!(tree.last().unwrap().is_cancelled());
    took
}
