//! `--allow` and `--deny`: a denial takes away all that the same text allows, and nothing is granted without a rule.

use caraway_loaders_core::capability::{Access, Asks, FileMode, Grants, Request};
use caraway_loaders_core::output::Stream;
use caraway_loaders_core::{Code, is_harmful};
use std::path::Path;

/// Checks one input.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let here = Path::new("/here");
    let mut allowed = Grants::new(here);
    if let Err(error) = allowed.allow(text, here) {
        assert_eq!(error.code(), Code::Usage, "{error}");
        assert!(error.hint_text().is_some() && !error.message().contains(is_harmful), "{error:?}");
        assert!(Grants::new(here).deny(text, here).is_err(), "{text:?} can be denied and not allowed");
        return;
    }
    let mut denied = allowed.clone();
    denied.deny(text, here).unwrap_or_else(|error| panic!("{text:?} can be allowed and not denied: {error}"));
    // Each after a comma, a colon and an equals sign is a name that requests may use.
    let words = text.split([',', ':', '=']).filter(|word| !word.is_empty()).take(8);
    let words: Vec<&str> = words.collect();
    let mut all = Asks::default();
    for name in ["io", "native", "network", "filesystem", "process", "env"] {
        all.add(name, None).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let plugins = words.iter().copied().filter(|word| word.len() <= 64).chain(["other"]);
    let plugins: Vec<Option<&str>> = plugins.map(Some).chain([None]).collect();
    for plugin in plugins {
        let access = |grants: &Grants| match plugin {
            Some(plugin) => Access::plugin(plugin, &all, grants, here),
            None => Access::program(grants, here),
        };
        let (with, without) = (access(&allowed), access(&denied));
        let silent = plugin.map(|plugin| Access::plugin(plugin, &Asks::default(), &allowed, here));
        let check = |request: &Request<'_>| {
            if with.check(request).is_ok() {
                let printing = matches!(request, Request::Print(_));
                assert!(without.check(request).is_err(), "{text:?} for {plugin:?} still allows {request:?}");
                if let Some(silent) = &silent {
                    assert!(silent.check(request).is_err() || printing, "{request:?} was not asked for");
                }
            }
        };
        for word in &words {
            check(&Request::Environment(word));
            check(&Request::Run { program: word, arguments: &[] });
            check(&Request::Connect { host: word, port: 80 });
            let paths = [here.join(word), here.join(word).join("inside"), Path::new("/").join(word)];
            for path in &paths {
                check(&Request::File(FileMode::Read, path));
                check(&Request::File(FileMode::Write, path));
            }
        }
        check(&Request::Native);
        if plugin.is_some() {
            check(&Request::Print(Stream::Stdout));
            check(&Request::Print(Stream::Stderr));
        }
    }
}
