//! `caraway load`.

use super::options::Options;
use super::{Context, setting};
use crate::diagnostic::one_line;
use crate::home::meant;
use crate::session::Session;
use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::capability::{Access, Capability};
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::resolve::{Requester, Requirement, parse_import};
use caraway_loaders_core::{Code, Error, Location};
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Load a plugin as a program would: what it exports, what it may do, and how long each step takes
#[derive(Debug, Args)]
#[command(after_help = "\
Unlike `info` and `validate`, this runs the plugin's top level, starts components and opens libraries, with the grants, \
settings and limits that a program in this folder would give it.")]
pub(super) struct Load {
    /// A plugin's name or module and which versions will do, or its folder
    #[arg(value_name = "NAME[@REQ]|DIR")]
    plugin: String,
    /// Set a setting of a plugin, whatever caraway.toml says; the value is JSON or else a string
    #[arg(long, value_name = "PLUGIN.KEY=VALUE")]
    config: Vec<String>,
    #[command(flatten)]
    pub(super) options: Options,
}

/// What came of it.
struct Loaded {
    plugin: Arc<Plugin>,
    bound: Arc<Bound>,
    access: Access,
    limits: Limits,
    steps: [(&'static str, Duration); 3],
}

impl Load {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let builder = context.options.runtime();
        let runtime =
            self.config.iter().try_fold(builder, |builder, text| setting::set(builder, text))?.build()?;
        let (runtime, name) = meant(&runtime, &self.plugin)?;
        let start = Instant::now();
        let session = runtime.session_in(Path::new("."))?;
        let found = start.elapsed();
        let loaded = load(&session, &name, found)?;
        match context.options.json() {
            true => context.print_json(loaded.json())?,
            false => context.print_wrapped(&loaded.text())?,
        }
        Ok(0)
    }
}

fn load(session: &Arc<Session>, name: &str, found: Duration) -> Result<Loaded, Error> {
    let (path, range) = parse_import(name)?;
    let start = Instant::now();
    let from = Requester::Program { location: Location::file("the command line") };
    session.plan_for(vec![Requirement { path, range, from }])?;
    let planned = start.elapsed();
    let start = Instant::now();
    let bound = session.view().import(name).map_err(|error| session.shown(error))?;
    let took = start.elapsed();
    let plan = session.planned();
    let plugin = plan
        .lookup(None, name)
        .ok_or_else(|| Error::new(Code::Internal, format!("`{name}` was loaded and is not in the plan")))?;
    Ok(Loaded {
        access: session.plugin_access(plugin),
        limits: session.plugin_limits(plugin),
        plugin: plugin.clone(),
        bound,
        steps: [("found", found), ("planned", planned), ("loaded", took)],
    })
}

impl Loaded {
    fn grants(&self) -> Vec<(Capability, String)> {
        let asks = self.plugin.manifest.asks.iter();
        asks.filter_map(|(capability, _)| Some((capability, self.access.granted(capability)?))).collect()
    }

    fn text(&self) -> String {
        let manifest = &self.plugin.manifest;
        let mut text = format!(
            "{} {} ({}), from {}\n",
            manifest.name,
            manifest.version,
            manifest.kind,
            super::list::place_of(&self.plugin)
        );
        for (step, took) in &self.steps {
            let _ = writeln!(text, "  {step:<9} in {:.2} ms", took.as_secs_f64() * 1000.0);
        }
        let grants = self.grants();
        if grants.is_empty() {
            text.push_str("  may do    nothing beyond its own\n");
        }
        for (capability, reach) in grants {
            let _ = writeln!(text, "  may do    {capability}: {}", one_line(&reach));
        }
        let _ = writeln!(text, "  limits    {}", self.limits());
        text.push_str(if self.bound.signatures.is_empty() { "\nNo functions.\n" } else { "\nFunctions:\n" });
        for signature in &self.bound.signatures {
            let _ = writeln!(text, "  {}::{signature}", manifest.module);
        }
        text
    }

    fn limits(&self) -> String {
        let Limits { timeout, cpu, memory, std_calls, .. } = self.limits;
        let limits = [
            timeout.map(|timeout| format!("timeout {timeout:?}")),
            cpu.map(|cpu| format!("cpu {cpu:?}")),
            memory.map(|bytes| format!("memory {} MiB", bytes >> 20)),
            std_calls.map(|calls| format!("{calls} calls of std/... a second")),
        ];
        limits.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    fn json(&self) -> Value {
        let manifest = &self.plugin.manifest;
        let steps =
            self.steps.iter().map(|(step, took)| json!({"step": step, "ms": took.as_secs_f64() * 1000.0}));
        let grants = self
            .grants()
            .into_iter()
            .map(|(capability, reach)| json!({"capability": capability.name(), "granted": reach}));
        json!({
            "name": manifest.name,
            "version": manifest.version.to_string(),
            "type": manifest.kind,
            "folder": super::list::place(&self.plugin),
            "steps": steps.collect::<Vec<_>>(),
            "granted": grants.collect::<Vec<_>>(),
            "functions": self.bound.signatures.iter().map(|signature| signature.to_string()).collect::<Vec<_>>(),
        })
    }
}
