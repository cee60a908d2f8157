//! The examples, run as the README says.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use caraway::test::Harness;
use caraway::{Output, Runtime, Stream, conformance};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// The main job: a plugin of each kind, real data, a report and a page. The native ones are built by the run.
#[test]
fn the_report_is_as_it_was() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let page = tempfile::tempdir().unwrap();
    let printed: Arc<Mutex<Vec<String>>> = Arc::default();
    let runtime = Runtime::builder()
        .plugin_path(root.join("examples/plugins"))
        .allow("native")
        .allow(&format!("filesystem=read:{}", root.join("examples/data").display()))
        .allow(&format!("filesystem=write:{}", page.path().display()))
        .output(kept_in(&printed))
        .build_plugins(true)
        .build()
        .unwrap();
    let file = page.path().join("penguins.html");
    let args = [file.to_string_lossy().into_owned()];
    let outcome = runtime.run_file(root.join("examples/programs/report.rhai"), &args);
    assert!(outcome.is_ok(), "{outcome:?}");

    let printed = printed.lock().unwrap().join("\n");
    let expected = include_str!("../expected/report.txt");
    let shown = printed.lines().filter(|line| !line.contains("penguins.html")).collect::<Vec<_>>().join("\n");
    assert_eq!(shown.trim_end(), expected.trim_end());

    let html = std::fs::read_to_string(file).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") || html.starts_with("<!doctype html>"), "{}", &html[..80]);
    for text in ["Gentoo", "Body mass in grams", "<svg", "5076.0"] {
        assert!(html.contains(text), "no {text} in the page");
    }
}

/// The plugin in C, built by its own command.
#[test]
fn text_is_compressed_by_a_plugin_in_c() {
    if !Path::new("/usr/include/zlib.h").exists() {
        assert!(std::env::var_os("CI").is_none(), "there is no zlib.h");
        return eprintln!("skipped: there is no zlib.h");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let printed: Arc<Mutex<Vec<String>>> = Arc::default();
    let runtime = Runtime::builder()
        .plugin_path(root.join("examples/plugins"))
        .allow("native=zlib")
        .output(kept_in(&printed))
        .build_plugins(true)
        .build()
        .unwrap();
    let outcome = runtime.run_file(root.join("examples/programs/compress.rhai"), &[]);
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(printed.lock().unwrap().join("\n"), include_str!("../expected/compress.txt").trim_end());
}

/// What the plugins say of themselves in their folders `tests`, and what all plugins promise. The native ones are built.
#[test]
fn plugins_pass_their_own_tests_and_conform() {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/plugins").canonicalize().unwrap();
    let runtime = Runtime::builder()
        .folder(&plugins)
        .plugin_path(&plugins)
        .allow("native")
        .build_plugins(true)
        .build()
        .unwrap();
    let zlib = Path::new("/usr/include/zlib.h").exists().then_some(("zlib", 6));
    for (plugin, count) in [("stats", 14), ("numeric", 6), ("htmlreport", 4)].into_iter().chain(zlib) {
        let report = Harness::new(&runtime, plugins.join(plugin)).unwrap().run().unwrap();
        report.assert_passed();
        assert_eq!(report.tests.len(), count, "{plugin}: {report}");
        let scorecard = conformance::check(&runtime, plugin).unwrap();
        assert_eq!(scorecard.score(), (14, 14), "{scorecard}");
    }
    for plugin in ["csv", "format", "table", "hello"] {
        let scorecard = conformance::check(&runtime, plugin).unwrap();
        assert_eq!(scorecard.score(), (14, 14), "{scorecard}");
    }
}

/// Standard output goes there, the rest where it belongs.
fn kept_in(lines: &Arc<Mutex<Vec<String>>>) -> Output {
    let lines = lines.clone();
    Output::new(move |stream, line| match stream {
        Stream::Stdout => lines.lock().unwrap().push(line.to_owned()),
        _ => eprintln!("{line}"),
    })
}
