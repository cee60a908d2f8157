//! Lock files made from plans.

use super::{Entry, Lockfile, entry};
use crate::session::Session;
use caraway_loaders_core::discover::{Origin, Plugin};
use caraway_loaders_core::loader::Loader;
use caraway_loaders_core::{Error, TARGET};
use std::path::Path;

/// Adds to `lock` the plugins of the plan of `session`, whose project it is for. `old` is what was locked before: what
/// it says of binaries for other targets stays where they are not here.
///
/// # Errors
///
/// A file that the plan needs is missing or cannot be read.
pub(crate) fn make(session: &Session, lock: &mut Lockfile, old: Option<&Lockfile>) -> Result<(), Error> {
    let plan = session.planned();
    let folder = lock.file.parent().unwrap_or(Path::new("")).to_owned();
    for plugin in plan.plugins().filter(|plugin| plugin.origin != Origin::BuiltIn) {
        let loader = session.loader(plugin)?;
        let mut entry = Entry {
            name: plugin.manifest.name.clone(),
            version: plugin.manifest.version.clone(),
            source: Some(source(plugin, &folder)),
            dependencies: entry::dependencies(&plan, &plugin.id()),
            granted: session.authority().requested(&plugin.manifest.name),
            files: entry::Files::new(),
            binaries: Default::default(),
        };
        add_files(&mut entry, plugin, &*loader)?;
        let before = old.and_then(|old| old.get(&entry.name, &entry.version));
        if let Some(before) = before.filter(|before| before.files == entry.files) {
            for (target, files) in &before.binaries {
                entry.binaries.entry(target.clone()).or_insert_with(|| files.clone());
            }
        }
        lock.insert(entry);
    }
    Ok(())
}

/// The digests of the manifest and of all that could be loaded, here or elsewhere.
fn add_files(entry: &mut Entry, plugin: &Plugin, loader: &dyn Loader) -> Result<(), Error> {
    if let Some(name) = plugin.manifest.file().file_name() {
        entry.files.insert(name.to_string_lossy().into_owned(), plugin.manifest.digest());
    }
    for file in loader.files(plugin)? {
        let files = match &file.target {
            None => &mut entry.files,
            Some(target) if target == TARGET => entry.binaries.entry(target.clone()).or_default(),
            // Those of other targets may be left out, and those of a plain list are for who knows what.
            Some(target) if target == "*" || plugin.file(&file.path).is_err() => continue,
            Some(target) => entry.binaries.entry(target.clone()).or_default(),
        };
        let (path, digest) = plugin.digest(&file.path)?;
        files.insert(path, digest);
    }
    Ok(())
}

/// Where a plugin can be had: what it was installed from; else where it is, from the folder of the lock file if it is
/// below it.
fn source(plugin: &Plugin, folder: &Path) -> String {
    let root = std::path::absolute(&plugin.root).unwrap_or_else(|_| plugin.root.clone());
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    #[cfg(feature = "install")]
    let (root, folder) = match caraway_package::store::Record::read(&plugin.root) {
        // A path is one without links.
        Ok(Some(record)) if Path::new(&record.source).is_absolute() => {
            (record.source.into(), folder.canonicalize().unwrap_or(folder))
        }
        Ok(Some(record)) => return record.source,
        _ => (root, folder),
    };
    match root.strip_prefix(&folder) {
        Ok(inner) if inner.as_os_str().is_empty() => ".".to_owned(),
        Ok(inner) => inner.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/"),
        Err(_) => root.to_string_lossy().into_owned(),
    }
}
