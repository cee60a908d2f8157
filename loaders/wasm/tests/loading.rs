//! What is exported under which name, and what a manifest may say.

mod common;

use caraway_loaders_core::Code;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_wasm::WasmLoader;
use common::{Bench, component, shown};
use std::path::Path;

#[test]
fn names_are_those_of_scripts() {
    let bench = Bench::new();
    let one = |name| (name, "(result s64)", "(result i64) (i64.const 1)");
    let names = ["next-color", "match", "new", "to-URL", "init", "cabi-x"];
    let engine = bench.engine(&component("", &names.map(one)));
    for call in ["next_color", "match_", "new_", "to_url", "cabi_x"] {
        assert_eq!(shown(&engine, &format!("m::{call}()")), "1", "{call}");
    }
    assert!(engine.eval::<i64>("m::init()").is_err(), "a function of the toolchain");
}

#[test]
fn interfaces_are_submodules() {
    let bench = Bench::new();
    let text = component(
        "",
        &[(
            "half",
            "(param \"x\" f64) (result f64)",
            "(param f64) (result f64)
        (f64.mul (local.get 0) (f64.const 0.5))",
        )],
    );
    let instance = r#"
        (alias core export $i "0" (core func $half))
        (func $lifted (param "x" f64) (result f64) (canon lift (core func $half)))
        (instance $api (export "half" (func $lifted)))
        (export "demo:plugin/number-tools@1.0.0" (instance $api))
        (export "wasi:cli/run@0.2.0" (instance $api)))"#;
    let text = format!("{}{instance}", text.trim_end().strip_suffix(')').unwrap());
    let bound = bench.load(bench.plugin("m", &text), Limits::PLUGIN).unwrap();
    let names: Vec<&str> = bound.signatures.iter().map(|signature| signature.name.as_str()).collect();
    assert_eq!(names, ["half", "number_tools::half"]);
    let engine = common::engine(&bound);
    assert_eq!(shown(&engine, "[m::half(3), m::number_tools::half(5)]"), "[1.5, 2.5]");
}

#[test]
fn files_are_adopted_by_their_stem() {
    let loader = WasmLoader::new();
    for (file, name) in [
        ("area.wasm", Some("area")),
        ("sub/Area-2.wasm", Some("area-2")),
        ("2area.wasm", None),
        ("a b.wasm", None),
        ("area.WASM", None),
        ("area.wat", None),
        (".wasm", None),
    ] {
        let manifest = loader.adopt(Path::new(file));
        assert_eq!(manifest.as_ref().map(|m| m.name.as_str()), name, "{file}");
        if let Some(manifest) = manifest {
            assert_eq!(manifest.version.to_string(), "0.0.0");
            assert!(manifest.asks.is_empty());
        }
    }
}

#[test]
fn what_cannot_be_enforced_is_refused() {
    let loader = WasmLoader::new();
    let head = "name = \"m\"\nversion = \"1.0.0\"\ntype = \"wasm\"\n";
    for (rest, message) in [
        ("", None),
        ("capabilities = [\"function\", \"io\"]", None),
        ("[security]\nmax_memory = \"1MiB\"\nmax_cpu = \"1s\"\ntimeout = \"1s\"\nallowed_apis = []", None),
        ("capabilities = [\"filesystem\", {env = {names = [\"LANG\"]}}]", None),
        ("capabilities = [{network = {hosts = [\"api.example.com:443\"]}}]", None),
        ("dependencies = [\"stats\"]\n[security]\nallowed_apis = [\"std/time\"]", None),
        ("[config]\nsize = { type = \"int?\" }\n[runtime]\npersistent = false", None),
        ("capabilities = [\"process\"]", Some("cannot be given `process` yet")),
        ("capabilities = [\"native\"]", Some("has no native code")),
        ("[security]\nsandbox = false", Some("always runs in a sandbox")),
        ("[implementation]\nbinaries = [\"a.wasm\"]", Some("the same file for every target")),
    ] {
        let text = format!("{head}{rest}");
        let manifest = Manifest::parse(Path::new("plugin.toml"), text.as_bytes()).unwrap();
        let errors = loader.validate(&manifest);
        match message {
            None => assert_eq!(errors.len(), 0, "{rest}: {errors:?}"),
            Some(message) => {
                assert_eq!(errors.len(), 1, "{rest}: {errors:?}");
                assert_eq!(errors[0].code(), Code::NotEnforced);
                assert!(errors[0].message().contains(message), "{}", errors[0]);
                assert!(errors[0].location().is_some_and(|place| place.line > 3), "{rest}");
            }
        }
    }
}

#[test]
fn a_missing_file_is_named() {
    let bench = Bench::new();
    let mut plugin = bench.plugin("m", &component("", &[("f", "", "")]));
    plugin.manifest.implementation.entrypoint = Some("other.wasm".into());
    let error = bench.loader.inspect(&plugin).unwrap_err();
    assert_eq!(error.code(), Code::EntryPoint);
    assert!(error.message().contains("other.wasm"), "{error}");
}

#[test]
fn what_a_component_says_of_its_functions_is_their_description() {
    let bench = Bench::new();
    let text = component("", &[("one", "(result s64)", "(result i64) (i64.const 1)")]);
    let said =
        r#"\01{\"worlds\": {\"w\": {\"func_exports\": {\"one\": {\"docs\": \"Gives\\n1.\\n\\nAlways.\"}}}}}"#;
    let declared = Some(
        "name = \"m\"\nversion = \"1.0.0\"\ntype = \"wasm\"\n[[functions]]\nname = \"one\"\nreturns = \"int\"\n",
    );
    let described = Some("description = \"One\"");
    for (section, manifest, description, expected) in [
        (said, None, None, Some("Gives 1.")),
        (said, declared, None, Some("Gives 1.")),
        (said, declared, described, Some("One")),
        (r"\01{\22worlds\22: 1}", None, None, None),
        (r"\02{}", None, None, None),
        (r"\ff", declared, described, Some("One")),
        ("", None, None, None),
    ] {
        let custom = format!("(@custom \"package-docs\" \"{section}\"))");
        let text = format!("{}{custom}", text.trim_end().strip_suffix(')').unwrap());
        let mut plugin = bench.plugin("m", &text);
        if let Some(manifest) = manifest {
            let manifest = format!("{manifest}{}", description.unwrap_or_default());
            plugin.manifest = Manifest::parse(Path::new("plugin.toml"), manifest.as_bytes()).unwrap();
        }
        let functions = bench.loader.inspect(&plugin).unwrap();
        assert_eq!(functions[0].description.as_deref(), expected, "{section}");
        assert_eq!(shown(&common::engine(&bench.load(plugin, Limits::PLUGIN).unwrap()), "m::one()"), "1");
    }
}
