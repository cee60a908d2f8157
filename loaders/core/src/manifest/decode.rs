//! The one decoder: a tree to a manifest.

use super::fields::{self, Fields, Place};
use super::problems::{Problems, Wrong, shown};
use super::tree::{Node, Value};
use super::types::Types;
use super::{
    Dependency, Manifest, RuntimeOptions, Security, Source, config, functions, implementation, license,
    names, quantity, refused,
};
use crate::capability::{Asks, Capability};
use crate::code::Code;
use crate::suggest::suggest;
use semver::{Comparator, Op, Version, VersionReq};
use std::collections::HashSet;

/// What `capabilities` says of what a plugin offers, beside what it asks for.
const PROVIDES: &[&str] = &["function", "type", "module"];

/// The manifest of a tree. `None` only if problems were added.
pub(super) fn manifest(tree: &Node<'_>, source: Source, problems: &mut Problems<'_>) -> Option<Manifest> {
    let root = Place::ROOT;
    let mut of = Fields::of(tree, root, problems)?;
    refused::check(tree, problems);

    let caraway_version = of.parsed("caraway_version", problems, requirement);
    problems.other_host = caraway_version.as_ref().and_then(needs_another_host);

    let name_at = of.required("name", problems);
    let name = name_at.and_then(|node| fields::parsed(node, &root.key("name"), problems, names::plugin));
    let version = of
        .required("version", problems)
        .and_then(|node| fields::parsed(node, &root.key("version"), problems, version));
    let kind = of
        .required("type", problems)
        .and_then(|node| fields::parsed(node, &root.key("type"), problems, names::kind));
    let module = match (of.take("module"), &name) {
        (Some(node), _) => fields::parsed(node, &root.key("module"), problems, names::module),
        (None, Some(name)) => match names::module(&name.replace('-', "_")) {
            Ok(module) => Some(module),
            Err(wrong) => {
                problems.say(Code::ManifestValue, name_at?.offset, wrong.of("module"));
                None
            }
        },
        (None, None) => None,
    };
    let (provides, asks) = of
        .take("capabilities")
        .map_or_else(Default::default, |node| capabilities(node, &root.key("capabilities"), problems));
    let dependencies = of.take("dependencies").map_or_else(Vec::new, |node| {
        dependencies(node, &root.key("dependencies"), name.as_deref(), problems)
    });
    let mut types = Types::decode(of.take("types"), &root, problems);
    let functions = of.take("functions").map(|node| functions::decode(node, &root, &mut types, problems));
    let config =
        of.take("config").map_or_else(Vec::new, |node| config::decode(node, &root, &mut types, problems));
    let implementation = of
        .take("implementation")
        .map_or_else(Default::default, |node| implementation::decode(node, &root, problems));
    let security = of.take("security").map_or_else(Security::default, |node| security(node, &root, problems));
    let runtime =
        of.take("runtime").map_or_else(RuntimeOptions::default, |node| runtime(node, &root, problems));
    let manifest = Manifest {
        description: of.string("description", problems).map(str::to_owned),
        author: of.string("author", problems).map(str::to_owned),
        license: of.parsed("license", problems, license::expression),
        name: name.unwrap_or_default(),
        version: version.unwrap_or_else(|| Version::new(0, 0, 0)),
        kind: kind.unwrap_or_default(),
        module: module.unwrap_or_default(),
        provides,
        asks,
        caraway_version,
        dependencies,
        functions,
        types: types.into_types(),
        implementation,
        security,
        runtime,
        config,
        source,
    };
    of.finish(problems);
    problems.is_empty().then_some(manifest)
}

fn version(text: &str) -> Result<Version, Wrong> {
    Version::parse(text).map_err(|error| {
        Wrong::new(format!("is {}, which is no version: {error}", shown(text)))
            .hint("write three numbers, `1.2.3`")
    })
}

fn requirement(text: &str) -> Result<VersionReq, Wrong> {
    VersionReq::parse(text).map_err(|error| {
        Wrong::new(format!("is {}, which is no version requirement: {error}", shown(text)))
            .hint("for example `^1.2`, `>=1.2, <3` or `*`")
    })
}

/// What to say of unknown fields where the manifest asks for another host than this one.
fn needs_another_host(requirement: &VersionReq) -> Option<String> {
    let this = Version::parse(env!("CARGO_PKG_VERSION")).ok()?;
    if requirement.matches(&this) {
        return None;
    }
    let least = requirement.comparators.iter().filter_map(least).max();
    Some(match least.filter(|least| *least > this) {
        Some(least) => format!("the plugin needs caraway >= {least}; this is {this}"),
        None => format!("the plugin needs caraway {requirement}; this is {this}"),
    })
}

/// The least version that a comparator lets through, as far as its numbers go.
fn least(comparator: &Comparator) -> Option<Version> {
    let lower = matches!(
        comparator.op,
        Op::Exact | Op::Greater | Op::GreaterEq | Op::Tilde | Op::Caret | Op::Wildcard
    );
    lower.then(|| Version {
        pre: comparator.pre.clone(),
        ..Version::new(comparator.major, comparator.minor.unwrap_or(0), comparator.patch.unwrap_or(0))
    })
}

/// What is provided, and what is asked for.
fn capabilities(node: &Node<'_>, place: &Place<'_>, problems: &mut Problems<'_>) -> (Vec<String>, Asks) {
    let mut provides = Vec::new();
    let mut asks = Asks::default();
    for (index, item) in fields::array(node, place, problems).unwrap_or_default().iter().enumerate() {
        let place = place.index(index);
        match &item.value {
            Value::String(name) if PROVIDES.contains(&name.as_ref()) => {
                if provides.iter().any(|known| known == name) {
                    let wrong = Wrong::new(format!("lists `{name}` again")).of(place);
                    problems.say(Code::ManifestValue, item.offset, wrong);
                }
                provides.push(name.clone().into_owned());
            }
            Value::String(name) => ask(&mut asks, name, None, item, &place, problems),
            Value::Table(entries) if !entries.is_empty() => {
                for entry in entries {
                    ask(&mut asks, &entry.key, Some(&entry.node), item, &place, problems);
                }
            }
            _ => {
                fields::wrong_type::<()>(item, &place, "a name or a table with a name as its key", problems);
            }
        }
    }
    (provides, asks)
}

fn ask(
    asks: &mut Asks,
    name: &str,
    detail: Option<&Node<'_>>,
    item: &Node<'_>,
    place: &Place<'_>,
    problems: &mut Problems<'_>,
) {
    if refused::refuses("capabilities.*", name) {
        return;
    }
    let offset = detail.unwrap_or(item).offset;
    match asks.add(name, detail.map(Node::to_json).as_ref()) {
        Ok(true) => {}
        Ok(false) if PROVIDES.contains(&name) => {
            let wrong = Wrong::new(format!("gives `{name}` a value; it stands alone")).of(place);
            problems.say(Code::ManifestValue, offset, wrong);
        }
        Ok(false) => {
            let known = || Capability::ALL.iter().map(|capability| capability.name());
            let hint = match suggest(name, PROVIDES.iter().copied().chain(known())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "known are {}",
                    [PROVIDES.join(", "), known().collect::<Vec<_>>().join(", ")].join(", ")
                ),
            };
            let wrong =
                Wrong::new(format!("is {}, which is no capability", shown(name))).hint(hint).of(place);
            problems.say(Code::ManifestValue, offset, wrong);
        }
        Err(message) => {
            let wrong = Wrong::new(format!("the capability {} {message}", shown(name)));
            problems.say(Code::ManifestValue, offset, wrong);
        }
    }
}

/// `{name: requirement}`, or a list of names that any version will do for.
fn dependencies(
    node: &Node<'_>,
    place: &Place<'_>,
    own: Option<&str>,
    problems: &mut Problems<'_>,
) -> Vec<Dependency> {
    let mut dependencies = Vec::new();
    let mut seen = HashSet::new();
    let mut add = |name: &str, requirement: VersionReq, offset: usize, problems: &mut Problems<'_>| {
        let wrong = match names::dependency(name) {
            Err(wrong) => wrong.of("a name in dependencies"),
            Ok(name) if own == Some(name.as_str()) => Wrong::new("the plugin depends on itself"),
            Ok(name) if !seen.insert(name.clone()) => {
                Wrong::new(format!("the dependency `{name}` is listed twice"))
            }
            Ok(name) => return dependencies.push(Dependency { name, requirement }),
        };
        problems.say(Code::ManifestValue, offset, wrong);
    };
    match &node.value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if let Some(name) = fields::string(item, &place.index(index), problems) {
                    add(name, VersionReq::STAR, item.offset, problems);
                }
            }
        }
        Value::Table(entries) => {
            for entry in entries {
                let place = place.key(&entry.key);
                if let Some(requirement) = fields::parsed(&entry.node, &place, problems, requirement) {
                    add(&entry.key, requirement, entry.offset, problems);
                }
            }
        }
        _ => {
            fields::wrong_type::<()>(node, place, "a table of requirements or an array of names", problems);
        }
    }
    dependencies
}

fn security(node: &Node<'_>, root: &Place<'_>, problems: &mut Problems<'_>) -> Security {
    let place = root.key("security");
    let Some(mut of) = Fields::of(node, place, problems) else { return Security::default() };
    let security = Security {
        sandbox: of.boolean("sandbox", problems).unwrap_or(true),
        allowed_apis: of
            .take("allowed_apis")
            .map(|node| fields::list(node, &place.key("allowed_apis"), problems, names::built_in)),
        max_memory: of.parsed("max_memory", problems, quantity::bytes),
        max_cpu: of.parsed("max_cpu", problems, quantity::cpu_time),
        timeout: of.parsed("timeout", problems, quantity::duration),
    };
    of.finish(problems);
    security
}

fn runtime(node: &Node<'_>, root: &Place<'_>, problems: &mut Problems<'_>) -> RuntimeOptions {
    let Some(mut of) = Fields::of(node, root.key("runtime"), problems) else {
        return RuntimeOptions::default();
    };
    let runtime = RuntimeOptions {
        lazy: of.boolean("lazy", problems).unwrap_or(true),
        persistent: of.boolean("persistent", problems).unwrap_or(true),
    };
    of.finish(problems);
    runtime
}
