//! Guides, recipes and references, typed in from top to bottom.

#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::Folder;
use common::page::follow;
use std::path::Path;

#[test]
fn the_guide_for_script_authors_is_true() {
    follow(&Folder::new(&[]), include_str!("../../docs/guide-scripts.md"), &[]);
}

#[cfg(feature = "compile")]
#[test]
fn the_page_of_compiled_functions_is_true() {
    follow(&Folder::new(&[]), include_str!("../../docs/compiled-functions.md"), &[]);
}

#[test]
fn the_guide_for_tests_is_true() {
    follow(&Folder::new(&[]), include_str!("../../docs/guide-testing.md"), &["rust", "text"]);
}

#[cfg(feature = "native")]
#[test]
fn the_guide_for_native_developers_is_true() {
    // Its second half runs the plugin in a worker.
    if !common::holds_workers() {
        return;
    }
    let folder = beside_the_repository();
    // Zig and Go are not for everybody's machine.
    follow(&folder, include_str!("../../docs/native-plugins.md"), &["zig", "go"]);
}

#[cfg(feature = "wasm")]
#[test]
fn the_guide_for_webassembly_is_true() {
    let folder = beside_the_repository();
    // What needs the tools of a language, and what shows how one looks.
    follow(&folder, include_str!("../../docs/wasm-plugins.md"), &["sh", "wit"]);
}

// All features that its recipes use.
#[cfg(all(feature = "native", feature = "std-http", feature = "std-regex"))]
#[test]
fn the_recipes_work() {
    for (_, recipe) in common::page::sections(include_str!("../../docs/cookbook.md")) {
        // Those in Rust are doctests.
        let is_tried = !recipe.contains("#workers") || common::holds_workers();
        if is_tried && recipe.contains("```console") {
            follow(&beside_the_repository(), &recipe, &[]);
        }
    }
}

#[test]
fn the_reference_of_kv_is_true() {
    follow(&Folder::new(&[]), include_str!("../../docs/reference/std-kv.md"), &[]);
}

#[cfg(feature = "std-regex")]
#[test]
fn the_reference_of_regex_is_true() {
    follow(&Folder::new(&[]), include_str!("../../docs/reference/std-regex.md"), &[]);
}

#[test]
fn the_first_example_greets() {
    let folder = Folder::new(&[]);
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").canonicalize().unwrap();
    std::os::unix::fs::symlink(examples, folder.path().join("examples")).unwrap();
    // The report has a test of its own, `tests/tests/examples.rs`.
    follow(&folder, include_str!("../../examples/README.md"), &["sh"]);
}

/// A folder in which the repository is called `caraway`.
#[cfg(any(feature = "native", feature = "wasm"))]
fn beside_the_repository() -> Folder {
    let folder = Folder::new(&[]);
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    std::os::unix::fs::symlink(repository, folder.path().join("caraway")).unwrap();
    folder
}
