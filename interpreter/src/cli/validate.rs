//! `caraway validate`.

use super::Context;
use super::list::{place_of, summary};
use super::options::Options;
use super::setting;
use crate::diagnostic::{Severity, error_value};
use crate::home::folder_of;
use crate::inspection::Inspection;
use crate::shadowing::shadowed;
use caraway_loaders_core::discover::{Catalog, Origin, SearchPath, discover};
use caraway_loaders_core::{Code, Error};
use clap::Args;
use serde_json::json;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Check plugins: everything that is wrong with a manifest, and whether the code offers what it declares
#[derive(Debug, Args)]
#[command(
    after_help = "Native code is opened only with `--allow native`, or in a process of its own: its constructors run when \
it is."
)]
pub(super) struct Validate {
    /// A plugin's folder, its manifest, or a folder of plugins
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) options: Options,
}

impl Validate {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let runtime = context.options.runtime().build()?;
        let session = runtime.session_in(Path::new("."))?;
        let mut problems = Vec::new();
        let mut plugins = Vec::new();
        let mut text = String::new();
        for path in &self.paths {
            let catalog = match folder_of(path) {
                Ok(folder) => discover(&[SearchPath::explicit(folder, "PATH")], runtime.loaders()),
                Err(error) => {
                    problems.push(error);
                    continue;
                }
            };
            let found = catalog.plugins.iter().filter(|plugin| plugin.origin != Origin::BuiltIn);
            for plugin in found {
                let (state, functions, refusal) = match Inspection::of(plugin, &session) {
                    Inspection::Offers(signatures) => ("checked", Some(signatures), None),
                    Inspection::NotChecked(refusal) => ("not checked", None, Some(refusal)),
                    Inspection::NotBuilt(error) | Inspection::Broken(error) => {
                        problems.push(error);
                        continue;
                    }
                };
                let signatures: Vec<String> =
                    functions.iter().flatten().map(|function| function.to_string()).collect();
                let hint = refusal.as_ref().and_then(|refusal| refusal.hint_text());
                let note = match hint {
                    None => String::new(),
                    Some(hint) => format!("; its code was not checked: {hint}"),
                };
                let _ = writeln!(text, "{}: {} is fine{note}", place_of(plugin), plugin.id());
                if context.options.verbose {
                    signatures.iter().for_each(|signature| text.push_str(&format!("  {signature}\n")));
                    text.push_str(&setting::text(&plugin.manifest.config));
                }
                let mut entry = summary(plugin);
                entry["code"] = json!(state);
                entry["hint"] = json!(hint);
                entry["config"] = setting::list(&plugin.manifest.config);
                entry["functions"] = json!(functions.is_some().then_some(signatures));
                plugins.push(entry);
            }
            problems.extend(self.of_catalog(context, path, catalog));
        }
        let ok = problems.is_empty();
        if context.options.json() {
            let problems: Vec<_> = problems.iter().map(error_value).collect();
            context.print_json(json!({"ok": ok, "plugins": plugins, "problems": problems}))?;
        } else {
            if !context.options.quiet {
                context.print(&text)?;
            }
            problems.iter().for_each(|problem| context.reporter.report(Severity::Error, problem));
        }
        Ok(problems.first().map_or(0, |problem| problem.code().exit_code()))
    }

    /// What is wrong with what was found below a path.
    fn of_catalog(&self, context: &Context, path: &Path, catalog: Catalog) -> Vec<Error> {
        let shadowed = shadowed(&catalog);
        let nothing = catalog.errors.is_empty()
            && catalog.plugins.iter().all(|plugin| plugin.origin == Origin::BuiltIn);
        let mut problems = catalog.errors;
        if nothing {
            problems.push(
                Error::new(Code::EntryPoint, format!("{} holds no plugin", path.display()))
                    .hint("a plugin's folder has a plugin.json or a plugin.toml"),
            );
        }
        if context.options.strict {
            problems.extend(shadowed);
        } else if !context.options.quiet {
            shadowed.iter().for_each(|error| context.reporter.report(Severity::Warning, error));
        }
        problems
    }
}
