//! Structs and enums.

use crate::functions::{array, fails, gives};
use caraway_abi::Status::Failed;
use caraway_plugin::Value;

fn point(x: f64, y: f64) -> Value {
    Value::from([("x", x.into()), ("y", y.into())])
}

fn labelled(x: f64, y: f64, label: impl Into<Value>) -> Value {
    Value::from([("x", x.into()), ("y", y.into()), ("label", label.into())])
}

fn tree(children: Value, next: Value) -> Value {
    Value::from([("at", point(0.0, 0.0)), ("type", "red".into()), ("children", children), ("next", next)])
}

#[test]
fn structs_are_maps() {
    gives("moved", [point(1.0, 2.0), 0.5.into()], labelled(1.5, 2.0, ()));
    gives("moved", [labelled(1.0, 2.0, "a"), 0.5.into()], labelled(1.5, 2.0, "a"));
    gives("norm", [point(3.0, 4.0)], 5.0);
    gives("api::origin", [], labelled(0.0, 0.0, "origin"));
    let leaf = || tree(array::<Value, 0>([]), ().into());
    gives("size", [tree(array([leaf(), leaf()]), leaf())], 4);
}

#[test]
fn structs_that_are_wrong_say_where() {
    for (value, message) in [
        (Value::from(1), "an argument must be Point, found int at `point`"),
        (
            Value::from([("x", 1.0.into())]),
            "an argument must be Point with the key `y`, found none at `point`",
        ),
        (
            Value::from([("x", 1.into()), ("y", true.into())]),
            "an argument must be float, found bool at `point.y`",
        ),
        (
            Value::from([("x", 1.into()), ("y", 1.into()), ("z", 1.into())]),
            "an argument must be Point with the keys \"x\", \"y\", \"label\", found the key \"z\" at `point`",
        ),
    ] {
        fails("norm", [value], Failed, message);
    }
    let mut leaf = tree(array::<Value, 0>([]), ().into());
    if let Value::Map(entries) = &mut leaf {
        entries.insert("at".to_owned(), labelled(0.0, 0.0, 1));
    }
    let message = "an argument must be string, found int at `tree.children[1].at.label`";
    let good = tree(array::<Value, 0>([]), ().into());
    fails("size", [tree(array([good, leaf]), ().into())], Failed, message);
}

#[test]
fn enums_are_strings() {
    gives("colour", [1.into()], "dark_blue");
    gives("colour", [9.into()], ());
    gives(
        "colours",
        [Value::from([("a", "http_green".into()), ("b", "red".into())])],
        array(["http_green", "red"]),
    );
    for (value, found) in [("DarkBlue".into(), "\"DarkBlue\""), (1.into(), "int")] {
        let message = format!(
            "an argument must be one of \"red\", \"dark_blue\", \"http_green\", found {found} at `of.a`"
        );
        fails("colours", [Value::from([("a", value)])], Failed, &message);
    }
}

#[test]
fn enums_that_hold_something_are_maps_of_one() {
    for shape in [
        "dot".into(),
        Value::from([("circle", 1.5.into())]),
        Value::from([("rect", Value::from([("w", 1.0.into()), ("h", 2.0.into())]))]),
        Value::from([("line", Value::Array(vec![1.into(), array([2, 3]), "dark_blue".into()]))]),
    ] {
        gives("shape", [shape.clone()], shape);
    }
    let rect = Value::from([("rect", Value::from([("w", 1.into())]))]);
    gives("shapes", [array([rect])], "[Rect { w: 1.0, h: None }]");

    let cases = "one of \"dot\", \"circle\", \"rect\", \"line\"";
    let line = |items| Value::from([("line", items)]);
    for (shape, message) in [
        ("square".into(), format!("{cases}, found \"square\" at `shape`")),
        (Value::from([("square", 1.into())]), format!("{cases}, found \"square\" at `shape`")),
        (1.into(), format!("{cases}, found int at `shape`")),
        (Value::from([("dot", 1.into()), ("circle", 1.into())]), format!("{cases}, found map at `shape`")),
        ("circle".into(), "#{circle: ...}, found \"circle\" without its payload at `shape`".to_owned()),
        (Value::from([("dot", 1.into())]), "no payload, found int at `shape.dot`".to_owned()),
        (Value::from([("circle", "a".into())]), "float, found string at `shape.circle`".to_owned()),
        (Value::from([("rect", 1.into())]), "map, found int at `shape.rect`".to_owned()),
        (
            Value::from([("rect", Value::from([("w", "a".into())]))]),
            "float, found string at `shape.rect.w`".to_owned(),
        ),
        (
            Value::from([("rect", Value::from([("v", 1.into())]))]),
            "rect with the keys \"w\", \"h\", found the key \"v\" at `shape.rect`".to_owned(),
        ),
        (
            Value::from([("rect", Value::from([("h", 1.into())]))]),
            "rect with the key `w`, found none at `shape.rect`".to_owned(),
        ),
        (line(1.into()), "array, found int at `shape.line`".to_owned()),
        (line(array([1])), "an array of 3, found one of 1 at `shape.line`".to_owned()),
        (
            line(Value::Array(vec![1.into(), array(["a"]), "red".into()])),
            "int, found string at `shape.line[1][0]`".to_owned(),
        ),
    ] {
        fails("shape", [shape], Failed, &format!("an argument must be {message}"));
    }
}

#[test]
fn a_struct_of_one_field_without_a_name_is_that_field() {
    gives("farthest", [array([point(1.0, 9.0)]), 2.0.into(), array([3.0])], 3.0);
    gives("metres", [array([1.0, 2.0]), 0.5.into()], array([1.5, 2.5]));
}

#[test]
fn names_that_the_macros_use_are_free() {
    let some = Value::from([("some", Value::from([("value", 1.0.into()), ("items", 2.into())]))]);
    let ok = Value::from([("ok", Value::Array(vec!["err".into(), 0.5.into()]))]);
    let option =
        Value::from([("fields", 1.5.into()), ("value", Value::Array(vec!["none".into(), some, ok]))]);
    gives("shadowed", [option.clone()], option);
}
