//! `caraway definitions`.

use super::Context;
use super::options::Options;
use crate::count::counted;
use crate::diagnostic::{Severity, one_line};
use crate::home::meant;
use crate::inspection::Inspection;
use crate::lookup::find;
use crate::runtime::Runtime;
use crate::session::Session;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::manifest::{Function, Manifest};
use caraway_loaders_core::resolve::parse_import;
use caraway_loaders_core::{Error, Signature, Type};
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Write definition files (.d.rhai) of plugins, from which editors know their functions
#[derive(Debug, Args)]
#[command(after_help = "\
The format is the one that Rhai writes for engines, and that its language server reads. Native code is opened only with \
`--allow native`, or in a process of its own.")]
pub(super) struct Definitions {
    /// Plugins by name, module or folder; without one, all that a program in this folder can import
    #[arg(value_name = "NAME[@REQ]|DIR")]
    plugins: Vec<String>,
    /// The folder to write to, which is made if it is missing
    #[arg(long, value_name = "DIR", default_value = ".rhai/definitions")]
    out: PathBuf,
    #[command(flatten)]
    pub(super) options: Options,
}

impl Definitions {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let runtime = context.options.runtime().build()?;
        let plugins = match self.plugins.is_empty() {
            true => {
                let session = runtime.session_in(Path::new("."))?;
                newest(&session.catalog().plugins)
                    .into_iter()
                    .map(|plugin| (session.clone(), plugin))
                    .collect()
            }
            false => {
                self.plugins.iter().map(|text| named(&runtime, text)).collect::<Result<Vec<_>, Error>>()?
            }
        };
        let cannot = |error: std::io::Error| Error::io(&self.out, "write definitions into", &error);
        std::fs::create_dir_all(&self.out).map_err(cannot)?;
        let mut written = Vec::new();
        for (session, plugin) in plugins {
            let functions = match Inspection::of(&plugin, &session).functions(&plugin.manifest) {
                Ok(functions) => functions,
                Err(error) => {
                    context.reporter.report(Severity::Warning, &error);
                    continue;
                }
            };
            let file = self.out.join(file_name(&plugin.manifest));
            std::fs::write(&file, text(&plugin.manifest, &functions)).map_err(cannot)?;
            written.push(file);
        }
        if context.options.json() {
            let files: Vec<_> = written.iter().map(|file| file.display().to_string()).collect();
            context.print_json(json!({"files": files}))?;
        } else if !context.options.quiet {
            let files = counted(written.len(), "file");
            context.print(&format!("wrote {files} to {}\n", one_line(&self.out.to_string_lossy())))?;
        }
        Ok(0)
    }
}

/// The plugin that a text means, and a session that it is in.
fn named(runtime: &Runtime, text: &str) -> Result<(Arc<Session>, Arc<Plugin>), Error> {
    let (runtime, import) = meant(runtime, text)?;
    let session = runtime.session_in(Path::new("."))?;
    let (name, range) = parse_import(&import)?;
    let plugin = find(session.catalog(), &name, &range)?.clone();
    Ok((session, plugin))
}

/// The newest version of each plugin.
fn newest(plugins: &[Arc<Plugin>]) -> Vec<Arc<Plugin>> {
    let mut newest: BTreeMap<&str, &Arc<Plugin>> = BTreeMap::new();
    for plugin in plugins {
        let known = newest.entry(&plugin.manifest.name).or_insert(plugin);
        if plugin.manifest.version > known.manifest.version {
            *known = plugin;
        }
    }
    newest.into_values().cloned().collect()
}

fn file_name(manifest: &Manifest) -> String {
    format!("{}.d.rhai", manifest.name.replace('/', "-"))
}

/// The functions of one module, by the last segment of their names, and its submodules.
#[derive(Default)]
struct Module<'a> {
    functions: Vec<(&'a str, &'a Function)>,
    submodules: BTreeMap<&'a str, Module<'a>>,
}

impl<'a> Module<'a> {
    fn add(&mut self, path: &'a str, function: &'a Function) {
        match path.split_once("::") {
            None => self.functions.push((path, function)),
            Some((submodule, rest)) => self.submodules.entry(submodule).or_default().add(rest, function),
        }
    }

    fn write(&self, indent: &str, text: &mut String) {
        for (name, submodule) in &self.submodules {
            let _ = writeln!(text, "{indent}module {name} {{");
            submodule.write(&format!("{indent}    "), text);
            let _ = writeln!(text, "{indent}}}\n");
        }
        for (name, function) in &self.functions {
            if let Some(description) = &function.description {
                let _ = writeln!(text, "{indent}/// {}", one_line(description));
            }
            let _ = writeln!(text, "{indent}{}\n", definition(name, &function.signature));
        }
    }
}

/// A definition file.
fn text(manifest: &Manifest, functions: &[Function]) -> String {
    let mut root = Module::default();
    for function in functions {
        root.add(&function.signature.name, function);
    }
    // `import "std/fs" as fs`.
    let name = manifest.module.rsplit('/').next().unwrap_or_default();
    let mut text = format!("module {name};\n\n");
    root.write("", &mut text);
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn definition(name: &str, signature: &Signature) -> String {
    let params: Vec<String> =
        signature.params.iter().map(|param| format!("{}: {}", param.name, spelled(&param.ty))).collect();
    let result = match &signature.returns {
        Type::Void => String::new(),
        ty => format!(" -> {}", spelled(ty)),
    };
    format!("fn {name}({}){result};", params.join(", "))
}

/// A type as Rhai's definition files spell it; they know nothing of what is inside.
fn spelled(ty: &Type) -> String {
    match ty {
        Type::Int => "int".to_owned(),
        Type::Float => "float".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Char => "char".to_owned(),
        Type::String | Type::Enum(_) => "String".to_owned(),
        Type::Bytes => "Blob".to_owned(),
        Type::Array(_) => "Array".to_owned(),
        Type::Map(_) | Type::Struct(_) => "Map".to_owned(),
        Type::Fn(..) => "FnPtr".to_owned(),
        Type::Void => "()".to_owned(),
        Type::Option(inner) => match &**inner {
            Type::Any => "?".to_owned(),
            inner => format!("{} | ()", spelled(inner)),
        },
        Type::Any => "?".to_owned(),
        // Buffers and handles have names of their own.
        ty => ty.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use semver::Version;

    #[test]
    fn a_file_defines_all_functions() {
        let manifest = Manifest::new("my-stats", Version::new(1, 0, 0), "module");
        let functions = [
            Function::documented("mean(xs: array<float>) -> float".parse().unwrap(), "The mean."),
            Function::documented("api::deep::f(x: any, y: int?, m: map<int>)".parse().unwrap(), ""),
            Function::documented(
                "api::g(c: char, b: bytes, f: fn(int) -> int) -> ints".parse().unwrap(),
                "G\nis it.",
            ),
        ];
        let expected = "\
module my_stats;

module api {
    module deep {
        fn f(x: ?, y: int | (), m: Map);

    }

    /// G is it.
    fn g(c: char, b: Blob, f: FnPtr) -> ints;

}

/// The mean.
fn mean(xs: Array) -> float;
";
        assert_eq!(text(&manifest, &functions), expected);
    }
}
