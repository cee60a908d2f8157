//! Which processes there are.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn folders() -> impl Iterator<Item = PathBuf> {
    fs::read_dir("/proc").unwrap().flatten().map(|process| process.path())
}

/// Waits until no process has this text on its command line.
#[track_caller]
pub(crate) fn gone(mark: &str) {
    let running = || {
        let lines = folders().filter_map(|folder| fs::read(folder.join("cmdline")).ok());
        lines.into_iter().any(|line| String::from_utf8_lossy(&line).contains(mark))
    };
    let started = Instant::now();
    while running() {
        assert!(started.elapsed() < Duration::from_secs(20), "{mark} still runs");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The children of this process that have ended and were not reaped.
pub(crate) fn zombies() -> usize {
    let own = std::process::id().to_string();
    let states = folders().filter_map(|folder| fs::read_to_string(folder.join("stat")).ok());
    states
        .filter(|stat| {
            // A program's name may hold spaces and brackets.
            let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
            fields.next() == Some("Z") && fields.next() == Some(&*own)
        })
        .count()
}
