//! Runs a plugin's `build_cmd` where its binary is missing or older than its sources.

use crate::notes::Notes;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::output::{Output, Stream};
use caraway_loaders_core::{Code, Error};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

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
    let (Some(binary), Some(command)) = (loader.binary(plugin), &plugin.manifest.implementation.build_cmd)
    else {
        return Ok(());
    };
    if !is_stale(plugin, &binary) {
        return Ok(());
    }
    let Some((program, args)) = command.split_first() else { return Ok(()) };
    if notes >= Notes::Builds {
        output.line(Stream::Stderr, &format!("building {}: {}", plugin.id(), command.join(" ")));
    }
    let failed = |what: String| {
        Error::new(Code::BuildFailed, format!("`{}` of {} {what}", command.join(" "), plugin.id()))
            .at(plugin.manifest.locate("implementation.build_cmd"))
    };
    let status = Command::new(program)
        .args(args)
        .current_dir(&plugin.root)
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .map_err(|error| failed(format!("cannot be run: {error}")).hint(format!("install `{program}`")))?;
    if !status.success() {
        return Err(failed(format!("failed: {status}")).hint("what it printed stands above"));
    }
    if !binary.is_file() {
        return Err(failed(format!("made no {}", binary.display()))
            .hint("`implementation.entrypoint` and `build_cmd` must name the same file"));
    }
    Ok(())
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
