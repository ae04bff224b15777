//! Timers made and stopped, and 100,000 sleepers: as in micro_timer.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, sleep_until};

use crate::tasks::join;
use crate::{nanoseconds, percentile, Request, Row, Values};

pub const ROWS: &[Row] = &[("timer_stop", |r| vec![("timer_stop", per_timer(r))]), ("sleepers", sleepers)];

/// A sleep is set when it is polled first, and stopped when it is dropped.
fn per_timer(r: &Request) -> f64 {
    let tasks = r.processors;
    let timers = r.scaled(2_000_000) / tasks;
    r.run(async move {
        let start = Instant::now();
        let setting = || async move {
            for _ in 0..timers {
                let timer = sleep(Duration::from_secs(3600));
                tokio::select! {
                    biased;
                    _ = timer => panic!("an hour has passed"),
                    _ = async {} => {}
                }
            }
        };
        join((0..tasks).map(|_| tokio::spawn(setting())).collect()).await;
        nanoseconds(start, timers * tasks)
    })
}

fn cpu_milliseconds() -> f64 {
    let mut used = MaybeUninit::<libc::timespec>::zeroed();
    let used = unsafe {
        libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, used.as_mut_ptr());
        used.assume_init()
    };
    used.tv_sec as f64 * 1e3 + used.tv_nsec as f64 / 1e6
}

fn sleepers(r: &Request) -> Values {
    let tasks = r.scaled(100_000);
    let late: Arc<Vec<AtomicU64>> = Arc::new((0..tasks).map(|_| AtomicU64::new(0)).collect());
    let slots = late.clone();
    let cpu = r.run(async move {
        let before = cpu_milliseconds();
        let sleeping = |i: usize, late: Arc<Vec<AtomicU64>>| async move {
            let due = Instant::now() + Duration::from_secs(1) * (i as u32 + 1) / tasks as u32;
            sleep_until(due.into()).await;
            late[i].store(due.elapsed().as_nanos() as u64, Relaxed);
        };
        join((0..tasks).map(|i| tokio::spawn(sleeping(i, slots.clone()))).collect()).await;
        cpu_milliseconds() - before
    });
    let mut late: Vec<u64> = late.iter().map(|slot| slot.load(Relaxed)).collect();
    late.sort();
    vec![
        ("sleepers_cpu", cpu),
        ("sleepers_p50", percentile(&late, 50) / 1e3),
        ("sleepers_p99", percentile(&late, 99) / 1e3),
    ]
}
