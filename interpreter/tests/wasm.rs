//! WebAssembly plugins through the command line: the cache of compiled ones, and builds without them.

#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod common;

use common::Folder;
use std::path::Path;

const APP: &str = r#"import "page" as page; print(page::answer());"#;

const COMPONENT: &str = r#"(component
    (core module $m (func (export "answer") (result i64) (i64.const 42)))
    (core instance $i (instantiate $m))
    (func (export "answer") (result s64) (canon lift (core func $i "answer"))))"#;

/// The manifest of a plugin of the kind `kind`.
fn manifest(kind: &str, rest: &str) -> String {
    format!("name = \"page\"\nversion = \"1.0.0\"\ntype = \"{kind}\"\n{rest}")
}

/// A program, and the component that it imports, as a lone file.
fn folder() -> Folder {
    let folder = Folder::new(&[("app.rhai", APP), ("plugins/other/plugin.toml", &other())]);
    folder.write("plugins/other/main.rhai", "fn one() { 1 }");
    std::fs::write(folder.path().join("plugins/page.wasm"), wat::parse_str(COMPONENT).unwrap()).unwrap();
    folder
}

fn other() -> String {
    manifest("module", "").replace("page", "other")
}

/// What is below a folder, as far as it is there.
fn files(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut files: Vec<String> = entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path.display().to_string()] })
        .collect();
    files.sort();
    files
}

#[cfg(feature = "wasm")]
mod built {
    use super::*;
    use common::Ran;
    use std::collections::HashMap;

    const ANSWER: &str = "42\n";

    /// Runs the program with variables of the environment.
    #[track_caller]
    fn run(folder: &Folder, args: &[&str], environment: &[(&str, &str)]) -> Ran {
        let variables: HashMap<_, _> = environment.iter().copied().collect();
        Ran::of(args, folder.command(args).envs(variables).output().unwrap())
    }

    #[test]
    fn a_component_has_its_own_part_of_the_network_and_not_its_callers() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        let folder = Folder::new(&[
            ("app.rhai", "import \"page\" as page; print(page::connected())"),
            (
                "plugins/page/plugin.toml",
                &manifest("module", "dependencies = [\"net\"]\ncapabilities = [\"network\"]"),
            ),
            (
                "plugins/page/main.rhai",
                &format!(
                    "import \"net\" as net; fn connected() {{ try {{ let s = net::socket(0); net::connect(s, 127, 0, 0, \
                     1, {port}); net::finish(s); return true; }} catch {{ return false; }} }}"
                ),
            ),
            (
                "plugins/net/plugin.toml",
                &manifest("wasm", "capabilities = [{ network = { hosts = [\"127.0.0.1:PORT\"] } }]")
                    .replace("page", "net")
                    .replace("PORT", &port.to_string()),
            ),
        ]);
        let guest = include_str!("../../loaders/wasm/tests/guests/sockets.wat");
        std::fs::write(folder.path().join("plugins/net/net.wasm"), wat::parse_str(guest).unwrap()).unwrap();
        let flag = format!("net:network=127.0.0.1:{port}");
        let told = format!(
            "[warn] net: plugin `net` may not connect to `127.0.0.1:{port}`: it is not granted; run with \
                            `--allow {flag}`"
        );
        for (allow, expected) in [
            (None, "false\n"),
            (Some("page:network"), "false\n"),
            (Some("network"), "true\n"),
            (Some(&*flag), "true\n"),
        ] {
            let args: Vec<&str> = ["run", "app.rhai"]
                .into_iter()
                .chain(allow.into_iter().flat_map(|flag| ["--allow", flag]))
                .collect();
            let stderr = if expected == "false\n" { &[told.as_str()][..] } else { &[] };
            folder.run(&args).gives(0, expected, stderr);
        }
    }

    fn cached(folder: &Folder, path: &str) -> usize {
        files(&folder.path().join(path)).len()
    }

    #[test]
    fn the_command_line_keeps_components_in_the_users_cache() {
        let folder = folder();
        for _ in 0..2 {
            run(&folder, &["run", "app.rhai"], &[]).gives(0, ANSWER, &[]);
            assert_eq!(cached(&folder, "home/.cache/caraway/wasm"), 2, "the key and the component");
        }
    }

    #[test]
    fn the_cache_is_where_it_is_told_to_be() {
        for (args, environment, place) in [
            (&["run", "app.rhai"] as &[&str], &[("CARAWAY_WASM_CACHE", "other")] as &[_], Some("other/wasm")),
            (&["run", "app.rhai"], &[("CARAWAY_WASM_CACHE", "off")], None),
            (&["run", "app.rhai"], &[("CARAWAY_WASM_CACHE", "")], Some("home/.cache/caraway/wasm")),
            (&["run", "app.rhai", "--wasm-cache", "off"], &[("CARAWAY_WASM_CACHE", "other")], None),
            (&["--wasm-cache", "off", "run", "app.rhai", "--wasm-cache=here"], &[], Some("here/wasm")),
            (&["run", "app.rhai"], &[("XDG_CACHE_HOME", "/dev/null")], None),
            (&["run", "app.rhai"], &[("HOME", "/dev/null")], None),
        ] {
            let folder = folder();
            run(&folder, args, environment).gives(0, ANSWER, &[]);
            for there in ["home/.cache/caraway/wasm", "other/wasm", "here/wasm"] {
                assert_eq!(
                    cached(&folder, there),
                    if place == Some(there) { 2 } else { 0 },
                    "{args:?} {there}"
                );
            }
        }
    }

    #[test]
    fn a_cache_that_is_not_used_is_told_to_who_asks() {
        let folder = folder();
        run(&folder, &["run", "app.rhai", "--wasm-cache", "app.rhai", "--plugin-debug"], &[]).gives(
            0,
            ANSWER,
            &["the WebAssembly cache is not used: /", "/app.rhai/wasm cannot be made: Not a directory"],
        );
    }

    #[test]
    fn build_compiles_into_the_cache() {
        let folder = folder();
        folder.write("plugins/page/plugin.toml", &manifest("wasm", ""));
        std::fs::rename(
            folder.path().join("plugins/page.wasm"),
            folder.path().join("plugins/page/page.wasm"),
        )
        .unwrap();
        run(&folder, &["build", "-q", "plugins/page"], &[]).gives(0, "", &[]);
        let before = files(&folder.path().join("home/.cache/caraway/wasm"));
        assert_eq!(before.len(), 2, "{before:?}");
        run(&folder, &["run", "app.rhai"], &[]).gives(0, ANSWER, &[]);
        assert_eq!(files(&folder.path().join("home/.cache/caraway/wasm")), before);
    }

    #[test]
    fn a_runtime_keeps_nothing_unless_it_is_told_to() {
        let folder = folder();
        let plugins = folder.path().join("plugins");
        let script = r#"import "page" as page; page::answer()"#;
        let builder = || caraway::Runtime::builder().plugin_path(&plugins);
        let value = builder().build().unwrap().eval(script).unwrap();
        assert_eq!(value.as_int().unwrap(), 42);
        let kept = caraway::WasmCache::new(folder.path().join("kept"));
        let value = builder().wasm_cache(kept).build().unwrap().eval(script).unwrap();
        assert_eq!(value.as_int().unwrap(), 42);
        assert_eq!(cached(&folder, "kept/wasm"), 2);
    }

    #[test]
    fn info_shows_what_a_component_says_of_its_functions() {
        let folder = folder();
        let said = r#"(@custom "package-docs" "\01{\"worlds\": {\"w\": {\"funcs\": {\"answer\": {\"docs\": \"It is 42\\u001b[31m\"}}}}}"))"#;
        let component = format!("{}{said}", COMPONENT.strip_suffix(')').unwrap());
        let file = folder.path().join("plugins/page.wasm");
        std::fs::write(&file, wat::parse_str(component).unwrap()).unwrap();
        let ran = folder.run(&["info", "page"]);
        ran.shows(0, &["page::answer() -> int\n      It is 42"]);
        assert!(!ran.stdout.contains('\u{1b}'), "{ran}");
    }
}

#[cfg(not(feature = "wasm-runtime"))]
#[test]
fn a_build_without_components_says_so() {
    let message = "this caraway was built without plugins of type `wasm`";
    let folder = folder();
    let expected = ["E0305", message, "use one that was built with the feature `wasm`"];
    folder.run(&["run", "app.rhai"]).gives(3, "", &expected);
    folder.write("plugins/page/plugin.toml", &manifest("wasm", ""));
    std::fs::remove_file(folder.path().join("plugins/page.wasm")).unwrap();
    folder.run(&["run", "app.rhai"]).gives(3, "", &["plugin.toml:3:8", message]);
    folder.run(&["validate", "plugins/page"]).gives(3, "", &[message]);
    folder.run(&["build", "plugins/page"]).gives(3, "", &[message]);
    // Those who do not import it do not notice.
    folder.write("app.rhai", r#"import "other" as other; print(other::one());"#);
    folder.run(&["run", "app.rhai"]).gives(0, "1\n", &[]);
    assert!(files(&folder.path().join("home")).is_empty());
}

#[cfg(not(feature = "native"))]
#[test]
fn a_build_without_native_plugins_says_so() {
    for kind in ["native", "hybrid"] {
        let folder = Folder::new(&[("app.rhai", APP), ("plugins/page/plugin.toml", &manifest(kind, ""))]);
        let message = format!("this caraway was built without plugins of type `{kind}`");
        folder.run(&["run", "app.rhai"]).gives(3, "", &[&message, "with the feature `native`"]);
    }
}

/// A component is met, its artifact is in no cache, and there is nothing to make one with.
#[cfg(all(feature = "wasm-runtime", not(feature = "wasm")))]
#[test]
fn a_build_without_a_compiler_says_so() {
    let folder = folder();
    let message = "`page` is not compiled, and this build has no compiler for WebAssembly";
    folder.run(&["run", "app.rhai"]).gives(
        3,
        "",
        &["E0308", message, "the feature `wasm`", "the same cache"],
    );
    folder.run(&["run", "app.rhai", "--wasm-cache=off"]).gives(3, "", &[message, "set a cache"]);
    std::fs::write(folder.path().join("plugins/page.wasm"), "text").unwrap();
    folder.run(&["run", "app.rhai"]).gives(3, "", &["it is not WebAssembly"]);
    assert!(files(&folder.path().join("home")).is_empty(), "nothing can be kept");
}

/// `.ci/run` sets this to a cache that a build with a compiler has filled with `examples/plugins/htmlreport`.
#[cfg(all(feature = "wasm-runtime", not(feature = "wasm")))]
#[test]
fn a_build_without_a_compiler_runs_what_another_has_compiled() {
    let Some(cache) = std::env::var_os("CARAWAY_TEST_FILLED_CACHE") else { return };
    let folder = folder();
    let cache = cache.to_str().unwrap();
    let component =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/plugins/htmlreport/htmlreport.wasm");
    std::fs::copy(component, folder.path().join("plugins/page.wasm")).unwrap();
    folder.write("app.rhai", r#"import "page" as page; print(page::escape("1 < 2"));"#);
    folder.run(&["run", "app.rhai", "--wasm-cache", cache]).gives(0, "1 &lt; 2\n", &[]);
}
