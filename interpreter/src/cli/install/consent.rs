//! Whether a plugin gets what it asks for.

use super::candidate::Candidate;
use crate::cli::Context;
use crate::cli::prompt::{ask, flags, listed};
use crate::config::Config;
use crate::runtime::Runtime;
use crate::trust::Trust;
use caraway_loaders_core::capability::{Asks, Grants};
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::{Code, Error, Location};
use caraway_package::store::Store;
use std::path::{Path, PathBuf};

/// What a plugin asks for when it is installed, and what becomes of it.
pub(in crate::cli) struct Consent {
    /// All of it.
    pub(in crate::cli) asks: Asks,
    /// What the version before did not ask for.
    pub(in crate::cli) new: Asks,
    /// What is granted from now on, as `--allow` takes it behind the plugin's name.
    pub(in crate::cli) rules: Vec<String>,
}

impl Consent {
    /// Finds out what a candidate may do: what the command line allows or denies, what the user's configuration allows,
    /// what the version before was allowed, and for the rest what the user says.
    ///
    /// # Errors
    ///
    /// [`Code::Denied`] if the user says no, or cannot be asked.
    pub(in crate::cli) fn obtain(
        context: &Context,
        runtime: &Runtime,
        store: &Store,
        candidate: &Candidate,
        before: Option<&Plugin>,
    ) -> Result<Self, Error> {
        let (name, asks) = (&candidate.plugin.manifest.name, &candidate.plugin.manifest.asks);
        let here = std::env::current_dir().map_err(|error| Error::io(Path::new("."), "find", &error))?;
        let new = before.map_or_else(|| asks.clone(), |before| asks.beyond(&before.manifest.asks));
        // What is denied now is not asked for again, and not remembered as allowed.
        let mut denied = Grants::new(&here);
        context.options.deny.iter().try_for_each(|text| denied.deny(text, &here))?;
        let rules = asks.unanswered(name, &denied, &here).rules();
        let mut answered = denied;
        context.options.allow.iter().try_for_each(|text| answered.allow(text, &here))?;
        Config::user()?.granted(&mut answered)?;
        for rule in remembered(runtime, store, candidate, before)? {
            answered.allow(&format!("{name}:{rule}"), &here)?;
        }
        let open = asks.unanswered(name, &answered, &here);
        if !open.is_empty() {
            settle(context, candidate, before, &new, &open)?;
        }
        Ok(Self { asks: asks.clone(), new, rules })
    }
}

/// What was allowed in this store to the version before, and to the very same content.
fn remembered(
    runtime: &Runtime,
    store: &Store,
    candidate: &Candidate,
    before: Option<&Plugin>,
) -> Result<Vec<String>, Error> {
    let trust = Trust::read()?;
    let of = |plugin: &Plugin| -> Option<Vec<String>> {
        let manifest = &plugin.manifest;
        let mut known = trust.of_plugin(&manifest.name, &manifest.version, store.folder()).peekable();
        known.peek()?;
        let content = plugin.content(&**runtime.loader_of(plugin).ok()?).ok()?;
        Some(known.filter(|known| known.content == content).flat_map(|known| known.allow.clone()).collect())
    };
    let plugins = before.into_iter().chain([&*candidate.plugin]);
    Ok(plugins.filter_map(of).flatten().collect())
}

/// Asks for what is open.
fn settle(
    context: &Context,
    candidate: &Candidate,
    before: Option<&Plugin>,
    new: &Asks,
    open: &Asks,
) -> Result<(), Error> {
    let name = &candidate.plugin.manifest.name;
    let title = candidate.title();
    let since = match before {
        Some(before) if !new.is_empty() => format!("(new since {}: {new})\n", before.manifest.version),
        _ => String::new(),
    };
    let question = format!("{title} asks for\n{}{since}Install it, and grant this?", listed(open));
    let denied = |message: String| {
        Error::new(Code::Denied, message).at(Location::file(PathBuf::from(candidate.source())))
    };
    match ask(context, &question)? {
        Some(true) => Ok(()),
        Some(false) => Err(denied(format!("`{title}` was not installed: it asks for {open}"))),
        None => Err(denied(format!(
            "`{title}` asks for {open}, which is not granted, and nobody can be asked here"
        ))
        .hint(format!(
            "allow it with {}; or do without: {}",
            flags("--allow", name, open),
            flags("--deny", name, open)
        ))),
    }
}
