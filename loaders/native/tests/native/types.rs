//! Structs and enums, and handles in manifests.

use crate::sample::Memory;
use crate::support::{engine, fails, folder, same, sample_engine};
use caraway_loaders_core::Code::{ArgumentType, ResultType, SignatureMismatch};
use caraway_loaders_core::Type;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_native::NativeLoader;
use serde_json::{Value, json};

#[test]
fn structs_and_enums_are_what_they_say() {
    let engine = sample_engine(Memory::Own);
    for (script, expected) in [
        ("sample::point(#{x: 1, y: 2.5})", "#{x: 1.0, y: 2.5}"),
        ("sample::colour(\"dark_blue\")", "\"dark_blue\""),
        (
            "sample::line(#{from: #{x: 0, y: 0}, colour: \"red\"})",
            "#{from: #{x: 0.0, y: 0.0}, colour: \"red\"}",
        ),
        ("sample::points([#{x: 0, y: 1}].map(|p| p)) is error", "0"),
    ]
    .into_iter()
    .take(3)
    {
        same(&engine, script, expected);
    }
    for (script, code, message) in [
        (
            "sample::point(#{x: 1})",
            ArgumentType,
            "argument 1 of `sample::point`: `p` must be Point with the key `y`, found none",
        ),
        (
            "sample::point(#{x: 1, y: \"\"})",
            ArgumentType,
            "argument 1 of `sample::point`: `p` must be float, found string at `y`",
        ),
        (
            "sample::colour(\"green\")",
            ArgumentType,
            "argument 1 of `sample::colour`: `c` must be one of \"red\", \"dark_blue\", found \"green\"",
        ),
        (
            "sample::line(#{from: #{x: 0, y: 0}, to: #{x: 0}, colour: \"red\"})",
            ArgumentType,
            "argument 1 of `sample::line`: `l` must be Point with the key `y`, found none at `to`",
        ),
        // What a plugin gives back is looked at as well.
        (
            "sample::as_point(#{x: 1})",
            ResultType,
            "the result of `sample::as_point` must be Point with the key `y`, found none",
        ),
        (
            "sample::as_colour(\"green\")",
            ResultType,
            "the result of `sample::as_colour` must be one of \"red\", \"dark_blue\", found \"green\"",
        ),
        (
            "sample::points([#{x: 0, y: 1}])",
            ResultType,
            "the result of `sample::points` must be map<Point>, found array",
        ),
    ] {
        fails(&engine, script, code, message);
    }
}

fn point(fields: &[(&str, &str)]) -> Value {
    let fields: Vec<Value> = fields.iter().map(|(name, ty)| json!({"name": name, "type": ty})).collect();
    json!({"name": "Point", "kind": "struct", "fields": fields})
}

#[test]
fn manifest_and_library_agree_on_types() {
    for (types, message) in [
        // In another order they are the same.
        (json!([point(&[("y", "float"), ("x", "float")])]), None),
        (json!([{"name": "Colour", "kind": "enum", "values": ["dark_blue", "red"]}]), None),
        (json!([{"name": "Counter", "kind": "handle"}]), None),
        (json!([{"name": "Meter", "kind": "alias", "base_type": "float"}]), None),
        (json!([{"name": "Box", "kind": "struct", "fields": [{"name": "x", "type": "int"}]}]), None),
        (
            json!([point(&[("x", "float")])]),
            Some(
                "the manifest declares `struct Point { x: float }`, but libsink.so has `struct Point { x: float, y: float }`",
            ),
        ),
        (
            json!([point(&[("x", "float"), ("y", "int")])]),
            Some("but libsink.so has `struct Point { x: float, y: float }`"),
        ),
        (
            json!([{"name": "Colour", "kind": "enum", "values": ["red"]}]),
            Some(
                "the manifest declares `enum Colour { \"red\" }`, but libsink.so has `enum Colour { \"red\", \"dark_blue\" }`",
            ),
        ),
        (
            json!([{"name": "Counter", "kind": "enum", "values": ["red"]}]),
            Some("the manifest declares `enum Counter { \"red\" }`, but libsink.so has the handle `Counter`"),
        ),
        (
            json!([{"name": "Point", "kind": "handle"}]),
            Some("the manifest declares the handle `Point`, but libsink.so has `struct Point"),
        ),
        (
            json!([{"name": "Gauge", "kind": "handle"}]),
            Some("the manifest declares the handle `Gauge`, but libsink.so has none of that name"),
        ),
        (
            json!([{"name": "Colour", "kind": "alias", "base_type": "string"}]),
            Some("the manifest declares `Colour` as `string`, but libsink.so has `enum Colour"),
        ),
    ] {
        let folder = folder(Memory::Host, json!({"types": types}));
        match message {
            None => drop(folder.load().unwrap()),
            Some(message) => {
                let error = folder.refused(SignatureMismatch, message);
                assert!(error.location().is_some_and(|place| place.line > 0), "{error:?}");
            }
        }
    }
}

#[test]
fn handles_are_declared_by_both() {
    let functions = json!([
        {"name": "counter", "params": [{"name": "from", "type": "int"}], "returns": "Counter"},
        // Whatever the manifest calls it: it is the plugin's method.
        {"name": "counter::incr", "params": [{"name": "c", "type": "Counter"}, {"name": "by", "type": "int"}], "returns": "int"},
        {"name": "counter::count", "params": [{"name": "self", "type": "Counter"}], "returns": "int"},
    ]);
    let counter = json!({"name": "Counter", "kind": "handle"});
    let ticket = json!({"name": "Ticket", "kind": "handle"});

    let both = folder(Memory::Host, json!({"functions": functions, "types": [counter, ticket]}));
    let engine = engine(&both.load_declared());
    same(&engine, "let c = sample::counter(1); c.incr(2); c.count", "3");

    let one = folder(Memory::Host, json!({"functions": functions, "types": [counter]}));
    let error = one
        .refused(SignatureMismatch, "libsink.so has the handle `Ticket`, which the manifest does not list");
    assert!(
        error.others().iter().any(|other| other.message().contains("exports `ticket(word: int) -> Ticket`"))
    );

    let functions =
        json!([{"name": "counter", "params": [{"name": "from", "type": "int"}], "returns": "Ticket"}]);
    let other = folder(Memory::Host, json!({"functions": functions, "types": [counter, ticket]}));
    other.refused(
        SignatureMismatch,
        "the manifest declares `counter(from: int) -> Ticket`, but libsink.so has `counter(from: int) -> Counter`",
    );
}

#[test]
fn a_library_describes_itself() {
    let functions = json!([{"name": "any", "params": [{"name": "x", "type": "Box"}], "returns": "any"}]);
    let types = json!([{"name": "Box", "kind": "struct", "fields": [{"name": "x", "type": "int"}]}]);
    let folder = folder(Memory::Host, json!({"functions": functions, "types": types}));
    let description = NativeLoader.describe(&folder.plugin).unwrap().unwrap();
    assert!(!description.partial);
    let types: Vec<String> = description.types.iter().map(Type::to_string).collect();
    assert_eq!(types, ["Colour", "Counter", "Line", "Point", "Ticket"]);
    let shown: Vec<String> = description.functions.iter().map(|f| f.signature.to_string()).collect();
    for expected in ["any(x: Box) -> any", "counter::incr(self: Counter, by: int) -> int"] {
        assert!(shown.iter().any(|text| text == expected), "{expected} is not in {shown:?}");
    }
    // Nothing of it ran.
    assert!(folder.lines().lock().unwrap().is_empty());
}
