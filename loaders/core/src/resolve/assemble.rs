//! What the solver took, as a plan: dependencies first, no cycles.

use super::plan::{Edge, Plan};
use super::roots::{Root, Roots};
use super::solver::Selection;
use crate::code::Code;
use crate::discover::Plugin;
use crate::error::{Error, Location};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most plugins of a cycle that are printed.
const MAX_SHOWN: usize = 64;

/// How far the walk has come with the plugin of a group.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    /// Not there yet.
    New,
    /// On the way from the program to where the walk is.
    Open,
    /// In the plan.
    Done,
}

/// A plugin on the way of the walk, the number of its group, and what it gets as far as it was looked at.
type Step<'a> = (u32, &'a Arc<Plugin>, Vec<Edge>);

/// Extends `pinned` by a selection.
pub(super) fn assemble<'a>(
    roots: &'a Roots,
    selection: &Selection<'a>,
    pinned: &'a Plan,
) -> Result<Plan, Error> {
    let mut plan = pinned.clone();
    plan.project.clone_from(&roots.project);
    let mut marks: Vec<Mark> =
        selection.pinned().map(|pinned| if pinned { Mark::Done } else { Mark::New }).collect();
    for root in &roots.list {
        let (group, plugin) = selection.of(&root.name, &root.range)?;
        if marks.get(group as usize) == Some(&Mark::New) {
            walk(selection, root, (group, plugin), &mut marks, &mut plan)?;
        }
        for asked in &root.asked {
            plan.require(Edge {
                path: asked.path.clone(),
                range: asked.range.clone(),
                plugin: plugin.clone(),
            });
        }
    }
    Ok(plan)
}

/// Adds a plugin with all that it depends on. Without recursion: chains may be long.
fn walk<'a>(
    selection: &Selection<'a>,
    root: &Root,
    (group, start): (u32, &'a Arc<Plugin>),
    marks: &mut [Mark],
    plan: &mut Plan,
) -> Result<(), Error> {
    marks[group as usize] = Mark::Open;
    let mut path: Vec<Step> = vec![(group, start, Vec::new())];
    while let Some((_, plugin, edges)) = path.last_mut() {
        let Some(dependency) = plugin.manifest.dependencies.get(edges.len()) else {
            if let Some((group, plugin, edges)) = path.pop() {
                marks[group as usize] = Mark::Done;
                plan.push(plugin.clone(), edges);
            }
            continue;
        };
        let (group, target) = selection.of(&dependency.name, &dependency.requirement)?;
        edges.push(Edge {
            path: dependency.name.clone(),
            range: dependency.requirement.clone(),
            plugin: target.clone(),
        });
        match marks[group as usize] {
            Mark::Done => {}
            Mark::Open => return Err(cycle(root, &path, group)),
            Mark::New => {
                marks[group as usize] = Mark::Open;
                path.push((group, target, Vec::new()));
            }
        }
    }
    Ok(())
}

/// The cycle that ends with the last of `path` needing `target`, which is on the path from `root`.
fn cycle(root: &Root, path: &[Step], target: u32) -> Error {
    let start = path.iter().position(|(group, ..)| *group == target).unwrap_or(0);
    let members: Vec<&Plugin> = path[start..].iter().map(|(_, plugin, _)| &***plugin).collect();
    let distinct: BTreeSet<&str> = members.iter().map(|plugin| plugin.manifest.name.as_str()).collect();
    let name = |plugin: &&Plugin| match distinct.len() == members.len() {
        true => plugin.manifest.name.clone(),
        false => plugin.id(),
    };
    let mut names: Vec<String> = members.iter().chain(members.first()).map(name).collect();
    if names.len() > MAX_SHOWN {
        let hidden = names.len() - MAX_SHOWN;
        names.splice(MAX_SHOWN / 2..MAX_SHOWN / 2 + hidden, [format!("({hidden} more)")]);
    }
    let what = match names.as_slice() {
        [one, _] => format!("the plugin `{one}` depends on itself"),
        names => format!("plugins depend on each other in a circle: {}", names.join(" -> ")),
    };
    let message = match start {
        0 => format!("{what}\n  {root}"),
        _ => format!("{what}\n  {root}, which leads to `{}`", names[0]),
    };
    let error = Error::new(Code::Cycle, message).hint(match members.len() {
        1 => "take it out of its own `dependencies`",
        _ => "move what they share into a plugin of its own that depends on none of them",
    });
    let place =
        path.last().and_then(|(_, last, edges)| place_of_dependency(last, edges.len().saturating_sub(1)));
    match place.or_else(|| root.location().cloned()) {
        Some(place) => error.at(place),
        None => error,
    }
}

/// Where a dependency stands in a manifest, by its number: `dependencies` is a table or a list. `None` for
/// plugins without a manifest file.
pub(super) fn place_of_dependency(plugin: &Plugin, index: usize) -> Option<Location> {
    let manifest = &plugin.manifest;
    let whole = manifest.locate("dependencies");
    let name = manifest.dependencies.get(index).map_or("", |dependency| &dependency.name);
    let by_name = manifest.locate(&format!("dependencies.{name}"));
    let place = if by_name != whole { by_name } else { manifest.locate(&format!("dependencies.{index}")) };
    (!place.file.as_os_str().is_empty()).then_some(place)
}
