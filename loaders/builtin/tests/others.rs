//! `std/path`, `std/time`, `std/log` and `std/events`.

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
        bench.fails(&format!("time::{script}"), PluginFailed, message);
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
