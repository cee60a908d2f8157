//! The manifest against the library, and against what this kind of plugin can keep.

use crate::sink::sink;
use crate::support::Folder;
use caraway_loaders_core::Code::{self, EntryPoint, NotEnforced, SignatureMismatch};
use caraway_loaders_core::TARGET;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_native::NativeLoader;
use serde_json::{Value, json};
use std::path::Path;

#[test]
fn manifest_and_library_agree_or_are_refused() {
    let f = |name: &str, params: &[&str], returns: &str| {
        let params: Vec<Value> =
            params.iter().enumerate().map(|(i, ty)| json!({"name": format!("p{i}"), "type": ty})).collect();
        json!([{"name": name, "params": params, "returns": returns}])
    };
    for (functions, message) in [
        (
            f("ad", &["int", "int"], "int"),
            "the manifest declares `ad(p0: int, p1: int) -> int`, but libsink.so has no function of that name",
        ),
        (
            f("add", &["int"], "int"),
            "the manifest declares `add(p0: int) -> int`, but libsink.so has `add(a: int, b: int) -> int`",
        ),
        (
            f("add", &["int", "float"], "int"),
            "the manifest declares `add(p0: int, p1: float) -> int`, but libsink.so has `add(a: int, b: int) -> int`",
        ),
        (
            f("add", &["int", "int"], "any"),
            "the manifest declares `add(p0: int, p1: int) -> any`, but libsink.so has `add(a: int, b: int) -> int`",
        ),
        (
            f("api::mid", &[], "int"),
            "the manifest declares `api::mid() -> int`, but libsink.so has `api::mid(a: int, b: int) -> int`",
        ),
        (
            f("add", &["int", "int"], "int"),
            "libsink.so exports `int(x: int) -> int`, which the manifest does not list",
        ),
    ] {
        let error = Folder::new(sink(), json!({"functions": functions})).refused(SignatureMismatch, message);
        assert!(error.location().is_some_and(|place| place.line > 0), "{error:?}");
    }
}

#[test]
fn the_library_is_the_manifest_s() {
    for (fields, message) in [
        (json!({"name": "drain"}), "libsink.so is the plugin `sink`, not `drain`"),
        (json!({"version": "0.3.2"}), "libsink.so is version 0.3.1 of `sink`; the manifest says 0.3.2"),
    ] {
        Folder::new(sink(), fields).refused(SignatureMismatch, message);
    }
}

#[test]
fn inspecting_gives_the_functions() {
    let folder = Folder::new(sink(), json!({}));
    let signatures = NativeLoader.inspect(&folder.plugin).unwrap();
    let shown: Vec<String> = signatures.iter().map(ToString::to_string).collect();
    for expected in [
        "add(a: int, b: int) -> int",
        "five(a: int, b: float, c: bool, d: char, e: int) -> string",
        "nothing()",
        "dot(xs: array<float>, ys: array<float>) -> float",
        "owned_bytes(x: bytes) -> bytes",
        "matrix(rows: array<array<float>>) -> array<array<float>>",
        "maybes(xs: array<float?>) -> array<float?>",
        "hash_map(x: map<array<string>>) -> map<array<string>>",
        "any(x: any) -> any",
        "checked(ok: bool)",
        "api::mid(a: int, b: int) -> int",
    ] {
        assert!(shown.iter().any(|text| text == expected), "{expected} is not in {shown:?}");
    }
    assert!(!shown.iter().any(|text| text.contains("private") || text.contains("absent")), "{shown:?}");
}

#[test]
fn what_cannot_be_kept_is_refused() {
    for (fields, code, message) in [
        (json!({"security": {}}), NotEnforced, "a sandboxed native plugin needs a worker process"),
        (
            json!({"security": {"sandbox": true}}),
            NotEnforced,
            "a sandboxed native plugin needs a worker process",
        ),
        (
            json!({"security": {"sandbox": false, "timeout": "1s"}}),
            NotEnforced,
            "`timeout` cannot be enforced",
        ),
        (json!({"security": {"sandbox": false, "max_memory": "1MB"}}), NotEnforced, "`max_memory` cannot"),
        (json!({"security": {"sandbox": false, "max_cpu": "1s"}}), NotEnforced, "`max_cpu` cannot"),
        (json!({"runtime": {"persistent": false}}), NotEnforced, "cannot be made anew for each call"),
        (
            json!({"security": {"sandbox": false, "allowed_apis": []}}),
            NotEnforced,
            "a library cannot import `std/...`",
        ),
        (json!({"implementation": {}}), EntryPoint, "`sink` names no library for"),
        (json!({"dependencies": ["csv"]}), NotEnforced, "a library cannot import other plugins"),
        (json!({"capabilities": ["native", "process"]}), NotEnforced, "`process` cannot be enforced"),
        (json!({"capabilities": ["native", "env"]}), NotEnforced, "`env` cannot be enforced"),
        (json!({"capabilities": ["io", "native"]}), NotEnforced, "`io` cannot be enforced"),
        (
            json!({"capabilities": ["native", {"filesystem": {"read": ["data"]}}]}),
            NotEnforced,
            "`filesystem` cannot be enforced",
        ),
        (
            json!({"capabilities": ["native", {"network": {"hosts": ["a.example:443"]}}]}),
            NotEnforced,
            "`network` cannot be enforced",
        ),
    ] {
        let errors = NativeLoader.validate(&Folder::new(b"", fields).plugin.manifest);
        let found: Vec<(Code, &str)> = errors.iter().map(|error| (error.code(), error.message())).collect();
        assert!(matches!(found[..], [(c, text)] if c == code && text.contains(message)), "{found:?}");
    }
    let good = Folder::new(b"", json!({})).plugin.manifest;
    assert!(NativeLoader.validate(&good).is_empty());
    assert!(NativeLoader.trusted(&good));
}

#[test]
fn what_is_refused_is_located() {
    let text = br#"name = "sink"
version = "0.3.1"
type = "native"
capabilities = ["function", "native", "env", "io"]
dependencies = ["csv"]
implementation = { entrypoint = "libsink.so" }
security = { sandbox = false }
"#;
    let manifest = Manifest::parse(Path::new("plugin.toml"), text).unwrap();
    let errors = NativeLoader.validate(&manifest);
    let found: Vec<(usize, usize)> = errors
        .iter()
        .map(|error| error.location().unwrap())
        .map(|place| (place.line, place.column))
        .collect();
    assert_eq!(found, [(4, 16), (4, 16), (5, 16)], "{errors:?}");
    assert!(errors.iter().all(|error| error.hint_text().unwrap().contains("`hybrid`")), "{errors:?}");
}

#[test]
fn the_example_is_valid() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plugins/numeric/plugin.toml");
    let manifest = Manifest::parse(&path, &std::fs::read(&path).unwrap()).unwrap();
    let errors = NativeLoader.validate(&manifest);
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn the_binary_is_named_whether_it_is_there_or_not() {
    let folder = Folder::new(b"", json!({"implementation": {"binaries": {TARGET: "lib/other.so"}}}));
    assert_eq!(NativeLoader.binary(&folder.plugin), Some(folder.plugin.root.join("lib/other.so")));
    let folder = Folder::new(b"", json!({"implementation": {"binaries": {"wasm32-none": "lib/other.so"}}}));
    assert_eq!(NativeLoader.binary(&folder.plugin), None);
}
