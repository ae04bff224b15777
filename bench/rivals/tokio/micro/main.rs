//! The questions of bench/micro*.cpp that tokio has an answer to, with the same rows, the same work and the same JSON.
//!
//! The allocator is the system's, as for whoever has not chosen another. With jemalloc the trees take a tenth to a third
//! less of the CPU, and spawns a tenth more.

mod cancel;
mod channels;
mod tasks;
mod timers;

use std::future::Future;
use std::time::Instant;

use tokio::runtime::Builder;

/// What a row is given: on how many processors, and whether a tenth of the work will do.
#[derive(Clone, Copy)]
pub struct Request {
    pub processors: usize,
    quick: bool,
}

impl Request {
    pub fn scaled(&self, full: usize) -> usize {
        if self.quick {
            full / 10
        } else {
            full
        }
    }

    /// Runs `work` as a task of a runtime of its own: on this thread alone for one processor, else on so many workers.
    pub fn run<F>(&self, work: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if self.processors > 1 {
            return self.run_on_workers(work);
        }
        drive(Builder::new_current_thread(), work)
    }

    /// On a worker of its own for one processor, too.
    pub fn run_on_workers<F>(&self, work: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let mut workers = Builder::new_multi_thread();
        workers.worker_threads(self.processors);
        drive(workers, work)
    }
}

fn drive<F>(mut builder: Builder, work: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let runtime = builder.enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::spawn(work).await.expect("no panic") })
}

pub type Values = Vec<(&'static str, f64)>;
pub type Row = (&'static str, fn(&Request) -> Values);

pub fn nanoseconds(since: Instant, operations: usize) -> f64 {
    since.elapsed().as_nanos() as f64 / operations as f64
}

pub fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_nanos() as f64 / 1e6
}

/// The smallest that at least `percent` of all do not exceed.
pub fn percentile(sorted: &[u64], percent: usize) -> f64 {
    sorted[((sorted.len() * percent + 99) / 100).max(1) - 1] as f64
}

struct Options {
    rows: Vec<String>,
    repeat: usize,
    request: Request,
}

fn fail(what: String) -> ! {
    eprintln!("micro: {what}");
    std::process::exit(2)
}

fn number(option: &str, text: &str) -> usize {
    match text.parse() {
        Ok(n) if n > 0 => n,
        _ => fail(format!("{option} {text}: expected a positive number")),
    }
}

fn options() -> Options {
    let mut o = Options { rows: Vec::new(), repeat: 1, request: Request { processors: 1, quick: false } };
    let mut words = std::env::args().skip(1);
    while let Some(option) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| fail(format!("{option} needs a value")));
        match option.as_str() {
            "--rows" => o.rows = value().split(',').map(String::from).collect(),
            "--processors" => o.request.processors = number(&option, &value()),
            "--repeat" => o.repeat = number(&option, &value()),
            "--quick" => o.request.quick = true,
            "--json" => drop(value()), // always to standard output
            _ => fail(format!("unknown option {option}")),
        }
    }
    o
}

/// The median of each value over so many repetitions.
fn measure(measure: fn(&Request) -> Values, o: &Options) -> Values {
    let rounds: Vec<Values> = (0..o.repeat).map(|_| measure(&o.request)).collect();
    let median = |i: usize| {
        let mut samples: Vec<f64> = rounds.iter().map(|values| values[i].1).collect();
        samples.sort_by(f64::total_cmp);
        samples[samples.len() / 2]
    };
    rounds[0].iter().enumerate().map(|(i, &(name, _))| (name, median(i))).collect()
}

fn main() {
    let o = options();
    let mut entries = Vec::new();
    for (name, row) in [tasks::ROWS, channels::ROWS, timers::ROWS, cancel::ROWS].concat() {
        if !o.rows.is_empty() && !o.rows.iter().any(|wanted| wanted == name) {
            continue;
        }
        for (name, value) in measure(row, &o) {
            entries.push(format!(r#"{{"name":"{name}","processors":{},"value":{value}}}"#, o.request.processors));
        }
    }
    println!("[{}]", entries.join(","));
}
