//! Many threads, and a plugin that crashes in one of a thousand calls: each call is answered once, and by its own answer.
//! `CARAWAY_TEST_CALLS=1000000` makes it as many calls; `--nocapture` shows the figures.

use crate::host::{Held, Host};
use crate::plugins::{Code, Mode, Session};
use caraway::Code as Of;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

const THREADS: usize = 32;

/// Makes these calls from all threads, and gives how many were answered and how many crashed.
fn calls(plugin: &Session, numbers: std::ops::Range<usize>) -> (usize, usize) {
    let (next, answered, crashed) =
        (AtomicUsize::new(numbers.start), AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= numbers.end {
            return;
        }
        let number = i64::try_from(number).unwrap();
        match plugin.eval(&format!("m::seldom({number})")) {
            Ok(value) => {
                assert_eq!(value.as_int(), Ok(number + 1));
                answered.fetch_add(1, Ordering::Relaxed);
            }
            // Nobody else's crash is anybody's error.
            Err(error) => {
                assert_eq!((number % 1000, error.code()), (0, Of::PluginCrashed), "{number}: {error:?}");
                assert!(error.message().contains("SIGSEGV"), "{error:?}");
                crashed.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        (0..THREADS).for_each(|_| drop(scope.spawn(work)));
    });
    (answered.into_inner(), crashed.into_inner())
}

#[test]
fn one_call_of_a_thousand_crashes() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let all: usize = std::env::var("CARAWAY_TEST_CALLS").map_or(8_000, |text| text.parse().unwrap());
    let host = Host::now();
    let plugin = Code::Rust.plugin(Mode::Sandboxed, "");
    plugin.same("m::seldom(1)", "2");
    let threads = Held::now().threads;
    let start = Instant::now();
    let first = calls(&plugin, 0..all / 5);
    let early = Held::settled(threads);
    let second = calls(&plugin, all / 5..all);
    let late = Held::settled(threads);
    println!("{all} calls in {:?}; after a fifth {early:?}, after all {late:?}", start.elapsed());
    let crashes = all.div_ceil(1000);
    assert_eq!((first.0 + second.0, first.1 + second.1), (all - crashes, crashes));
    let flat = late.descriptors <= early.descriptors && late.threads <= early.threads + 2;
    assert!(flat && late.children <= 1, "{early:?} {late:?}");
    let grown = late.memory.saturating_sub(early.memory);
    assert!(grown < 32 << 20, "memory grew by {grown} bytes, from {}", early.memory);
    drop(plugin);
    host.is_clean();
}
