//! The reference pages agree with the code.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use caraway::Code;
use caraway_tests as _;
use std::collections::BTreeMap;
use std::path::Path;

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)).unwrap()
}

/// The fenced blocks of a language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| &rest[..rest.find("```").unwrap()]).collect()
}

#[test]
fn every_error_code_is_explained_once() {
    let page = page("reference/errors.md");
    let mut explained: BTreeMap<&str, usize> = BTreeMap::new();
    for section in page.split("\n## ").skip(1) {
        let (title, text) = section.split_once('\n').unwrap();
        let code = title.split(' ').next().unwrap();
        if code.starts_with(['E', 'W']) {
            *explained.entry(code).or_default() += 1;
            assert!(text.trim().len() > 40, "{code} is hardly explained");
        }
    }
    let known: BTreeMap<&str, usize> = Code::ALL.iter().map(|code| (code.as_str(), 1)).collect();
    assert_eq!(explained, known);
}

#[test]
fn the_example_configuration_is_accepted() {
    let page = page("reference/config.md");
    let example = blocks(&page, "toml")[0];
    let folder = tempfile::tempdir().unwrap();
    for path in ["plugins", "vendor/plugins"] {
        std::fs::create_dir_all(folder.path().join(path)).unwrap();
    }
    for name in ["stats", "csv"] {
        let plugin = folder.path().join("plugins").join(name);
        std::fs::create_dir(&plugin).unwrap();
        let manifest = format!("name = \"{name}\"\nversion = \"1.2.3\"\ntype = \"module\"\n");
        std::fs::write(plugin.join("plugin.toml"), manifest).unwrap();
        std::fs::write(plugin.join("main.rhai"), "fn f() { 1 }").unwrap();
    }
    std::fs::write(folder.path().join("caraway.toml"), example).unwrap();
    let runtime = caraway::Runtime::builder().folder(folder.path()).build().unwrap();
    let value = runtime.eval(r#"import "stats" as s; s::f()"#).unwrap();
    assert_eq!(value.as_int(), Ok(1));

    let misspelt = example.replace("call_depth", "call_dept");
    std::fs::write(folder.path().join("caraway.toml"), misspelt).unwrap();
    let error = runtime.eval("1").unwrap_err();
    assert_eq!(error.code(), Code::Config);
}

#[test]
fn the_example_settings_are_what_the_plugin_is_given() {
    let page = page("reference/config.md");
    let page = &page[page.find("## Settings of plugins").unwrap()..page.find("## Secrets").unwrap()];
    let [manifest, configuration] = blocks(page, "toml")[..] else {
        panic!("a manifest and a configuration")
    };
    let [given] = blocks(page, "rhai")[..] else { panic!("what the plugin is given") };
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("plugins/pager");
    std::fs::create_dir_all(&plugin).unwrap();
    std::fs::write(plugin.join("plugin.toml"), manifest).unwrap();
    std::fs::write(plugin.join("main.rhai"), "fn settings() { CONFIG }").unwrap();
    std::fs::write(folder.path().join("caraway.toml"), configuration).unwrap();
    let runtime = caraway::Runtime::builder().folder(folder.path()).build().unwrap();
    let value = runtime.eval(r#"import "pager" as p; p::settings()"#).unwrap();
    assert_eq!(format!("{value:?}"), given.trim());
}

#[test]
fn links_between_pages_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut pages = vec![root.join("README.md")];
    for folder in ["docs", "docs/reference"] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        pages.extend(
            entries
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|e| e == "md")),
        );
    }
    let mut broken = Vec::new();
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next()) {
            if !link.is_empty() && !link.contains("://") && !page.parent().unwrap().join(link).exists() {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
