//! What is left of the programs that `std/process` ran. Alone in its process, so that nothing else opens descriptors.

mod support;

use std::fs;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use support::Bench;
use support::processes::zombies;

/// A call that runs a shell's script.
fn sh(script: &str, options: &str) -> String {
    format!("process::run_with(\"/bin/sh\", [\"-c\", {script:?}], {options})")
}

#[test]
fn nothing_is_inherited_or_left() {
    // A descriptor that exec would leave open.
    let careless = fs::File::open("/dev/zero").unwrap();
    // SAFETY: `fcntl` with `F_DUPFD` makes a new descriptor, which nobody else owns.
    let careless = unsafe { OwnedFd::from_raw_fd(libc::fcntl(careless.as_raw_fd(), libc::F_DUPFD, 100)) };
    let bench = Bench::new(&["process=/bin/sh"]);
    bench.gives(
        &(sh("ls /proc/$$/fd; readlink /proc/$$/fd/0", "#{}") + ".stdout"),
        r#""0\n1\n2\n/dev/null\n""#,
    );
    drop(careless);
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let engine = bench.engine();
    let before = open();
    for _ in 0..200 {
        engine.run(&sh("exit 0", "#{stdin: \"x\"}")).unwrap();
        engine.run(&format!("try {{ {} }} catch {{ }}", sh("sleep 7105", "#{timeout: 0}"))).unwrap();
    }
    assert_eq!(open(), before);
    assert_eq!(zombies(), 0);
}
