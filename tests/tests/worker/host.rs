//! The state of this process, which no worker may change.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Tests that look at the process have it to themselves.
static ALONE: Mutex<()> = Mutex::new(());

/// What the process is like.
#[derive(Debug, PartialEq, Eq)]
struct Settings {
    folder: PathBuf,
    environment: Vec<(OsString, OsString)>,
    /// The mask for new files, what is done about signals, and the limits.
    status: Vec<String>,
    /// Its group, session and terminal.
    groups: Vec<String>,
}

/// What it holds, which a worker in use adds to.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
    pub(crate) children: usize,
    pub(crate) memory: u64,
}

/// The process as it was, which it is again at the end of a test.
pub(crate) struct Host {
    settings: Settings,
    held: Held,
    _alone: MutexGuard<'static, ()>,
}

impl Host {
    /// As it is now.
    pub(crate) fn now() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        Self { settings: Settings::now(), held: Held::now(), _alone: alone }
    }

    /// Checks what should never change.
    #[track_caller]
    pub(crate) fn is_unchanged(&self, after: &str) {
        assert_eq!(Settings::now(), self.settings, "after {after}");
    }

    /// Checks that nothing is left, once all runtimes are gone.
    #[track_caller]
    pub(crate) fn is_clean(&self) {
        self.is_unchanged("all");
        // The harness starts and ends threads of its own.
        soon("the process is as it was", || {
            let held = Held::now();
            let flat = held.descriptors <= self.held.descriptors && held.threads <= self.held.threads + 2;
            if flat && held.children == 0 { Ok(()) } else { Err((&self.held, held)) }
        });
    }
}

impl Settings {
    fn now() -> Self {
        let read = |file| std::fs::read_to_string(file).unwrap();
        let kept = ["Umask:", "SigBlk:", "SigIgn:", "SigCgt:", "NoNewPrivs:", "Seccomp:", "CapEff:"];
        // The harness's thread blocks signals while it starts another one.
        let status = read("/proc/thread-self/status");
        let status = status.lines().filter(|line| kept.iter().any(|kept| line.starts_with(kept)));
        let limits = read("/proc/self/limits");
        Self {
            folder: std::env::current_dir().unwrap(),
            environment: std::env::vars_os().collect(),
            status: status.chain(limits.lines()).map(str::to_owned).collect(),
            groups: fields(&read("/proc/self/stat"))[2..5].to_vec(),
        }
    }
}

impl Held {
    pub(crate) fn now() -> Self {
        let count = |folder| std::fs::read_dir(folder).unwrap().count();
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kilobytes: u64 = kilobytes.trim().trim_end_matches(" kB").parse().unwrap();
        let own = std::process::id().to_string();
        Self {
            descriptors: count("/proc/self/fd"),
            threads: count("/proc/self/task"),
            children: processes().iter().filter(|fields| fields[1] == own).count(),
            memory: kilobytes * 1024,
        }
    }

    /// The same, once there are no more threads than these: one that was joined takes a moment to be gone.
    #[track_caller]
    pub(crate) fn settled(threads: usize) -> Self {
        soon("threads are gone", || {
            let held = Self::now();
            if held.threads <= threads + 2 { Ok(()) } else { Err(held) }
        });
        Self::now()
    }
}

/// Of a line of `/proc/*/stat`: state, parent, group, session, terminal and so on.
fn fields(stat: &str) -> Vec<String> {
    stat.rsplit(')').next().unwrap().split_whitespace().map(str::to_owned).collect()
}

fn processes() -> Vec<Vec<String>> {
    let entries = std::fs::read_dir("/proc").unwrap();
    let stats = entries.filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("stat")).ok());
    stats.map(|stat| fields(&stat)).collect()
}

/// Waits until no process of this group runs any more.
#[track_caller]
pub(crate) fn group_ends(group: i64) {
    let group = group.to_string();
    soon("no process of the group is left", || {
        let left: Vec<_> = processes()
            .into_iter()
            // Whose parent is gone waits for the system's first process.
            .filter(|fields| fields[2] == group && fields[0] != "Z")
            .collect();
        if left.is_empty() { Ok(()) } else { Err(left) }
    });
}

/// Looks again and again until it is so.
#[track_caller]
pub(crate) fn soon<E: std::fmt::Debug>(what: &str, mut is: impl FnMut() -> Result<(), E>) {
    let end = Instant::now() + Duration::from_secs(10);
    while let Err(found) = is() {
        assert!(Instant::now() < end, "not so: {what}: {found:#?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
