//! Why there is no answer.

use super::assemble::place_of_dependency;
use super::available::available;
use super::requirement::Asked;
use super::roots::{Root, Roots};
use super::universe::{Exclusion, View};
use super::wants::{Chains, Want};
use crate::code::Code;
use crate::error::{Error, Location};
use semver::{Version, VersionReq};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The most chains, and the most plugins with their versions, that are printed.
const MAX_LINES: usize = 12;

/// What is wrong with a root that nothing satisfies; `None` if something does.
pub(super) fn unmet(view: &View, root: &Root) -> Option<Error> {
    let none = |range: &VersionReq| {
        view.entry(&root.name).is_none_or(|entry| entry.matching(range).next().is_none())
    };
    if !none(&root.range) {
        return None;
    }
    let first = root.asked.first()?;
    let single = root.asked.iter().chain(&root.project).find(|asked| none(&asked.range));
    let (mut error, from) = match single {
        Some(asked) => (absent(view, &root.name, &asked.range, ""), &asked.from),
        None => {
            let found = format!("{root}; available: {}", available(view, &root.name));
            let error = Error::new(Code::Conflict, found)
                .hint("what the project requires holds for its program too: change one of the two");
            (error, &first.from)
        }
    };
    if let Some(location) = from.location() {
        error = error.at(location.clone());
    }
    Some(error)
}

/// What is wrong with requirements that exclude each other.
pub(super) fn no_solution<'a>(view: &'a View<'a>, roots: &'a Roots, wants: Vec<Want<'a>>) -> Error {
    let chains = Chains::new(view, roots, &wants);
    let mut lines = String::new();
    let count = chains.sentences().len();
    for sentence in chains.sentences().take(MAX_LINES) {
        let _ = write!(lines, "\n  {sentence}");
    }
    if count > MAX_LINES {
        let _ = write!(lines, "\n  ({} more)", count - MAX_LINES);
    }
    let is_absent =
        |want: &&Want| view.entry(want.name).is_none_or(|entry| entry.matching(want.range).next().is_none());
    let error = match chains.ends().next() {
        Some(first) if chains.ends().all(|end| is_absent(&end)) => {
            let error = absent(view, first.name, first.range, &lines);
            match place(first) {
                Some(location) => error.at(location),
                None => error,
            }
        }
        _ => conflict(view, &chains, &wants, &lines),
    };
    match chains.first_root().and_then(Root::location) {
        Some(location) => error.at(location.clone()),
        None => error,
    }
}

/// Nothing satisfies one requirement.
fn absent(view: &View, name: &str, range: &VersionReq, lines: &str) -> Error {
    let Some(entry) = view.entry(name) else {
        let error = Error::new(Code::UnknownPlugin, format!("no plugin is called `{name}`{lines}"));
        return error.hint(unknown_hint(view, name));
    };
    if entry.is_disabled() {
        return Error::new(Code::Unavailable, format!("the plugin `{name}` is disabled{lines}"))
            .hint(format!("remove \"{name}\" from `disabled` in `[plugins]`"));
    }
    let found = match range.comparators.is_empty() {
        true => format!("no version of `{name}` can be used"),
        false => format!("no version of `{name}` satisfies `{range}`"),
    };
    let available = available(view, name);
    Error::new(Code::NoVersion, format!("{found}; available: {available}{lines}"))
        .hint(version_hint(view, name, range))
}

fn unknown_hint(view: &View, name: &str) -> String {
    let mut parts = Vec::new();
    if let Some(file) = name.strip_suffix(".rhai") {
        parts.push(format!("a file beside the importer is imported as \"./{file}\""));
    } else if let Some(plugin) = view.with_module(name).next() {
        parts.push(format!("`{name}` is the module name of the plugin `{plugin}`: depend on that"));
    } else if let Some(near) = view.suggest(name) {
        parts.push(format!("did you mean `{near}`?"));
    }
    parts.extend(view.searched_text());
    if parts.is_empty() {
        parts.push("`--plugin-path DIR` adds a folder to look in".to_owned());
    }
    parts.join("; ")
}

fn version_hint(view: &View, name: &str, range: &VersionReq) -> String {
    let Some(entry) = view.entry(name) else { return String::new() };
    let excluded = entry.excluded.iter().rev().find(|(p, _)| range.matches(&p.manifest.version));
    match excluded.map(|(plugin, why)| (&plugin.manifest.version, why)) {
        Some((version, Exclusion::Host(needed))) => {
            return format!("`{name} {version}` needs caraway {needed}, and this is caraway {}", view.host());
        }
        Some((version, Exclusion::Selected(selected))) => {
            return format!(
                "`{selected}` was selected before {version} was asked for: import it at the top of the program, \
                 where all requirements are known"
            );
        }
        Some((_, Exclusion::Disabled)) | None => {}
    }
    let all = entry.groups.iter().flat_map(|group| &group.candidates).map(|p| &p.manifest.version);
    let pre_release = all.clone().rev().find(|version| {
        let release = Version::new(version.major, version.minor, version.patch);
        !version.pre.is_empty() && range.matches(&release)
    });
    if let Some(version) = pre_release {
        return format!("{version} is a pre-release, which must be asked for: `{name}@^{version}`");
    }
    match all.rev().find(|version| version.pre.is_empty()) {
        Some(highest) => format!("ask for what there is, such as `{name}@^{highest}`, or add a version"),
        None => "add a version to a search path".to_owned(),
    }
}

/// Requirements that can be met singly, but not together.
fn conflict<'a>(view: &'a View<'a>, chains: &Chains<'a, '_>, wants: &[Want<'a>], lines: &str) -> Error {
    let contested: BTreeSet<&str> = chains.ends().map(|end| end.name).collect();
    let mut message = match contested.first() {
        Some(one) if contested.len() == 1 => format!("the requirements on `{one}` exclude each other"),
        _ => "the requirements exclude each other".to_owned(),
    };
    message.push_str(lines);
    for name in contested.iter().take(MAX_LINES) {
        let _ = write!(message, "\n  available: `{name}` {}", available(view, name));
    }
    let error = Error::new(Code::Conflict, message);
    let hint = contested.iter().find_map(|name| compromise(view, name, wants));
    error.hint(hint.unwrap_or_else(|| "loosen one of these requirements, or add versions".to_owned()))
}

/// The version of a plugin that most of `wants` accept, and the one that does not.
fn compromise(view: &View, name: &str, wants: &[Want]) -> Option<String> {
    let wants: Vec<&Want> = wants.iter().filter(|want| want.name == name).collect();
    if wants.len() < 2 {
        return None;
    }
    let accepted = |version: &Version| wants.iter().filter(|want| want.range.matches(version)).count();
    let candidates = view.entry(name)?.groups.iter().flat_map(|group| &group.candidates);
    let versions = candidates.map(|plugin| &plugin.manifest.version);
    let best = versions.max_by_key(|version| (accepted(version), *version))?;
    let refused: Vec<&&Want> = wants.iter().filter(|want| !want.range.matches(best)).collect();
    match refused.as_slice() {
        [one] => Some(format!(
            "`{name} {best}` satisfies all of them but that of {}, {}: loosen it, or add a version of `{name}` \
             that satisfies all",
            one.subject(),
            Asked(name, one.range),
        )),
        _ => None,
    }
}

/// Where a plugin's manifest has a want.
fn place(want: &Want) -> Option<Location> {
    let plugin = want.by.last()?;
    let same = |d: &crate::manifest::Dependency| d.name == want.name && d.requirement == *want.range;
    let index = plugin.manifest.dependencies.iter().position(same)?;
    place_of_dependency(plugin, index)
}
