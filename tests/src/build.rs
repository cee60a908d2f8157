//! Builds the plugins of `plugins/`, as their authors would. Shared with the tests of the command line.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The library `lib<name>` of the cargo project in a folder of `plugins/`, built with these further arguments.
#[track_caller]
pub fn cargo(folder: &str, name: &str, args: &[&str]) -> Vec<u8> {
    let profile = args.iter().position(|arg| *arg == "--profile").map_or("debug", |at| args[at + 1]);
    let target = workspace().join("target/plugins");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--quiet", "--target-dir"])
        .arg(&target)
        .args(args)
        .current_dir(plugins().join(folder));
    succeeds(&mut cargo);
    std::fs::read(target.join(profile).join(file_name(name))).unwrap()
}

/// The library of one Rust file below `plugins/`, in the edition of 2021.
#[track_caller]
pub fn rustc(compiler: &Path, source: &str, args: &[&str]) -> Vec<u8> {
    library(|library| {
        let mut rustc = Command::new(compiler);
        rustc.args(["--edition", "2021", "--crate-type", "cdylib", "--crate-name", "plugin", "-o"]);
        rustc.arg(library).args(args).arg(plugins().join(source));
        rustc
    })
}

/// The compiler that these tests were built with.
pub fn own_rustc() -> PathBuf {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()).into()
}

/// The library of one C file below `plugins/`.
#[track_caller]
pub fn cc(source: &str, args: &[&str]) -> Vec<u8> {
    library(|library| {
        let mut cc = Command::new("cc");
        cc.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I"]);
        cc.arg(workspace().join("plugin-api/include"))
            .args(args)
            .arg("-o")
            .arg(library)
            .arg(plugins().join(source));
        cc
    })
}

#[track_caller]
fn library(command: impl FnOnce(&Path) -> Command) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join(file_name("plugin"));
    succeeds(&mut command(&library));
    std::fs::read(library).unwrap()
}

#[track_caller]
fn succeeds(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}:\n{}", String::from_utf8_lossy(&output.stderr));
}

/// What the library of this name is called here.
pub fn file_name(name: &str) -> String {
    format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn plugins() -> PathBuf {
    workspace().join("tests/plugins")
}
