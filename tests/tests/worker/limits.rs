//! What does not end by itself, and what takes too much.

use crate::host::{Host, group_ends};
use crate::plugins::{Code, MODES, Session, id};
use caraway::Code as Of;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_millis(300);

/// Each call fails so within its time, with the whole group.
#[track_caller]
fn each_is_stopped(plugin: &Session, calls: &[&str]) {
    for call in calls {
        plugin.same("m::well(7)", "7");
        let group = id(plugin);
        let start = Instant::now();
        plugin.fails(&format!("m::{call}"), Of::Deadline, &["the plugin's state was lost"]);
        let took = start.elapsed();
        assert!(took >= TIMEOUT && took < TIMEOUT + Duration::from_secs(1), "{call} took {took:?}");
        group_ends(group);
        plugin.same("m::well(7)", "7");
    }
}

#[test]
fn what_goes_on_for_ever_is_stopped() {
    if !caraway_tests::workers_hold() {
        return;
    }
    for mode in MODES {
        let host = Host::now();
        let timeout = "timeout = \"300ms\"";
        each_is_stopped(&Code::Rust.plugin(mode, timeout), &["spin()", "doze()"]);
        // What is scribbled begins as a message does that is 16 MiB long.
        each_is_stopped(
            &Code::C.plugin(mode, timeout),
            &["spin()", "doze()", "ignore_signals_and_doze()", "talk_for_ever()", "scribble(1)"],
        );
        host.is_clean();
    }
}

/// With a grant for programs, children are there to be ended, too.
#[test]
fn children_are_stopped_with_their_parent() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let host = Host::now();
    let plugin = Code::C.granted("capabilities = [\"process\"]\n[security]\ntimeout = \"300ms\"", "process");
    each_is_stopped(&plugin, &["multiply(30)"]);
    let group = id(&plugin);
    plugin.same("m::start()", "0");
    drop(plugin);
    group_ends(group);
    host.is_clean();
}

#[test]
fn memory_ends_at_the_limit() {
    if !caraway_tests::workers_hold() {
        return;
    }
    for mode in MODES {
        let host = Host::now();
        let plugin = Code::C.plugin(mode, "max_memory = \"128MB\"");
        plugin.fails("m::leak()", Of::PluginCrashed, &["`faults::leak`", "was ended by SIGSEGV"]);
        plugin.same("m::well(7)", "7");
        let group = id(&plugin);
        plugin.fails("m::take_at_once()", Of::Memory, &["`faults::take_at_once`", "memory"]);
        assert_eq!(id(&plugin), group);
        plugin.fails("m::leak_with_care()", Of::Memory, &["`faults::leak_with_care`", "memory"]);
        drop(plugin);
        let plugin = Code::Rust.plugin(mode, "max_memory = \"128MB\"");
        for (call, told) in [("leak", "was ended by SIGABRT"), ("take_at_once", "was ended by SIGABRT")] {
            let function = format!("`worker-faults::{call}`");
            plugin.fails(&format!("m::{call}()"), Of::PluginCrashed, &[&function, told]);
            plugin.same("m::well(7)", "7");
        }
        // A panic that is caught, or the end of the process, as it comes. The threads live on: what they leave may not
        // be enough for one more call, which then ends the process.
        plugin.fails("m::threads()", Of::PluginCrashed, &["`worker-faults::threads`"]);
        drop(plugin.eval("m::well(7)"));
        plugin.same("m::well(7)", "7");
        drop(plugin);
        host.is_clean();
    }
}
