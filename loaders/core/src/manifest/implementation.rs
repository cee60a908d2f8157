//! `implementation`: where the code is and how it is built.

use super::Implementation;
use super::fields::{self, Fields, Place};
use super::paths;
use super::problems::{Problems, Wrong, shown};
use super::tree::{Node, Value};
use crate::code::Code;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Words that only a shell makes something of.
const SHELL: &[&str] = &["&&", "||", "|", ";", "&", ">", ">>", "<", "2>&1"];

/// Decodes `implementation`.
pub(super) fn decode(node: &Node<'_>, root: &Place<'_>, problems: &mut Problems<'_>) -> Implementation {
    let place = root.key("implementation");
    let Some(mut of) = Fields::of(node, place, problems) else { return Implementation::default() };
    let implementation = Implementation {
        language: of.string("language", problems).map(str::to_owned),
        entrypoint: of.parsed("entrypoint", problems, paths::inside),
        build_cmd: of.take("build_cmd").and_then(|node| build_cmd(node, &place.key("build_cmd"), problems)),
        sources: of.take("sources").map_or_else(Vec::new, |node| {
            fields::list(node, &place.key("sources"), problems, paths::inside_without_pattern)
        }),
        binaries: of
            .take("binaries")
            .map_or_else(BTreeMap::new, |node| binaries(node, &place.key("binaries"), problems)),
    };
    of.finish(problems);
    implementation
}

/// The words of a command: an array, or a string split as a shell would, without a shell.
fn build_cmd(node: &Node<'_>, place: &Place<'_>, problems: &mut Problems<'_>) -> Option<Vec<String>> {
    let words = match &node.value {
        Value::Array(_) => fields::list(node, place, problems, |word| Ok(word.to_owned())),
        Value::String(text) => fields::parsed(node, place, problems, |_| split(text))?,
        _ => return fields::wrong_type(node, place, "a string or an array of strings", problems),
    };
    let wrong = if words.first().is_none_or(|program| program.trim().is_empty()) {
        "names no program"
    } else if words.iter().any(|word| word.contains('\0')) {
        "has a NUL character"
    } else {
        return Some(words);
    };
    problems.say(Code::ManifestValue, node.offset, Wrong::new(wrong).of(place));
    None
}

fn split(text: &str) -> Result<Vec<String>, Wrong> {
    let words = shlex::split(text).ok_or_else(|| {
        Wrong::new(format!("is {}, where a quote or a backslash is left open", shown(text)))
    })?;
    if let Some(word) = words.iter().find(|word| SHELL.contains(&word.as_str())) {
        return Err(Wrong::new(format!("has `{word}`, and no shell runs it"))
            .hint("put the commands into a script; or name the shell: `[\"sh\", \"-c\", \"...\"]`"));
    }
    Ok(words)
}

/// `{target triple: file}`, or a list of files for every target.
fn binaries(
    node: &Node<'_>,
    place: &Place<'_>,
    problems: &mut Problems<'_>,
) -> BTreeMap<String, Vec<PathBuf>> {
    let mut binaries = BTreeMap::new();
    match &node.value {
        Value::Array(_) => {
            binaries.insert("*".to_owned(), fields::list(node, place, problems, paths::inside));
        }
        Value::Table(entries) => {
            for entry in entries {
                if !is_triple(&entry.key) {
                    let wrong = format!("has {}, which is no target triple", shown(&entry.key));
                    let wrong = Wrong::new(wrong).hint("for example `x86_64-unknown-linux-gnu`").of(place);
                    problems.say(Code::ManifestValue, entry.offset, wrong);
                }
                let place = place.key(&entry.key);
                if let Some(path) = fields::parsed(&entry.node, &place, problems, paths::inside) {
                    binaries.insert(entry.key.clone().into_owned(), vec![path]);
                }
            }
        }
        _ => {
            fields::wrong_type::<()>(node, place, "a table of target triples or an array of paths", problems);
        }
    }
    binaries
}

/// `arch-vendor-os-abi`, with two to five parts.
fn is_triple(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.')
    };
    (2..=5).contains(&text.split('-').count()) && text.split('-').all(part)
}
