//! `caraway tree`.

use super::list::{place_of, summary};
use super::options::Options;
use super::{Context, terminal};
use crate::diagnostic::{location_value, one_line};
use crate::session::Session;
use caraway_loaders_core::bind::suggest;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::resolve::{Edge, Plan, Requester, Requirement, parse_import};
use caraway_loaders_core::{Code, Error, Location};
use clap::Args;
use semver::VersionReq;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Show the plugins that a program uses and what they depend on, or why it uses one; nothing is loaded or run
#[derive(Debug, Args)]
#[command(after_help = "\
(*) stands where a plugin is shown with its dependencies further up. Imports inside functions, in files that the \
program imports and of computed names are not known before they run. With --verbose, each plugin comes with the \
requirement, its kind and where it is.")]
pub(super) struct Tree {
    /// The program's file; without it, what `[dependencies]` of the nearest caraway.toml need
    program: Option<PathBuf>,
    /// Show all that leads to this plugin, by its name or module, and the requirement at each step
    #[arg(long, value_name = "NAME[@REQ]")]
    why: Option<String>,
    /// Show at most this many levels; 100 without it, and (...) where there are more
    #[arg(long, value_name = "N")]
    depth: Option<usize>,
    #[command(flatten)]
    pub(super) options: Options,
}

impl Tree {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let runtime = context.options.runtime().build()?;
        let (session, requirements) = runtime.planned(self.program.as_deref())?;
        let root = match (&self.program, session.project_file()) {
            (Some(program), _) => program.clone(),
            (None, Some(file)) => file,
            (None, None) => return Err(nothing_named()),
        };
        let uses = Uses {
            plan: session.planned(),
            roots: roots(requirements, &session.planned()),
            root: one_line(&root.to_string_lossy()),
        };
        let why = self.why.as_deref().map(|text| uses.find(text, &session)).transpose()?;
        if context.options.json() {
            context.print_json(uses.json(&root, why.as_deref()))?;
            return Ok(0);
        }
        let draw = Drawing {
            verbose: context.options.verbose,
            unicode: terminal::speaks_unicode(),
            depth: self.depth,
        };
        context.print(&match why {
            None => draw.tree(&uses),
            Some(plugins) => draw.inverted(&uses, &plugins),
        })?;
        Ok(0)
    }
}

fn nothing_named() -> Error {
    Error::new(Code::Usage, "no program was named, and there is no caraway.toml in this folder or above it")
        .hint("name a program: `caraway tree app.rhai`")
}

/// A requirement of the program or its project, and what meets it.
struct Root {
    requirement: Requirement,
    plugin: Arc<Plugin>,
    /// Whether it has a line of its own: one of the project that only narrows an import has none.
    own: bool,
}

/// What meets each requirement, in the order in which they are written.
fn roots(requirements: Vec<Requirement>, plan: &Plan) -> Vec<Root> {
    let edges: HashSet<(&str, String)> =
        plan.edges(None).iter().map(|edge| (edge.path.as_str(), edge.range.to_string())).collect();
    let root = |requirement: Requirement| {
        let range = requirement.range.to_string();
        let plugin = plan.lookup(None, &format!("{}@{range}", requirement.path))?.clone();
        let own = edges.contains(&(requirement.path.as_str(), range));
        Some(Root { requirement, plugin, own })
    };
    requirements.into_iter().filter_map(root).collect()
}

/// What a program or a project uses.
struct Uses {
    plan: Plan,
    roots: Vec<Root>,
    /// The program's or the project's file.
    root: String,
}

/// Who needs a plugin.
enum Need<'a> {
    /// The program or the project.
    Root(&'a Root),
    /// A plugin.
    Plugin(&'a Arc<Plugin>, &'a Edge),
}

impl Uses {
    /// The plugins in the plan that `NAME[@REQ]` means, lowest version first.
    fn find(&self, text: &str, session: &Session) -> Result<Vec<&Arc<Plugin>>, Error> {
        let (name, range) = parse_import(text)?;
        let called = |plugin: &&Arc<Plugin>| plugin.manifest.name == name;
        let mut found: Vec<&Arc<Plugin>> = self.plan.plugins().filter(called).collect();
        if found.is_empty() {
            found = self.plan.plugins().filter(|plugin| plugin.manifest.module == name).collect();
        }
        if found.is_empty() {
            return Err(self.unused(&name, session));
        }
        found.sort_by_key(|plugin| &plugin.manifest.version);
        let used: Vec<String> = found.iter().map(|plugin| plugin.id()).collect();
        found.retain(|p| range == VersionReq::STAR || range.matches(&p.manifest.version));
        match found.is_empty() {
            false => Ok(found),
            true => Err(Error::new(
                Code::NoVersion,
                format!("{} uses no version of `{name}` that satisfies `{range}`", self.root),
            )
            .hint(format!("it uses {}", used.join(" and ")))),
        }
    }

    /// Nothing in the plan is called so.
    fn unused(&self, name: &str, session: &Session) -> Error {
        let there = session.catalog().plugins.iter();
        let there = there
            .filter(|p| p.manifest.name == name || p.manifest.module == name)
            .max_by_key(|p| (p.manifest.name == name, p.manifest.version.clone()));
        if let Some(plugin) = there {
            let found = format!("{} does not use `{name}`", self.root);
            return Error::new(Code::UnknownPlugin, found).hint(format!(
                "{} is there ({}), and nothing that is used needs it",
                plugin.id(),
                place_of(plugin)
            ));
        }
        let error = Error::new(Code::UnknownPlugin, format!("no plugin is called `{name}`"));
        let used = self.plan.plugins().flat_map(|p| [p.manifest.name.as_str(), p.manifest.module.as_str()]);
        match suggest(name, used) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("`caraway tree` shows what {} uses", self.root)),
        }
    }

    /// Who needs each plugin, by its id: the program and its project first.
    fn needs(&self) -> HashMap<String, Vec<Need<'_>>> {
        let mut needs: HashMap<String, Vec<Need>> = HashMap::new();
        for root in &self.roots {
            needs.entry(root.plugin.id()).or_default().push(Need::Root(root));
        }
        for plugin in self.plan.plugins() {
            for edge in self.plan.edges(Some(&plugin.id())) {
                needs.entry(edge.plugin.id()).or_default().push(Need::Plugin(plugin, edge));
            }
        }
        needs
    }

    fn json(&self, root: &Path, why: Option<&[&Arc<Plugin>]>) -> Value {
        let roots = self.roots.iter().map(|root| {
            let Requirement { path, range, from } = &root.requirement;
            json!({
                "name": path,
                "requirement": range.to_string(),
                "project": matches!(from, Requester::Project { .. }),
                "location": from.location().map(location_value),
                "plugin": root.plugin.id(),
            })
        });
        let plugins = self.plan.plugins().map(|plugin| {
            let mut entry = summary(plugin);
            entry["id"] = json!(plugin.id());
            let dependency = |edge: &Edge| {
                json!({
                    "name": edge.path,
                    "requirement": edge.range.to_string(),
                    "plugin": edge.plugin.id(),
                })
            };
            entry["dependencies"] =
                self.plan.edges(Some(&plugin.id())).iter().map(dependency).collect::<Vec<_>>().into();
            entry
        });
        let mut value = json!({
            "root": root,
            "requirements": roots.collect::<Vec<_>>(),
            "plugins": plugins.collect::<Vec<_>>(),
        });
        if let Some(plugins) = why {
            value["why"] = self.why_json(plugins);
        }
        value
    }

    /// All steps from the program to some plugins: each plugin on the way with who needs it.
    fn why_json(&self, plugins: &[&Arc<Plugin>]) -> Value {
        let needs = self.needs();
        let mut open: Vec<String> = plugins.iter().map(|plugin| plugin.id()).collect();
        let asked = open.clone();
        let mut seen: HashSet<String> = open.iter().cloned().collect();
        let mut steps = Vec::new();
        while let Some(id) = open.pop() {
            let mut needed_by = Vec::new();
            for need in needs.get(&id).into_iter().flatten() {
                needed_by.push(match need {
                    Need::Root(root) => json!({
                        "plugin": null,
                        "requirement": root.requirement.range.to_string(),
                        "location": root.requirement.from.location().map(location_value),
                    }),
                    Need::Plugin(plugin, edge) => {
                        if seen.insert(plugin.id()) {
                            open.push(plugin.id());
                        }
                        json!({"plugin": plugin.id(), "requirement": edge.range.to_string(), "location": null})
                    }
                });
            }
            steps.push(json!({"plugin": id, "needed_by": needed_by}));
        }
        json!({"plugins": asked, "steps": steps})
    }
}

/// A line of a tree.
struct Item {
    text: String,
    /// What is below it is found by this.
    id: Option<String>,
}

/// How many levels are shown to those who do not say: a line is as long as its level is deep.
const MAX_LEVELS: usize = 100;

/// How trees are drawn.
struct Drawing {
    verbose: bool,
    unicode: bool,
    /// How many levels were asked for.
    depth: Option<usize>,
}

impl Drawing {
    /// From the program to what it needs.
    fn tree(&self, uses: &Uses) -> String {
        let mut seen = HashSet::new();
        let new =
            |root: &&Root| seen.insert((root.requirement.path.clone(), root.requirement.range.to_string()));
        let item = |plugin: &Arc<Plugin>, path: &str, range: &VersionReq, project: bool| {
            let origin = if project { " (of the project)" } else { "" };
            let detail = match self.verbose {
                true => format!(" ({}; {}; {})", asked(path, range), plugin.manifest.kind, place_of(plugin)),
                false => String::new(),
            };
            Item { text: format!("{}{origin}{detail}", label(plugin)), id: Some(plugin.id()) }
        };
        let first = uses.roots.iter().filter(new).filter(|root| root.own).map(|root| {
            let Requirement { path, range, from } = &root.requirement;
            let project = matches!(from, Requester::Project { location } if shown(location) != uses.root);
            item(&root.plugin, path, range, project)
        });
        let first = first.collect();
        let below = |id: &str| {
            let edges = uses.plan.edges(Some(id)).iter();
            edges.map(|edge| item(&edge.plugin, &edge.path, &edge.range, false)).collect()
        };
        self.draw(&uses.root, first, below)
    }

    /// From plugins to what needs them.
    fn inverted(&self, uses: &Uses, plugins: &[&Arc<Plugin>]) -> String {
        let needs = uses.needs();
        let below = |id: &str| -> Vec<Item> {
            let item = |need: &Need| match need {
                Need::Root(root) => {
                    let Requirement { path, range, from } = &root.requirement;
                    let verb = match from {
                        Requester::Project { .. } => "requires",
                        _ => "imports",
                    };
                    let place =
                        from.location().map_or_else(|| uses.root.clone(), |l| one_line(&l.to_string()));
                    Item { text: format!("{place} {verb} {}", asked(path, range)), id: None }
                }
                Need::Plugin(plugin, edge) => {
                    let detail = match self.verbose {
                        true => format!(" ({}; {})", plugin.manifest.kind, place_of(plugin)),
                        false => String::new(),
                    };
                    let text = format!("{} needs {}{detail}", label(plugin), asked(&edge.path, &edge.range));
                    Item { text, id: Some(plugin.id()) }
                }
            };
            needs.get(id).into_iter().flatten().map(item).collect()
        };
        let trees = plugins.iter().map(|plugin| self.draw(&label(plugin), below(&plugin.id()), below));
        trees.collect::<Vec<_>>().join("\n")
    }

    /// A tree below a title. Without recursion: chains may be long.
    fn draw(&self, title: &str, first: Vec<Item>, below: impl Fn(&str) -> Vec<Item>) -> String {
        let (line, blank, branch, last) = match self.unicode {
            true => ("│   ", "    ", "├── ", "└── "),
            false => ("|   ", "    ", "|-- ", "`-- "),
        };
        let depth = self.depth.unwrap_or(MAX_LEVELS);
        let mut text = format!("{title}\n");
        let mut cut = false;
        let mut expanded = HashSet::new();
        let mut levels = vec![first.into_iter()];
        while let Some(level) = levels.last_mut() {
            let Some(item) = level.next() else {
                levels.pop();
                continue;
            };
            if levels.len() > depth {
                levels.pop();
                continue;
            }
            if let Some((own, upper)) = levels.split_last() {
                upper.iter().for_each(|level| text.push_str(if level.len() > 0 { line } else { blank }));
                text.push_str(if own.len() > 0 { branch } else { last });
            }
            text.push_str(&item.text);
            let items = item.id.as_deref().map(&below).unwrap_or_default();
            let there = item.id.as_ref().is_some_and(|id| expanded.contains(id));
            if !items.is_empty() && there {
                text.push_str(" (*)");
            } else if !items.is_empty() && levels.len() < depth {
                expanded.extend(item.id);
                levels.push(items.into_iter());
            } else if !items.is_empty() && self.depth.is_none() {
                text.push_str(" (...)");
                cut = true;
            }
            text.push('\n');
        }
        if cut {
            text.push_str("(...) goes deeper: `--depth N` shows N levels\n");
        }
        text
    }
}

fn shown(location: &Location) -> String {
    one_line(&location.file.to_string_lossy())
}

fn label(plugin: &Plugin) -> String {
    one_line(&format!("{} {}", plugin.manifest.name, plugin.manifest.version))
}

/// What is asked for, as an `import` has it.
fn asked(path: &str, range: &VersionReq) -> String {
    one_line(&match range.comparators.is_empty() {
        true => path.to_owned(),
        false => format!("{path}@{range}"),
    })
}
