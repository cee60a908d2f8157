//! Folders full of plugins, good and bad.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are tests")]

use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::checksum::Checksums;
use caraway_loaders_core::discover::{Catalog, Origin, Plugin, SearchPath, discover};
use caraway_loaders_core::loader::{LoadRequest, Loader, PluginFile};
use caraway_loaders_core::manifest::{Function, MAX_BYTES, Manifest};
use caraway_loaders_core::{Code, Error};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A kind that needs an entry point, adopts `.wasm` files and has a built-in.
struct Fake;

impl Loader for Fake {
    fn kind(&self) -> &'static str {
        "module"
    }

    fn description(&self) -> &'static str {
        "a kind for tests"
    }

    fn validate(&self, manifest: &Manifest) -> Vec<Error> {
        match manifest.implementation.language.as_deref() {
            Some("none") => {
                let at = manifest.locate("implementation.language");
                vec![Error::new(Code::ManifestValue, "no such language").at(at)]
            }
            _ => Vec::new(),
        }
    }

    fn provided(&self) -> Vec<Manifest> {
        let mut manifest = Manifest::new("std/fake", semver::Version::new(1, 0, 0), "module");
        manifest.module = "fake".to_owned();
        vec![manifest]
    }

    fn adopt(&self, file: &Path) -> Option<Manifest> {
        let name = file.file_name()?.to_str()?.strip_suffix(".wasm")?;
        Some(Manifest::new(name, semver::Version::new(0, 0, 0), "module"))
    }

    fn files(&self, _: &Plugin) -> Result<Vec<PluginFile>, Error> {
        Ok(Vec::new())
    }

    fn inspect(&self, _: &Plugin) -> Result<Vec<Function>, Error> {
        Ok(Vec::new())
    }

    fn load(&self, _: &LoadRequest) -> Result<Bound, Error> {
        Err(Error::new(Code::LoadFailed, "not in this test"))
    }
}

/// A folder to put plugins in.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, file: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn plugin(&self, folder: &str, name: &str, version: &str) -> &Self {
        self.write(&format!("{folder}/plugin.json"), manifest(name, version))
    }

    fn search(&self) -> Catalog {
        search(&[self.path()])
    }
}

fn manifest(name: &str, version: &str) -> String {
    format!("{{\"name\": \"{name}\", \"version\": \"{version}\", \"type\": \"module\"}}")
}

fn search(paths: &[&Path]) -> Catalog {
    let paths: Vec<SearchPath> =
        paths.iter().map(|path| SearchPath::explicit(*path, "--plugin-path")).collect();
    discover(&paths, &[Arc::new(Fake) as Arc<dyn Loader>])
}

/// The plugins that are not built in.
fn ids(catalog: &Catalog) -> Vec<String> {
    catalog.plugins.iter().filter(|p| p.origin != Origin::BuiltIn).map(|p| p.id()).collect()
}

/// One error, with this code, file and part of its message.
#[track_caller]
fn only_error(catalog: &Catalog, code: Code, file: &str, message: &str) {
    let [error] = &catalog.errors[..] else { panic!("{:#?}", catalog.errors) };
    assert_eq!(error.code(), code, "{error}");
    assert!(error.message().contains(message), "{error}");
    let at = error.location().map(|location| location.file.clone()).unwrap_or_default();
    assert!(at.ends_with(file), "{error} is at {}", at.display());
}

#[test]
fn plugins_are_found_in_the_order_of_their_names() {
    let folder = Folder::new();
    folder.plugin("zeta", "a", "1.0.0").plugin("alpha", "z", "1.0.0").plugin("mid", "m", "2.0.0");
    folder.write("toml/plugin.toml", "name = 't'\nversion = '1.0.0'\ntype = 'module'");
    folder.plugin(".hidden", "hidden", "1.0.0").plugin("deep/er", "deeper", "1.0.0");
    folder
        .write("notes/readme.txt", "")
        .write("readme.txt", "")
        .write("two/a.wasm", "")
        .write("two/b.wasm", "");
    fs::create_dir(folder.path().join("empty")).unwrap();
    let catalog = folder.search();
    assert_eq!(ids(&catalog), ["z@1.0.0", "m@2.0.0", "t@1.0.0", "a@1.0.0"]);
    assert!(catalog.errors.is_empty() && catalog.shadowed.is_empty());
    assert_eq!(catalog.plugins[0].root, folder.path().join("alpha"));
    assert_eq!(catalog.plugins[0].origin, Origin::SearchPath(folder.path().to_owned()));
    assert_eq!(catalog.plugins.last().unwrap().id(), "std/fake@1.0.0");
}

#[test]
fn a_plugin_folder_is_a_search_path_of_one() {
    let folder = Folder::new();
    folder.plugin("kit", "kit", "1.0.0").plugin("kit/inner", "inner", "1.0.0");
    assert_eq!(ids(&search(&[&folder.path().join("kit")])), ["kit@1.0.0"]);
}

#[test]
fn files_without_a_manifest_are_adopted() {
    let folder = Folder::new();
    folder.write("loose.wasm", "").write("alone/only.wasm", "").write("alone/.git/x", "");
    folder.write("Big Name.wasm", "");
    let catalog = folder.search();
    assert_eq!(ids(&catalog), ["only@0.0.0", "loose@0.0.0"]);
    assert_eq!(catalog.plugins[0].root, folder.path().join("alone"));
    assert_eq!(catalog.plugins[1].root, folder.path());
    only_error(&catalog, Code::ManifestValue, "Big Name.wasm", "which has a `B`");
}

#[test]
fn one_broken_plugin_never_spoils_the_others() {
    for (file, text, code, message) in [
        ("bad/plugin.json", "{", Code::ManifestSyntax, "EOF"),
        ("bad/plugin.json", "{\"name\": \"x\"}", Code::ManifestValue, "is missing"),
        (
            "bad/plugin.json",
            "{\"name\": \"x\", \"version\": \"1.0.0\", \"type\": \"modul\"}",
            Code::UnknownKind,
            "unknown type `modul`",
        ),
        (
            "bad/plugin.toml",
            "name = 'x'\nversion = '1.0.0'\ntype = 'module'\nimplementation.language = 'none'",
            Code::ManifestValue,
            "no such language",
        ),
        (
            "bad/plugin.json",
            "{\"name\": \"x\", \"version\": \"1.0.0\", \"type\": \"module\", \"module\": \"fake\"}",
            Code::Unavailable,
            "the name of the built-in `std/fake`",
        ),
        (
            "bad/plugin.json",
            "{\"name\": \"std/fake\", \"version\": \"1.0.0\", \"type\": \"module\"}",
            Code::ManifestValue,
            "only a built-in",
        ),
    ] {
        let folder = Folder::new();
        folder.plugin("good", "good", "1.0.0").write(file, text).plugin("other", "other", "1.0.0");
        let catalog = folder.search();
        assert_eq!(ids(&catalog), ["good@1.0.0", "other@1.0.0"], "{text}");
        only_error(&catalog, code, file, message);
        assert!(catalog.errors[0].location().unwrap().line > 0);
    }
    let folder = Folder::new();
    folder.write("x/plugin.json", "{\"name\": \"x\", \"version\": \"1.0.0\", \"type\": \"modul\"}");
    assert_eq!(folder.search().errors[0].hint_text(), Some("did you mean `module`? known are module"));
}

#[test]
fn two_manifests_in_one_folder_are_an_error() {
    let folder = Folder::new();
    folder.plugin("p", "p", "1.0.0").write("p/plugin.toml", "");
    only_error(&folder.search(), Code::ManifestSyntax, "p/plugin.json", "a plugin.json and a plugin.toml");
}

#[test]
fn the_first_of_two_alike_is_used() {
    let (one, two) = (Folder::new(), Folder::new());
    one.plugin("p", "p", "1.0.0").plugin("q", "q", "1.0.0").plugin("same", "q", "1.0.0");
    two.plugin("p", "p", "1.0.0").plugin("newer", "p", "1.1.0");
    let catalog = search(&[one.path(), two.path()]);
    assert_eq!(ids(&catalog), ["p@1.0.0", "q@1.0.0", "p@1.1.0"]);
    let shadowed: Vec<(PathBuf, PathBuf)> =
        catalog.shadowed.iter().map(|s| (s.plugin.root.clone(), s.by.root.clone())).collect();
    assert_eq!(
        shadowed,
        [(one.path().join("same"), one.path().join("q")), (two.path().join("p"), one.path().join("p"))]
    );
    let swapped = search(&[two.path(), one.path()]);
    assert_eq!(swapped.plugins[1].root, two.path().join("p"));
}

#[test]
fn a_search_path_given_twice_is_read_once() {
    let folder = Folder::new();
    folder.plugin("p", "p", "1.0.0");
    symlink(folder.path(), folder.path().join(".again")).unwrap();
    let catalog =
        search(&[folder.path(), &folder.path().join(".again"), &folder.path().join("p"), folder.path()]);
    assert_eq!(ids(&catalog), ["p@1.0.0"]);
    assert!(catalog.shadowed.is_empty());
}

#[test]
fn two_plugins_may_have_one_module_name() {
    let folder = Folder::new();
    folder.plugin("a", "my-kit", "1.0.0").plugin("b", "my_kit", "1.0.0");
    let catalog = folder.search();
    assert_eq!(ids(&catalog).len(), 2);
    assert!(catalog.plugins[..2].iter().all(|plugin| plugin.manifest.module == "my_kit"));
}

#[test]
fn search_paths_that_cannot_be_read() {
    let folder = Folder::new();
    folder.plugin("good", "good", "1.0.0").write("file", "");
    symlink("loop", folder.path().join("loop")).unwrap();
    for (path, message) in
        [("none", "does not exist"), ("file", "is not a folder"), ("loop", "cannot read the search path")]
    {
        let path = folder.path().join(path);
        let catalog = search(&[&path, folder.path()]);
        assert_eq!(ids(&catalog), ["good@1.0.0"]);
        only_error(&catalog, Code::Io, "", message);
        let error = &catalog.errors[0];
        assert!(error.message().contains(path.to_str().unwrap()), "{error}");
        assert!(error.hint_text().unwrap().contains("--plugin-path"));
    }
    let missing = SearchPath::default_path(folder.path().join("none"), "a default");
    assert!(discover(&[missing], &[]).errors.is_empty());
    let file = SearchPath::default_path(folder.path().join("file"), "a default");
    assert_eq!(discover(&[file], &[]).errors.len(), 1);
}

#[test]
fn characters_of_patterns_are_characters() {
    let folder = Folder::new();
    folder.plugin("[ab]*?{x}/star", "star", "1.0.0").plugin("a/other", "other", "1.0.0");
    let catalog = search(&[&folder.path().join("[ab]*?{x}")]);
    assert_eq!(ids(&catalog), ["star@1.0.0"]);
    assert!(search(&[&folder.path().join("*")]).plugins.len() == 1);
}

#[test]
fn manifests_that_are_no_files_are_refused_at_once() {
    let folder = Folder::new();
    for name in ["pipe", "zero", "folder", "dangling", "large", "loop"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    let at = |name: &str| folder.path().join(name).join("plugin.json");
    rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), rustix::fs::Mode::RWXU).unwrap();
    symlink("/dev/zero", at("zero")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    symlink("plugin.json", at("loop")).unwrap();
    fs::File::create(at("large")).unwrap().set_len(1 << 40).unwrap();
    let started = Instant::now();
    let catalog = folder.search();
    assert!(started.elapsed() < Duration::from_secs(1));
    let found: Vec<(String, &str)> = catalog
        .errors
        .iter()
        .map(|e| {
            let file = &e.location().unwrap().file;
            (file.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned(), e.message())
        })
        .collect();
    for (index, (folder, message)) in [
        ("dangling", "No such file"),
        ("folder", "not a regular file but a folder"),
        ("large", "larger than 1 MiB"),
        ("loop", "symbolic link"),
        ("pipe", "not a regular file but a pipe"),
        ("zero", "not a regular file but a device"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(found[index].0, folder);
        assert!(found[index].1.contains(message), "{:?}", found[index]);
    }
    assert_eq!(found.len(), 6);
}

#[test]
fn a_manifest_of_just_a_megabyte_is_read() {
    let folder = Folder::new();
    let mut text = manifest("p", "1.0.0");
    text.push_str(&" ".repeat(MAX_BYTES - text.len()));
    folder.write("p/plugin.json", &text);
    assert_eq!(ids(&folder.search()), ["p@1.0.0"]);
    folder.write("p/plugin.json", text + " ");
    only_error(&folder.search(), Code::ManifestSyntax, "p/plugin.json", "larger than 1 MiB");
}

#[test]
fn names_in_messages_cannot_take_over_a_terminal() {
    let folder = Folder::new();
    folder.write(
        "evil/plugin.json",
        "{\"name\": \"\\u001b[2J\\u202e\\n\", \"version\": \"1.0.0\", \"type\": \"module\"}",
    );
    let search_path = folder.path().join("\u{1b}]0;x\u{7}");
    let catalog = search(&[&search_path, folder.path()]);
    assert_eq!(catalog.errors.len(), 2);
    for error in &catalog.errors {
        let shown = format!("{error} {}", error.location().cloned().unwrap_or_default());
        assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{7}', '\n']), "{shown:?}");
    }
}

#[test]
fn ten_thousand_folders() {
    // Ten thousand names for three links: as many folders to look at, without the time to make them.
    let (real, folder) = (Folder::new(), Folder::new());
    real.plugin("good", "p", "1.0.0").write("broken/plugin.json", "{").write("other/readme.txt", "");
    for kind in ["good", "broken", "other"] {
        symlink(real.path().join(kind), real.path().join(format!("to-{kind}"))).unwrap();
    }
    for n in 0..10_000 {
        let kind = ["good", "broken"].get(n % 100).unwrap_or(&"other");
        let link = real.path().join(format!("to-{kind}"));
        fs::hard_link(link, folder.path().join(format!("f{n:05}"))).unwrap();
    }
    let catalog = folder.search();
    assert_eq!(ids(&catalog), ["p@1.0.0"]);
    assert_eq!(catalog.plugins[0].root, folder.path().join("f00000"));
    let shadowed: Vec<PathBuf> = catalog.shadowed.iter().map(|s| s.plugin.root.clone()).collect();
    let expected: Vec<PathBuf> =
        (100..10_000).step_by(100).map(|n| folder.path().join(format!("f{n:05}"))).collect();
    assert_eq!(shadowed, expected);
    let files: Vec<&Path> = catalog.errors.iter().map(|e| e.location().unwrap().file.as_path()).collect();
    assert_eq!(files.len(), 100);
    assert!(files.is_sorted(), "errors come in the order of the folders");
}

#[test]
fn opened_files_are_verified_by_their_real_path() {
    let folder = Folder::new();
    folder.write("p/plugin.toml", "name = 'p'\nversion = '1.0.0'\ntype = 'module'");
    folder.write("p/lib/x.so", "as it was").write("p/main.rhai", "");
    let mut plugin = folder.search().plugins[0].as_ref().clone();
    assert!(plugin.verify_opened(Path::new("lib/x.so"), b"anything").is_ok());
    let mut checksums = Checksums::new("the lock", "lock again");
    let (path, digest) = plugin.digest(Path::new("./lib/./x.so")).unwrap();
    checksums.insert(path, digest);
    plugin.checksums = Some(Arc::new(checksums));
    for file in ["lib/x.so", "./lib/./x.so"] {
        assert!(plugin.verify_opened(Path::new(file), b"as it was").is_ok());
        let error = plugin.verify_opened(Path::new(file), b"as it is").unwrap_err();
        assert_eq!(error.code(), Code::Integrity);
        assert_eq!(error.location().unwrap().file, plugin.root.join("lib/x.so"));
    }
    assert!(plugin.verify_opened(Path::new("main.rhai"), b"").is_err());
}

#[test]
fn files_of_a_plugin_stay_in_its_folder() {
    let folder = Folder::new();
    folder.write("outside", "").write("p/main.rhai", "main.rhai").write("p/lib/x.so", "lib/x.so");
    folder.write(
        "p/plugin.toml",
        "name = 'p'\nversion = '1.0.0'\ntype = 'module'\n[implementation]\nentrypoint = 'main.rhai'\nbinaries = ['gone']",
    );
    symlink("../outside", folder.path().join("p/link")).unwrap();
    symlink("lib/x.so", folder.path().join("p/within")).unwrap();
    symlink("/dev/zero", folder.path().join("p/zero")).unwrap();
    symlink("turn", folder.path().join("p/turn")).unwrap();
    symlink("..", folder.path().join("p/up")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, folder.path().join("p/pipe"), rustix::fs::Mode::RWXU).unwrap();
    let catalog = folder.search();
    let plugin = &catalog.plugins[0];
    let root = plugin.root.canonicalize().unwrap();
    for (file, real) in [("main.rhai", "main.rhai"), ("./lib/x.so", "lib/x.so"), ("within", "lib/x.so")] {
        assert_eq!(plugin.file(Path::new(file)).unwrap(), root.join(real));
        // What is behind a link is not opened at one look.
        let opened = plugin.open(Path::new(file));
        assert_eq!(opened.is_some(), file != "within" && cfg!(target_os = "linux"), "{file}");
        if let Some(opened) = opened {
            assert_eq!(opened.read(9).unwrap(), real.as_bytes());
        }
    }
    // One on the way to the folder is none below it.
    symlink("p", folder.path().join("q")).unwrap();
    let linked = Plugin::new(plugin.manifest.clone(), folder.path().join("q"), plugin.origin.clone());
    for (file, opens) in [("main.rhai", cfg!(target_os = "linux")), ("within", false)] {
        assert_eq!(linked.open(Path::new(file)).is_some(), opens, "{file}");
    }
    let started = Instant::now();
    for (file, message) in [
        ("../outside", "leaves the plugin's folder"),
        ("/etc/passwd", "leaves the plugin's folder"),
        ("lib/../../outside", "leaves the plugin's folder"),
        ("link", "through a link"),
        ("up/outside", "through a link"),
        ("zero", "through a link"),
        ("pipe", "not a regular file"),
        ("lib", "not a regular file"),
        ("gone", "does not exist"),
        ("turn", "cannot be read"),
        ("main.rhai/x", "cannot be read"),
        ("nul\0", "cannot be read"),
    ] {
        let error = plugin.file(Path::new(file)).unwrap_err();
        assert_eq!(error.code(), Code::EntryPoint, "{file}: {error}");
        assert!(error.message().contains(message), "{file}: {error}");
        assert!(plugin.open(Path::new(file)).is_none(), "{file}");
    }
    assert!(started.elapsed() < Duration::from_secs(1));
    let gone = plugin.file(Path::new("gone")).unwrap_err();
    let at = gone.location().unwrap();
    assert_eq!((at.line, at.column), (6, 13));
}
