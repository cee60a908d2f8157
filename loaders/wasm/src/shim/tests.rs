#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use super::extend::{compile, extend};
use super::name;
use crate::abi::Plan;
use crate::lift::Sizes;
use crate::reflect::{self, Export};
use caraway_loaders_core::limits::Limits;
use std::path::Path;
use wasmtime::component::{Component, Linker, Val};
use wasmtime::{Engine, Store};

/// Every function gives another number, and all index spaces have something else in them, too.
const COMPONENT: &str = r#"(component
    (import "log" (func $log (param "x" s64)))
    (import "demo:p/numbers" (instance $numbers (type $small' u8) (export "small" (type $small (eq $small')))))
    (core module $first
        (func (export "one") (result i64) (i64.const 1))
        (func (export "two") (param i64) (result i64) (i64.add (local.get 0) (i64.const 2))))
    (core module $second
        (import "" "log" (func $log (param i64)))
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16))
        (func (export "three") (param i32) (result i32) (call $log (i64.const 3)) (i32.add (local.get 0) (i32.const 3)))
        (func (export "four") (param f64 f32 i32) (result f64) (f64.add (local.get 0) (f64.const 4)))
        (func (export "five") (param i32 i32 i32 i32 i32) (result i32) (i32.const 5))
        (func (export "six") (param i32 i32) (result i32) (i32.const 6))
        (func (export "seven") (result i32) (i32.const 7))
        (func (export "after") (param i32))
        (func (export "eight") (param i64)))
    (core instance $a (instantiate $first))
    (core func $log' (canon lower (func $log)))
    (core instance $b (instantiate $second (with "" (instance (export "log" (func $log'))))))
    (type $counter (resource (rep i32)))
    (core func $new (canon resource.new $counter))
    (alias core export $b "memory" (core memory $memory))
    (alias core export $b "realloc" (core func $realloc))
    (alias core export $a "one" (core func $one))
    (alias export $numbers "small" (type $small))
    (type $own u32)
    (type $three (func (param "x" $own) (result u32)))
    (func $one (result s64) (canon lift (core func $one)))
    (export $one' "one" (func $one))
    (func (export "two") (param "x" s64) (result s64) (canon lift (core func $a "two")))
    (func $three (type $three) (canon lift (core func $b "three") (memory $memory) (realloc $realloc)))
    (func $four (param "a" f64) (param "b" f32) (param "c" char) (result f64)
        (canon lift (core func $b "four") string-encoding=utf16))
    (component $api
        (import "import-func-three" (func $f (param "x" u32) (result u32)))
        (import "import-func-one" (func $g (result s64)))
        (export "uno" (func $g))
        (export "three" (func $f)))
    (instance $api (instantiate $api (with "import-func-one" (func $one')) (with "import-func-three" (func $three))))
    (export "demo:p/api@1.0.0" (instance $api))
    (instance $other (export "four" (func $four)))
    (export "demo:p/other" (instance $other))
    (func (export "eight") (param "x" s64) (canon lift (core func $b "eight")))
    (func (export "five") (param "a" u8) (param "b" u8) (param "c" u8) (param "d" u8) (param "e" u8) (result u8)
        (canon lift (core func $b "five")))
    (func (export "six") (param "text" string) (result u32)
        (canon lift (core func $b "six") (memory $memory) (realloc $realloc)))
    (func (export "seven") (result u32) (canon lift (core func $b "seven") (post-return (core func $b "after"))))
    (func (export "small") (param "x" $small) (result u32) (canon lift (core func $b "three"))))"#;

fn engine() -> Engine {
    Engine::new(wasmtime::Config::new().concurrency_support(false)).unwrap()
}

fn exports(engine: &Engine, bytes: &[u8]) -> (Component, Vec<Export>) {
    let component = compile(engine, bytes).unwrap();
    let exports = reflect::exports(engine, &component).unwrap();
    (component, exports)
}

#[test]
fn functions_of_a_few_scalars_have_a_shim_and_do_there_what_they_do() {
    let engine = engine();
    let (component, exports) = exports(&engine, &wat::parse_str(COMPONENT).unwrap());
    let mut linker = Linker::new(&engine);
    linker.root().func_wrap("log", |_, (_,): (i64,)| Ok(())).unwrap();
    linker.instance("demo:p/numbers").unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let mut seen = Vec::new();
    for (function, args, expected) in [
        ("one", vec![], Some(Val::S64(1))),
        ("two", vec![Val::S64(10)], Some(Val::S64(12))),
        ("eight", vec![Val::S64(0)], None),
        ("api::uno", vec![], Some(Val::S64(1))),
        ("api::three", vec![Val::U32(10)], Some(Val::U32(13))),
        ("other::four", vec![Val::Float64(0.5), Val::Float32(1.0), Val::Char('x')], Some(Val::Float64(4.5))),
    ] {
        let export = exports.iter().find(|export| export.signature.name == function).unwrap();
        for index in [export.index, export.shim.unwrap()] {
            let mut result = vec![Val::Bool(false); expected.iter().len()];
            let called = instance.get_func(&mut store, index).unwrap();
            called.call(&mut store, &args, &mut result).unwrap();
            assert_eq!(result.first(), expected.as_ref(), "{function}");
        }
        seen.push(function);
    }
    for export in exports.iter().filter(|export| !seen.contains(&export.signature.name.as_str())) {
        let name = export.signature.name.as_str();
        assert!(["five", "six", "seven", "small"].contains(&name), "{name}");
        assert!(export.shim.is_none(), "{name}");
    }
    assert_eq!(exports.len(), 10);
}

#[test]
fn components_of_all_tools_can_have_one() {
    let engine = engine();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (file, with_shim) in [
        ("tests/guests/prebuilt/rust.wasm", true),
        ("tests/guests/prebuilt/c.wasm", true),
        ("examples/plugins/htmlreport/htmlreport.wasm", false),
    ] {
        let bytes = std::fs::read(root.join(file)).unwrap();
        let (_, exports) = exports(&engine, &bytes);
        assert_eq!(exports.iter().any(|export| export.shim.is_some()), with_shim, "{file}");
        for export in &exports {
            let plan = Plan::new(export, Sizes::of(&Limits::PLUGIN), 1 << 20);
            let scalars = plan.is_some_and(|plan| plan.scalars().is_some());
            assert_eq!(export.shim.is_some(), scalars, "{} of {file}", export.signature);
        }
    }
}

#[test]
fn what_is_broken_has_none() {
    let bytes = wat::parse_str(COMPONENT).unwrap();
    for at in 0..bytes.len() {
        let _ = extend(&bytes[..at]);
        for bit in 0..8 {
            let mut broken = bytes.clone();
            broken[at] ^= 1 << bit;
            let _ = extend(&broken);
        }
    }
}

#[test]
fn names_of_shims_are_left_to_those_who_have_them() {
    for (ty, word, is_shim) in [("u32", "i32", true), ("char", "i32", false), ("f64", "f64", false)] {
        let text = format!(
            r#"(component
                (core module $m (func (export "f") (result i32) (i32.const 1))
                    (func (export "g") (result {word}) ({word}.const 2)))
                (core instance $i (instantiate $m))
                (func (export "f") (result u32) (canon lift (core func $i "f")))
                (func (export "{}") (result {ty}) (canon lift (core func $i "g"))))"#,
            name(None, "f")
        );
        let bytes = wat::parse_str(text).unwrap();
        assert!(extend(&bytes).is_none());
        let (_, exports) = exports(&engine(), &bytes);
        assert_eq!(exports.len(), 1);
        assert_eq!(exports[0].shim.is_some(), is_shim, "{ty}");
    }
}
