//! Which functions of a plugin are compiled, as `info --compiled` shows it.

use crate::diagnostic::location_value;
use crate::inspection::loader_here;
use crate::session::Session;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::Compilation;
use caraway_loaders_core::resolve::{Requester, Requirement, parse_import};
use caraway_loaders_core::{Code, Error, Location};
use serde_json::{Value, json};
use std::fmt::Write;
use std::sync::Arc;

/// The functions of a plugin.
pub(super) struct Compilations {
    plugin: Arc<Plugin>,
    functions: Vec<Compilation>,
}

impl Compilations {
    /// What a plugin's loader says, on this host and with these options.
    ///
    /// # Errors
    ///
    /// [`Code::Usage`] for a plugin whose functions Rhai does not run, or if nothing is compiled at all.
    pub(super) fn of(plugin: &Arc<Plugin>, session: &Arc<Session>) -> Result<Self, Error> {
        let loader = loader_here(plugin, session)?;
        let refused = |what: String| Error::new(Code::Usage, what);
        plan(plugin, session);
        let functions = loader.compilations(plugin, &session.view_of(plugin))?.ok_or_else(|| {
            let manifest = &plugin.manifest;
            match session.settings().compile {
                true => refused(format!(
                    "`{}` is of type `{}`: it has no script to compile",
                    manifest.name, manifest.kind
                ))
                .hint("ask about a plugin of type `module` or `hybrid`"),
                false => refused("nothing is compiled with `--no-compile`".to_owned()).hint("leave it out"),
            }
        })?;
        Ok(Self { plugin: plugin.clone(), functions })
    }

    pub(super) fn text(&self) -> String {
        let manifest = &self.plugin.manifest;
        let count = self.functions.iter().filter(|function| function.obstacle.is_none()).count();
        let mut text = format!(
            "{} {}: {count} of {} functions are compiled\n",
            manifest.name,
            manifest.version,
            self.functions.len()
        );
        for Compilation { signature, obstacle } in &self.functions {
            // Writing to a string cannot fail.
            let _ = match obstacle {
                None => writeln!(text, "  {signature}\n    compiled"),
                Some((what, location)) if location.line == 0 => {
                    writeln!(text, "  {signature}\n    not compiled: {what}")
                }
                Some((what, location)) => {
                    writeln!(text, "  {signature}\n    not compiled: {what}, at {location}")
                }
            };
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        let manifest = &self.plugin.manifest;
        let functions = self.functions.iter().map(|Compilation { signature, obstacle }| {
            json!({
                "name": signature.name,
                "signature": signature.to_string(),
                "compiled": obstacle.is_none(),
                "obstacle": obstacle.as_ref().map(|(what, location)| json!({
                    "message": what,
                    "location": location_value(location),
                })),
            })
        });
        json!({
            "name": manifest.name,
            "version": manifest.version.to_string(),
            "functions": functions.collect::<Vec<_>>(),
        })
    }
}

/// Selects what a plugin imports, so that its functions have types. What cannot be selected stays unknown: then it is
/// told to stand in the way.
fn plan(plugin: &Plugin, session: &Session) {
    let manifest = &plugin.manifest;
    let Ok((path, range)) = parse_import(&format!("{}@={}", manifest.name, manifest.version)) else { return };
    let from = Requester::Program { location: Location::file(manifest.file()) };
    drop(session.plan_for(vec![Requirement { path, range, from }]));
}
