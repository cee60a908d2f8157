//! Nothing piles up in the host. `CARAWAY_TEST_RESTARTS=1000` makes it as many starts; `--nocapture` shows the figures.

use crate::host::{Held, Host};
use crate::plugins::{Code, Mode};
use caraway::Code::PluginCrashed;

fn restarts() -> usize {
    std::env::var("CARAWAY_TEST_RESTARTS").map_or(60, |text| text.parse().unwrap())
}

/// Does it so many times; nothing is more after all of it than after a fifth.
#[track_caller]
fn stays_flat(what: &str, mut turn: impl FnMut()) {
    let all = restarts();
    (0..all / 5).for_each(|_| turn());
    let early = Held::now();
    let start = std::time::Instant::now();
    (all / 5..all).for_each(|_| turn());
    let late = Held::now();
    println!("{what}: {all} times, {:?}; after a fifth {early:?}, after all {late:?}", start.elapsed());
    // The harness starts and ends threads of its own.
    let flat = late.descriptors <= early.descriptors && late.threads <= early.threads + 2;
    assert!(flat && late.children <= early.children, "{early:?} {late:?}");
    let grown = late.memory.saturating_sub(early.memory);
    assert!(grown < 32 << 20, "memory grew by {grown} bytes, from {}", early.memory);
}

#[test]
fn fresh_runtimes() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let host = Host::now();
    let mut plugin = Code::C.plugin(Mode::Sandboxed, "");
    stays_flat("fresh runtimes", || {
        plugin.restart();
        plugin.same("m::well(7)", "7");
    });
    drop(plugin);
    host.is_clean();
}

#[test]
fn crashes() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let host = Host::now();
    let plugin = Code::C.plugin(Mode::Sandboxed, "");
    stays_flat("crashes", || {
        plugin.fails("m::segfault()", PluginCrashed, &["SIGSEGV"]);
        plugin.same("m::well(7)", "7");
    });
    drop(plugin);
    host.is_clean();
}
