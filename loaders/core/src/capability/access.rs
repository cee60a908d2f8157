//! The gate.

use super::asks::Asks;
use super::filesystem::Filesystem;
use super::grants::{Grants, Rule};
use super::io::Io;
use super::lexical::absolute;
use super::refusal::{Reason, Refusal, subject};
use super::request::{FileMode, Request};
use super::scopes::{Capability, Scopes};
use crate::error::Error;
use std::path::{Path, PathBuf};

/// What the program or one plugin may do. Everything that needs a capability goes through
/// [`check`](Access::check) or [`place`](Access::place).
///
/// The default is a program that may do nothing.
///
/// ```
/// use caraway_loaders_core::capability::{Access, Asks, FileMode, Grants, Request};
/// use std::path::Path;
///
/// let folder = Path::new("/home/user/project");
/// let program = Access::program(&Grants::new(folder), folder);
/// let error = program.check(&Request::File(FileMode::Read, Path::new("data"))).unwrap_err();
/// assert_eq!(error.message(), "the program may not read `data`: it is not granted");
/// assert_eq!(error.hint_text(), Some("run with `--allow filesystem=read:data`"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// A plugin's name; the program has none.
    plugin: Option<String>,
    /// What the plugin's manifest asks for; the program asks for everything.
    pub(super) asked: Option<Scopes>,
    pub(super) granted: Scopes,
    pub(super) denied: Vec<Rule>,
    base: PathBuf,
    folder: Option<PathBuf>,
}

/// Where an allowed path lies. See [`Access::place`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The whole path, absolute and normalised.
    pub path: PathBuf,
    /// The granted file or folder that it is, or lies in. `None` where every path is granted.
    pub root: Option<PathBuf>,
    /// From `root` to what the manifest asks for, where that is less than what was granted; else empty.
    pub asked: PathBuf,
    /// The rest of the way. Empty where `path` itself was named.
    pub rest: PathBuf,
    /// Files and folders that are denied even so. `path` lies in none of them by its text; a symbolic link or
    /// another name could still lead into one.
    pub denied: Vec<PathBuf>,
}

/// What is granted and denied, as texts, for another process: see [`Access::rules`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessRules {
    /// What [`Grants::allow`] takes. Paths are whole.
    pub allowed: Vec<String>,
    /// What [`Grants::deny_by`] takes: the text, who says so, and the remedy.
    pub denied: Vec<[String; 3]>,
    /// Where relative paths start.
    pub base: PathBuf,
    /// The operator's folder.
    pub folder: Option<PathBuf>,
}

impl AccessRules {
    /// The access of the plugin that they are for, whose manifest asks for this.
    ///
    /// # Errors
    ///
    /// [`Code::Usage`](crate::Code::Usage) for a rule that cannot be read.
    pub fn access(&self, name: &str, asks: &Asks) -> Result<Access, Error> {
        let mut grants = self.folder.clone().map_or_else(Grants::default, Grants::new);
        for text in &self.allowed {
            grants.allow(text, &self.base)?;
        }
        for [text, said_by, remedy] in &self.denied {
            grants.deny_by(text, &self.base, said_by, remedy)?;
        }
        Ok(Access::plugin(name, asks, &grants, &self.base))
    }
}

impl Access {
    /// What is granted and denied, as texts, with which a process of the plugin's own can ask the same gate.
    ///
    /// ```
    /// use caraway_loaders_core::capability::{Access, Asks, FileMode, Grants, Request};
    /// use std::path::Path;
    ///
    /// let here = Path::new("/here");
    /// let mut asks = Asks::default();
    /// asks.add("filesystem", None)?;
    /// let mut grants = Grants::new(here);
    /// grants.allow("filesystem=read:data", here)?;
    /// let access = Access::plugin("stats", &asks, &grants, here);
    ///
    /// let elsewhere = access.rules().access("stats", &asks)?;
    /// assert!(elsewhere.check(&Request::File(FileMode::Read, Path::new("data/x"))).is_ok());
    /// assert!(elsewhere.check(&Request::File(FileMode::Write, Path::new("data/x"))).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rules(&self) -> AccessRules {
        let texts = |scopes: &Scopes| -> Vec<String> {
            Capability::ALL.iter().filter_map(|capability| scopes.rule(*capability)).collect()
        };
        let denied = |rule: &Rule| -> Vec<[String; 3]> {
            let rules = texts(&rule.scopes).into_iter();
            rules.map(|text| [text, rule.said_by.clone(), rule.remedy.clone()]).collect()
        };
        AccessRules {
            allowed: texts(&self.granted),
            denied: self.denied.iter().flat_map(denied).collect(),
            base: self.base.clone(),
            folder: self.folder.clone(),
        }
    }

    /// What the program may do: what is granted, and print unless that is denied. `base` is the program's
    /// folder, absolute: relative paths start there.
    pub fn program(grants: &Grants, base: impl Into<PathBuf>) -> Self {
        let mut granted = grants.allowed_to(None);
        granted.io.add(Io::printing());
        Self {
            plugin: None,
            asked: None,
            granted,
            denied: grants.denied_to(None),
            base: base.into(),
            folder: grants.folder().map(Path::to_owned),
        }
    }

    /// What a plugin may do: what its manifest asks for, as far as it is granted. `base` is the program's
    /// folder, absolute: the relative paths of the manifest and of the plugin's calls start there.
    pub fn plugin(name: &str, asks: &Asks, grants: &Grants, base: impl Into<PathBuf>) -> Self {
        let base = base.into();
        Self {
            plugin: Some(name.to_owned()),
            asked: Some(asks.based(&base)),
            granted: grants.allowed_to(Some(name)),
            denied: grants.denied_to(Some(name)),
            base,
            folder: grants.folder().map(Path::to_owned),
        }
    }

    /// The name of the plugin that this is for; `None` for the program.
    pub fn plugin_name(&self) -> Option<&str> {
        self.plugin.as_deref()
    }

    /// Whom this is for, as messages say it: "the program", "plugin `stats`".
    pub fn subject(&self) -> String {
        subject(self.plugin_name())
    }

    /// How far what is granted of a kind goes, whether it is asked for or not: `all`, `read data; write out`;
    /// `None` for not at all, or where all of it is denied. What is denied of it is said: `all; but not /secret`.
    pub fn granted(&self, capability: Capability) -> Option<String> {
        let all = Scopes::all_of(capability).describe(capability);
        let mut granted = self.granted.describe(capability)?;
        for rule in &self.denied {
            match rule.scopes.describe(capability) {
                None => {}
                denied if denied == all => return None,
                Some(denied) => granted.push_str(&format!("; but not {denied}")),
            }
        }
        Some(granted)
    }

    /// Whether anything of a kind is both asked for and granted. What is denied of it may be all that is.
    pub fn has_any_of(&self, capability: Capability) -> bool {
        let asks = |asked: &Scopes| asked.describe(capability).is_some();
        self.asked.as_ref().is_none_or(asks) && self.granted(capability).is_some()
    }

    /// Whether all of a kind is asked for and granted, and none of it denied.
    pub fn has_all_of(&self, capability: Capability) -> bool {
        let whole = |scopes: &Scopes| {
            let missing = Scopes::all_of(capability).beyond(scopes, &self.base);
            missing.describe(capability).is_none()
        };
        let denied = |rule: &Rule| rule.scopes.describe(capability).is_some();
        self.asked.as_ref().is_none_or(whole) && whole(&self.granted) && !self.denied.iter().any(denied)
    }

    /// The denials that hold, as they were written.
    pub fn denials(&self) -> impl Iterator<Item = &str> {
        self.denied.iter().map(|rule| rule.text.as_str())
    }

    /// Lets a request through, or says why not.
    ///
    /// # Errors
    ///
    /// [`Code::Denied`](crate::Code::Denied): the manifest does not ask, the operator has not granted, or has
    /// denied. The hint is the exact line or flag that would change it.
    pub fn check(&self, request: &Request<'_>) -> Result<(), Error> {
        match *request {
            Request::File(mode, path) => self.decide(&Request::File(mode, &absolute(&self.base, path))),
            Request::LookUp(host) => self.look_up(host),
            _ => self.decide(request),
        }
    }

    /// Lets a file or folder through, and says where it lies, so that it can be opened by way of its root:
    /// the text of a path says nothing about symbolic links on the way.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub fn place(&self, mode: FileMode, path: &Path) -> Result<Place, Error> {
        let path = absolute(&self.base, path);
        self.decide(&Request::File(mode, &path))?;
        let granted = self.granted.filesystem.root_of(mode, &path).flatten();
        let asked = self.asked.as_ref().and_then(|asked| asked.filesystem.root_of(mode, &path)).flatten();
        let (root, asked) = match (granted, asked) {
            (Some(granted), Some(asked)) => (Some(granted), asked.strip_prefix(granted).ok()),
            (granted, asked) => (granted.or(asked), None),
        };
        let asked = asked.unwrap_or(Path::new(""));
        let rest = root.and_then(|root| path.strip_prefix(root.join(asked)).ok()).unwrap_or(Path::new(""));
        Ok(Place {
            root: root.map(Path::to_owned),
            asked: asked.to_owned(),
            rest: rest.to_owned(),
            denied: self.denied_paths(mode).cloned().collect(),
            path,
        })
    }

    /// The refusal of a file which lies in a place that [`place`](Self::place) gave, but turned out to be
    /// denied under another name.
    pub fn denied_elsewhere(&self, mode: FileMode, path: &Path, denied: &Path) -> Error {
        match self.denied.iter().find(|rule| rule.scopes.filesystem.allows(mode, denied)) {
            Some(rule) => self.refuse(&Request::File(mode, path), Reason::Denied(rule)),
            None => self.refuse(&Request::File(mode, path), Reason::NotGranted),
        }
    }

    /// Whether the operator has denied this, whatever else is granted: for what could be reached by another name.
    pub fn denies(&self, request: &Request<'_>) -> bool {
        self.denied.iter().any(|rule| rule.scopes.allows(request))
    }

    /// The program's folder, where relative paths start.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// What is both asked for and granted.
    pub(super) fn shared_paths(&self, mode: FileMode) -> Vec<PathBuf> {
        let everything = Filesystem::all();
        let asked = self.asked.as_ref().map_or(&everything, |asked| &asked.filesystem);
        asked.shared(&self.granted.filesystem, mode, &self.base)
    }

    /// What is denied by name.
    pub(super) fn denied_paths(&self, mode: FileMode) -> impl Iterator<Item = &PathBuf> {
        self.denied.iter().flat_map(move |rule| rule.scopes.filesystem.named(mode))
    }

    pub(super) fn decide(&self, request: &Request<'_>) -> Result<(), Error> {
        let reason = if let Some(rule) = self.denied.iter().find(|rule| rule.scopes.allows(request)) {
            Reason::Denied(rule)
        } else {
            let granted = self.granted.allows(request);
            match &self.asked {
                Some(asked) if !asked.allows(request) => Reason::NotAsked { granted },
                _ if !granted => Reason::NotGranted,
                _ => return Ok(()),
            }
        };
        Err(self.refuse(request, reason))
    }

    pub(super) fn refuse(&self, request: &Request<'_>, reason: Reason<'_>) -> Error {
        Refusal {
            plugin: self.plugin.as_deref(),
            request,
            reason,
            base: &self.base,
            folder: self.folder.as_deref(),
        }
        .into_error()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;
    use crate::output::Stream;
    use serde_json::json;

    const OUT: Request<'_> = Request::Print(Stream::Stdout);

    fn grants(allow: &[&str], deny: &[&str]) -> Grants {
        let here = Path::new("/here");
        let mut grants = Grants::new(here);
        allow.iter().for_each(|text| grants.allow(text, here).unwrap());
        deny.iter().for_each(|text| grants.deny(text, here).unwrap());
        grants
    }

    fn asks(entries: &serde_json::Value) -> Asks {
        let mut asks = Asks::default();
        for entry in entries.as_array().unwrap() {
            match entry {
                serde_json::Value::Object(fields) => {
                    for (name, detail) in fields {
                        assert_eq!(asks.add(name, Some(detail)), Ok(true));
                    }
                }
                name => assert_eq!(asks.add(name.as_str().unwrap(), None), Ok(true)),
            }
        }
        asks
    }

    /// Checks a request, and the message and hint of its refusal.
    #[track_caller]
    fn case(access: &Access, request: Request<'_>, refusal: Option<(&str, &str)>) {
        let result = access.check(&request);
        match (&result, refusal) {
            (Ok(()), None) => {}
            (Err(error), Some((message, hint))) => {
                assert_eq!(error.code(), Code::Denied);
                assert_eq!((error.message(), error.hint_text()), (message, Some(hint)));
            }
            _ => panic!("{request:?}: {result:?}"),
        }
    }

    fn read(path: &str) -> Request<'_> {
        Request::File(FileMode::Read, Path::new(path))
    }

    #[test]
    fn a_program_needs_grants_but_to_print() {
        let bare = Access::program(&grants(&[], &[]), "/here/app");
        case(&bare, OUT, None);
        case(&bare, Request::Print(Stream::Stderr), None);
        let arguments = ["log", "-1", "it's, so", ""].map(str::to_owned);
        let run = |program, arguments| Request::Run { program, arguments };
        for (request, act, flag) in [
            (read("data/x.csv"), "read `data/x.csv`", "filesystem=read:app/data/x.csv"),
            (read("/etc/hosts"), "read `/etc/hosts`", "filesystem=read:/etc/hosts"),
            (read("../my file"), "read `/here/my file`", "'filesystem=read:my file'"),
            (read("a,b"), "read `a,b`", "filesystem=read:app/a,,b"),
            (read("."), "read `.`", "filesystem=read:app"),
            (Request::File(FileMode::Write, Path::new("out")), "write `out`", "filesystem=write:app/out"),
            (Request::Connect { host: "::1", port: 80 }, "connect to `[::1]:80`", "'network=[::1]:80'"),
            (run("git", &arguments[..2]), "start `git log -1`", "'process=git log -1'"),
            (
                run("git", &arguments),
                r#"start `git log -1 "it's, so" ''`"#,
                r#""process=git log -1 \"it's,, so\" ''""#,
            ),
            (Request::Environment("LANG"), "read the environment variable `LANG`", "env=LANG"),
            (Request::Native, "run native code in this process", "native"),
            (Request::ReadInput, "read standard input", "io=stdin"),
        ] {
            let message = format!("the program may not {act}: it is not granted");
            case(&bare, request, Some((&message, &format!("run with `--allow {flag}`"))));
            // What the hint says works.
            let word = shlex::split(flag).unwrap().remove(0);
            case(&Access::program(&grants(&[&word], &[]), "/here/app"), request, None);
        }
        let star = ["*".to_owned()];
        for (arguments, command) in [(&[][..], "git"), (&star, "git *")] {
            let message = format!("the program may not start `{command}`: it is not granted");
            let hint =
                "run with `--allow process=git`; that allows all arguments: no pattern is this command alone";
            case(&bare, run("git", arguments), Some((&message, hint)));
        }
        let silent = Access::program(&grants(&[], &["io"]), "/here");
        case(
            &silent,
            OUT,
            Some((
                "the program may not write to standard output: `--deny io` forbids it",
                "leave out `--deny io`",
            )),
        );
        assert!(Access::default().check(&OUT).is_err());
    }

    #[test]
    fn a_plugin_needs_two_keys() {
        let io = asks(&json!(["io", "native", {"filesystem": {"read": ["data"]}}]));
        let none = Asks::default();
        let access = |asks, allow: &[&str]| Access::plugin("stats", asks, &grants(allow, &[]), "/here/app");
        case(&access(&io, &["io"]), OUT, None);
        case(&access(&io, &["stats:io"]), OUT, None);
        case(
            &access(&io, &["other:io"]),
            OUT,
            Some((
                "plugin `stats` may not write to standard output: it is not granted",
                "run with `--allow stats:io`",
            )),
        );
        case(
            &access(&none, &["io"]),
            OUT,
            Some((
                "plugin `stats` may not write to standard output: its manifest does not ask for it",
                "add `\"io\"` to `capabilities` in the manifest of `stats`",
            )),
        );
        case(
            &access(&none, &[]),
            read("data/x"),
            Some((
                "plugin `stats` may not read `data/x`: its manifest does not ask for it",
                "add `{\"filesystem\":{\"read\":[\"data/x\"]}}` to `capabilities` in the manifest of `stats` \
                 and run with `--allow stats:filesystem=read:app/data/x`",
            )),
        );
        case(
            &access(&io, &[]),
            Request::Native,
            Some((
                "plugin `stats` may not run native code in this process: it is not granted",
                "run with `--allow native=stats`",
            )),
        );
        case(&access(&io, &["native=stats"]), Request::Native, None);
        case(&access(&io, &["filesystem"]), read("data/x"), None);
        assert!(access(&io, &["filesystem"]).check(&read("other")).is_err());
        assert!(access(&io, &["filesystem=/elsewhere"]).check(&read("data/x")).is_err());
    }

    #[test]
    fn denials_win() {
        for (allow, deny, request, expected) in [
            (&["filesystem"][..], &["filesystem"][..], read("x"), false),
            (&["filesystem"], &["filesystem=secret"], read("/here/secret/x"), false),
            (&["filesystem"], &["filesystem=secret"], read("/here/other"), true),
            (&["filesystem"], &["filesystem=write:secret"], read("/here/secret/x"), true),
            (&["filesystem=read:secret/x"], &["filesystem=read:secret"], read("/here/secret/x"), false),
            (&["filesystem"], &["other:filesystem"], read("x"), true),
            (&["env=A", "env=B"], &["env=B"], Request::Environment("A"), true),
            (&["env"], &["env=B"], Request::Environment("B"), false),
        ] {
            let access = Access::program(&grants(allow, deny), "/here");
            assert_eq!(access.check(&request).is_ok(), expected, "{allow:?} {deny:?} {request:?}");
        }
    }

    #[test]
    fn places() {
        let asked = asks(&json!([{"filesystem": {"read": ["data", "/shared"]}}]));
        let all = asks(&json!(["filesystem"]));
        for (asks, allow, path, root, inner, rest) in [
            (&all, "filesystem=.", "data/x/y", Some("/here"), "", "data/x/y"),
            (&all, "filesystem=data/x", "data/x", Some("/here/data/x"), "", ""),
            (&all, "filesystem", "data/x", None, "", ""),
            (&asked, "filesystem=.", "data/x/y", Some("/here"), "data", "x/y"),
            (&asked, "filesystem=.", "data", Some("/here"), "data", ""),
            (&asked, "filesystem=data", "data/x", Some("/here/data"), "", "x"),
            (&asked, "filesystem=data/x", "data/x/y", Some("/here/data/x"), "", "y"),
            (&asked, "filesystem", "/shared/z", Some("/shared"), "", "z"),
            (&asked, "filesystem=/", "/shared/z", Some("/"), "shared", "z"),
        ] {
            let access = Access::plugin("p", asks, &grants(&[allow], &["filesystem=never"]), "/here");
            let place = access.place(FileMode::Read, Path::new(path)).unwrap();
            assert_eq!(
                (place.root.as_deref(), place.asked.as_path(), place.rest.as_path()),
                (root.map(Path::new), Path::new(inner), Path::new(rest)),
                "{allow} {path}"
            );
            assert_eq!(place.denied, [PathBuf::from("/here/never")]);
        }
    }

    #[test]
    fn the_text_of_a_path_cannot_leave() {
        let access = Access::program(&grants(&["filesystem=data"], &[]), "/here");
        for path in ["data/../secret", "../etc", "data/../../etc/x", "/etc", "datax", "", "."] {
            assert!(access.place(FileMode::Read, Path::new(path)).is_err(), "{path:?}");
        }
        for path in ["data", "data/", "./data/x", "other/../data/x", "/here/data/../data/x"] {
            assert!(access.place(FileMode::Read, Path::new(path)).is_ok(), "{path:?}");
        }
    }

    #[test]
    fn what_is_denied_is_denied_whatever_is_granted() {
        let access = Access::program(&grants(&["network"], &["network=10.0.0.1:80"]), "/here");
        assert!(access.denies(&Request::Connect { host: "10.0.0.1", port: 80 }));
        assert!(!access.denies(&Request::Connect { host: "10.0.0.1", port: 81 }));
        assert!(!Access::default().denies(&Request::Connect { host: "10.0.0.1", port: 80 }));
    }
}
