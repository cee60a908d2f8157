//! `caraway doc`.

use super::Context;
use super::options::Options;
use crate::diagnostic::one_line;
use crate::home::meant;
use crate::inspection::Inspection;
use crate::lookup::find;
use crate::session::Session;
use caraway_loaders_core::bind::suggest;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::manifest::Function;
use caraway_loaders_core::resolve::parse_import;
use caraway_loaders_core::{Code, Error, escape};
use clap::Args;
use serde_json::json;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

/// Show the documentation of a plugin, or of one of its functions
#[derive(Debug, Args)]
#[command(after_help = "\
For example `caraway doc stats` or `caraway doc stats::mean`. What is shown is what the manifest says, or else the comments \
of the code. Native code is opened only with `--allow native`, or in a process of its own.")]
pub(super) struct Doc {
    /// A plugin's name or module and which versions will do, or its folder; and perhaps a function
    #[arg(value_name = "NAME[@REQ]|DIR[::FUNCTION]")]
    of: String,
    #[command(flatten)]
    pub(super) options: Options,
}

impl Doc {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let (plugin, function) =
            self.of.split_once("::").map_or((&*self.of, None), |(plugin, f)| (plugin, Some(f)));
        let (runtime, import) = meant(&context.options.runtime().build()?, plugin)?;
        let session = runtime.session_in(Path::new("."))?;
        let (name, range) = parse_import(&import)?;
        let plugin = find(session.catalog(), &name, &range)?;
        if context.options.json() {
            let functions = functions(plugin, &session, function)?;
            let entry = |function: &Function| {
                json!({
                    "function": function.signature.name,
                    "signature": function.signature.to_string(),
                    "description": function.description,
                    "documentation": function.documentation,
                    "deprecated": function.deprecated,
                    "params": function.signature.params.iter().map(|param| json!({
                        "name": param.name,
                        "type": param.ty.to_string(),
                    })).collect::<Vec<_>>(),
                })
            };
            context.print_json(json!({
                "name": plugin.manifest.name,
                "version": plugin.manifest.version.to_string(),
                "description": plugin.manifest.description,
                "functions": functions.iter().map(entry).collect::<Vec<_>>(),
            }))?;
        } else {
            context.print_wrapped(&text(plugin, &session, module_of(plugin), function)?)?;
        }
        Ok(0)
    }
}

/// What a program would call the module.
fn module_of(plugin: &Plugin) -> &str {
    plugin.manifest.module.rsplit('/').next().unwrap_or_default()
}

/// The documentation of a plugin, which is imported as `alias`, or of one of its functions.
///
/// # Errors
///
/// A plugin that cannot be looked at, and [`Code::UnknownFunction`].
pub(super) fn text(
    plugin: &Arc<Plugin>,
    session: &Session,
    alias: &str,
    function: Option<&str>,
) -> Result<String, Error> {
    let functions = functions(plugin, session, function)?;
    let manifest = &plugin.manifest;
    let mut text = String::new();
    if function.is_none() {
        let _ = writeln!(text, "{} {}", manifest.name, manifest.version);
        if let Some(description) = &manifest.description {
            let _ = writeln!(text, "{}", one_line(description));
        }
        let _ = writeln!(text, "\n    import {:?} as {alias};\n", manifest.name);
    }
    for function in &functions {
        let _ = writeln!(text, "{alias}::{}", function.signature);
        if let Some(advice) = &function.deprecated {
            let advice = if advice.is_empty() { String::new() } else { format!(": {advice}") };
            let _ = writeln!(text, "    Deprecated{}", one_line(&advice));
        }
        let whole = function.documentation.as_ref().or(function.description.as_ref());
        for line in whole.map(|text| escape(text)).iter().flat_map(|text| text.lines()) {
            let _ = writeln!(text, "{}", format!("    {line}").trim_end());
        }
    }
    Ok(text)
}

fn functions(plugin: &Arc<Plugin>, session: &Session, named: Option<&str>) -> Result<Vec<Function>, Error> {
    let functions = Inspection::of(plugin, session).functions(&plugin.manifest)?;
    let Some(name) = named else { return Ok(functions) };
    let inside = format!("{name}::");
    let names: Vec<String> = functions.iter().map(|function| function.signature.name.clone()).collect();
    let mut found = functions;
    found.retain(|function| function.signature.name == name || function.signature.name.starts_with(&inside));
    if found.is_empty() {
        let what = format!("`{}` has no function `{name}`", plugin.manifest.name);
        let error = Error::new(Code::UnknownFunction, what);
        return Err(match suggest(name, names.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("`caraway doc {}` shows those that it has", plugin.manifest.name)),
        });
    }
    Ok(found)
}
