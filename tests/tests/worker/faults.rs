//! What ends the process, spoils it, or tries to.

use crate::host::{Host, group_ends};
use crate::plugins::{Code, MODES, Mode, id};
use caraway::Code::PluginCrashed;

/// Each call ends the process, in a way that the error says; the next one works, and the host is as it was.
#[track_caller]
fn each_ends(code: Code, mode: Mode, security: &str, cases: &[(&str, &str)]) {
    let host = Host::now();
    let plugin = code.plugin(mode, security);
    for (call, told) in cases {
        let group = id(&plugin);
        let function = format!("`{}::{}`", code.name(), call.split('(').next().unwrap());
        let texts = [&*function, told, "the plugin's state was lost", "a fresh copy of the plugin"];
        plugin.fails(&format!("m::{call}"), PluginCrashed, &texts);
        group_ends(group);
        plugin.same("m::well(7)", "7");
        assert_ne!(id(&plugin), group, "{call}");
        host.is_unchanged(call);
    }
    drop(plugin);
    host.is_clean();
}

const SEGV: &str = "was ended by SIGSEGV (it used memory that it does not have)";
const ABRT: &str = "was ended by SIGABRT (it aborted)";

const IN_C: &[(&str, &str)] = &[
    ("abort()", ABRT),
    ("segfault()", SEGV),
    #[cfg(target_arch = "x86_64")]
    ("divide(7)", "was ended by SIGFPE (an illegal operation on numbers)"),
    ("illegal()", "was ended by SIGILL (an illegal instruction)"),
    ("bus_error()", "was ended by SIGBUS (it used memory that is not there)"),
    ("overflow_stack()", "was ended by SIG"),
    ("leave(0)", "ended by `exit(0)`"),
    ("leave(3)", "ended by `exit(3)`"),
    ("leave_at_once(0)", "ended by `exit(0)`"),
    ("leave_at_once(3)", "ended by `exit(3)`"),
    ("signal_itself(1)", "was ended by SIGHUP"),
    ("signal_itself(2)", "was ended by SIGINT"),
    ("signal_itself(9)", "was ended by SIGKILL"),
    ("signal_itself(15)", "was ended by SIGTERM"),
    ("signal_itself(10)", "was ended by signal 10"),
    ("close_all()", "ended"),
    ("scribble(165)", "said what makes no sense"),
    ("scribble(0)", "said what makes no sense"),
    ("close_all_and_doze()", "closed its socket"),
    ("scribble_and_doze(165)", "said what makes no sense"),
];

const IN_RUST: &[(&str, &str)] = &[
    ("abort()", ABRT),
    ("abort_on_a_thread()", ABRT),
    ("panics_while_panicking()", ABRT),
    ("segfault()", SEGV),
    ("overflow_stack()", "was ended by SIG"),
    ("overflow_the_stack_of_a_thread()", "was ended by SIG"),
    ("leave(0)", "ended by `exit(0)`"),
    ("leave(3)", "ended by `exit(3)`"),
];

#[test]
fn ends_in_c() {
    if !caraway_tests::workers_hold() {
        return;
    }
    MODES.iter().for_each(|mode| each_ends(Code::C, *mode, "", IN_C));
}

#[test]
fn ends_in_rust() {
    if !caraway_tests::workers_hold() {
        return;
    }
    MODES.iter().for_each(|mode| each_ends(Code::Rust, *mode, "", IN_RUST));
}

/// It is spoiled, and stays so until it ends; the host is not.
#[test]
fn what_a_process_changes_stays_its_own() {
    if !caraway_tests::workers_hold() {
        return;
    }
    const EPERM: &str = "1";
    for mode in MODES {
        let host = Host::now();
        let plugin = Code::C.plugin(mode, "");
        let group = id(&plugin);
        for (call, result) in [
            ("move_away()", "0"),
            ("change_mask()", "0"),
            ("change_environment()", "0"),
            ("variable(\"PATH\")", "\"/nowhere\""),
            ("ignore_signals()", "0"),
            ("new_session()", EPERM),
            ("new_group()", EPERM),
            ("fork_bomb()", EPERM),
            ("kill_host()", EPERM),
        ] {
            plugin.same(&format!("m::{call}"), result);
            plugin.same("m::well(7)", "7");
            assert_eq!(id(&plugin), group, "{call}");
            host.is_unchanged(call);
        }
        drop(plugin);
        group_ends(group);
        host.is_clean();
    }
}

#[test]
fn a_panic_is_an_error_and_the_process_goes_on() {
    if !caraway_tests::workers_hold() {
        return;
    }
    for mode in MODES {
        let plugin = Code::Rust.plugin(mode, "");
        let group = id(&plugin);
        plugin.fails("m::panics(\"ouch\")", PluginCrashed, &["`worker-faults::panics` panicked", "ouch"]);
        assert_eq!(id(&plugin), group);
    }
}

/// Lines that are not ended are shown at the process's end; long ones are cut.
#[test]
fn noise_is_shown_with_the_plugins_name() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let host = Host::now();
    let plugin = Code::C.plugin(Mode::Isolated, "");
    for (bytes, ended) in [(10, true), (1 << 20, true), (20, false)] {
        drop(plugin.eval(&format!("m::noise({bytes}, {ended})")).unwrap());
        plugin.same("m::well(7)", "7");
    }
    let lines = plugin.lines();
    drop(plugin);
    let lines = lines.lock().unwrap();
    for bytes in [10, 4096, 20] {
        let line = format!("[info] faults: {}", "n".repeat(bytes));
        assert_eq!(lines.iter().filter(|told| **told == line).count(), 2, "{bytes} bytes");
    }
    assert_eq!(lines.len(), 6);
    host.is_clean();
}
