//! Why there is no answer.

use super::assemble::place_of_dependency;
use super::available::available;
use super::requirement::Asked;
use super::roots::{Root, Roots};
use super::universe::{Entry, Exclusion, View};
use super::wants::{Chains, Want};
use crate::code::Code;
use crate::error::{Error, Location};
use semver::{Comparator, Version, VersionReq};
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
        Some(asked) => (absent(view, &root.name, &asked.range, None, ""), &asked.from),
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
    let absent_ends: Vec<&Want> = chains.ends().filter(|want| is_absent(view, want)).collect();
    let error = match absent_ends.split_first() {
        Some((first, others)) if absent_ends.len() == chains.ends().count() => {
            let mut told = vec![headline(view, first.name, first.range)];
            for line in others.iter().map(|want| headline(view, want.name, want.range)) {
                if !told.contains(&line) && told.len() < MAX_LINES {
                    let _ = write!(lines, "\n  {line}");
                    told.push(line);
                }
            }
            let error = absent(view, first.name, first.range, Some(first), &lines);
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

/// Whether nothing satisfies a want, whatever else is wanted.
fn is_absent(view: &View, want: &Want) -> bool {
    view.entry(want.name).is_none_or(|entry| entry.matching(want.range).next().is_none())
}

/// That nothing satisfies a requirement, in one line.
fn headline(view: &View, name: &str, range: &VersionReq) -> String {
    match view.entry(name) {
        None => format!("no plugin is called `{name}`"),
        Some(entry) if entry.is_disabled() => format!("the plugin `{name}` is disabled"),
        Some(_) => {
            let available = available(view, name);
            match range.comparators.is_empty() {
                true => format!("no version of `{name}` can be used; available: {available}"),
                false => format!("no version of `{name}` satisfies `{range}`; available: {available}"),
            }
        }
    }
}

/// Nothing satisfies one requirement: that of `want`, or of the program.
fn absent(view: &View, name: &str, range: &VersionReq, want: Option<&Want>, lines: &str) -> Error {
    let message = format!("{}{lines}", headline(view, name, range));
    let (code, hint) = match view.entry(name) {
        None => (Code::UnknownPlugin, unknown_hint(view, name)),
        Some(entry) if entry.is_disabled() => {
            (Code::Unavailable, format!("`caraway enable {name}` removes it from `disabled` in `[plugins]`"))
        }
        Some(entry) => (Code::NoVersion, version_hint(view, entry, name, range, want)),
    };
    Error::new(code, message).hint(hint)
}

fn unknown_hint(view: &View, name: &str) -> String {
    let modules: Vec<String> = view.with_module(name).map(|plugin| format!("`{plugin}`")).collect();
    let searched = view.searched_text();
    let standard = format!("std/{name}");
    let hint = if let Some(file) = name.strip_suffix(".rhai") {
        format!("a file beside the importer is imported as \"./{file}\"")
    } else if let [plugin] = modules.as_slice() {
        format!("`{name}` is the module name of the plugin {plugin}: depend on that")
    } else if !modules.is_empty() {
        format!("`{name}` is the module name of the plugins {}: depend on one of them", modules.join(", "))
    } else if view.entry(&standard).is_some() {
        format!("did you mean `{standard}`?")
    } else if let Some(near) = view.suggest(name) {
        format!("did you mean `{near}`?")
    } else {
        let add = "`--plugin-path DIR` adds a folder to look in";
        return searched.map_or(add.to_owned(), |searched| format!("{searched}; {add}"));
    };
    match searched {
        Some(searched) => format!("{hint}{} {searched}", if hint.ends_with('?') { "" } else { ";" }),
        None => hint,
    }
}

fn version_hint(view: &View, entry: &Entry, name: &str, range: &VersionReq, want: Option<&Want>) -> String {
    let excluded = entry.excluded.iter().rev().find(|(p, _)| range.matches(&p.manifest.version));
    match excluded.map(|(plugin, why)| (&plugin.manifest.version, why)) {
        Some((version, Exclusion::Host(needed))) => {
            return format!(
                "`{name} {version}` needs caraway {needed}, and this is caraway {}: add a version of `{name}` \
                 for it, or use another caraway",
                view.host()
            );
        }
        Some((version, Exclusion::Selected(selected))) => {
            return format!(
                "`{name} {selected}` was selected before {version} was asked for: put the import at the top of \
                 the program, where all requirements are known"
            );
        }
        Some((_, Exclusion::Disabled)) | None => {}
    }
    let all = || entry.groups.iter().flat_map(|group| &group.candidates).map(|p| &p.manifest.version);
    let place = match want.and_then(|want| want.by.last()) {
        Some(plugin) => format!(" in the manifest of `{}`", plugin.manifest.name),
        None => String::new(),
    };
    let release = |version: &Version| Version::new(version.major, version.minor, version.patch);
    // A range that names a pre-release of the same version has asked for it, and refused it all the same.
    let asks = |version: &Version| {
        let same = |c: &Comparator| {
            (c.major, c.minor, c.patch) == (version.major, Some(version.minor), Some(version.patch))
        };
        range.comparators.iter().any(|comparator| !comparator.pre.is_empty() && same(comparator))
    };
    let not_asked = all().rev().find(|v| !v.pre.is_empty() && range.matches(&release(v)) && !asks(v));
    if let Some(version) = not_asked {
        return format!("{version} is a pre-release, which must be asked for: `{name}@^{version}`{place}");
    }
    if name.starts_with("std/") {
        return format!(
            "`{name}` is built in, with the version of caraway: leave the requirement out{place}"
        );
    }
    match all().rev().find(|version| version.pre.is_empty()).or_else(|| all().next_back()) {
        Some(highest) => {
            format!("ask for what there is, such as `{name}@^{highest}`{place}, or add a version of `{name}`")
        }
        None => format!("add a version of `{name}` to a search path"),
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
        let _ = match view.entry(name) {
            Some(_) => write!(message, "\n  available: `{name}` {}", available(view, name)),
            None => write!(message, "\n  no plugin is called `{name}`"),
        };
    }
    let error = Error::new(Code::Conflict, message);
    let hint = contested.iter().find_map(|name| compromise(view, name, wants, chains));
    error.hint(hint.unwrap_or_else(|| "loosen one of these requirements, or add versions".to_owned()))
}

/// The version of a plugin that most of `wants` accept, and the one that does not.
fn compromise<'a>(view: &View, name: &str, wants: &[Want<'a>], chains: &Chains<'a, '_>) -> Option<String> {
    let wants: Vec<&Want<'a>> = wants.iter().filter(|want| want.name == name).collect();
    if wants.len() < 2 {
        return None;
    }
    let accepted = |version: &Version| wants.iter().filter(|want| want.range.matches(version)).count();
    let candidates = view.entry(name)?.groups.iter().flat_map(|group| &group.candidates);
    let versions = candidates.map(|plugin| &plugin.manifest.version);
    let best = versions.max_by_key(|version| (accepted(version), *version))?;
    let refused: Vec<&&Want<'a>> = wants.iter().filter(|want| !want.range.matches(best)).collect();
    match refused.as_slice() {
        [one] => Some(format!(
            "`{name} {best}` satisfies all of them but that of {}, {}: loosen it, or add a version of `{name}` \
             that satisfies all",
            chains.root(one).map_or_else(|| one.subject(), |root| root.requester()),
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
