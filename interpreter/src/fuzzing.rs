//! Files of a project, made of arbitrary bytes: `caraway.lock` and `caraway.toml`. For the targets `locks` and `configs`
//! of `fuzz/`, and for tests that do the same with fewer inputs.

use crate::config::{Config, shown};
use crate::lock::Lockfile;
use caraway_loaders_core::{Error, is_harmful};
use std::path::Path;

/// Checks one input as a lock file: as it is, and as one whose digest is right.
///
/// # Panics
///
/// If something that was said is not read as it should be.
pub fn check_lock(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let file = Path::new("/project/caraway.lock");
    let outcome = Lockfile::parse(file.to_owned(), text);
    if let Err(error) = &outcome {
        check_error(error, file, text);
    }
    let sealed = Lockfile::sealed(text);
    assert!(outcome.is_err() || sealed.is_some(), "{text:?}");
    let Some(sealed) = sealed else { return };
    match Lockfile::parse(file.to_owned(), &sealed) {
        Ok(lock) => {
            let written = lock.to_text().unwrap_or_else(|error| panic!("{sealed:?} is not written: {error}"));
            let again = Lockfile::parse(file.to_owned(), &written);
            assert_eq!(again.unwrap_or_else(|error| panic!("{written:?}: {error}")), lock);
            assert!(lock.entries().all(|entry| lock.get(&entry.name, &entry.version) == Some(entry)));
        }
        Err(error) => {
            check_error(&error, file, &sealed);
            assert!(
                error.message().contains("twice") || error.message().contains("format"),
                "{sealed:?}: {error}"
            );
        }
    }
}

/// Checks one input as a `caraway.toml`.
///
/// # Panics
///
/// If something that was said is not read as it should be.
pub fn check_config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let file = Path::new("/project/caraway.toml");
    match Config::parse(file, text) {
        Ok(config) => {
            assert!(config.plugin_path.iter().all(|path| path.is_absolute()), "{:?}", config.plugin_path);
            for (name, requirement, place) in &config.dependencies {
                let again = requirement.to_string().parse::<semver::VersionReq>();
                assert_eq!(again.as_ref().ok(), Some(requirement), "{name}");
                assert!(place.line >= 1 && place.line <= text.split('\n').count(), "{place}");
            }
            for limits in [&config.program_limits, &config.plugin_limits] {
                let limits = limits.apply(caraway_loaders_core::limits::Limits::PROGRAM);
                assert!(limits.is_ok_and(|limits| limits.call_depth <= 512), "{text:?}");
            }
        }
        Err(error) => check_error(&error, file, text),
    }
}

fn check_error(error: &Error, file: &Path, text: &str) {
    assert!(!error.message().is_empty() && !error.message().contains(is_harmful), "{error:?}");
    let code = error.code().as_str();
    assert!(code.starts_with("E02") || code.starts_with("E03") || code.starts_with("E06"), "{code}: {error}");
    let place = error.location().unwrap_or_else(|| panic!("{code} has no place: {error}"));
    assert_eq!(place.file, shown(file), "{error}");
    assert!(place.line <= text.split('\n').count(), "{place}: {error}");
}

#[cfg(test)]
#[path = "../../fuzz/checks/inputs.rs"]
mod inputs;

#[cfg(test)]
mod tests {
    use super::inputs;

    #[test]
    fn lock_files() {
        inputs::run("locks", super::check_lock);
    }

    #[test]
    fn configurations() {
        inputs::run("configs", super::check_config);
    }
}
