//! Which of a plugin's files is its library here.

use caraway_loaders_core::loader::PluginFile;
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_core::{Code, Error, TARGET};
use std::env::consts::DLL_EXTENSION;
use std::path::Path;

/// The library that the manifest names for this host, inside the plugin's folder: the one of `binaries` for
/// [`TARGET`]; in a list, the first with this system's extension (`.so`, `.dylib`); else `entrypoint`.
///
/// # Errors
///
/// [`Code::EntryPoint`] if it names none.
pub fn library_of(manifest: &Manifest) -> Result<&Path, Error> {
    find(manifest, manifest.implementation.entrypoint.as_deref())
}

/// As [`library_of`], for a plugin whose `entrypoint` is something else.
///
/// # Errors
///
/// As [`library_of`].
pub fn binary_of(manifest: &Manifest) -> Result<&Path, Error> {
    find(manifest, None)
}

/// The libraries that the manifest names, each for its target; in a list, those that are not for this host are
/// for `*`. `here` is the one for this host.
pub fn binary_files(manifest: &Manifest, here: &Path) -> Vec<PluginFile> {
    let binaries = manifest.implementation.binaries.iter();
    let mut files: Vec<PluginFile> = binaries
        .flat_map(|(target, files)| files.iter().map(move |file| PluginFile::for_target(file, target)))
        .filter(|file| file.path != here)
        .collect();
    files.push(PluginFile::for_target(here, TARGET));
    files
}

fn find<'a>(manifest: &'a Manifest, otherwise: Option<&'a Path>) -> Result<&'a Path, Error> {
    let binaries = &manifest.implementation.binaries;
    let of_target = binaries.get(TARGET).and_then(|files| files.first());
    let of_list = || {
        let mut files = binaries.get("*")?.iter();
        files.find(|file| file.extension().is_some_and(|extension| extension == DLL_EXTENSION))
    };
    if let Some(file) = of_target.or_else(of_list) {
        return Ok(file);
    }
    if let Some(file) = otherwise {
        return Ok(file);
    }
    let known: Vec<&str> = binaries.keys().map(String::as_str).filter(|key| *key != "*").collect();
    let message = format!("`{}` names no library for {TARGET}", manifest.name);
    Err(Error::new(Code::EntryPoint, message).at(manifest.locate("implementation.binaries")).hint(
        if known.is_empty() {
            format!("add `implementation.binaries` with the key `{TARGET}`, or a list with a .{DLL_EXTENSION} file")
        } else {
            format!("it has libraries for {}; build it for this target", known.join(", "))
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use semver::Version;
    use std::path::PathBuf;

    fn manifest(entrypoint: Option<&str>, binaries: &[(&str, &[&str])]) -> Manifest {
        let mut manifest = Manifest::new("x", Version::new(1, 0, 0), "native");
        manifest.implementation.entrypoint = entrypoint.map(PathBuf::from);
        for (key, files) in binaries {
            let files = files.iter().map(PathBuf::from).collect();
            manifest.implementation.binaries.insert((*key).to_owned(), files);
        }
        manifest
    }

    #[test]
    fn the_nearest_file_is_taken() {
        let here = format!("here.{DLL_EXTENSION}");
        for (entrypoint, binaries, expected) in [
            (Some("lib.so"), vec![], "lib.so"),
            (Some("lib.so"), vec![(TARGET, &["a"][..])], "a"),
            (Some("lib.so"), vec![("wasm32-none", &["a"][..])], "lib.so"),
            (None, vec![("*", &["a.other", &here][..])], &here),
        ] {
            assert_eq!(library_of(&manifest(entrypoint, &binaries)).unwrap(), Path::new(expected));
        }
    }

    #[test]
    fn no_file_is_an_error() {
        let error = library_of(&manifest(None, &[("wasm32-none", &["a"])])).unwrap_err();
        assert_eq!(error.code(), Code::EntryPoint);
        assert!(error.hint_text().unwrap().contains("wasm32-none"), "{error:?}");
        assert!(binary_of(&manifest(Some("main.rhai"), &[])).is_err());
    }
}
