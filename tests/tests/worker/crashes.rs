//! What becomes of a plugin that crashes again and again, and of what it gave out.

use crate::host::{Host, soon};
use crate::plugins::{Code, Mode, Session, c, id, plugin};
use caraway::Code::{PluginCrashed, SignatureMismatch, ValueRefused};

/// So many crashes in a row are forgiven at once.
const PATIENCE: usize = 5;

/// After so many there are no more.
const QUARANTINE: usize = 12;

#[track_caller]
fn crash(plugin: &Session) {
    plugin.fails("m::segfault()", PluginCrashed, &["was ended by SIGSEGV"]);
}

#[test]
fn crashes_in_a_row_make_pauses_until_a_call_goes_well() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let host = Host::now();
    let plugin = Code::C.plugin(Mode::Sandboxed, "");
    for _ in 0..3 {
        (1..PATIENCE).for_each(|_| crash(&plugin));
        plugin.same("m::well(7)", "7");
    }
    (0..PATIENCE).for_each(|_| crash(&plugin));
    let texts = ["`faults` ended its process 5 times in a row", "is not started again for", "call it later"];
    plugin.fails("m::well(7)", PluginCrashed, &texts);
    soon("the pause is over", || plugin.eval("m::well(7)").map(drop));
    // All is forgiven.
    (1..PATIENCE).for_each(|_| crash(&plugin));
    plugin.same("m::well(7)", "7");
    drop(plugin);
    host.is_clean();
}

#[test]
fn what_only_crashes_is_not_started_again() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let host = Host::now();
    let plugin = Code::C.plugin(Mode::Sandboxed, "");
    let mut crashes = 0;
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        assert!(std::time::Instant::now() < end, "{crashes} crashes");
        let error = plugin.fails("m::segfault()", PluginCrashed, &[]);
        if error.message().contains("SIGSEGV") {
            crashes += 1;
        } else if error.message().contains("not started again for") {
            std::thread::sleep(std::time::Duration::from_millis(5));
        } else {
            break;
        }
    }
    assert_eq!(crashes, QUARANTINE);
    let texts = ["ended its process 12 times in a row, and is not started again", "mend the plugin"];
    plugin.fails("m::well(7)", PluginCrashed, &texts);
    drop(plugin);
    host.is_clean();
}

/// Functions are called by their places: those of another library are others.
#[test]
fn a_library_that_was_changed_is_not_taken_for_the_old_one() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let host = Host::now();
    let mut plugin = plugin("faults", &c(&[]), Mode::Sandboxed, "");
    plugin.same("m::well(7)", "7");
    plugin.replace(&c(&["-DLATER"]));
    plugin.same("m::well(7)", "7");
    crash(&plugin);
    let texts = ["`faults` has other functions than before its process ended", "start the program again"];
    plugin.fails("m::well(7)", SignatureMismatch, &texts);
    plugin.restart();
    plugin.same("m::new_id() == m::id()", "true");
    drop(plugin);
    host.is_clean();
}

#[test]
fn handles_are_lost_with_their_process() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let host = Host::now();
    let plugin = Code::Rust.plugin(Mode::Isolated, "");
    let group = id(&plugin);
    for (method, code) in [("f.armed", ValueRefused), ("m::fuse::armed(f)", ValueRefused)] {
        let script = format!("let f = m::fuse(false); try {{ m::segfault() }} catch {{}} {method}");
        plugin.fails(&script, code, &["Fuse", "was lost with the process that it was in"]);
        plugin.same("m::fuse(false).armed", "false");
    }
    assert_ne!(id(&plugin), group);
    drop(plugin);
    host.is_clean();
}
