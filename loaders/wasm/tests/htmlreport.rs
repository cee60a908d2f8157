//! The example component, as it is in the tree: made by another toolchain than the one that tests it.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use caraway_loaders_core::Code;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::manifest::Manifest;
use common::{Bench, engine, fails, plugin, thrown};
use rhai::Engine;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plugins/htmlreport")
}

fn manifest(text: &str) -> Manifest {
    Manifest::parse(Path::new("plugin.toml"), text.as_bytes()).unwrap()
}

fn text() -> String {
    std::fs::read_to_string(folder().join("plugin.toml")).unwrap()
}

fn loaded() -> Engine {
    engine(&Bench::new().load(plugin(manifest(&text()), &folder()), Limits::PLUGIN).unwrap())
}

#[test]
fn the_component_is_what_its_manifest_declares() {
    let loader = Bench::new().loader;
    let manifest = manifest(&text());
    assert_eq!(loader.validate(&manifest).len(), 0);
    let signatures = loader.inspect(&plugin(manifest, &folder())).unwrap();
    assert_eq!(
        signatures.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "render(title: string, sections: array<Section>) -> string",
            "render_themed(title: string, sections: array<Section>, theme: Theme) -> string",
            "chart(bars: array<Bar>) -> string",
            "escape(text: string) -> string",
        ]
    );
}

#[test]
fn every_difference_between_manifest_and_component_is_named() {
    let declared = text();
    for (from, to, message) in [
        (
            "name = \"escape\"\nparams = [{ name = \"text\", type = \"string\" }]",
            "name = \"escape\"\nparams = [{ name = \"text\", type = \"int\" }]",
            "the manifest declares `escape(text: int) -> string`, the component exports `escape(text: string) -> string`",
        ),
        (
            "name = \"escape\"",
            "name = \"unescape\"",
            "the manifest declares `unescape(text: string) -> string`, which the component does not export",
        ),
        (
            "{ name = \"value\", type = \"float\" }",
            "{ name = \"value\", type = \"int\" }",
            "exports `render(",
        ),
        ("values = [\"light\", \"dark\"]", "values = [\"light\"]", "exports `render_themed("),
    ] {
        let changed = declared.replace(from, to);
        assert_ne!(changed, declared, "{from}");
        let error = Bench::new().loader.inspect(&plugin(manifest(&changed), &folder())).unwrap_err();
        assert_eq!(error.code(), Code::SignatureMismatch);
        assert!(error.message().contains(message), "{error}");
        assert!(error.location().is_some_and(|place| place.line > 0), "{error}");
    }
}

#[test]
fn the_names_and_the_order_of_fields_are_the_manifests_own() {
    let changed = text().replace("\"Bar\"", "\"Pillar\"").replace("array<Bar>", "array<Pillar>").replace(
        "{ name = \"label\", type = \"string\" }, { name = \"value\", type = \"float\" }",
        "{ name = \"value\", type = \"float\" }, { name = \"label\", type = \"string\" }",
    );
    let engine = engine(&Bench::new().load(plugin(manifest(&changed), &folder()), Limits::PLUGIN).unwrap());
    assert!(engine.eval::<String>("m::chart([#{label: \"a\", value: 1}])").unwrap().starts_with("<svg"));
}

#[test]
fn a_page_has_everything_and_escapes_it() {
    let page = loaded()
        .eval::<String>(
            r#"
            m::render("A & B", [
                #{
                    heading: "<script>",
                    text: "One 'text'.\n\nAnother.",
                    table: #{columns: ["name", "n"], rows: [["<b>", "12.5"]]},
                    bars: [#{label: "\"up\"", value: 3}, #{label: "down", value: -1.5}],
                },
                #{heading: "", text: "", bars: []},
            ])
            "#,
        )
        .unwrap();
    for part in [
        "<!DOCTYPE html>",
        "<title>A &amp; B</title>",
        "<h2>&lt;script&gt;</h2>",
        "<p>One &#39;text&#39;.</p>\n<p>Another.</p>",
        "<th>name</th>",
        "<td>&lt;b&gt;</td><td class=\"number\">12.5</td>",
        "&quot;up&quot;</text>",
        ">-1.5</text>",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert_eq!(page.matches("<svg").count(), 1);
    assert_eq!(page.matches("<table>").count(), 1);
}

#[test]
fn errors_of_the_component_can_be_caught() {
    let engine = loaded();
    assert_eq!(thrown(&engine, "m::chart([])"), "\"a chart needs at least one bar\"");
    fails(&engine, "m::render_themed(\"\", [], \"blue\")", Code::ArgumentType, "\"light\", \"dark\"");
    fails(&engine, "m::render(\"\", [#{}])", Code::ArgumentType, "Section with the key");
}
