//! Every WIT type, from a script to a component and back.

mod common;

use caraway_loaders_core::Code;
use common::{Bench, component, fails, shown};

/// A function that gives back its argument. `slots` are the argument's core values: their type, and where and
/// how they stand in memory if there is more than one.
struct Echo {
    name: &'static str,
    ty: &'static str,
    slots: &'static [(&'static str, &'static str, u32)],
}

const PAIR: &[(&str, &str, u32)] = &[("i32", "i32.store", 0), ("i32", "i32.store", 4)];
const INT32: &[(&str, &str, u32)] = &[("i32", "i32.store", 0)];
const INT64: &[(&str, &str, u32)] = &[("i64", "i64.store", 0)];

const TYPES: &str = r#"
    (type $point' (record (field "x" f64) (field "y-axis" f64) (field "label" (option string))))
    (export $point "a-point" (type $point'))
    (type $color' (enum "red" "dark-blue"))
    (export $color "colour" (type $color'))
    (type $rights' (flags "read" "write-all"))
    (export $rights "permissions" (type $rights'))
    (type $shape' (variant (case "circle" f64) (case "no-shape")))
    (export $shape "figure" (type $shape'))
"#;

const ECHOES: &[Echo] = &[
    Echo { name: "bool", ty: "bool", slots: INT32 },
    Echo { name: "s8", ty: "s8", slots: INT32 },
    Echo { name: "u8", ty: "u8", slots: INT32 },
    Echo { name: "s16", ty: "s16", slots: INT32 },
    Echo { name: "u16", ty: "u16", slots: INT32 },
    Echo { name: "s32", ty: "s32", slots: INT32 },
    Echo { name: "u32", ty: "u32", slots: INT32 },
    Echo { name: "s64", ty: "s64", slots: INT64 },
    Echo { name: "u64", ty: "u64", slots: INT64 },
    Echo { name: "f32", ty: "f32", slots: &[("f32", "f32.store", 0)] },
    Echo { name: "f64", ty: "f64", slots: &[("f64", "f64.store", 0)] },
    Echo { name: "char", ty: "char", slots: INT32 },
    Echo { name: "text", ty: "string", slots: PAIR },
    Echo { name: "blob", ty: "(list u8)", slots: PAIR },
    Echo { name: "ints", ty: "(list s64)", slots: PAIR },
    Echo { name: "floats", ty: "(list f64)", slots: PAIR },
    Echo { name: "singles", ty: "(list f32)", slots: PAIR },
    Echo { name: "texts", ty: "(list string)", slots: PAIR },
    Echo { name: "nested", ty: "(list (list u16))", slots: PAIR },
    Echo {
        name: "tuple",
        ty: "(tuple u8 string)",
        slots: &[("i32", "i32.store8", 0), ("i32", "i32.store", 4), ("i32", "i32.store", 8)],
    },
    Echo {
        name: "point",
        ty: "$point",
        slots: &[
            ("f64", "f64.store", 0),
            ("f64", "f64.store", 8),
            ("i32", "i32.store8", 16),
            ("i32", "i32.store", 20),
            ("i32", "i32.store", 24),
        ],
    },
    Echo { name: "points", ty: "(list $point)", slots: PAIR },
    Echo { name: "color", ty: "$color", slots: INT32 },
    Echo { name: "rights", ty: "$rights", slots: INT32 },
    Echo { name: "shape", ty: "$shape", slots: &[("i32", "i32.store8", 0), ("f64", "f64.store", 8)] },
    Echo { name: "maybe", ty: "(option s64)", slots: &[("i32", "i32.store8", 0), ("i64", "i64.store", 8)] },
    Echo {
        name: "perhaps",
        ty: "(option (option bool))",
        slots: &[("i32", "i32.store8", 0), ("i32", "i32.store8", 1), ("i32", "i32.store8", 2)],
    },
    Echo {
        name: "outcomes",
        ty: "(tuple (result u8 (error string)))",
        slots: &[("i32", "i32.store8", 0), ("i32", "i32.store", 4), ("i32", "i32.store", 8)],
    },
    Echo { name: "colors", ty: "(list $color)", slots: PAIR },
];

fn echoes() -> String {
    let functions: Vec<(&str, String, String)> = ECHOES
        .iter()
        .map(|echo| {
            let ty = format!("(param \"value\" {0}) (result {0})", echo.ty);
            let params: String = echo.slots.iter().map(|(ty, ..)| format!("(param {ty})")).collect();
            let body = match echo.slots {
                [(one, ..)] => format!("{params} (result {one}) (local.get 0)"),
                slots => {
                    let stores: String = slots
                        .iter()
                        .enumerate()
                        .map(|(index, (_, store, at))| {
                            format!("({store} (i32.const {}) (local.get {index}))", 64 + at)
                        })
                        .collect();
                    format!("{params} (result i32) {stores} (i32.const 64)")
                }
            };
            (echo.name, ty, body)
        })
        .collect();
    let functions: Vec<(&str, &str, &str)> =
        functions.iter().map(|(name, ty, body)| (*name, ty.as_str(), body.as_str())).collect();
    component(TYPES, &functions)
}

#[test]
fn values_survive_the_way_there_and_back() {
    let bench = Bench::new();
    let engine = bench.engine(&echoes());
    for (call, result) in [
        ("bool(true)", "true"),
        ("s8(-128)", "-128"),
        ("u8(255)", "255"),
        ("s16(-32768)", "-32768"),
        ("u16(65535)", "65535"),
        ("s32(-2147483648)", "-2147483648"),
        ("u32(4294967295)", "4294967295"),
        ("s64(-9223372036854775807 - 1)", "-9223372036854775808"),
        ("u64(9223372036854775807)", "9223372036854775807"),
        ("f32(0.5)", "0.5"),
        ("f32(2)", "2.0"),
        ("f64(1e300)", "1e300"),
        ("f64(3)", "3.0"),
        ("char('\u{1f980}')", "'\u{1f980}'"),
        ("text(\"\")", "\"\""),
        ("text(\"a\\x00\u{fc}\")", "\"a\\0\u{fc}\""),
        ("blob(blob(3, 7))", "[070707]"),
        ("blob(blob())", "[]"),
        ("ints([1, -1])", "[1, -1]"),
        ("ints([])", "[]"),
        ("floats([1, 2.5])", "[1.0, 2.5]"),
        ("singles([1, 2.5])", "[1.0, 2.5]"),
        ("texts([\"a\", \"\"])", "[\"a\", \"\"]"),
        ("nested([[], [1, 2]])", "[[], [1, 2]]"),
        ("tuple([1, \"one\"])", "[1, \"one\"]"),
        ("point(#{x: 1, y_axis: 2.5, label: \"p\"})", "#{\"label\": \"p\", \"x\": 1.0, \"y_axis\": 2.5}"),
        ("point(#{x: 1, y_axis: 2})", "#{\"label\": (), \"x\": 1.0, \"y_axis\": 2.0}"),
        ("points([])", "[]"),
        ("points([#{x: 0, y_axis: 0, label: ()}])[0].x", "0.0"),
        ("color(\"dark_blue\")", "\"dark_blue\""),
        ("colors([\"red\", \"dark_blue\"])", "[\"red\", \"dark_blue\"]"),
        ("rights([\"write_all\", \"read\", \"read\"])", "[\"read\", \"write_all\"]"),
        ("rights([])", "[]"),
        ("shape(#{circle: 1.5})", "#{\"circle\": 1.5}"),
        ("shape(\"no_shape\")", "\"no_shape\""),
        ("maybe(())", "()"),
        ("maybe(7)", "7"),
        ("perhaps(())", "()"),
        ("perhaps([()])", "[()]"),
        ("perhaps([true])", "[true]"),
        ("outcomes([#{ok: 3}])", "[#{\"ok\": 3}]"),
        ("outcomes([#{err: \"bad\"}])", "[#{\"err\": \"bad\"}]"),
    ] {
        assert_eq!(shown(&engine, &format!("m::{call}")), result, "{call}");
    }
}

#[test]
fn what_does_not_fit_never_reaches_the_component() {
    let bench = Bench::new();
    let engine = bench.engine(&echoes());
    for (call, message) in [
        ("s8(128)", "`value` must be an int from -128 to 127, found 128"),
        ("u8(-1)", "must be an int from 0 to 255, found -1"),
        ("u64(-1)", "must be an int from 0 to 9223372036854775807, found -1"),
        ("f32(1e300)", "must be a float of 32 bits"),
        ("s64(1.5)", "argument 1 of `m::s64`: `value` must be int, found float"),
        ("text(1)", "must be string, found int"),
        ("ints([1, 2.5])", "must be int, found float at `[1]`"),
        ("floats([1, true])", "must be float, found bool at `[1]`"),
        ("nested([[1], [70000]])", "found 70000 at `[1][0]`"),
        ("tuple([1])", "must be an array of 2, found one of 1"),
        ("point(#{x: 1})", "must be APoint with the key \"y_axis\", found none"),
        ("point(#{x: 1, y_axis: 1, z: 1})", "must be APoint with the keys \"x\", \"y_axis\", \"label\""),
        ("points([#{x: 1, y_axis: \"a\"}])", "must be float, found string at `[0].y_axis`"),
        ("color(\"blue\")", "must be one of \"red\", \"dark_blue\", found \"blue\""),
        ("color(\"dark-blue\")", "found \"dark-blue\""),
        ("rights([\"fly\"])", "must be one of \"read\", \"write_all\", found \"fly\" at `[0]`"),
        ("shape(\"circle\")", "must be the case with its payload, #{circle: ...}, found none"),
        ("shape(#{no_shape: 1})", "must be the case \"no_shape\" without a payload"),
        ("shape(#{square: 1})", "must be one of the cases \"circle\", \"no_shape\", found \"square\""),
        ("shape(#{circle: \"x\"})", "must be float, found string at `circle`"),
        ("shape(1)", "must be a case as a string or #{case: payload}, found int"),
        ("maybe(\"x\")", "must be int?, found string"),
        ("perhaps([1, 2])", "must be () or an array of 1"),
        ("outcomes([#{ok: 1, err: \"\"}])", "must be #{ok: ...} or #{err: ...}"),
    ] {
        fails(&engine, &format!("m::{call}"), Code::ArgumentType, message);
    }
}

#[test]
fn shared_variables_are_passed_by_value() {
    let bench = Bench::new();
    let engine = bench.engine(&echoes());
    let script = "let a = [1, 2]; let f = || a; let b = m::ints(a); b[0] = 9; [a, b, f.call()]";
    assert_eq!(shown(&engine, script), "[[1, 2], [9, 2], [1, 2]]");
}

#[test]
fn large_blobs_and_lists_pass() {
    let bench = Bench::new();
    let engine = bench.engine(&echoes());
    assert_eq!(shown(&engine, "m::blob(blob(8 * 1024 * 1024, 1)).len()"), "8388608");
    assert_eq!(
        shown(&engine, "let a = []; a.pad(100000, 1); [m::ints(a).len(), m::floats(a).len()]"),
        "[100000, 100000]"
    );
}

#[test]
fn signatures_are_those_of_the_component() {
    let bench = Bench::new();
    let bound =
        bench.load(bench.plugin("m", &echoes()), caraway_loaders_core::limits::Limits::PLUGIN).unwrap();
    let all: Vec<String> = bound.signatures.iter().map(ToString::to_string).collect();
    for signature in [
        "u16(value: int) -> int",
        "f32(value: float) -> float",
        "blob(value: bytes) -> bytes",
        "nested(value: array<array<int>>) -> array<array<int>>",
        "tuple(value: array<any>) -> array<any>",
        "points(value: array<APoint>) -> array<APoint>",
        "color(value: Colour) -> Colour",
        "rights(value: array<string>) -> array<string>",
        "shape(value: any) -> any",
        "maybe(value: int?) -> int?",
        "perhaps(value: any) -> any",
    ] {
        assert!(all.iter().any(|known| known == signature), "{signature} is not in {all:#?}");
    }
}
