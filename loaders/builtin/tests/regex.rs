//! `std/regex`.
#![cfg(feature = "regex")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod support;

use caraway_loaders_core::Code::{Deadline, Memory, ValueRefused};
use caraway_loaders_core::budget::Meter;
use caraway_loaders_core::limits::Limits;
use std::time::{Duration, Instant};
use support::Bench;

#[test]
fn what_patterns_find() {
    let bench = Bench::new(&[]);
    for (script, expected) in [
        (r"is_match(`^\d+$`, `123`)", "true"),
        (r"is_match(`^\d+$`, `12a`)", "false"),
        (r"find(`b+`, `aébb`)", r##"#{"end": 4, "start": 2, "text": "bb"}"##),
        (r"find(`x`, `abc`)", "()"),
        (r"find(`$`, `日本`).start", "2"),
        (r"find_all(`.`, `é日`).map(|m| [m.start, m.end, m.text])", r#"[[0, 1, "é"], [1, 2, "日"]]"#),
        (r"find_all(`a*`, `baac`).map(|m| [m.start, m.end])", "[[0, 0], [1, 3], [4, 4]]"),
        (r"find_all(`x`, ``)", "[]"),
        (
            r"captures(`(?<year>\d+)-(?<month>\d+)(-\d+)?`, `on 2024-02`)",
            r##"#{"end": 10, "groups": ["2024-02", "2024", "02", ()], "named": #{"month": "02", "year": "2024"}, "start": 3, "text": "2024-02"}"##,
        ),
        (r"captures(`(x)`, `abc`)", "()"),
        (
            r"captures_all(`(\w)=(\d)`, `a=1 b=2`).map(|m| m.groups)",
            r#"[["a=1", "a", "1"], ["b=2", "b", "2"]]"#,
        ),
        (r"replace(`\w+`, `one two`, `X`)", r#""X two""#),
        (r"replace_all(`\w+`, `one two`, `X`)", r#""X X""#),
        (r#"replace_all(`(\w+)@(?<host>\w+)`, `a@b c@d`, "$host:${1}$$ $3$none.")"#, r#""b:a$ . d:c$ .""#),
        (r"replace_all(`x`, `abc`, `$0`)", r#""abc""#),
        (r"replace_all(``, `é`, `-`)", r#""-é-""#),
        (r"split(`,\s*`, `a, b,c,`)", r#"["a", "b", "c", ""]"#),
        (r"split(`x`, ``)", r#"[""]"#),
        (r"escape(`1+1=2?`)", r#""1\\+1=2\\?""#),
    ] {
        bench.gives(&format!("regex::{script}"), expected);
    }
    // The places are those that Rhai's own functions count by.
    let script = "{ let m = regex::find(`r+`, `fürr`); `fürr`.sub_string(m.start, m.end - m.start) }";
    bench.gives(script, r#""rr""#);
}

#[test]
fn patterns_that_are_refused() {
    let bench = Bench::new(&[]);
    for (pattern, problem) in [
        ("é(b", "argument 1 of `std/regex::find`: `pattern` is wrong at character 2: unclosed group"),
        ("a**{", "is wrong at character"),
        ("[z-a]", "is wrong at character 2: invalid character class range"),
        (r"(?-u:\\xff)", "is wrong at character"),
        ("(a)\\\\1", "is wrong at character 4: backreferences are not supported"),
        ("((a{1,100}){1,100}){1,100}", "is larger than 4 MiB when it is compiled"),
        ("(?:){0,4294967296}", "is wrong at character"),
    ] {
        bench.fails(&format!("regex::find(\"{pattern}\", \"\")"), ValueRefused, problem);
    }
    for (script, problem) in [
        ("let p = `(`; p.pad(150, `(`); regex::find(p, ``)", "is wrong at character"),
        ("let p = `a`; p.pad(2049, `a`); regex::find(p, ``)", "has 2049 bytes; a pattern may have 2048"),
        (
            "let p = ``; for i in 0..600 { p += `(a)`; } p += `b{1,700}`; regex::find(p, ``)",
            "has too many groups for its size",
        ),
    ] {
        bench.fails(script, ValueRefused, problem);
    }
}

/// Runs a script that would take far longer than its deadline.
#[track_caller]
fn ends(script: &str) {
    let bench = Bench::new(&[]);
    let engine = bench.engine();
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(100));
    let started = Instant::now();
    let frame = Meter::plugin("slow", &limits).enter().unwrap();
    let outcome = engine.run(&format!("try {{ {script} }} catch {{ }}"));
    let Err(error) = outcome else { panic!("{script} has ended") };
    assert_eq!(frame.settle(error).unwrap().code(), Deadline, "{script}");
    // What is measured is some milliseconds; a machine that tests in parallel may be slow.
    assert!(started.elapsed() < Duration::from_secs(10), "{script}: {:?}", started.elapsed());
}

#[test]
fn hostile_searches_end_at_the_deadline() {
    let text = "let t = ``; t.pad(3000000, `a`);";
    ends(&format!("{text} regex::is_match(`(a{{1,100}}){{1,100}}b`, t)"));
    ends(&format!(
        "{text} regex::captures(`(a{{1,100}}){{1,100}}`, t); regex::captures(`(?:(a{{1,100}}){{1,100}})*$`, t)"
    ));
    // Each match looks at all that is left.
    ends(&format!("{text} regex::find_all(`a(?s:.*b)?`, t)"));
    ends(&format!(
        "{text} regex::split(`a*?(?:b|$)|a`, t); for i in 0..1000 {{ regex::find_all(`.*?[^a]|a`, t); }}"
    ));
    // No table is of use here.
    ends(
        "let t = ``; t.pad(3000000, `é `); for i in 0..100 { regex::is_match(`\\b\\w{1,20}\\b \\bx\\b`, t) }",
    );
    ends(&format!("{text} for i in 0..100 {{ regex::replace_all(`(a)(a)(a)(a)`, t, `$4$3$2$1`) }}"));
}

#[test]
fn what_is_made_is_bounded() {
    let mut bench = Bench::new(&[]);
    bench.limits.string_size = Some(1_000_000);
    bench.limits.array_size = Some(1000);
    for (script, problem) in [
        (
            "let t = ``; t.pad(100000, `a`); regex::replace_all(`a`, t, `0123456789!`)",
            "larger than 1000000 bytes",
        ),
        (
            "let t = ``; t.pad(100000, `a`); regex::replace_all(`a+`, t, `$0$0$0$0$0$0$0$0$0$0$0`)",
            "larger than 1000000 bytes",
        ),
        ("let t = ``; t.pad(2000, `a`); regex::find_all(`a`, t)", "more than 1000 matches"),
        ("let t = ``; t.pad(2000, `a`); regex::split(`a`, t)", "more than 1000 matches"),
    ] {
        bench.fails(script, Memory, problem);
    }
}
