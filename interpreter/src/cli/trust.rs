//! `caraway trust`.

use super::Context;
use super::options::Options;
use super::prompt::ask;
use crate::config::{Config, project_of, shown};
use crate::diagnostic::one_line;
use crate::session::Session;
use crate::trust::{Project, Trust, folder};
use caraway_loaders_core::checksum::Digest;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::{Code, Error, Location};
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Show what a project asks for, and remember whether it gets it
#[derive(Debug, Args)]
#[command(
    after_help = "A project asks for grants with `[grants.PLUGIN]` in its caraway.toml. It gets them only if you say yes, \
and only for exactly this caraway.toml and these plugins: when one of them changes, you are asked again. Your answer \
is kept in `caraway/trust.toml` in your configuration directory."
)]
pub(super) struct TrustCommand {
    /// The project's folder [default: the one that the current directory is in]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Answer yes
    #[arg(long, short)]
    yes: bool,
    /// Answer no, and remember that too
    #[arg(long, conflicts_with = "yes")]
    no: bool,
    /// Forget the answer
    #[arg(long, conflicts_with_all = ["yes", "no"])]
    forget: bool,
    /// Show all that was ever answered
    #[arg(long, conflicts_with_all = ["yes", "no", "forget", "folder"])]
    list: bool,
    #[command(flatten)]
    pub(super) options: Options,
}

/// A project's request for one of its plugins.
struct Request {
    name: String,
    rules: Vec<String>,
    /// All versions that there are, with what each asks for.
    plugins: Vec<Arc<Plugin>>,
}

impl TrustCommand {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        if self.list {
            return list(context).map(|()| 0);
        }
        let config = project_of(self.folder.as_deref().unwrap_or(Path::new(".")))?;
        if self.forget {
            let folder = folder(&config);
            Trust::change(|trust| trust.projects.retain(|project| project.folder != folder))?;
            return Ok(0);
        }
        let runtime = context.options.runtime().build()?;
        let at = shown(config.parent().unwrap_or(Path::new("")));
        let at = if at.as_os_str().is_empty() { PathBuf::from(".") } else { at };
        let session = runtime.session_in(&at)?;
        let project = Config::project(&at)?;
        let requests: Vec<Request> =
            project.grants.iter().map(|request| Request::new(&session, request)).collect();
        let known =
            project.content.and_then(|content| Trust::read().ok()?.of_project(&config, content).cloned());
        if context.options.json() {
            context.print_json(json!({
                "project": config,
                "answer": known.as_ref().map(|known| known.trusted),
                "requests": requests.iter().map(Request::json).collect::<Vec<_>>(),
            }))?;
        } else if !context.options.quiet {
            context.print(&text(&config, &requests, known.as_ref()))?;
        }
        if requests.is_empty() {
            return Ok(0);
        }
        let answer = match (self.yes, self.no) {
            (true, _) => true,
            (_, true) => false,
            _ => ask(context, "Grant all of this?")?.ok_or_else(|| {
                Error::new(Code::Denied, "nobody can be asked here, so nothing is granted")
                    .at(Location::file(shown(&config)))
                    .hint("answer with `caraway trust --yes` or `caraway trust --no`")
            })?,
        };
        let plugins = if answer { contents(&session, &requests)? } else { BTreeMap::new() };
        let Some(content) = project.content else { return Ok(0) };
        let folder = folder(&config);
        Trust::change(|trust| trust.answer(Project { folder, content, trusted: answer, plugins }))?;
        Ok(0)
    }
}

/// The content of each plugin that is asked for, by id.
fn contents(session: &Session, requests: &[Request]) -> Result<BTreeMap<String, Digest>, Error> {
    let plugins = requests.iter().flat_map(|request| &request.plugins);
    plugins.map(|plugin| Ok((plugin.id(), plugin.content(&*session.loader(plugin)?)?))).collect()
}

impl Request {
    fn new(session: &Session, (name, rules): (&String, &Vec<String>)) -> Self {
        let all = session.catalog().plugins.iter();
        let plugins = all.filter(|plugin| plugin.manifest.name == *name).cloned().collect();
        Self { name: name.clone(), rules: rules.clone(), plugins }
    }

    fn json(&self) -> Value {
        json!({
            "plugin": self.name,
            "grants": self.rules,
            "found": self.plugins.iter().map(|plugin| json!({
                "version": plugin.manifest.version.to_string(),
                "folder": plugin.root,
                "asks": plugin.manifest.asks.rules(),
            })).collect::<Vec<_>>(),
        })
    }
}

fn text(config: &Path, requests: &[Request], known: Option<&Project>) -> String {
    let mut text = String::new();
    let file = one_line(&shown(config).to_string_lossy());
    if requests.is_empty() {
        return format!("{file} asks for nothing\n");
    }
    let _ = writeln!(text, "{file} asks that you grant");
    for request in requests {
        for rule in &request.rules {
            let _ = writeln!(text, "  {}: {}", one_line(&request.name), one_line(rule));
        }
        match request.plugins.as_slice() {
            [] => {
                let _ = writeln!(text, "    (no plugin is called `{}` here)", one_line(&request.name));
            }
            plugins => {
                for plugin in plugins {
                    let asks = match plugin.manifest.asks.to_string() {
                        asks if asks.is_empty() => "nothing".to_owned(),
                        asks => one_line(&asks),
                    };
                    let place = one_line(&plugin.root.to_string_lossy());
                    let _ = writeln!(text, "    {} in {place} asks for {asks}", plugin.id());
                }
            }
        }
    }
    if let Some(known) = known {
        let _ = writeln!(text, "you have said {} to this", if known.trusted { "yes" } else { "no" });
    }
    text
}

/// Prints all answers.
fn list(context: &Context) -> Result<(), Error> {
    let trust = Trust::read()?;
    if context.options.json() {
        return context.print_json(json!({
            "projects": trust.projects.iter().map(|project| json!({
                "folder": project.folder,
                "trusted": project.trusted,
                "content": project.content.to_string(),
                "plugins": project.plugins.iter()
                    .map(|(id, content)| (id.clone(), json!(content.to_string())))
                    .collect::<serde_json::Map<_, _>>(),
            })).collect::<Vec<_>>(),
            "plugins": trust.plugins.iter().map(|plugin| json!({
                "name": plugin.name,
                "version": plugin.version.to_string(),
                "content": plugin.content.to_string(),
                "allowed": plugin.allow,
            })).collect::<Vec<_>>(),
        }));
    }
    let mut text = String::new();
    for project in &trust.projects {
        let answer = if project.trusted { "yes" } else { "no" };
        let _ = writeln!(text, "project {}: {answer}", one_line(&project.folder.to_string_lossy()));
    }
    for plugin in &trust.plugins {
        let allowed = plugin.allow.join(", ");
        let _ =
            writeln!(text, "plugin {} {}: {}", one_line(&plugin.name), plugin.version, one_line(&allowed));
    }
    context.print(&text)
}
