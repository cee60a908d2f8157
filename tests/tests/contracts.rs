//! Plugins of other contracts, other compilers and other flags than the ones that the host was built with.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use caraway::Code::{ArgumentType, Incompatible, LoadFailed, PluginCrashed, PluginFailed};
use caraway_tests::build;
use caraway_tests::native::Native;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What was built for contract 1.0, with its `caraway-abi`.
#[test]
fn a_plugin_of_contract_1_0_works() {
    let veteran = Native::new("veteran", "1.0.0", &build::cargo("contract-1.0", "veteran", &[]), "");
    for (script, expected) in [
        ("m::add(1, 2)", "3"),
        ("m::half(3)", "1.5"),
        ("m::both(true, false)", "false"),
        ("m::after('ü')", "'ý'"),
        ("m::nothing()", "()"),
        ("m::shout(\"grüße\")", "\"GRÜSSE\""),
        ("m::shout(\"\")", "\"\""),
        ("m::reversed(m::reversed(blob(3, 7)))", "blob(3, 7)"),
        ("m::sum([1, 2, 3])", "6"),
        ("m::multiples(3, 4)", "[3, 6, 9, 12]"),
        ("m::multiples(3, 0)", "[]"),
        ("m::scaled([1, 2.5], 2)", "[2.0, 5.0]"),
        ("m::pair([1, #{k: ()}])", "[[1, #{k: ()}], [1, #{k: ()}]]"),
        ("m::labelled('x', \"key\")", "#{key: 'x'}"),
        ("m::api::mid(2, 4)", "3"),
    ] {
        veteran.same(script, expected);
    }
    for (script, code, message) in [
        (
            "m::add(0x7fffffffffffffff, 1)",
            PluginFailed,
            "`veteran::add` failed: 9223372036854775807 + 1 overflows",
        ),
        ("m::api::boom(\"ouch\")", PluginCrashed, "`veteran::api::boom` panicked: ouch"),
        ("m::add(1, 2.5)", ArgumentType, "argument 2 of `veteran::add`: `b` must be int, found float"),
    ] {
        veteran.fails(script, code, &[message]);
        veteran.same("m::add(1, 2)", "3");
    }
}

/// Another contract is refused, with its version and the host's; its code does not run where that can be known.
#[test]
fn another_contract_is_refused_with_both_versions() {
    let enveloped = build::cargo("contract-2.0", "stranger", &[]);
    Native::new("veteran", "1.0.0", &enveloped, "").refused(Incompatible, &["2.0.0", "this host has 1."]);

    let table = |args: &[&str]| Native::new("contracts", "1.0.0", &build::cc("c/contracts.c", args), "");
    let other = table(&["-DTABLE=CARAWAY_PLUGIN", "-DMAJOR=2"]);
    other.refused(Incompatible, &["was built for plugin contract 2.7; this host has 1.1", "rebuild it"]);
    for symbol in ["2", "10"] {
        let table = table(&[&format!("-DTABLE=caraway_plugin_v{symbol}"), "-DMAJOR=1", "-DDEADLY"]);
        table.refused(
            Incompatible,
            &[&format!("plugin contract {symbol}"), "this host has 1.1", "rebuild it"],
        );
    }
    table(&["-DDEADLY"]).refused(LoadFailed, &["exports no Caraway plugin"]);
    // The same table, for this host.
    table(&["-DTABLE=CARAWAY_PLUGIN", "-DMAJOR=1"]).same("1", "1");
}

/// What a plugin of contract 1.1 written by hand does, whoever compiled it.
#[track_caller]
fn works(library: &[u8]) {
    let plugin = Native::new("by-hand", "2.1.0", library, "");
    for (script, expected) in [
        ("m::add(1, 2)", "3"),
        ("m::half(3)", "1.5"),
        ("m::both(true, true)", "true"),
        ("m::after('a')", "'b'"),
        ("m::shout(\"grüße\")", "\"GRÜSSE\""),
        ("m::sum([1, 2, 3])", "6"),
        ("m::pair([1, #{k: ()}])", "[[1, #{k: ()}], [1, #{k: ()}]]"),
        ("m::swapped(#{x: 1, y: 2.5})", "#{x: 2.5, y: 1.0}"),
        ("let xs = m::iota(4); m::double(xs); xs[3]", "6"),
        ("m::apply(|x| x + 1, 2)", "3"),
        ("let c = m::counter(5); c.incr(2); m::counter::incr(c, 1); c.count", "8"),
        ("m::settings()", "#{}"),
    ] {
        plugin.same(script, expected);
    }
    for (script, code, message) in [
        (
            "m::add(0x7fffffffffffffff, 1)",
            PluginFailed,
            "`by-hand::add` failed: 9223372036854775807 + 1 overflows",
        ),
        ("m::boom(\"ouch\")", PluginCrashed, "`by-hand::boom` panicked: ouch"),
        ("m::swapped(#{x: 1})", ArgumentType, "`p` must be Point with the key `y`"),
        ("m::apply(|x| throw \"mine\", 2)", caraway::Code::ScriptFailed, "mine"),
    ] {
        plugin.fails(script, code, &[message]);
        plugin.same("m::add(1, 2)", "3");
    }
}

fn by_hand(compiler: &Path, flags: &[&str]) -> Vec<u8> {
    build::rustc(compiler, "by-hand/plugin.rs", flags)
}

#[test]
fn flags_do_not_matter() {
    for flags in [
        &["-Copt-level=0", "-Cdebug-assertions=on", "-Cdebuginfo=2"][..],
        &["-Copt-level=3", "-Clto=fat", "-Ccodegen-units=1", "-Cstrip=symbols"],
        &["-Copt-level=s", "-Coverflow-checks=on", "-Cforce-frame-pointers=yes"],
    ] {
        works(&by_hand(&build::own_rustc(), flags));
    }
}

/// The structs are longer than the host's, and the contract's number is higher.
#[test]
fn a_later_contract_that_only_adds_works() {
    works(&by_hand(&build::own_rustc(), &["--cfg", "later"]));
}

/// Another release of the compiler: the one that `CARAWAY_OTHER_RUSTC` names, or the system's. Continuous
/// integration must have one; elsewhere there may be none.
#[test]
fn another_compiler_does_not_matter() {
    let version = |compiler: &Path| {
        let output = Command::new(compiler).arg("-vV").output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let compiler = PathBuf::from(std::env::var_os("CARAWAY_OTHER_RUSTC").unwrap_or("/usr/bin/rustc".into()));
    let (ours, theirs) = (version(&build::own_rustc()).unwrap(), version(&compiler));
    let Some(theirs) = theirs.filter(|theirs| *theirs != ours) else {
        let message = format!("{} is no other compiler than {ours}", compiler.display());
        assert!(std::env::var_os("CI").is_none(), "{message}");
        eprintln!("not tested: {message}");
        return;
    };
    eprintln!("with {theirs}");
    works(&by_hand(&compiler, &["-Copt-level=0", "-Cdebug-assertions=on"]));
    works(&by_hand(&compiler, &["-Copt-level=3"]));
}

/// A panic could not be caught.
#[test]
fn plugins_that_abort_on_panic_are_refused() {
    let texts = ["was built with `panic = \"abort\"`", "remove `panic = \"abort\"`"];
    let library = by_hand(&build::own_rustc(), &["-Cpanic=abort"]);
    Native::new("by-hand", "2.1.0", &library, "").refused(Incompatible, &texts);

    let profile = ["--config", "profile.abort.inherits='dev'", "--config", "profile.abort.panic='abort'"];
    let args = [&profile[..], &["--profile", "abort"]].concat();
    let library = build::cargo("native-faults", "faults", &args);
    Native::new("faults", "0.1.0", &library, "").refused(Incompatible, &texts);
}
