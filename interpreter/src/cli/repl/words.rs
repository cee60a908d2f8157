//! What can be typed next.

use super::command::COMMANDS;
use crate::interactive::Interactive;
use caraway_loaders_core::handle::Handle;
use rhai::{Dynamic, Map};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Words that are offered as they are.
const KEYWORDS: [&str; 26] = [
    "break", "catch", "const", "continue", "do", "else", "export", "false", "fn", "for", "if", "import",
    "in", "let", "loop", "private", "print", "return", "switch", "this", "throw", "true", "try", "until",
    "while", "debug",
];

/// What is known now, shared with the editor.
#[derive(Clone, Default)]
pub(super) struct Words(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// Variables, functions, aliases.
    names: BTreeSet<String>,
    /// What follows `alias::`, with its signature.
    functions: BTreeMap<String, Vec<(String, String)>>,
    /// What follows `variable.`.
    members: BTreeMap<String, BTreeSet<String>>,
    /// What follows `import "`.
    plugins: BTreeSet<String>,
}

/// Something that could be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// What it is.
    pub(super) about: Option<String>,
}

impl Words {
    /// Learns what there is now.
    pub(super) fn learn(&self, interactive: &Interactive) {
        let mut known = Known::default();
        for (name, value) in interactive.variables() {
            known.names.insert(name.to_owned());
            known.members.insert(name.to_owned(), members(value));
        }
        for function in interactive.functions() {
            known.names.extend(function.split('(').next().map(str::to_owned));
        }
        for (alias, _, bound) in interactive.imports() {
            known.names.insert(alias.to_owned());
            let functions = bound.iter().flat_map(|bound| &bound.signatures);
            let functions = functions.map(|signature| (signature.name.clone(), signature.to_string()));
            known.functions.insert(alias.to_owned(), functions.collect());
        }
        let plugins = &interactive.session().catalog().plugins;
        known.plugins = plugins.iter().map(|plugin| plugin.manifest.name.clone()).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// What could stand at the end of this text: where it begins, in bytes, and the words.
    pub(super) fn complete(&self, text: &str) -> (usize, Vec<Word>) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(command) = text.strip_prefix(':') {
            let words = COMMANDS.iter().filter(|(name, ..)| name.starts_with(command));
            return (1, words.map(|(name, _, about)| word(name, Some(about))).collect());
        }
        if let Some((before, begun)) = text.rsplit_once('"')
            && before.trim_end().ends_with("import")
        {
            let plugins = known.plugins.iter().filter(|name| name.starts_with(begun));
            return (text.len() - begun.len(), plugins.map(|name| word(name, None)).collect());
        }
        let part_of = |letter: char| letter.is_alphanumeric() || letter == '_';
        let start = text
            .rfind(|letter| !part_of(letter))
            .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
        let (before, begun) = text.split_at(start);
        if let Some(before) = before.strip_suffix("::") {
            let path = before
                .rfind(|letter: char| !part_of(letter) && letter != ':')
                .map_or(before, |at| &before[at + before[at..].chars().next().map_or(1, char::len_utf8)..]);
            let (alias, inner) = path.split_once("::").unwrap_or((path, ""));
            let prefix = if inner.is_empty() { String::new() } else { format!("{inner}::") };
            let functions = known.functions.get(alias).into_iter().flatten();
            let words = functions.filter_map(|(name, signature)| {
                let rest = name.strip_prefix(&prefix)?;
                rest.starts_with(begun).then(|| word(rest, Some(signature)))
            });
            return (start, words.collect());
        }
        if let Some(before) = before.strip_suffix('.') {
            let variable = before
                .rfind(|letter: char| !part_of(letter))
                .map_or(before, |at| &before[at + before[at..].chars().next().map_or(1, char::len_utf8)..]);
            let members = known.members.get(variable).into_iter().flatten();
            return (
                start,
                members.filter(|name| name.starts_with(begun)).map(|name| word(name, None)).collect(),
            );
        }
        let names = known.names.iter().map(String::as_str).chain(KEYWORDS);
        let names: BTreeSet<&str> =
            names.filter(|name| !begun.is_empty() && name.starts_with(begun)).collect();
        (start, names.into_iter().map(|name| word(name, None)).collect())
    }
}

/// The fields of a map, the methods and properties of a handle.
fn members(value: &Dynamic) -> BTreeSet<String> {
    if let Some(map) = value.read_lock::<Map>() {
        return map.keys().map(ToString::to_string).collect();
    }
    Handle::of(value).map_or_else(BTreeSet::new, |handle| handle.class().member_names().into_iter().collect())
}

fn word(text: &str, about: Option<&str>) -> Word {
    Word { text: text.to_owned(), about: about.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_fit_their_place() {
        let words = Words::default();
        {
            let mut known = words.0.lock().unwrap();
            known.names.extend(["stats", "total", "point"].map(str::to_owned));
            let functions = [("mean", "mean(xs: array<float>) -> float"), ("api::mid", "api::mid() -> int")];
            let functions = functions.map(|(name, signature)| (name.to_owned(), signature.to_owned()));
            known.functions.insert("stats".to_owned(), functions.to_vec());
            known.members.insert("point".to_owned(), ["x", "y", "x2"].map(str::to_owned).into());
            known.plugins.extend(["stats", "std/fs"].map(str::to_owned));
        }
        for (text, start, expected) in [
            ("sta", 0, &["stats"][..]),
            ("let x = to", 8, &["total"]),
            ("stats::", 7, &["mean", "api::mid"]),
            ("f(stats::me", 9, &["mean"]),
            ("stats::api::m", 12, &["mid"]),
            ("other::m", 7, &[]),
            ("point.", 6, &["x", "x2", "y"]),
            ("1 + point.x", 10, &["x", "x2"]),
            ("import \"st", 8, &["stats", "std/fs"]),
            ("import \"std/f", 8, &["std/fs"]),
            (":re", 1, &["reload"]),
            ("ret", 0, &["return"]),
            ("", 0, &[]),
            ("ä + sta", 5, &["stats"]),
        ] {
            let (at, found) = words.complete(text);
            let found: Vec<&str> = found.iter().map(|word| word.text.as_str()).collect();
            assert_eq!((at, &found[..]), (start, expected), "{text:?}");
        }
    }
}
