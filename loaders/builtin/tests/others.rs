//! `std/path`, `std/time`, `std/log`, `std/events`, `std/kv`, `std/env` and `std/encoding`.

mod support;

use caraway_loaders_core::Code::{self, ArgumentType, Deadline, PluginFailed};
use caraway_loaders_core::budget::Meter;
use caraway_loaders_core::capability::Asks;
use caraway_loaders_core::limits::Limits;
use std::time::Duration;
use support::Bench;

#[test]
fn paths() {
    let bench = Bench::new(&[]);
    for (script, expected) in [
        ("join([\"a\", \"b/\", \"c.txt\"])", "\"a/b/c.txt\""),
        ("join([\"a\", \"/b\"])", "\"/b\""),
        ("join([])", "\"\""),
        ("parent(\"a/b\")", "\"a\""),
        ("parent(\"a\")", "\"\""),
        ("parent(\"/\")", "()"),
        ("file_name(\"a/b.tar.gz\")", "\"b.tar.gz\""),
        ("file_name(\"a/..\")", "()"),
        ("extension(\"a/b.tar.gz\")", "\"gz\""),
        ("extension(\".hidden\")", "()"),
        ("extension(\"a\")", "()"),
        ("stem(\"a/b.tar.gz\")", "\"b.tar\""),
        ("stem(\"/\")", "()"),
        ("normalize(\"a/./b/../c//\")", "\"a/c\""),
        ("normalize(\"../a/..\")", "\"..\""),
        ("normalize(\"\")", "\".\""),
        ("is_absolute(\"/a\")", "true"),
        ("is_absolute(\"a\")", "false"),
    ] {
        bench.gives(&format!("path::{script}"), expected);
    }
    bench.fails("path::join([\"a\", 1])", ArgumentType, "found int at `[1]`");
    bench.fails("path::parent(1)", ArgumentType, "`path` must be string, found int");
}

#[test]
fn names_that_are_too_long_for_anything() {
    let bench = Bench::new(&["env", "filesystem"]);
    for call in
        ["path::stem(N)", "path::normalize(N)", "env::get(N)", "fs::exists(N)", "fs::write_text(N, \"\")"]
    {
        let script = |size: u32| format!("let n = \"\"; n.pad({size}, \"x\"); {}", call.replace('N', "n"));
        bench.fails(&script(65537), Code::ValueRefused, "has 65537 bytes; it may have 65536");
        let shorter = bench.run(&script(65536)).map_err(|error| error.code());
        assert_ne!(shorter.err(), Some(Code::ValueRefused), "{call}");
    }
}

#[test]
fn times_as_text() {
    let bench = Bench::new(&[]);
    for (seconds, text) in [
        ("0", "1970-01-01T00:00:00Z"),
        ("0.5", "1970-01-01T00:00:00.5Z"),
        ("-1", "1969-12-31T23:59:59Z"),
        ("951782400", "2000-02-29T00:00:00Z"),
        ("1709210096.123456", "2024-02-29T12:34:56.123456Z"),
        ("253402300799", "9999-12-31T23:59:59Z"),
        ("-62167219200.0", "0000-01-01T00:00:00Z"),
    ] {
        bench.gives(&format!("time::format_utc({seconds})"), &format!("{text:?}"));
        bench.gives(&format!("time::parse_utc(\"{text}\") == {seconds}"), "true");
    }
    bench.gives("time::parse_utc(\"2024-02-29T12:00:00+02:00\")", "1709200800.0");
    for (script, message) in [
        ("format_utc(1e300)", "not in the years 0 to 9999"),
        ("format_utc(253402300800)", "not in the years 0 to 9999"),
        ("format_utc(253402300799.9999999)", "not in the years 0 to 9999"),
        ("format_utc(-62167219201.0)", "not in the years 0 to 9999"),
        ("format_utc(0.0 / 0.0)", "NaN seconds"),
        ("format_utc(1.0 / 0.0)", "inf seconds"),
        ("parse_utc(\"2024-02-30T00:00:00Z\")", "not an RFC 3339 time"),
        ("parse_utc(\"2024-02-29\")", "not an RFC 3339 time"),
        ("parse_utc(\"\")", "not an RFC 3339 time"),
        ("sleep(-1)", "cannot sleep for -1 seconds"),
        ("sleep(0.0 / 0.0)", "cannot sleep for NaN seconds"),
        ("sleep(1e300)", "cannot sleep for"),
    ] {
        // A text is data; a number of seconds is none that the function takes.
        let code = if script.starts_with("parse_utc") { PluginFailed } else { Code::ValueRefused };
        bench.fails(&format!("time::{script}"), code, message);
    }
}

#[test]
fn clocks() {
    let bench = Bench::new(&[]);
    bench.gives("time::now() > 1.7e9 && time::now() < 2e11", "true");
    bench.gives("{ let a = time::monotonic(); let b = time::monotonic(); a >= 0.0 && b >= a }", "true");
    bench.gives("time::sleep(0)", "()");
}

#[test]
fn a_deadline_ends_sleep() {
    let engine = Bench::new(&[]).engine();
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::ZERO);
    let frame = Meter::plugin("sleepy", &limits).enter().unwrap();
    for seconds in ["1000", "1.8e19"] {
        let error = engine.run(&format!("try {{ time::sleep({seconds}); }} catch {{ }}")).unwrap_err();
        assert_eq!(frame.settle(error).unwrap().code(), Deadline);
    }
}

#[test]
fn messages_are_signed_and_escaped() {
    let bench = Bench::new(&[]);
    bench.gives("log::info(\"a\\n[error] other: b\")", "()");
    bench.gives("log::warn(\"\\u001b[31m\")", "()");
    bench.gives("log::trace(\"\")", "()");
    assert_eq!(
        bench.lines(),
        [
            "Stderr: [info] program: a",
            "Stderr: [info] program: [error] other: b",
            "Stderr: [warn] program: \\u{1b}[31m",
            "Stderr: [trace] program: ",
        ]
    );
    let bench = Bench::new(&[]).plugin("stats", Asks::default());
    bench.gives("log::error(\"x\")", "()");
    assert_eq!(bench.lines(), ["Stderr: [error] stats: x"]);
}

#[test]
fn events_say_who_tells_them() {
    let bench = Bench::new(&[]);
    bench.gives(r#"events::emit("done", "{}")"#, "()");
    assert_eq!(bench.lines(), ["event of program: done {}"]);
    let bench = Bench::new(&[]).plugin("stats", Asks::default());
    bench.gives(r#"events::emit("done", "")"#, "()");
    assert_eq!(bench.lines(), ["event of stats: done "]);
    bench.fails(r#"events::emit("", "")"#, Code::ValueRefused, "has 0 bytes");
    let long = r#"let long = ""; long.pad(65537, "x"); events::emit("done", long)"#;
    bench.fails(long, Code::ValueRefused, "has 65537 bytes");
}

#[test]
fn bytes_as_text_and_back() {
    let bench = Bench::new(&[]);
    for (name, bytes, text) in [
        ("base64", "blob()", ""),
        ("base64", "blob(1, 0xff)", "/w=="),
        ("base64", "encoding::utf8_encode(\"any carnal pleas\")", "YW55IGNhcm5hbCBwbGVhcw=="),
        ("base64url", "blob(2, 0xff)", "__8"),
        ("base64url", "blob(3, 0xff)", "____"),
        ("hex", "encoding::utf8_encode(\"a\\nö\")", "610ac3b6"),
    ] {
        bench.gives(&format!("encoding::{name}_encode({bytes})"), &format!("{text:?}"));
        bench.gives(&format!("encoding::{name}_decode({text:?}) == {bytes}"), "true");
    }
    bench.gives("encoding::hex_decode(\"0aFf\") == encoding::hex_decode(\"0AfF\")", "true");
    for (text, encoded) in
        [("a b/ö?&=+", "a%20b%2F%C3%B6%3F%26%3D%2B"), ("-._~09azAZ", "-._~09azAZ"), ("", "")]
    {
        bench.gives(&format!("encoding::percent_encode({text:?})"), &format!("{encoded:?}"));
        bench.gives(&format!("encoding::percent_decode({encoded:?})"), &format!("{text:?}"));
    }
    bench.gives("encoding::percent_decode(\"a+b%zz%\")", "\"a+b%zz%\"");
    bench.gives("encoding::utf8_decode(encoding::utf8_encode(\"aö\"))", "\"aö\"");
    for (script, message) in [
        ("base64_decode(\"/w=\")", "the text is not base64, from byte"),
        ("base64_decode(\"/w==\\n\")", "the text is not base64"),
        ("base64url_decode(\"/w\")", "the text is not base64 for URLs, from byte 0"),
        ("hex_decode(\"0\")", "the text is not hexadecimal"),
        ("hex_decode(\"0g\")", "the text is not hexadecimal, from byte 1"),
        ("percent_decode(\"a%ff\")", "what the text stands for is not UTF-8, from byte 1"),
        ("utf8_decode(blob(1, 0x80))", "the bytes are not UTF-8, from byte 0"),
    ] {
        bench.fails(&format!("encoding::{script}"), PluginFailed, message);
    }
    bench.fails("encoding::base64_encode(\"a\")", ArgumentType, "`data` must be bytes, found string");
}

#[test]
fn variables_need_a_grant_each() {
    // Cargo sets it for tests.
    let name = "CARGO_PKG_NAME";
    let bench = Bench::new(&["env=CARGO_PKG_NAME,NOT_SET"]);
    bench.gives(&format!("env::get({name:?})"), "\"caraway-loaders-builtin\"");
    bench.gives("env::get(\"NOT_SET\")", "()");
    bench.gives("env::names()", "[\"CARGO_PKG_NAME\"]");
    let refused =
        bench.fails("env::get(\"PATH\")", Code::Denied, "may not read the environment variable `PATH`");
    assert_eq!(refused.hint_text(), Some("run with `--allow env=PATH`"));
    let all = Bench::new(&["env"]);
    for odd in ["", "=", "A=B", "nul\\x00"] {
        all.gives(&format!("env::get(\"{odd}\")"), "()");
    }
    all.gives("env::names().contains(\"CARGO_PKG_NAME\")", "true");
    let mut asks = Asks::default();
    asks.add("env", Some(&serde_json::json!({"names": ["LANG"]}))).unwrap();
    let plugin = Bench::new(&["env"]).plugin("stats", asks);
    plugin.fails(&format!("env::get({name:?})"), Code::Denied, "its manifest does not ask for it");
    plugin.gives("env::names().contains(\"CARGO_PKG_NAME\")", "false");
    Bench::new(&[]).gives("env::names()", "[]");
}

#[test]
fn what_is_kept_is_a_copy() {
    let bench = Bench::new(&[]);
    for (script, expected) in [
        ("kv::get(\"none\")", "()"),
        (
            "{ kv::set(\"a\", #{list: [1, 2.5, \"x\"], none: ()}); kv::get(\"a\") }",
            "#{\"list\": [1, 2.5, \"x\"], \"none\": ()}",
        ),
        (
            "{ let x = [1]; kv::set(\"a\", x); x.push(2); let y = kv::get(\"a\"); y.push(3); kv::get(\"a\") }",
            "[1]",
        ),
        // A shared variable stays outside.
        ("{ let x = 1; let f = || x; kv::set(\"a\", [x]); x = 2; kv::get(\"a\") }", "[1]"),
        ("{ const X = [1]; kv::set(\"a\", X); let y = kv::get(\"a\"); y.push(2); y }", "[1, 2]"),
        ("{ kv::set(\"a\", ()); [kv::has(\"a\"), kv::has(\"b\"), kv::get(\"a\")] }", "[true, false, ()]"),
        (
            "{ kv::set(\"b\", blob(2, 7)); kv::set(\"a\", 'c'); [kv::keys(), kv::delete(\"a\"), kv::delete(\"a\"), kv::keys()] }",
            "[[\"a\", \"b\"], true, false, [\"b\"]]",
        ),
        ("{ kv::set(\"b\", 1); kv::clear(); kv::keys() }", "[]"),
        ("[kv::add(\"n\", 2), kv::add(\"n\", -5), kv::get(\"n\")]", "[2, -3, -3]"),
    ] {
        bench.gives(script, expected);
    }
    for (script, code, message) in [
        ("kv::set(\"\", 1)", Code::ValueRefused, "a key has 0 bytes; it may have 1 to 256"),
        ("kv::set(\"f\", [|x| x])", Code::ValueRefused, "holds fn, which cannot be kept"),
        ("kv::set(\"t\", #{at: timestamp()})", Code::ValueRefused, "which cannot be kept"),
        ("kv::set(\"big\", blob(4194302))", Code::Memory, "the store would hold 4194305 bytes"),
        ("kv::set(\"big\", blob(4194305))", Code::Memory, "takes more than 4194304 bytes"),
        (
            "{ let x = []; for i in 0..200 { x = [x]; } kv::set(\"x\", x) }",
            Code::ValueRefused,
            "nests deeper than 128 levels",
        ),
        (
            "{ kv::set(\"s\", \"1\"); kv::add(\"s\", 1) }",
            ArgumentType,
            "`s` has string, and only an int can be added to",
        ),
        (
            "{ kv::set(\"n\", 9223372036854775807); kv::add(\"n\", 1) }",
            Code::ValueRefused,
            "beyond what an int can hold",
        ),
        ("for i in 0..5000 { kv::set(`${i}`, ()); }", Code::Limit, "the store has 4096 keys already"),
    ] {
        bench.fails(script, code, message);
    }
}
