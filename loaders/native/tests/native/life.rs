//! From `init` to `shutdown`.

use crate::sample::Memory;
use crate::support::{MEMORY, engine, folder, same};
use caraway_loaders_core::Code::LoadFailed;
use caraway_plugin::Value;
use serde_json::json;

#[test]
fn settings_reach_the_plugin() {
    let folder = folder(Memory::Own, json!({}))
        .set("path", Value::String("/dev/null".into()))
        .set("size", Value::Int(3))
        .set("names", Value::Array(vec![Value::String("a".into())]));
    let engine = engine(&folder.load().unwrap());
    same(&engine, "sample::config()", "#{names: [\"a\"], path: \"/dev/null\", size: 3}");
}

#[test]
fn a_plugin_that_does_not_start_is_not_loaded() {
    for (setting, message) in [
        ("refuse", "libsink.so could not be started: it failed: no such device"),
        ("panic", "libsink.so could not be started: it panicked: boom"),
        ("strange", "libsink.so could not be started: it gave back the status 42, which means nothing"),
    ] {
        for memory in MEMORY {
            let folder = folder(memory, json!({})).set("mode", Value::String(setting.into()));
            folder.refused(LoadFailed, message);
            // It never ran.
            assert!(folder.lines().lock().unwrap().is_empty());
        }
    }
}

#[test]
fn it_is_shut_down_once_with_the_last_of_it() {
    let folder = folder(Memory::Host, json!({}));
    let bound = folder.load().unwrap();
    let lines = folder.lines();
    let engine = engine(&bound);
    let twin = bound.clone();
    for step in [Box::new(bound) as Box<dyn std::any::Any>, Box::new(engine)] {
        drop(step);
        assert!(lines.lock().unwrap().is_empty());
    }
    drop(twin);
    assert_eq!(*lines.lock().unwrap(), ["[info] sample: bye"]);
}

#[test]
fn a_load_that_fails_later_is_shut_down() {
    // Both are one method of one class to Rhai.
    let functions = json!([
        {"name": "counter::incr", "params": [{"name": "self", "type": "Counter"}, {"name": "by", "type": "int"}], "returns": "int"},
    ]);
    let types = json!([{"name": "Counter", "kind": "handle"}, {"name": "Ticket", "kind": "handle"}]);
    let folder = folder(Memory::Host, json!({"functions": functions, "types": types}));
    drop(folder.load_declared());
    assert_eq!(*folder.lines().lock().unwrap(), ["[info] sample: bye"]);
}

#[test]
fn a_shutdown_that_fails_is_logged() {
    let folder = folder(Memory::Own, json!({})).set("mode", Value::String("linger".into()));
    drop(folder.load().unwrap());
    let expected = ["[info] sample: bye", "[error] sample: its shutdown failed: still busy"];
    assert_eq!(*folder.lines().lock().unwrap(), expected);
}

#[test]
fn each_load_lives_on_its_own() {
    let (first, second) = (folder(Memory::Host, json!({})), folder(Memory::Host, json!({})));
    let (one, two) = (engine(&first.load().unwrap()), engine(&second.load().unwrap()));
    same(&one, "let c = sample::counter(1); sample::live_counters()", "1");
    drop(one);
    assert_eq!(*first.lines().lock().unwrap(), ["[debug] sample: drop 1", "[info] sample: bye"]);
    same(&two, "sample::live_counters()", "0");
    assert!(second.lines().lock().unwrap().is_empty());
}

#[test]
fn lines_are_logged_in_the_plugin_s_name() {
    let folder = folder(Memory::Host, json!({}));
    let engine = engine(&folder.load().unwrap());
    for (level, text) in
        [(0, "\"e\".to_blob()"), (1, "\"w\\nv\".to_blob()"), (2, "blob()"), (4, "blob(2, 0xff)")]
    {
        engine.run(&format!("sample::log_line({level}, {text})")).unwrap();
    }
    assert_eq!(
        *folder.lines().lock().unwrap(),
        [
            "[error] sample: e",
            "[warn] sample: w",
            "[warn] sample: v",
            "[info] sample: ",
            "[trace] sample: \u{fffd}\u{fffd}",
        ]
    );
}
