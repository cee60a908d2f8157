//! All about one plugin.

use super::list::{place_of, summary};
use super::setting;
use crate::diagnostic::one_line;
use crate::inspection::Inspection;
use caraway_loaders_core::capability::{Access, Capability};
use caraway_loaders_core::discover::{Origin, Plugin};
use caraway_loaders_core::manifest::{Dependency, Function};
use caraway_loaders_core::{Error, Type};
use semver::Version;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What `info` shows.
pub(super) struct Facts {
    pub(super) plugin: Arc<Plugin>,
    pub(super) access: Access,
    /// Whether it runs in a process of its own.
    pub(super) isolated: bool,
    /// Whether it runs in the host's with all of the host's rights, which `native` is for.
    pub(super) trusted: bool,
    /// The look at its code, if there was one.
    pub(super) inspection: Option<Inspection>,
    /// What it depends on, and the version that is there for it.
    pub(super) dependencies: Vec<(Dependency, Option<Version>)>,
    /// Plugins that are not used because of this one.
    pub(super) shadows: Vec<Arc<Plugin>>,
}

impl Facts {
    /// The functions, with what the manifest says of each; `None` if nobody could look.
    fn functions(&self) -> Option<&[Function]> {
        match (&self.plugin.manifest.functions, &self.inspection) {
            (_, Some(Inspection::Offers(found))) => Some(found),
            (declared, _) => declared.as_deref(),
        }
    }

    /// Whether what it asks for must be granted.
    fn needs(&self, capability: Capability) -> bool {
        capability != Capability::Native || self.trusted
    }

    /// What came of the look at the code; `None` if nobody looked.
    fn code(&self) -> Option<&'static str> {
        self.inspection.as_ref().map(|inspection| match inspection {
            Inspection::NotChecked(_) => "not checked",
            Inspection::Offers(_) => "checked",
            Inspection::NotBuilt(_) => "not built",
            Inspection::Broken(_) => "broken",
        })
    }

    pub(super) fn text(&self) -> String {
        let manifest = &self.plugin.manifest;
        let mut text = format!("{} {} ({})\n", manifest.name, manifest.version, manifest.kind);
        if let Some(description) = &manifest.description {
            let _ = writeln!(text, "{}", one_line(description));
        }
        text.push('\n');
        for (name, value) in self.rows() {
            let _ = writeln!(text, "  {name:<15} {}", one_line(&value));
        }
        if !manifest.types.is_empty() {
            text.push_str("\nTypes:\n");
            for (name, ty) in &manifest.types {
                let _ = writeln!(text, "  {name} = {}", spelled(ty));
            }
        }
        if !manifest.config.is_empty() {
            let _ = write!(text, "\nSettings:\n{}", setting::text(&manifest.config));
        }
        match self.functions() {
            Some([]) => text.push_str("\nNo functions.\n"),
            Some(functions) => {
                text.push_str("\nFunctions:\n");
                for function in functions {
                    let native = if function.native { "  (native)" } else { "" };
                    let _ = writeln!(text, "  {}::{function}{native}", manifest.module);
                    if let Some(description) = &function.description {
                        let _ = writeln!(text, "      {}", one_line(description));
                    }
                    if let Some(advice) = &function.deprecated {
                        let colon = if advice.is_empty() { "" } else { ": " };
                        let _ = writeln!(text, "      deprecated{colon}{}", one_line(advice));
                    }
                }
            }
            None => {
                let hint = match &self.inspection {
                    Some(inspection) => inspection.unseen().and_then(Error::hint_text),
                    None => None,
                };
                let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                let _ = writeln!(text, "\nFunctions: {}{hint}", self.code().unwrap_or("not checked"));
            }
        }
        text
    }

    /// What there is to say, but for types and functions; what a manifest leaves out is left out.
    fn rows(&self) -> Vec<(&'static str, String)> {
        let manifest = &self.plugin.manifest;
        let (implementation, security) = (&manifest.implementation, &manifest.security);
        let list = |names: &[String]| names.join(", ");
        let optional = [
            ("author", manifest.author.clone()),
            ("license", manifest.license.clone()),
            ("needs caraway", manifest.caraway_version.as_ref().map(ToString::to_string)),
            ("provides", some(list(&manifest.provides))),
            ("depends on", some(self.dependencies.iter().map(dependency).collect::<Vec<_>>().join(", "))),
            ("language", implementation.language.clone()),
            ("entrypoint", implementation.entrypoint.as_ref().map(|path| path.display().to_string())),
            ("build_cmd", implementation.build_cmd.as_ref().map(|words| words.join(" "))),
            ("sources", some(paths(&implementation.sources).join(", "))),
            ("timeout", security.timeout.map(seconds)),
            ("max_cpu", security.max_cpu.map(seconds)),
            ("max_memory", security.max_memory.map(|bytes| format!("{bytes} bytes"))),
            (
                "allowed_apis",
                security.allowed_apis.as_ref().map(|apis| match apis.as_slice() {
                    [] => "none".to_owned(),
                    apis => list(apis),
                }),
            ),
        ];
        let mut rows = vec![("module", manifest.module.clone()), ("found in", self.found())];
        rows.extend(self.installed_from().map(|from| ("installed from", from)));
        rows.extend(self.shadows.iter().map(|other| ("shadows", other.root.display().to_string())));
        rows.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
        for (target, files) in &implementation.binaries {
            rows.push(("binary", format!("{} ({target})", paths(files).join(", "))));
        }
        if self.plugin.origin != Origin::BuiltIn {
            rows.push(("sandbox", security.sandbox.to_string()));
            let process = match (self.isolated, self.trusted) {
                (true, _) => "a process of its own",
                (false, true) => "the host's process, with all of its rights",
                (false, false) => "the host's process",
            };
            rows.push(("runs in", process.to_owned()));
            rows.push((
                "loaded",
                if manifest.runtime.lazy { "at its first import" } else { "at start" }.to_owned(),
            ));
        }
        for (capability, reach) in manifest.asks.iter() {
            let granted = match self.needs(capability) {
                true => self.access.granted(capability).unwrap_or_else(|| "nothing".to_owned()),
                false => "not needed".to_owned(),
            };
            rows.push(("asks for", format!("{capability}: {reach}; granted: {granted}")));
        }
        rows.extend(self.access.denials().map(|denial| ("denied", denial.to_owned())));
        rows.extend(self.code().map(|code| ("code", code.to_owned())));
        rows
    }

    /// What an installed plugin came from, and the digest of its archive.
    fn installed_from(&self) -> Option<String> {
        #[cfg(feature = "install")]
        if let Ok(Some(record)) = caraway_package::store::Record::read(&self.plugin.root) {
            let digest = record.archive.map(|digest| format!(" ({digest})")).unwrap_or_default();
            return Some(format!("{}{digest}", record.source));
        }
        None
    }

    fn found(&self) -> String {
        match &self.plugin.origin {
            Origin::SearchPath(path) => {
                format!("{} (search path {})", place_of(&self.plugin), path.display())
            }
            Origin::BuiltIn => place_of(&self.plugin),
        }
    }

    pub(super) fn json(&self) -> Value {
        let manifest = &self.plugin.manifest;
        let (implementation, security) = (&manifest.implementation, &manifest.security);
        let functions = self.functions().map(|functions| functions.iter().map(function).collect::<Vec<_>>());
        let milliseconds = |duration: Option<Duration>| duration.map(|d| d.as_secs_f64() * 1000.0);
        let mut value = summary(&self.plugin);
        let more = json!({
            "author": manifest.author,
            "license": manifest.license,
            "caraway_version": manifest.caraway_version.as_ref().map(ToString::to_string),
            "provides": manifest.provides,
            "dependencies": self.dependencies.iter().map(|(wanted, found)| json!({
                "name": wanted.name,
                "requirement": wanted.requirement.to_string(),
                "found": found.as_ref().map(ToString::to_string),
            })).collect::<Vec<_>>(),
            "implementation": {
                "language": implementation.language,
                "entrypoint": implementation.entrypoint,
                "build_cmd": implementation.build_cmd,
                "sources": implementation.sources,
                "binaries": implementation.binaries,
            },
            "security": {
                "sandbox": security.sandbox,
                "allowed_apis": security.allowed_apis,
                "max_memory_bytes": security.max_memory,
                "max_cpu_ms": milliseconds(security.max_cpu),
                "timeout_ms": milliseconds(security.timeout),
            },
            "isolated": self.isolated,
            "runtime": {"lazy": manifest.runtime.lazy},
            "config": setting::list(&manifest.config),
            "capabilities": manifest.asks.iter().map(|(capability, reach)| json!({
                "name": capability.name(),
                "asked": reach,
                "granted": self.access.granted(capability),
                "needed": self.needs(capability),
            })).collect::<Vec<_>>(),
            "denials": self.access.denials().collect::<Vec<_>>(),
            "types": manifest.types.iter().map(|(name, ty)| (name.clone(), json!(spelled(ty))))
                .collect::<serde_json::Map<_, _>>(),
            "functions": functions,
            "code": self.code(),
            "installed_from": self.installed_from(),
            "shadows": self.shadows.iter().map(|other| summary(other)).collect::<Vec<_>>(),
        });
        if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
            value.extend(more);
        }
        value
    }
}

fn function(function: &Function) -> Value {
    let Function { signature, description, native, deprecated, .. } = function;
    let params: Vec<Value> =
        signature.params.iter().map(|p| json!({"name": p.name, "type": p.ty.to_string()})).collect();
    json!({
        "name": signature.name,
        "params": params,
        "returns": signature.returns.to_string(),
        "signature": signature.to_string(),
        "description": description,
        "deprecated": deprecated,
        "native": native,
    })
}

/// A type with what is in it: `{x: float, y: float}`, `"a" | "b"`.
fn spelled(ty: &Type) -> String {
    match ty {
        Type::Struct(definition) => {
            let fields = definition.fields.iter().map(|field| format!("{}: {}", field.name, field.ty));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Type::Enum(definition) => {
            definition.values.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>().join(" | ")
        }
        other => other.to_string(),
    }
}

fn dependency((wanted, found): &(Dependency, Option<Version>)) -> String {
    match found {
        Some(version) => format!("{} {} ({version})", wanted.name, wanted.requirement),
        None => format!("{} {} (missing)", wanted.name, wanted.requirement),
    }
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn paths(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path.display().to_string()).collect()
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
