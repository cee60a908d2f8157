//! What goes wrong before the first call and after the last one.

use crate::host::{Host, group_ends, soon};
use crate::plugins::{self, Code, MODES, Mode, id};
use caraway::Code::{Deadline, Incompatible, LoadFailed};
use caraway_tests::build;
use std::time::{Duration, Instant};

/// A library that is none, or not for this host, is refused as it is in the host's process.
#[test]
fn libraries_that_are_none_are_refused() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let host = Host::now();
    let whole = plugins::c(&[]);
    let mut of_another_machine = whole.clone();
    // `e_machine`: of a PDP-11.
    of_another_machine[18..20].copy_from_slice(&65u16.to_le_bytes());
    let contract = |args: &[&str]| build::cc("c/contracts.c", &[&["-DDEADLY"], args].concat());
    for (library, code, text) in [
        (Vec::new(), LoadFailed, ""),
        (whole[..whole.len() / 2].to_vec(), LoadFailed, ""),
        (whole[..64].to_vec(), LoadFailed, ""),
        (b"#!/bin/sh\nexit 0\n".to_vec(), LoadFailed, ""),
        (of_another_machine, Incompatible, "is built for another machine"),
        (contract(&[]), LoadFailed, "exports no Caraway plugin"),
        (contract(&["-DTABLE=caraway_plugin_v2", "-DMAJOR=1"]), Incompatible, "this host has 1.1"),
    ] {
        let mut told = Vec::new();
        for mode in MODES {
            let plugin = plugins::plugin("faults", &library, mode, "");
            let error = plugin.refused(code, &[text]);
            told.push((error.message().to_owned(), error.hint_text().map(str::to_owned)));
        }
        let manifest = "capabilities = [\"native\"]\n[security]\nsandbox = false";
        let here = caraway_tests::native::Native::set_up("faults", "1.0.0", &library, manifest, |builder| {
            builder.allow("native")
        });
        let here = here.refused(code, &[text]);
        for (message, hint) in told {
            // The folder is another one for each.
            let file = |text: &str| text.split_whitespace().filter(|word| !word.contains('/')).count();
            assert_eq!(file(&message), file(here.message()), "{message}, and in-process {}", here.message());
            assert_eq!(hint.as_deref(), here.hint_text());
        }
    }
    host.is_clean();
}

#[test]
fn constructors_that_end_the_process_fail_the_load() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let host = Host::now();
    for mode in MODES {
        for (flag, told) in [
            ("-DCRASH_AT_LOAD", "the worker of `faults` was ended by SIGSEGV"),
            ("-DEXIT_AT_LOAD", "the worker of `faults` ended by `exit(0)`"),
        ] {
            let plugin = plugins::plugin("faults", &plugins::c(&[flag]), mode, "");
            for _ in 0..2 {
                plugin.refused(LoadFailed, &[told, "while it loaded the plugin"]);
            }
        }
    }
    host.is_clean();
}

#[test]
fn a_constructor_that_hangs_is_stopped() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let host = Host::now();
    let library = plugins::c(&["-DHANG_AT_LOAD"]);
    for mode in MODES {
        let plugin = plugins::plugin("faults", &library, mode, "timeout = \"300ms\"");
        let start = Instant::now();
        plugin.refused(Deadline, &["faults"]);
        assert!(start.elapsed() < Duration::from_millis(1300), "{:?}", start.elapsed());
    }
    host.is_clean();
}

/// Nobody waits for the plugin's end by then.
#[test]
fn a_crash_at_the_end_harms_nobody() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let host = Host::now();
    let library = plugins::c(&["-DCRASH_AT_END"]);
    for mode in MODES {
        let plugin = plugins::plugin("faults", &library, mode, "");
        plugin.same("m::well(7)", "7");
        let group = id(&plugin);
        let start = Instant::now();
        drop(plugin);
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
        group_ends(group);
    }
    host.is_clean();
}

#[test]
fn a_crash_in_a_destructor_ends_the_worker_alone() {
    if !caraway_tests::workers_hold() {
        return;
    }
    for (code, armed, unarmed) in [
        (Code::C, "m::fuse(1)", "m::is_armed(m::fuse(0))"),
        (Code::Rust, "m::fuse(true)", "if m::fuse(false).armed { 1 } else { 0 }"),
    ] {
        let host = Host::now();
        let plugin = code.plugin(Mode::Sandboxed, "");
        let group = id(&plugin);
        plugin.same(unarmed, "0");
        drop(plugin.eval(armed).unwrap());
        // Handles are let go of together with the next call, which may be the one that finds out.
        soon("the destructor has run", || {
            let answer = plugin.eval("m::well(7)").map(|value| value.as_int().unwrap());
            if answer.is_ok() && id(&plugin) != group { Ok(()) } else { Err(answer) }
        });
        plugin.same("m::well(7)", "7");
        group_ends(group);
        drop(plugin);
        host.is_clean();
    }
}

/// What is loaded goes on as it is, whatever becomes of its file; what is loaded then is what is there then.
#[test]
fn a_library_is_replaced_while_it_is_called() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let host = Host::now();
    for mode in MODES {
        let whole = plugins::c(&[]);
        let mut plugin = plugins::plugin("faults", &whole, mode, "");
        plugin.same("m::well(7)", "7");
        for (library, works) in
            [(&whole[..whole.len() / 2], false), (&[][..], false), (&plugins::c(&["-DLATER"])[..], true)]
        {
            plugin.replace(library);
            plugin.same("m::well(7)", "7");
            let old = plugin.restart();
            match works {
                true => plugin.same("m::new_id() == m::id()", "true"),
                false => drop(plugin.refused(LoadFailed, &[])),
            }
            // The old engine's worker is still the old code.
            plugin.swap(old);
            plugin.same("m::well(7)", "7");
        }
    }
    host.is_clean();
}
