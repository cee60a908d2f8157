//! What the operator grants and denies.

use super::quote::quoted;
use super::scopes::{Capability, Scopes};
use crate::code::Code;
use crate::error::Error;
use std::path::{Path, PathBuf};

/// What the operator grants and denies: `--allow` and `--deny`. The default is no rule at all.
///
/// A denial always wins, in whatever order they come. A rule without a plugin holds for the program and for
/// every plugin whose manifest asks.
///
/// ```
/// use caraway_loaders_core::capability::Grants;
/// use std::path::Path;
///
/// let here = Path::new("/home/user/project");
/// let mut grants = Grants::new(here);
/// grants.allow("filesystem=read:data", here)?;
/// grants.allow("stats:io", here)?;
/// grants.allow("native=render", here)?;
/// grants.deny("env", here)?;
/// let error = grants.allow("filesytem=data", here).unwrap_err();
/// assert_eq!(error.message(), "`--allow filesytem=data`: `filesytem` is no capability; did you mean `filesystem`?");
/// # Ok::<(), caraway_loaders_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Grants {
    allowed: Vec<Rule>,
    denied: Vec<Rule>,
    folder: Option<PathBuf>,
}

/// One `--allow` or `--deny`.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// The only plugin that it holds for.
    plugin: Option<String>,
    pub(super) scopes: Scopes,
    /// As it was written.
    pub(super) text: String,
    /// Who says it, as messages name them: a flag, or a line of a file.
    pub(super) said_by: String,
    /// What would take it back.
    pub(super) remedy: String,
}

impl Rule {
    fn holds_for(&self, subject: Option<&str>) -> bool {
        self.plugin.is_none() || self.plugin.as_deref() == subject
    }
}

impl Grants {
    /// No rule, for an operator who works in `folder`: the flags in hints name paths relative to it. With the
    /// default they name whole paths.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()), ..Self::default() }
    }

    /// Adds what follows an `--allow`: `[PLUGIN:]CAPABILITY[=ARGUMENT,...]`. Without arguments it is all of its
    /// kind. A comma in an argument is written twice. Relative paths start at `base`, which must be absolute.
    ///
    /// # Errors
    ///
    /// [`Code::Usage`] for what is no capability, no plugin's name or no argument of that capability.
    pub fn allow(&mut self, text: &str, base: &Path) -> Result<(), Error> {
        let rules = parse(text, base, "", "").map_err(|problem| usage("--allow", text, &problem))?;
        self.allowed.extend(rules);
        Ok(())
    }

    /// Adds what follows a `--deny`; written as [`allow`](Self::allow) and always stronger.
    ///
    /// # Errors
    ///
    /// As [`allow`](Self::allow).
    pub fn deny(&mut self, text: &str, base: &Path) -> Result<(), Error> {
        let remedy = format!("leave out `--deny {}`", quoted(text));
        self.deny_by(text, base, &format!("`--deny {text}`"), &remedy)
    }

    /// The same on behalf of somebody else, whom refusals then name: "`--security strict` forbids it". The remedy is
    /// what would take it back, as a hint says it.
    ///
    /// # Errors
    ///
    /// As [`allow`](Self::allow).
    pub fn deny_by(&mut self, text: &str, base: &Path, said_by: &str, remedy: &str) -> Result<(), Error> {
        let rules = parse(text, base, said_by, remedy).map_err(|problem| usage("--deny", text, &problem))?;
        self.denied.extend(rules);
        Ok(())
    }

    /// The plugins that rules name, so that a name which is not in the plan can be reported.
    pub fn plugins(&self) -> impl Iterator<Item = &str> {
        self.allowed.iter().chain(&self.denied).filter_map(|rule| rule.plugin.as_deref())
    }

    pub(super) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// All that is allowed to a plugin, or with `None` to the program.
    pub(super) fn allowed_to(&self, subject: Option<&str>) -> Scopes {
        let mut scopes = Scopes::default();
        for rule in self.allowed.iter().filter(|rule| rule.holds_for(subject)) {
            scopes.add(rule.scopes.clone());
        }
        scopes
    }

    pub(super) fn denied_to(&self, subject: Option<&str>) -> Vec<Rule> {
        self.denied.iter().filter(|rule| rule.holds_for(subject)).cloned().collect()
    }
}

fn parse(text: &str, base: &Path, said_by: &str, remedy: &str) -> Result<Vec<Rule>, String> {
    let (head, arguments) = match text.split_once('=') {
        Some((head, arguments)) => (head, Some(split(arguments))),
        None => (text, None),
    };
    let (plugin, name) = match head.rsplit_once(':') {
        Some((plugin, name)) => (Some(plugin), name),
        None => (None, head),
    };
    let capability = Capability::from_name(name).ok_or_else(|| no_capability(name, plugin.is_some()))?;
    if let Some(plugin) = plugin {
        check_plugin(plugin)?;
    }
    let rule = |plugin: Option<&str>, scopes: Scopes| Rule {
        plugin: plugin.map(str::to_owned),
        scopes,
        text: text.to_owned(),
        said_by: said_by.to_owned(),
        remedy: remedy.to_owned(),
    };
    let all = Scopes::all_of(capability);
    match (capability, arguments) {
        (_, None) => Ok(vec![rule(plugin, all)]),
        // The arguments of `native` are the plugins that it is for.
        (Capability::Native, Some(names)) => names
            .iter()
            .map(|name| {
                check_plugin(name)?;
                match plugin {
                    Some(plugin) if plugin != name => Err(format!(
                        "names two plugins, `{plugin}` and `{name}`; write `{plugin}:native` or `native={name}`"
                    )),
                    _ => Ok(rule(Some(name), all.clone())),
                }
            })
            .collect(),
        (_, Some(arguments)) => {
            Ok(vec![rule(plugin, Scopes::from_arguments(capability, &arguments, base)?)])
        }
    }
}

fn no_capability(name: &str, after_plugin: bool) -> String {
    if let Some(meant) = Capability::near(name) {
        return format!("`{name}` is no capability; did you mean `{meant}`?");
    }
    let known: Vec<String> = Capability::ALL.iter().map(|known| format!("`{known}`")).collect();
    let order = if after_plugin { "; the plugin comes first, as in `stats:io`" } else { "" };
    format!("`{name}` is no capability; known are {}{order}", known.join(", "))
}

fn check_plugin(name: &str) -> Result<(), String> {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() <= 64 && name.bytes().all(letters) {
        Ok(())
    } else {
        Err(format!("`{name}` is no plugin's name"))
    }
}

/// Splits at commas; two of them are one in the text.
fn split(text: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == ',' && letters.next_if_eq(&',').is_none() {
            items.push(String::new());
        } else if let Some(item) = items.last_mut() {
            item.push(letter);
        }
    }
    items
}

#[cold]
fn usage(flag: &str, text: &str, problem: &str) -> Error {
    Error::new(Code::Usage, format!("`{flag} {text}`: {problem}")).hint(format!(
        "it is `{flag} [PLUGIN:]CAPABILITY[=ARGUMENT,...]`, for example `{flag} filesystem=read:data`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::{FileMode, Request};
    use crate::output::Stream;

    #[track_caller]
    fn allowing(texts: &[&str]) -> Grants {
        let mut grants = Grants::default();
        for text in texts {
            grants.allow(text, Path::new("/here")).unwrap();
        }
        grants
    }

    #[test]
    fn rules_hold_for_whom_they_name() {
        let file = |path| Request::File(FileMode::Read, Path::new(path));
        let out = Request::Print(Stream::Stdout);
        let run = |program| Request::Run { program, arguments: &[] };
        for (text, subject, request, expected) in [
            ("io", None, out, true),
            ("io", Some("stats"), out, true),
            ("stats:io", None, out, false),
            ("stats:io", Some("stats"), out, true),
            ("stats:io", Some("other"), out, false),
            ("io=stderr", None, out, false),
            ("io=stderr,stdout", None, out, true),
            ("native", Some("a"), Request::Native, true),
            ("native=a,b", Some("a"), Request::Native, true),
            ("native=a,b", Some("b"), Request::Native, true),
            ("native=a,b", Some("c"), Request::Native, false),
            ("native=a", None, Request::Native, false),
            ("a:native", Some("a"), Request::Native, true),
            ("a:native=a", Some("a"), Request::Native, true),
            ("filesystem", None, file("/etc"), true),
            ("filesystem=read:x", None, file("/here/x/y"), true),
            ("filesystem=write:x", None, file("/here/x/y"), false),
            ("filesystem=a,,b", None, file("/here/a,b"), true),
            ("filesystem=a,,b", None, file("/here/a"), false),
            ("filesystem=a=b", None, file("/here/a=b"), true),
            ("filesystem=./a:b", None, file("/here/a:b"), true),
            ("env=LANG", None, Request::Environment("LANG"), true),
            ("process=git", None, run("git"), true),
            ("process=git log", None, run("git"), false),
            ("network=[::1]:80", None, Request::Connect { host: "::1", port: 80 }, true),
        ] {
            assert_eq!(
                allowing(&[text]).allowed_to(subject).allows(&request),
                expected,
                "--allow {text}, {subject:?}, {request:?}"
            );
        }
    }

    #[test]
    fn flags_that_make_no_sense() {
        for (text, problem) in [
            ("", "`` is no capability; known are"),
            ("nativ", "did you mean `native`?"),
            ("io:stats", "the plugin comes first"),
            ("Stats:io", "`Stats` is no plugin's name"),
            (":io", "`` is no plugin's name"),
            ("native=", "`` is no plugin's name"),
            ("a:native=b", "names two plugins"),
            ("filesystem=", "a path is empty"),
            ("filesystem=read:a,b", "ambiguous"),
            ("network=example.com", "has no port"),
            ("env=", "name is empty"),
            ("process=a,", "name is empty"),
            ("io=stdou", "did you mean `stdout`?"),
        ] {
            let error = Grants::default().deny(text, Path::new("/")).unwrap_err();
            assert_eq!(error.code(), Code::Usage);
            assert!(error.message().contains(problem), "{text}: {error}");
        }
    }

    #[test]
    fn the_plugins_that_are_named() {
        let grants = allowing(&["io", "stats:io", "native=a,b"]);
        assert_eq!(grants.plugins().collect::<Vec<_>>(), ["stats", "a", "b"]);
    }
}
