//! Yield, spawn and join, mutex, trees of tasks, memory: as in micro_yield, micro_spawn, micro_mutex, micro_fork_join
//! and micro_memory.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{Mutex, Notify};
use tokio::task::{yield_now, JoinHandle};

use crate::{milliseconds, nanoseconds, Request, Row, Values};

pub const ROWS: &[Row] = &[
    ("yield_2", |r| vec![("yield_2", per_yield(r, 2, r.scaled(2_000_000)))]),
    ("yield_1000", |r| vec![("yield_1000", per_yield(r, 1000, r.scaled(4000)))]),
    ("spawn_join", |r| vec![("spawn_join", per_spawn(r))]),
    ("mutex", |r| vec![("mutex", per_lock(r))]),
    ("skynet", |r| vec![("skynet", skynet_milliseconds(r))]),
    ("fib", |r| vec![("fib", fib_milliseconds(r))]),
    ("parked", parked),
];

pub async fn join(all: Vec<JoinHandle<()>>) {
    for task in all {
        task.await.unwrap();
    }
}

fn per_yield(r: &Request, tasks: usize, yields: usize) -> f64 {
    r.run(async move {
        let start = Instant::now();
        let yielding = || async move {
            for _ in 0..yields {
                yield_now().await;
            }
        };
        join((0..tasks).map(|_| tokio::spawn(yielding())).collect()).await;
        nanoseconds(start, tasks * yields)
    })
}

fn per_spawn(r: &Request) -> f64 {
    const BATCH: usize = 1000;
    let batches = r.scaled(2000);
    r.run(async move {
        let mut tasks = Vec::with_capacity(BATCH);
        let start = Instant::now();
        for _ in 0..batches {
            tasks.extend((0..BATCH).map(|_| tokio::spawn(async {})));
            for task in tasks.drain(..) {
                task.await.unwrap();
            }
        }
        nanoseconds(start, batches * BATCH)
    })
}

/// The mutex that a task may hold while it waits, as weft's and Go's; one that may not is std::sync::Mutex.
fn per_lock(r: &Request) -> f64 {
    const TASKS: usize = 8;
    let locks = r.scaled(2_000_000);
    r.run(async move {
        let counted = Arc::new(Mutex::new(0));
        let start = Instant::now();
        let counting = |counted: Arc<Mutex<usize>>| async move {
            for _ in 0..locks {
                *counted.lock().await += 1;
            }
        };
        join((0..TASKS).map(|_| tokio::spawn(counting(counted.clone()))).collect()).await;
        assert_eq!(*counted.lock().await, TASKS * locks);
        nanoseconds(start, TASKS * locks)
    })
}

type Tree = Pin<Box<dyn Future<Output = usize> + Send>>;

fn skynet(first: usize, leaves: usize) -> Tree {
    Box::pin(async move {
        if leaves == 1 {
            return first;
        }
        let share = leaves / 10;
        let children: [_; 10] = std::array::from_fn(|i| tokio::spawn(skynet(first + i * share, share)));
        let mut sum = 0;
        for child in children {
            sum += child.await.unwrap();
        }
        sum
    })
}

fn fib(n: usize) -> Tree {
    Box::pin(async move {
        if n < 2 {
            return n;
        }
        let first = tokio::spawn(fib(n - 1));
        let second = fib(n - 2).await;
        first.await.unwrap() + second
    })
}

fn skynet_milliseconds(r: &Request) -> f64 {
    let leaves = r.scaled(1_000_000);
    r.run(async move {
        let start = Instant::now();
        assert_eq!(skynet(0, leaves).await, leaves * (leaves - 1) / 2);
        milliseconds(start) * 1e6 / leaves as f64
    })
}

/// A worker runs what was spawned last first. A thread alone does not, has a whole level of the tree live at once, and
/// takes five times as long.
fn fib_milliseconds(r: &Request) -> f64 {
    r.run_on_workers(async {
        for _warm_up in 0..3 {
            fib(25).await;
        }
        let start = Instant::now();
        assert_eq!(fib(25).await, 75025);
        milliseconds(start)
    })
}

fn resident_bytes() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: f64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as f64
}

#[derive(Default)]
struct Gate {
    opened: Notify,
    arrived: AtomicUsize,
    ended: AtomicUsize,
}

fn parked(r: &Request) -> Values {
    let tasks = r.scaled(1_000_000);
    r.run(async move {
        let gate = Arc::new(Gate::default());
        let before = resident_bytes();
        let start = Instant::now();
        for _ in 0..tasks {
            let gate = gate.clone();
            tokio::spawn(async move {
                let opened = gate.opened.notified(); // from here on it does not miss it
                gate.arrived.fetch_add(1, Relaxed);
                opened.await;
                gate.ended.fetch_add(1, Relaxed);
            });
        }
        while gate.arrived.load(Relaxed) != tasks {
            yield_now().await;
        }
        let each = nanoseconds(start, tasks);
        let bytes = (resident_bytes() - before) / tasks as f64;
        gate.opened.notify_waiters();
        while gate.ended.load(Relaxed) != tasks {
            yield_now().await;
        }
        vec![("parked_bytes", bytes), ("parked_spawn", each)]
    })
}
