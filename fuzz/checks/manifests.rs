//! Manifests: what is accepted prints as what is read as the same, and asks for what can be granted.

use super::places::check_error;
use caraway_loaders_core::capability::Grants;
use caraway_loaders_core::manifest::{Manifest, Setting};
use caraway_loaders_core::{Signature, bind::conform};
use std::path::Path;

/// Checks one input, as JSON and as TOML.
pub(crate) fn check(bytes: &[u8]) {
    for file in ["plugin.json", "plugin.toml"] {
        let file = Path::new(file);
        match Manifest::parse(file, bytes) {
            Ok(manifest) => check_accepted(&manifest),
            Err(error) => check_error(&error, file, &String::from_utf8_lossy(bytes), &["E03"]),
        }
    }
}

fn check_accepted(manifest: &Manifest) {
    assert!(!manifest.name.is_empty() && manifest.name.len() <= 64, "{:?}", manifest.name);
    assert!(!manifest.module.is_empty(), "{manifest:?}");
    for function in manifest.functions.iter().flatten() {
        let shown = function.signature.to_string();
        // Types by their names, so it is not the same signature; but it is one, and prints alike.
        let again = shown.parse::<Signature>().unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(again.to_string(), shown);
    }
    for Setting { name, ty, default, .. } in &manifest.config {
        if let Some(default) = default {
            let value = conform::from_value(default.clone());
            let taken = conform::conform(ty, value, conform::Functions::Refuse);
            assert!(taken.is_ok(), "the default of `{name}` is no {ty}: {taken:?}");
        }
    }
    let here = Path::new("/here");
    let mut grants = Grants::new(here);
    for rule in manifest.asks.rules() {
        grants
            .allow(&format!("{}:{rule}", manifest.name), here)
            .unwrap_or_else(|error| panic!("`--allow {rule}`, which is what it asks for: {error}"));
    }
    let left = manifest.asks.unanswered(&manifest.name, &grants, here);
    assert!(left.is_empty(), "{left:?} is not granted by {:?}", manifest.asks.rules());
    assert!(manifest.asks.beyond(&manifest.asks).is_empty(), "{:?}", manifest.asks);
}
