//! Plugins as the toolchains of other languages build them: `tests/guests`.
//!
//! What is small is kept in the tree as it was built: CI has no tools that build it. The rest is built by `tests/guests/build.sh`.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use caraway_loaders_core::Code;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::manifest::Manifest;
use common::{Bench, engine, fails, shown, thrown};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

const SIGNATURES: [&str; 26] = [
    "add(a: int, b: int) -> int",
    "every_type::bytes(v: bytes) -> bytes",
    "every_type::checked(v: int) -> int",
    "every_type::counter(start: int) -> Counter",
    "every_type::counter::parse(text: string) -> Counter",
    "every_type::counter::up(self: Counter, by: int) -> int",
    "every_type::floats(a: float, b: float) -> array<any>",
    "every_type::ints(a: int, b: int, c: int, d: int, e: int, f: int, g: int, h: int) -> array<any>",
    "every_type::joined(a: Counter, b: Counter) -> Counter",
    "every_type::letter(v: char) -> char",
    "every_type::maybe(v: string?) -> string?",
    "every_type::next_color(v: Color) -> Color",
    "every_type::nothing()",
    "every_type::numbers(v: array<float>) -> array<float>",
    "every_type::outcomes(v: array<any>) -> array<any>",
    "every_type::outline(v: any) -> any",
    "every_type::pair(v: array<any>) -> array<any>",
    "every_type::peek(v: Counter) -> int",
    "every_type::perhaps(v: any) -> any",
    "every_type::place(v: Point) -> Point",
    "every_type::rights(v: array<string>) -> array<string>",
    "every_type::several(starts: array<int>) -> array<any>",
    "every_type::text(v: string) -> string",
    "every_type::texts(v: array<string>) -> array<string>",
    "every_type::truth(v: bool) -> bool",
    "every_type::way(v: array<Point>) -> array<Point>",
];

/// Calls, and what they give. The integers are those that JavaScript's numbers hold.
const CALLS: [(&str, &str); 34] = [
    ("m::add(2, 40)", "42"),
    (
        "t::ints(-128, 255, -32768, 65535, -2147483648, 4294967295, -9007199254740991, 9007199254740991)",
        "[-128, 255, -32768, 65535, -2147483648, 4294967295, -9007199254740991, 9007199254740991]",
    ),
    ("t::floats(0.5, 1)", "[0.5, 1.0]"),
    ("t::truth(false)", "true"),
    ("t::letter('\u{1f33f}') == '\u{1f33f}'", "true"),
    ("t::text(\"caraway \u{1f33f}\") == \"caraway \u{1f33f}\"", "true"),
    ("t::text(\"\")", "\"\""),
    ("t::bytes(blob(3, 255)) == blob(3, 255)", "true"),
    ("t::bytes(blob()).len", "0"),
    ("let big = blob(1000000, 7); t::bytes(big) == big", "true"),
    ("t::numbers([1, 2.5])", "[1.0, 2.5]"),
    ("t::numbers([])", "[]"),
    ("t::texts([\"a\", \"\", \"b\"])", "[\"a\", \"\", \"b\"]"),
    ("t::pair([\"a\", 1])", "[\"a\", 1]"),
    ("let p = t::place(#{x: 1, y: 2, label: \"a\"}); [p.x, p.y, p.label]", "[2.0, 1.0, \"a\"]"),
    ("t::place(#{x: 1, y: 2}).label", "()"),
    (
        "t::way([#{x: 1, y: 2}, #{x: 3, y: 4, label: \"b\"}, #{x: 5, y: 6}]).map(|p| [p.x, p.label])",
        "[[5.0, ()], [3.0, \"b\"], [1.0, ()]]",
    ),
    ("t::outline(\"dot\")", "\"dot\""),
    ("t::outline(#{circle: 2})", "#{\"circle\": 2.0}"),
    ("t::outline(#{polygon: [#{x: 1, y: 2}]}).polygon[0].y", "2.0"),
    ("[t::next_color(\"red\"), t::next_color(\"green\")]", "[\"green\", \"dark_blue\"]"),
    ("t::rights([\"read\", \"run_it\"])", "[\"read\", \"run_it\"]"),
    ("t::rights([])", "[]"),
    ("[t::maybe(\"a\"), t::maybe(())]", "[\"a\", ()]"),
    ("[t::perhaps(()), t::perhaps([()]), t::perhaps([7])]", "[(), [()], [7]]"),
    ("t::checked(7)", "7"),
    ("t::outcomes([#{ok: \"a\"}, #{err: \"red\"}])", "[#{\"ok\": \"a\"}, #{\"err\": \"red\"}]"),
    ("let c = t::counter(5); c.up(2); [c.up(-10), t::peek(c)]", "[-3, -3]"),
    ("let c = t::counter::parse(\"41\"); c.up(1)", "42"),
    ("t::several([]).len", "0"),
    ("t::several([1, 2, 3]).map(|c| c.up(10))", "[11, 12, 13]"),
    (
        "let c = t::joined(t::counter(1), t::counter(2)); for i in 0..1000 { c = t::joined(c, t::counter(1)); } c.up(0)",
        "1003",
    ),
    ("t::nothing()", "()"),
    ("for i in 0..1000 { t::texts([\"a\", \"b\"]); } t::texts([\"c\"])", "[\"c\"]"),
];

/// What a language's tools cannot do: componentize-qjs 0.4.5 panics where a resource of its own is an argument.
const UNABLE: [(&str, &str); 1] = [("js", "t::joined")];

/// The components in a folder.
fn in_folder(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "wasm")).collect();
    found.sort();
    found
}

fn tests_guests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests")
}

/// Each component of a folder offers the world of `tests/guests/wit`, with its comments, and does what it says. Gives
/// their languages.
fn speak_every_type(folder: &Path) -> Vec<String> {
    let guests = in_folder(folder);
    let language = |guest: &PathBuf| guest.file_stem().unwrap().to_str().unwrap().to_owned();
    let languages: Vec<String> = guests.iter().map(language).collect();
    for (guest, language) in guests.iter().zip(&languages) {
        let name = guest.display();
        let bench = Bench::new();
        let plugin = bench.plugin_of_bytes("m", &std::fs::read(guest).unwrap());
        let functions = bench.loader.inspect(&plugin).unwrap();
        let description = |called: &str| {
            let function = functions.iter().find(|function| function.signature.name == called).unwrap();
            function.description.as_deref()
        };
        assert_eq!(description("add"), Some("The sum."), "{name}");
        assert_eq!(description("every_type::truth"), Some("The other one."), "{name}");
        assert_eq!(
            description("every_type::counter::up"),
            Some("Adds to it, and gives what it is then."),
            "{name}"
        );
        assert_eq!(description("every_type::text"), None, "{name}");
        let bound = bench.load(plugin, Limits::PLUGIN).unwrap();
        let mut signatures: Vec<String> = bound.signatures.iter().map(ToString::to_string).collect();
        signatures.sort();
        assert_eq!(signatures, SIGNATURES, "{name}");
        let engine = engine(&bound);
        for (call, result) in CALLS {
            if UNABLE.iter().any(|(of, what)| of == language && call.contains(what)) {
                continue;
            }
            let call = call.replace("t::", "m::every_type::");
            assert_eq!(shown(&engine, &call), result, "{name}: {call}");
        }
        for (call, error) in
            [("checked(-7)", "\"-7 is negative\""), ("counter::parse(\"x\")", "\"x is no number\"")]
        {
            assert_eq!(thrown(&engine, &format!("m::every_type::{call}")), error, "{name}");
        }
        for (call, code, message) in [
            ("next_color(\"pink\")", Code::ArgumentType, "one of \"red\", \"green\""),
            ("ints(128, 0, 0, 0, 0, 0, 0, 0)", Code::ArgumentType, "128"),
        ] {
            fails(&engine, &format!("m::every_type::{call}"), code, message);
        }
    }
    languages
}

#[test]
fn every_type_goes_both_ways_in_what_is_kept_as_it_was_built() {
    assert_eq!(speak_every_type(&tests_guests().join("prebuilt")), ["c", "rust"]);
}

#[test]
#[ignore = "needs what tests/guests/build.sh builds, in the folder that CARAWAY_GUESTS names"]
fn every_type_goes_both_ways_in_what_is_too_large_to_be_kept() {
    let languages = speak_every_type(Path::new(&std::env::var_os("CARAWAY_GUESTS").unwrap()));
    assert!(!languages.is_empty(), "nothing is built");
}

#[test]
fn what_is_kept_was_built_from_the_sources_beside_it() {
    let sums = std::fs::read_to_string(tests_guests().join("prebuilt/SHA256SUMS")).unwrap();
    for line in sums.lines() {
        let (sum, file) = line.split_once("  ").unwrap();
        let digest = Sha256::digest(std::fs::read(tests_guests().join(file)).unwrap());
        let is: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(is, sum, "{file} has changed: run tests/guests/build.sh");
    }
    for file in ["c/hello.wasm", "prebuilt/c.wasm", "prebuilt/rust.wasm"] {
        assert!(sums.contains(&format!("  {file}\n")), "{file}");
    }
}

#[test]
fn a_core_module_in_c_is_a_plugin() {
    let folder = tests_guests().join("c");
    let manifest = std::fs::read(folder.join("plugin.toml")).unwrap();
    let manifest = Manifest::parse(Path::new("plugin.toml"), &manifest).unwrap();
    let bench = Bench::new();
    let engine = engine(&bench.load(common::plugin(manifest, &folder), Limits::PLUGIN).unwrap());
    assert_eq!(shown(&engine, "m::greet(\"C\")"), "\"hello, C!\"");
    assert_eq!(shown(&engine, "m::greet(\"\")"), "\"hello, !\"");
    // More than its memory holds at once, which `dealloc` keeps from being used up.
    assert_eq!(
        shown(
            &engine,
            "let long = \"\"; long.pad(100000, 'x'); for i in 0..2000 { m::greet(long) } m::greet(long).len"
        ),
        "100008"
    );
}
