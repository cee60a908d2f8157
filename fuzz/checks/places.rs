//! What every error about a file must have: a code, and a place inside of the file.

use caraway_loaders_core::{Error, is_harmful};
use std::path::Path;

/// Checks an error and those that were found with it.
pub(crate) fn check_error(error: &Error, file: &Path, text: &str, codes: &[&str]) {
    for error in [error].into_iter().chain(error.others()) {
        let code = error.code().as_str();
        assert!(codes.iter().any(|start| code.starts_with(start)), "{code}: {error}");
        assert!(!error.message().is_empty() && !error.message().contains(is_harmful), "{error:?}");
        assert!(error.message().len() < 4096 + 8 * text.len(), "a message of {}", error.message().len());
        let place = error.location().unwrap_or_else(|| panic!("{code} has no place: {error}"));
        assert_eq!(place.file, file, "{error}");
        let lines = text.matches('\n').count() + 1;
        assert!(place.line <= lines, "{place} of {lines} lines: {error}");
        if place.column > 0 {
            let line = text.split('\n').nth(place.line - 1).unwrap_or_default();
            assert!(place.column <= line.chars().count() + 1, "{place}, which is {line:?}: {error}");
        }
    }
}
