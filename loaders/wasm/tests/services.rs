//! What the host offers to components: the log, their settings, a store.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use caraway_loaders_core::capability::Access;
use caraway_loaders_core::config::Configuration;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_core::{Code, Value};
use common::{Bench, engine, fails, shown, thrown};
use rhai::{Dynamic, Engine};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Hands everything on to the host.
const GUEST: &str = include_str!("guests/services.wat");

fn load(bench: &Bench, persistent: bool) -> Engine {
    let mut plugin = bench.plugin("m", GUEST);
    plugin.manifest.runtime.persistent = persistent;
    engine(&bench.load(plugin, Limits::PLUGIN).unwrap())
}

#[test]
fn messages_are_signed_and_need_no_grant() {
    let bench = Bench::new();
    let engine = load(&bench, true);
    shown(&engine, r#"m::log("warn", "no data\n[error] other: fake"); m::log("trace", "\x1b[2J")"#);
    shown(&engine, r#"let long = "x"; long.pad(100000, "x"); m::log("info", long)"#);
    let printed = bench.printed.lock().unwrap();
    assert_eq!(printed[..2], ["[warn] m: no data", "[warn] m: [error] other: fake"]);
    assert!(printed[2].starts_with("[trace] m: ") && !printed[2].contains('\u{1b}'), "{}", printed[2]);
    assert_eq!(printed[3].len(), "[info] m: ".len() + (64 << 10));
    fails(&engine, r#"m::log("fatal", "")"#, Code::ArgumentType, "must be one of");
}

#[test]
fn settings_are_those_of_the_manifest_as_they_were_set() {
    let manifest = r#"
        name = "m"
        version = "1.0.0"
        type = "wasm"
        [config]
        lines = { type = "int", default = 25 }
        ratio = { type = "float", default = 0.5 }
        loud = { type = "bool", default = true }
        title = { type = "string?" }
        author = { type = "string?" }
        tags = { type = "array<string>", default = ["a", "b"] }
    "#;
    let bench = Bench::new();
    let mut plugin = bench.plugin("m", GUEST);
    plugin.manifest = Manifest::parse(Path::new("plugin.toml"), manifest.as_bytes()).unwrap();
    assert!(bench.loader.validate(&plugin.manifest).is_empty());
    let mut configuration = Configuration::default();
    configuration.set("m", "title", Value::String("All".to_owned()), None);
    configuration.set("m", "lines", Value::Int(50), None);
    let settings =
        configuration.settle(&plugin.manifest, Path::new("caraway.toml"), &|_| unreachable!()).unwrap();
    let mut request = bench.request(plugin, Limits::PLUGIN, Access::default());
    request.config = settings;
    let engine = engine(&bench.loader.load(&request).unwrap());
    for (name, expected) in [
        ("lines", r##"#{"integer": 50}"##),
        ("ratio", r##"#{"float": 0.5}"##),
        ("loud", r##"#{"boolean": true}"##),
        ("title", r##"#{"text": "All"}"##),
        ("author", r#""unset""#),
        ("tags", r##"#{"json": "[\"a\",\"b\"]"}"##),
        ("other", "()"),
    ] {
        assert_eq!(shown(&engine, &format!("m::setting({name:?})")), expected, "{name}");
    }
    let names = r#"["author", "lines", "loud", "ratio", "tags", "title"]"#;
    assert_eq!(shown(&engine, "m::settings().map(|s| s[0])"), names);
}

#[test]
fn the_store_outlives_instances_and_nothing_else() {
    let bench = Bench::new();
    for persistent in [true, false] {
        let engine = load(&bench, persistent);
        assert_eq!(shown(&engine, "[m::get(\"a\"), m::keys(), m::delete(\"a\")]"), "[(), [], false]");
        shown(&engine, "m::set(\"b\", blob(2, 7)); m::set(\"a\", blob()); m::set(\"a\", \"text\".to_blob())");
        fails(&engine, "m::crash()", Code::PluginCrashed, "the plugin's state was lost");
        assert_eq!(shown(&engine, "[m::keys(), m::get(\"a\").as_string()]"), r#"[["a", "b"], "text"]"#);
        assert_eq!(shown(&engine, "[m::delete(\"b\"), m::keys()]"), r#"[true, ["a"]]"#);
        let other = load(&bench, persistent);
        assert_eq!(shown(&other, "m::keys()"), "[]", "another load has another store");
    }
}

#[test]
fn the_store_is_the_one_that_std_kv_has() {
    let bench = Bench::new();
    let request = bench.request(bench.plugin("m", GUEST), Limits::PLUGIN, Access::default());
    let engine = engine(&bench.loader.load(&request).unwrap());
    let kept = [
        ("text", "héllo".into()),
        ("list", Dynamic::from_array(vec![1.into(), "x".into()])),
        ("none", Dynamic::UNIT),
    ];
    for (key, value) in kept {
        request.store.set(key, &value).unwrap();
    }
    for (key, bytes) in [("text", "héllo"), ("list", r#"[1,"x"]"#), ("none", "null")] {
        assert_eq!(shown(&engine, &format!("m::get({key:?}).as_string()")), format!("{bytes:?}"));
    }
    shown(&engine, "m::set(\"mine\", blob(2, 7)); m::delete(\"none\")");
    assert_eq!(request.store.keys(), ["list", "mine", "text"]);
    assert_eq!(request.store.get("mine").unwrap().into_blob(), Ok(vec![7, 7]));
}

#[test]
fn what_is_not_kept_is_an_error_and_no_trap() {
    let engine = load(&Bench::new(), true);
    assert_eq!(thrown(&engine, "m::set(\"\", blob())"), r#""bad_key""#);
    shown(&engine, "m::set(\"big\", blob(4000000))");
    assert_eq!(thrown(&engine, "m::set(\"bigger\", blob(4000000))"), r#""full""#);
    assert_eq!(shown(&engine, "m::keys()"), r#"["big"]"#);
}

#[test]
fn events_reach_the_hosts_listener() {
    let bench = Bench::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let mut request = bench.request(bench.plugin("m", GUEST), Limits::PLUGIN, Access::default());
    let kept = heard.clone();
    request.output = request.output.on_event(move |event| {
        kept.lock().unwrap().push(format!("{} {} {}", event.plugin, event.name, event.payload));
    });
    let heard_by = engine(&bench.loader.load(&request).unwrap());
    shown(&heard_by, r#"m::emit("done", "{\"rows\": 3}")"#);
    assert_eq!(*heard.lock().unwrap(), [r#"m done {"rows": 3}"#]);
    assert_eq!(thrown(&heard_by, r#"m::emit("", "")"#), r#""bad_name""#);
    assert_eq!(
        thrown(&heard_by, r#"let long = ""; long.pad(65537, "x"); m::emit("done", long)"#),
        r#""too_long""#
    );
    assert_eq!(heard.lock().unwrap().len(), 1);
    shown(&load(&bench, true), r#"m::emit("nobody", "listens")"#);
    assert!(bench.printed.lock().unwrap().is_empty());
}
