//! The words of a refusal: who may not do what, why, and the exact line that would change it.

use super::grants::Rule;
use super::lexical::seen_from;
use super::network;
use super::process;
use super::quote::quoted;
use super::request::Request;
use crate::code::Code;
use crate::error::Error;
use crate::output::Stream;
use serde_json::json;
use std::path::Path;

/// Stands in a flag for a port that nobody has said.
const ANY_PORT: &str = "PORT";

/// Why a request is refused.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reason<'a> {
    /// A denial.
    Denied(&'a Rule),
    /// The manifest does not ask; the operator may have granted it even so.
    NotAsked { granted: bool },
    /// The operator has not granted it.
    NotGranted,
}

/// All that the words depend on. The path in `request` is absolute.
pub(super) struct Refusal<'a> {
    /// The plugin; `None` is the program.
    pub(super) plugin: Option<&'a str>,
    pub(super) request: &'a Request<'a>,
    pub(super) reason: Reason<'a>,
    /// The program's folder, where a manifest's paths start.
    pub(super) base: &'a Path,
    /// The operator's folder, where a flag's paths start.
    pub(super) folder: Option<&'a Path>,
}

/// Who it is that may not: a plugin, or the program.
pub(super) fn subject(plugin: Option<&str>) -> String {
    match plugin {
        Some(plugin) => format!("plugin `{plugin}`"),
        None => "the program".to_owned(),
    }
}

impl Refusal<'_> {
    #[cold]
    pub(super) fn into_error(self) -> Error {
        let who = subject(self.plugin);
        let (why, hint) = match self.reason {
            Reason::Denied(rule) => (format!("{} forbids it", rule.said_by), rule.remedy.clone()),
            Reason::NotAsked { granted } => {
                let line = format!(
                    "add `{}` to `capabilities` in the manifest of `{}`",
                    self.line(),
                    self.plugin.unwrap_or_default()
                );
                let and = if granted { String::new() } else { format!(" and run with `{}`", self.flag()) };
                ("its manifest does not ask for it".to_owned(), format!("{line}{and}{}", self.excess()))
            }
            Reason::NotGranted => {
                ("it is not granted".to_owned(), format!("run with `{}`{}", self.flag(), self.excess()))
            }
        };
        Error::new(Code::Denied, format!("{who} may not {}: {why}", self.act())).hint(hint)
    }

    fn act(&self) -> String {
        match *self.request {
            Request::File(mode, path) => {
                format!("{} `{}`", mode.word(), seen_from(self.base, path).display())
            }
            Request::Connect { host, port } => format!("connect to `{}`", network::shown(host, port)),
            Request::LookUp(host) => format!("look up `{host}`"),
            Request::Run { program, arguments } => format!("start `{}`", process::shown(program, arguments)),
            Request::Environment(name) => format!("read the environment variable `{name}`"),
            Request::Native => "run native code in this process".to_owned(),
            Request::Print(Stream::Stdout) => "write to standard output".to_owned(),
            Request::Print(Stream::Stderr) => "write to standard error".to_owned(),
            Request::ReadInput => "read standard input".to_owned(),
        }
    }

    /// What the line and the flag would allow beside it.
    fn excess(&self) -> String {
        let excess = match *self.request {
            Request::Run { program, arguments } => process::narrowest(program, arguments).excess,
            _ => None,
        };
        excess.map(|what| format!("; that allows {what}")).unwrap_or_default()
    }

    /// What would ask for it in a manifest.
    fn line(&self) -> String {
        let capability = self.request.capability().name();
        match *self.request {
            Request::File(mode, path) => {
                let path = seen_from(self.base, path);
                json!({capability: {mode.word(): [path.to_string_lossy()]}})
            }
            Request::Connect { host, port } => json!({capability: {"hosts": [network::shown(host, port)]}}),
            Request::LookUp(host) => json!({capability: {"hosts": [network::shown(host, ANY_PORT)]}}),
            Request::Run { program, arguments } => match process::narrowest(program, arguments).entry {
                Some(entry) => json!({capability: {"programs": [entry]}}),
                None => json!(capability),
            },
            Request::Environment(name) => json!({capability: {"names": [name]}}),
            Request::Native | Request::Print(_) | Request::ReadInput => json!(capability),
        }
        .to_string()
    }

    /// What would grant it on the command line.
    fn flag(&self) -> String {
        let argument = match *self.request {
            Request::File(mode, path) => {
                let path = self.folder.map_or_else(|| path.to_owned(), |folder| seen_from(folder, path));
                Some(format!("{}:{}", mode.word(), path.display()))
            }
            Request::Connect { host, port } => Some(network::shown(host, port)),
            Request::LookUp(host) => Some(network::shown(host, ANY_PORT)),
            Request::Run { program, arguments } => process::narrowest(program, arguments).entry,
            Request::Environment(name) => Some(name.to_owned()),
            Request::ReadInput => Some("stdin".to_owned()),
            Request::Native | Request::Print(_) => None,
        };
        let capability = self.request.capability();
        let argument = argument.map(|argument| format!("={}", argument.replace(',', ",,")));
        let rule = match (self.plugin, self.request) {
            (Some(plugin), Request::Native) => format!("native={plugin}"),
            (Some(plugin), _) => format!("{plugin}:{capability}{}", argument.unwrap_or_default()),
            (None, _) => format!("{capability}{}", argument.unwrap_or_default()),
        };
        format!("--allow {}", quoted(&rule))
    }
}
