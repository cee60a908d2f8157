//! Packing: what ships, equal bytes, and that every archive is accepted.
#![cfg(feature = "archive")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are tests")]

mod support;

use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::{Code, Error};
use caraway_loaders_script::ScriptLoader;
use caraway_package::archive::{Limits, unpack};
use caraway_package::pack::{Packed, listing, pack};
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use support::{MANIFEST, tree, write_files};

fn loaders() -> Vec<Arc<dyn Loader>> {
    vec![Arc::new(ScriptLoader::default())]
}

fn listed(folder: &Path) -> Result<Vec<String>, Error> {
    Ok(listing(folder, &loaders())?.into_iter().map(|file| file.path).collect())
}

#[track_caller]
fn refused(folder: &Path, code: Code, message: &str, hint: &str) {
    let error = listed(folder).expect_err("it is listed");
    assert_eq!(error.code(), code, "{error}");
    assert!(error.message().contains(message), "{error}");
    assert!(error.hint_text().unwrap_or_default().contains(hint), "{:?}", error.hint_text());
}

#[test]
fn what_ships() {
    let outer = tempfile::tempdir().unwrap();
    let folder = &outer.path().join("demo");
    write_files(
        outer.path(),
        &[
            // Not the plugin's own.
            (".gitignore", "*.rhai\n"),
            (".git/info/exclude", "*\n"),
            ("demo/.gitignore", "*.log\n/build/\n!keep.log\nplugin.json\nentry/\n"),
            (
                "demo/plugin.json",
                r#"{"name": "demo", "version": "1.2.0", "type": "module",
                "implementation": {"entrypoint": "entry/main.rhai"}}"#,
            ),
            ("demo/entry/main.rhai", ""),
            ("demo/entry/other.rhai", ""),
            ("demo/entry/other.txt", ""),
            ("demo/lib/.gitignore", "secret\n"),
            ("demo/lib/a.rhai", ""),
            ("demo/lib/secret", ""),
            ("demo/lib/target/debug/x", ""),
            ("demo/build/x", ""),
            ("demo/x.log", ""),
            ("demo/keep.log", ""),
            ("demo/node_modules/m/i.js", ""),
            ("demo/__pycache__/x.pyc", ""),
            ("demo/.env", ""),
            ("demo/.hidden/x", ""),
            ("demo/demo-1.1.0.tar.gz", ""),
            ("demo/demo-1.2.0-beta.1.zip", ""),
            ("demo/demo-data.zip", ""),
            ("demo/lib/demo-1.1.0.tar.gz", ""),
            ("!demo/run.sh", ""),
        ],
    );
    let ships = [
        "demo-data.zip",
        "entry/main.rhai",
        "entry/other.rhai",
        "keep.log",
        "lib/a.rhai",
        "lib/demo-1.1.0.tar.gz",
        "plugin.json",
        "run.sh",
    ];
    assert_eq!(listed(folder).unwrap(), ships);
    let executable = listing(folder, &loaders()).unwrap().into_iter().filter(|file| file.executable);
    assert_eq!(executable.map(|file| file.path).collect::<Vec<_>>(), ["run.sh"]);
}

#[test]
fn what_cannot_be_packed() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    refused(folder, Code::ManifestSyntax, "is no plugin's folder", "plugin.json");
    refused(&folder.join("missing"), Code::Io, "does not exist", "");
    write_files(folder, &[("plugin.json", "{")]);
    refused(folder, Code::ManifestSyntax, "", "");
    write_files(
        folder,
        &[(
            "plugin.json",
            r#"{"name": "demo", "version": "1.2.0", "type": "module",
            "implementation": {"entrypoint": "x.rhai"}}"#,
        )],
    );
    refused(folder, Code::EntryPoint, "x.rhai of `demo` does not exist", "build it first: `caraway build ");
    write_files(folder, &[("x.rhai", ""), ("CON", "")]);
    refused(folder, Code::ArchiveRefused, "CON has a name that is a device on Windows", "rename it");
    fs::remove_file(folder.join("CON")).unwrap();
    symlink("/etc/passwd", folder.join("link")).unwrap();
    refused(folder, Code::EntryPoint, "link is a symbolic link", ".gitignore");
    // What is not packed does not matter.
    write_files(folder, &[(".gitignore", "link\npipe\n")]);
    support::pipe(&folder.join("pipe"));
    assert_eq!(listed(folder).unwrap(), ["plugin.json", "x.rhai"]);
    fs::remove_file(folder.join(".gitignore")).unwrap();
    fs::remove_file(folder.join("link")).unwrap();
    refused(folder, Code::EntryPoint, "pipe is no regular file", ".gitignore");
    fs::remove_file(folder.join("pipe")).unwrap();
    fs::rename(folder.join("x.rhai"), folder.join("y")).unwrap();
    symlink("y", folder.join("x.rhai")).unwrap();
    refused(folder, Code::EntryPoint, "x.rhai is a symbolic link", "");
    let error = pack(folder, &loaders(), &folder.join("x.rar")).unwrap_err();
    assert_eq!(
        (error.code(), error.hint_text()),
        (Code::Usage, Some("known are .tar.gz, .tgz, .tar.zst, .tar, .zip"))
    );
}

#[test]
fn the_entry_point_that_a_kind_assumes() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    write_files(folder, &[("plugin.json", MANIFEST), (".gitignore", "*.rhai")]);
    refused(folder, Code::EntryPoint, "main.rhai of `demo` does not exist", "build it first");
    write_files(folder, &[("main.rhai", "")]);
    assert_eq!(listed(folder).unwrap(), ["main.rhai", "plugin.json"]);
}

#[test]
fn a_gitignore_that_says_nothing_sure() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    let files = [
        ("plugin.json", MANIFEST),
        ("main.rhai", ""),
        ("lib/a", ""),
        ("skipped/x", ""),
        (".gitignore", "skipped"),
    ];
    write_files(folder, &files);
    support::pipe(&folder.join("skipped/.gitignore"));
    write_files(folder, &[(".gitignore", "/skipped/")]);
    assert_eq!(listed(folder).unwrap(), ["lib/a", "main.rhai", "plugin.json"]);
    support::pipe(&folder.join("lib/.gitignore"));
    refused(folder, Code::Io, "it is no regular file", "correct the .gitignore");
    fs::remove_file(folder.join("lib/.gitignore")).unwrap();
    fs::write(folder.join("lib/.gitignore"), "secret{\n").unwrap();
    refused(folder, Code::Io, "secret{", "correct the .gitignore");
}

#[test]
fn too_much_for_an_archive() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    write_files(folder, &[("plugin.json", MANIFEST), ("main.rhai", "")]);
    File::create(folder.join("sparse")).unwrap().set_len(600 << 20).unwrap();
    refused(folder, Code::ArchiveRefused, "`demo` has more than 536870912 bytes", ".gitignore");
}

#[test]
fn equal_contents_give_equal_bytes_and_come_back() {
    let long = format!("lib/{}/{}.txt", "d".repeat(90), "f".repeat(120));
    let files = [
        ("plugin.json", MANIFEST),
        ("main.rhai", "fn f() { 1 }"),
        ("empty", ""),
        ("!bin/tool", "#!/bin/sh\n"),
        ("data/\u{fc}\u{65e5} x.bin", "\u{0}\u{1}"),
        (long.as_str(), "deep"),
    ];
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_files(one.path(), &files);
    let mut reversed = files;
    reversed.reverse();
    write_files(two.path(), &reversed);
    File::open(two.path().join("main.rhai")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    for ending in ["tar.gz", "tgz", "tar.zst", "tar", "zip"] {
        let packed = |folder: &Path| -> (Packed, Vec<u8>) {
            let packed = pack(folder, &loaders(), &folder.join(format!("demo-1.2.0.{ending}"))).unwrap();
            let bytes = fs::read(&packed.path).unwrap();
            (packed, bytes)
        };
        let (of_one, bytes) = packed(one.path());
        assert_eq!(bytes, packed(two.path()).1, "{ending}");
        // Its own archive does not get into the next one.
        assert_eq!(bytes, packed(one.path()).1, "{ending}");
        assert_eq!(of_one.bytes, bytes.len() as u64);
        assert_eq!(of_one.digest, caraway_loaders_core::checksum::Digest::of(&bytes));
        assert_eq!(of_one.files.len(), files.len());
        let staging = tempfile::tempdir().unwrap();
        let mut archive = File::open(&of_one.path).unwrap();
        let folder = unpack(&mut archive, &of_one.path, staging.path(), &Limits::default()).unwrap();
        assert_eq!(folder, staging.path().join("demo-1.2.0"));
        let original: Vec<String> =
            tree(one.path()).into_iter().filter(|file| !file.starts_with("demo-")).collect();
        assert_eq!(tree(&folder), original, "{ending}");
    }
}

#[test]
fn archives_are_written_beside_their_place_and_renamed() {
    let temporary = tempfile::tempdir().unwrap();
    let (folder, out) = (temporary.path().join("demo"), temporary.path().join("out"));
    write_files(&folder, &[("plugin.json", MANIFEST), ("main.rhai", "")]);
    let error = pack(&folder, &loaders(), &out.join("x.zip")).unwrap_err();
    assert_eq!(error.code(), Code::Io, "{error}");
    fs::create_dir(&out).unwrap();
    let packed = pack(&folder, &loaders(), &out).unwrap();
    assert_eq!(packed.path, out.join("demo-1.2.0.tar.gz"));
    // One that nobody could install again is not left.
    write_files(&folder, &[("zeros", &"0".repeat(20 << 20))]);
    let error = pack(&folder, &loaders(), &out.join("bomb.tar.zst")).unwrap_err();
    assert_eq!(error.code(), Code::ArchiveRefused, "{error}");
    let left: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["demo-1.2.0.tar.gz"]);
}
