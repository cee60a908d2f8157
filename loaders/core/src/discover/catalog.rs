//! All plugins on all search paths.

use super::candidate::{Candidate, Outcome};
use super::folder::{Folder, Shape};
use super::manifest_file::is_manifest;
use super::plugin::{Origin, Plugin};
use super::search_path::SearchPath;
use crate::code::Code;
use crate::error::{Error, Location};
use crate::loader::Loader;
use semver::Version;
use std::collections::{HashMap, HashSet};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;

/// From how many candidates on more than one thread reads them.
const WORTH_THREADS: usize = 64;

/// The plugins that were found, and what is wrong with the others.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Catalog {
    /// The plugins, each name and version once, in the order of the search paths and of their names; last the
    /// built-ins.
    pub plugins: Vec<Arc<Plugin>>,
    /// Search paths that cannot be read and plugins that are broken.
    pub errors: Vec<Error>,
    /// Plugins that are not used because one of the same name and version was found before.
    pub shadowed: Vec<Shadowed>,
}

/// A plugin that is not used.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Shadowed {
    /// The plugin.
    pub plugin: Arc<Plugin>,
    /// The one that is used.
    pub by: Arc<Plugin>,
}

/// Looks for plugins in `paths`, in this order, and among those that `loaders` provide.
///
/// Manifests are read and checked, by [`Loader::validate`] too; no code is opened. The result does not depend
/// on the order in which the system lists folders.
///
/// ```
/// use caraway_loaders_core::discover::{SearchPath, discover};
///
/// let catalog = discover(&[SearchPath::explicit("/no/such/folder", "--plugin-path")], &[]);
/// assert!(catalog.plugins.is_empty());
/// assert_eq!(catalog.errors[0].message(), "the search path /no/such/folder does not exist");
/// ```
pub fn discover(paths: &[SearchPath], loaders: &[Arc<dyn Loader>]) -> Catalog {
    let mut catalog = Catalog::default();
    let mut candidates = Vec::new();
    let mut seen = HashSet::new();
    for search_path in paths {
        match candidates_in(search_path, &mut seen) {
            Ok(found) => candidates.extend(found),
            Err(error) => catalog.errors.extend(search_path.unreadable(&error)),
        }
    }
    let built_in: Vec<Arc<Plugin>> = loaders
        .iter()
        .flat_map(|loader| loader.provided())
        .map(|manifest| Arc::new(Plugin::new(manifest, "", Origin::BuiltIn)))
        .collect();
    let mut first: HashMap<(String, Version), usize> = HashMap::new();
    for outcome in read_all(&candidates, loaders) {
        let plugin = match outcome {
            None => continue,
            Some(Err(error)) => {
                catalog.errors.push(error);
                continue;
            }
            Some(Ok(plugin)) => plugin,
        };
        if let Some(error) = shadows_built_in(&plugin, &built_in) {
            catalog.errors.push(error);
            continue;
        }
        let key = (plugin.manifest.name.clone(), plugin.manifest.version.clone());
        match first.get(&key) {
            // A search path may lie in another one.
            Some(&index) if catalog.plugins[index].root == plugin.root => {}
            Some(&index) => {
                let by = catalog.plugins[index].clone();
                catalog.shadowed.push(Shadowed { plugin, by });
            }
            None => {
                first.insert(key, catalog.plugins.len());
                catalog.plugins.push(plugin);
            }
        }
    }
    catalog.plugins.extend(built_in);
    catalog
}

/// What may be a plugin in a search path: the path itself, or what is in it. A folder that was looked at
/// before under another name has nothing new.
fn candidates_in(
    search_path: &SearchPath,
    seen: &mut HashSet<(u64, u64)>,
) -> std::io::Result<Vec<Candidate>> {
    let folder = Arc::new(Folder::open(search_path.path.clone())?);
    if !seen.insert(folder.identity()?) {
        return Ok(Vec::new());
    }
    let names = folder.names(usize::MAX)?;
    let candidate = |name: PathBuf, shape| Candidate { search_path: folder.clone(), name, shape };
    if names.iter().any(|(name, _)| name.to_str().is_some_and(is_manifest)) {
        return Ok(vec![candidate(PathBuf::new(), Shape::Folder)]);
    }
    Ok(names.into_iter().filter_map(|(name, shape)| Some(candidate(name.into(), shape?))).collect())
}

/// Reads candidates, on several threads if there are many; the order stays.
fn read_all(candidates: &[Candidate], loaders: &[Arc<dyn Loader>]) -> Vec<Outcome> {
    let read = |part: &[Candidate]| part.iter().map(|candidate| candidate.read(loaders)).collect::<Vec<_>>();
    if candidates.len() < WORTH_THREADS {
        return read(candidates);
    }
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(8);
    if threads == 1 {
        return read(candidates);
    }
    let (own, others) = candidates.split_at(candidates.len() / threads);
    std::thread::scope(|scope| {
        let mut parts = Vec::with_capacity(threads);
        for part in others.chunks(others.len().div_ceil(threads - 1).max(1)) {
            parts.push((part, std::thread::Builder::new().spawn_scoped(scope, move || read(part))));
        }
        let mut outcomes = read(own);
        for (part, thread) in parts {
            outcomes.extend(match thread.map(|thread| thread.join()) {
                Ok(Ok(found)) => found,
                Ok(Err(_)) => {
                    vec![Some(Err(Error::new(Code::Internal, "a loader panicked over a manifest")))]
                }
                // There are no more threads to be had.
                Err(_) => read(part),
            });
        }
        outcomes
    })
}

/// The error for a plugin that would be imported in place of a built-in.
fn shadows_built_in(plugin: &Plugin, built_in: &[Arc<Plugin>]) -> Option<Error> {
    let manifest = &plugin.manifest;
    let taken = built_in.iter().find(|other| {
        let other = &other.manifest;
        [&other.name, &other.module].iter().any(|name| **name == manifest.name || **name == manifest.module)
    })?;
    let field = if manifest.module == taken.manifest.module { "module" } else { "name" };
    let location = match manifest.file().as_os_str().is_empty() {
        true => Location::file(&plugin.root),
        false => manifest.locate(field),
    };
    Some(
        Error::new(
            Code::Unavailable,
            format!("`{}` has the name of the built-in `{}`", manifest.name, taken.manifest.name),
        )
        .at(location)
        .hint("give the plugin and its module another name"),
    )
}
