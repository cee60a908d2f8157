//! Runs a plugin's `build_cmd`.

use crate::notes::Notes;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::output::{Output, Stream};
use caraway_loaders_core::{Code, Error};
use std::env::consts::{DLL_EXTENSION, DLL_PREFIX};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

/// Where cargo puts a `cdylib` that is released, below its target folder.
const RELEASE: &str = "release";

/// Builds the plugin if its kind has a binary and it is missing or stale. What the command prints goes to
/// standard error.
///
/// # Errors
///
/// [`Code::BuildFailed`] if the command cannot be run, fails, or makes no binary.
pub(crate) fn if_stale(
    plugin: &Plugin,
    loader: &dyn Loader,
    output: &Output,
    notes: Notes,
) -> Result<(), Error> {
    match (loader.binary(plugin), &plugin.manifest.implementation.build_cmd) {
        (Some(binary), Some(command)) if is_stale(plugin, &binary) => {
            run(plugin, command, output, notes)?;
            found(plugin, &binary)
        }
        _ => Ok(()),
    }
}

/// Runs a plugin's `build_cmd` in its folder. What it prints goes to standard error.
///
/// # Errors
///
/// [`Code::BuildFailed`] if the command cannot be run, or fails.
pub(crate) fn run(plugin: &Plugin, command: &[String], output: &Output, notes: Notes) -> Result<(), Error> {
    let Some((program, args)) = command.split_first() else { return Ok(()) };
    if notes >= Notes::Builds {
        output.line(Stream::Stderr, &format!("building {}: {}", plugin.id(), command.join(" ")));
    }
    let status = Command::new(program)
        .args(args)
        .current_dir(&plugin.root)
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .map_err(|error| {
            failed(plugin, &format!("cannot be run: {error}")).hint(format!("install `{program}`"))
        })?;
    match status.success() {
        true => Ok(()),
        false => Err(failed(plugin, &format!("failed: {status}")).hint("what it printed stands above")),
    }
}

/// Checks that the binary is there.
///
/// # Errors
///
/// [`Code::BuildFailed`] if `build_cmd` has not made it, [`Code::EntryPoint`] if there is no such command. The
/// hint says what cargo made instead, if it did.
pub(crate) fn found(plugin: &Plugin, binary: &Path) -> Result<(), Error> {
    if binary.is_file() {
        return Ok(());
    }
    let shown = binary.strip_prefix(&plugin.root).unwrap_or(binary).display();
    let Some(command) = &plugin.manifest.implementation.build_cmd else {
        return Err(Error::new(Code::EntryPoint, format!("{shown} of {} does not exist", plugin.id()))
            .at(plugin.manifest.locate("implementation"))
            .hint("put it there, or say in `implementation.build_cmd` how it is made"));
    };
    let by_cargo = command.first().is_some_and(|program| program == "cargo");
    let hint = by_cargo.then(|| made_by_cargo(plugin, binary)).flatten();
    let hint = hint.unwrap_or_else(|| "the manifest and `build_cmd` must name the same file".to_owned());
    Err(failed(plugin, &format!("made no {shown}")).hint(hint))
}

fn failed(plugin: &Plugin, what: &str) -> Error {
    let command = plugin.manifest.implementation.build_cmd.as_deref().unwrap_or_default().join(" ");
    Error::new(Code::BuildFailed, format!("`{command}` of {} {what}", plugin.id()))
        .at(plugin.manifest.locate("implementation.build_cmd"))
}

/// What to do about the library that cargo made in another place or under another name.
fn made_by_cargo(plugin: &Plugin, binary: &Path) -> Option<String> {
    let name = binary.file_name()?;
    let root = plugin.root.canonicalize().ok()?;
    let elsewhere = |target: PathBuf| {
        let made = target.join(RELEASE).join(name);
        made.is_file().then(|| made.display().to_string())
    };
    if let Some(made) = std::env::var_os("CARGO_TARGET_DIR").and_then(|folder| elsewhere(root.join(folder))) {
        return Some(format!("cargo made {made}: unset CARGO_TARGET_DIR"));
    }
    if let Some(made) = library_in(&root.join("target").join(RELEASE), name) {
        let made = made.strip_prefix(&root).unwrap_or(&made).display().to_string();
        return Some(format!("cargo made {made}: name it in the manifest's `implementation`"));
    }
    let made = root.ancestors().skip(1).find_map(|folder| elsewhere(folder.join("target")))?;
    Some(format!(
        "cargo made {made}, where the plugin's workspace is: write `[workspace]` into the plugin's Cargo.toml"
    ))
}

/// The library of this name in a folder, or the only one.
fn library_in(folder: &Path, name: &OsStr) -> Option<PathBuf> {
    let mut libraries = Vec::new();
    for path in folder.read_dir().ok()?.flatten().map(|entry| entry.path()) {
        let file = path.file_name()?;
        if file == name {
            return Some(path);
        }
        let extension = path.extension().is_some_and(|extension| extension == DLL_EXTENSION);
        if extension && file.to_string_lossy().starts_with(DLL_PREFIX) {
            libraries.push(path);
        }
    }
    libraries.pop().filter(|_| libraries.is_empty())
}

/// Whether the binary is missing, or older than the manifest or any of its sources.
fn is_stale(plugin: &Plugin, binary: &Path) -> bool {
    let Ok(built) = binary.metadata().and_then(|metadata| metadata.modified()) else { return true };
    let mut newest = modified(plugin.manifest.file());
    for source in &plugin.manifest.implementation.sources {
        newest = newest.max(newest_below(&plugin.root.join(source)));
    }
    newest.is_some_and(|newest| newest > built)
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.symlink_metadata().and_then(|metadata| metadata.modified()).ok()
}

/// The newest file of a folder, or the file itself. Links are not followed.
fn newest_below(path: &Path) -> Option<SystemTime> {
    let mut newest = None;
    let mut open: Vec<PathBuf> = vec![path.to_owned()];
    while let Some(path) = open.pop() {
        newest = newest.max(modified(&path));
        if path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir())
            && let Ok(entries) = path.read_dir()
        {
            open.extend(entries.flatten().map(|entry| entry.path()));
        }
    }
    newest
}
