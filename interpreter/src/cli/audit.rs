//! `caraway audit`.

use super::list::summary;
use super::options::Options;
use super::{Context, table, terminal};
use crate::diagnostic::one_line;
use crate::lookup::find;
use crate::session::Session;
use caraway_loaders_core::Error;
use caraway_loaders_core::capability::{Asks, Capability};
use caraway_loaders_core::discover::{Catalog, Plugin};
use caraway_loaders_core::resolve::{Plan, parse_import};
use clap::Args;
use semver::Version;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const HEADER: [&str; 5] = ["WHO", "CAPABILITY", "ASKS FOR", "GRANTED", "THROUGH"];

/// Show what a program and each of its plugins can do, itself and through others; nothing is loaded or run
#[derive(Debug, Args)]
#[command(after_help = "\
A plugin acts with its own grants, never with its caller's. What it can have another one do for it is listed with the way \
there under THROUGH. With --diff, two versions of a plugin are compared: `caraway audit --diff stats@1.0.0 stats@1.1.0`.")]
pub(super) struct Audit {
    /// The program's file; without it, what `[dependencies]` of the nearest caraway.toml need
    program: Option<PathBuf>,
    /// Show what a plugin asks for that another version of it does not
    #[arg(long, value_names = ["OLD", "NEW"], num_args = 2, conflicts_with = "program")]
    diff: Option<Vec<String>>,
    #[command(flatten)]
    pub(super) options: Options,
}

/// One thing that somebody can do.
struct Row {
    /// `None` is the program.
    who: Option<String>,
    capability: Capability,
    /// `None` for the program, which need not ask.
    asked: Option<String>,
    granted: Option<String>,
    /// Whether it must be granted.
    needed: bool,
    /// The plugins on the way to the one that does it, which is the last; none if it does it itself.
    through: Vec<String>,
}

impl Audit {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let runtime = context.options.runtime().build()?;
        if let Some([old, new]) = self.diff.as_deref() {
            let session = runtime.session_in(Path::new("."))?;
            return diff(context, session.catalog(), old, new).map(|()| 0);
        }
        let (session, _) = runtime.planned(self.program.as_deref())?;
        let rows = rows(&session);
        if context.options.json() {
            context.print_json(json!({"capabilities": rows.iter().map(Row::json).collect::<Vec<_>>()}))?;
        } else if rows.is_empty() {
            context.print("nobody asks for anything, and nothing is granted\n")?;
        } else {
            let rows: Vec<Vec<String>> = rows.iter().map(Row::cells).collect();
            context.print(&table::render(&HEADER, &rows, terminal::width(&std::io::stdout())))?;
        }
        Ok(0)
    }
}

fn rows(session: &Session) -> Vec<Row> {
    let (plan, program) = (session.planned(), session.access());
    let mut rows: Vec<Row> = Capability::ALL
        .iter()
        .filter_map(|&capability| {
            let granted = Some(program.granted(capability)?);
            Some(Row { who: None, capability, asked: None, granted, needed: true, through: Vec::new() })
        })
        .collect();
    for plugin in plan.plugins() {
        let id = plugin.id();
        rows.extend(own(plugin, session, &id, &[]));
        for way in ways(&plan, plugin) {
            let Some(last) = way.last() else { continue };
            let through: Vec<String> = way.iter().map(|plugin| plugin.id()).collect();
            rows.extend(own(last, session, &id, &through));
        }
    }
    rows
}

/// What a plugin asks for, as something that `who` can do through it.
fn own(plugin: &Plugin, session: &Session, who: &str, through: &[String]) -> Vec<Row> {
    let access = session.plugin_access(plugin);
    let row = |(capability, asked)| Row {
        who: Some(who.to_owned()),
        capability,
        asked: Some(asked),
        granted: access.granted(capability),
        needed: session.needs_grant(plugin, capability),
        through: through.to_vec(),
    };
    plugin.manifest.asks.iter().map(row).collect()
}

/// The shortest way from a plugin to each one that it depends on.
fn ways<'a>(plan: &'a Plan, start: &'a Arc<Plugin>) -> Vec<Vec<&'a Arc<Plugin>>> {
    let mut seen = HashSet::from([start.id()]);
    let mut ways: Vec<Vec<&Arc<Plugin>>> = Vec::new();
    let mut next = 0;
    let mut from = start;
    let mut way = Vec::new();
    loop {
        for edge in plan.edges(Some(&from.id())) {
            if seen.insert(edge.plugin.id()) {
                let mut longer: Vec<&Arc<Plugin>> = way.clone();
                longer.push(&edge.plugin);
                ways.push(longer);
            }
        }
        let Some(found) = ways.get(next) else { return ways };
        way.clone_from(found);
        match way.last() {
            Some(last) => from = last,
            None => return ways,
        }
        next += 1;
    }
}

impl Row {
    fn cells(&self) -> Vec<String> {
        vec![
            one_line(self.who.as_deref().unwrap_or("the program")),
            self.capability.to_string(),
            one_line(self.asked.as_deref().unwrap_or("-")),
            match self.needed {
                true => one_line(self.granted.as_deref().unwrap_or("nothing")),
                false => "not needed".to_owned(),
            },
            one_line(&self.through.join(" -> ")),
        ]
    }

    fn json(&self) -> Value {
        json!({
            "plugin": self.who,
            "capability": self.capability.name(),
            "asked": self.asked,
            "granted": self.granted,
            "needed": self.needed,
            "through": self.through,
        })
    }
}

/// Prints what the newer of two versions asks for and depends on that the older does not, and the other way round.
fn diff(context: &Context, catalog: &Catalog, old: &str, new: &str) -> Result<(), Error> {
    let find = |text: &str| {
        let (name, range) = match text.split_once('@') {
            // A whole version is that one, and not all that could replace it.
            Some((_, version)) if Version::parse(version).is_ok() => {
                parse_import(&text.replacen('@', "@=", 1))?
            }
            _ => parse_import(text)?,
        };
        find(catalog, &name, &range).cloned()
    };
    let (old, new) = (find(old)?, find(new)?);
    let asks = |from: &Plugin, to: &Plugin| to.manifest.asks.beyond(&from.manifest.asks);
    let (more, less) = (asks(&old, &new), asks(&new, &old));
    let needs = |from: &Plugin, to: &Plugin| -> Vec<String> {
        let had = |name: &str| from.manifest.dependencies.iter().any(|dependency| dependency.name == name);
        let new = to.manifest.dependencies.iter().filter(|dependency| !had(&dependency.name));
        new.map(|dependency| dependency.name.clone()).collect()
    };
    let (needed, dropped) = (needs(&old, &new), needs(&new, &old));
    if context.options.json() {
        return context.print_json(json!({
            "old": summary(&old),
            "new": summary(&new),
            "asks": more.rules(),
            "asks_no_more": less.rules(),
            "depends_on": needed,
            "depends_on_no_more": dropped,
        }));
    }
    let mut text = format!("{} -> {}\n", one_line(&old.id()), one_line(&new.id()));
    let empty = text.len();
    if old.manifest.kind != new.manifest.kind {
        text.push_str(&format!(
            "  type: {} -> {}\n",
            one_line(&old.manifest.kind),
            one_line(&new.manifest.kind)
        ));
    }
    let lines = |sign: char, asks: &Asks, names: &[String]| -> String {
        let asks =
            asks.iter().map(|(capability, reach)| format!("{sign} {capability}: {}\n", one_line(&reach)));
        let names = names.iter().map(|name| format!("{sign} depends on {}\n", one_line(name)));
        asks.chain(names).collect()
    };
    text.push_str(&lines('+', &more, &needed));
    text.push_str(&lines('-', &less, &dropped));
    if text.len() == empty {
        text.push_str("  asks for the same, and depends on the same\n");
    }
    context.print(&text)
}
