//! Compares random programs for as long as it takes:
//! `cargo run --release -p caraway-loaders-compile --example differential -- 10000000 --seed 1 --threads 2`

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a run that cannot go on ends")]

use caraway_loaders_compile::ScriptCompiler;
use caraway_loaders_compile::fuzzing::{Differential, Tally};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Rhai recurses over what it walks.
const STACK: usize = 256 << 20;

/// After so many differences there is enough to do.
const MOST_DIFFERENCES: u64 = 20;

/// How many seeds a thread takes at once.
const SEEDS: u64 = 50;

struct Options {
    calls: u64,
    seed: u64,
    threads: usize,
    /// How often each function is called.
    each: usize,
}

fn options() -> Options {
    let mut options = Options { calls: 100_000, seed: 1, threads: 1, each: 24 };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || args.next().expect("a number").parse::<u64>().expect("a number");
        match &*arg {
            "--seed" => options.seed = number(),
            "--threads" => options.threads = number() as usize,
            "--show" => {
                let differential = Differential::new(Arc::new(ScriptCompiler::default()), 0);
                println!("{}", differential.shown(number()));
                std::process::exit(0);
            }
            "--each" => options.each = number() as usize,
            calls => {
                options.calls = calls.parse().expect("how many calls, --seed, --threads, --each or --show")
            }
        }
    }
    options
}

fn main() {
    let Options { calls, seed, threads, each } = options();
    let compiler = Arc::new(ScriptCompiler::default());
    let next = AtomicU64::new(seed);
    let sum = Mutex::new(Tally::default());
    let start = Instant::now();
    let told = Mutex::new(start);
    let work = || {
        let mut differential = Differential::new(compiler.clone(), each);
        loop {
            let first = next.fetch_add(SEEDS, Ordering::Relaxed);
            for seed in first..first + SEEDS {
                let known = differential.tally.refusals.len();
                if let Some(difference) = differential.check_seed(seed) {
                    println!("seed {seed}:\n{difference}\n");
                }
                if differential.tally.refusals.len() > known {
                    eprintln!("seed {seed}: {:?}", differential.tally.refusals);
                }
            }
            let mut sum = sum.lock().unwrap();
            *sum += &std::mem::take(&mut differential.tally);
            let mut told = told.lock().unwrap();
            if told.elapsed() > Duration::from_secs(30) {
                *told = Instant::now();
                let rate = sum.calls as f64 / start.elapsed().as_secs_f64();
                eprintln!("{} calls, {} differences, {rate:.0} calls a second", sum.calls, sum.differences);
            }
            if sum.calls >= calls || sum.differences >= MOST_DIFFERENCES {
                break;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).unwrap();
        }
    });
    let sum = sum.into_inner().unwrap();
    let seconds = start.elapsed().as_secs_f64();
    println!("{sum}\n{seconds:.0} s, {:.0} calls a second", sum.calls as f64 / seconds);
    println!("seeds {seed} to {}", next.into_inner() - 1);
    std::process::exit(i32::from(sum.differences > 0));
}
