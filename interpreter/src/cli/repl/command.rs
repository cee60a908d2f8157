//! What begins with a colon.

use crate::count::counted;
use crate::diagnostic::one_line;
use crate::interactive::Interactive;
use caraway_loaders_core::bind::suggest;
use caraway_loaders_core::resolve::parse_import;
use caraway_loaders_core::{Code, Error};
use std::fmt::Write;

/// A command, with what follows it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Help,
    Doc(String),
    Imports,
    Quit,
    Reload,
    Time(String),
    Unload(String),
    Variables,
}

/// The commands: name, what follows, what it does.
pub(super) const COMMANDS: [(&str, &str, &str); 8] = [
    ("doc", "NAME[::FUNCTION]", "what a plugin offers, or one of its functions"),
    ("help", "", "these commands"),
    ("imports", "", "what is imported, and as what"),
    ("quit", "", "ends; so does Ctrl-D"),
    ("reload", "", "reads manifests and configuration anew, and loads all imports again"),
    ("time", "EXPRESSION", "how long something takes"),
    ("unload", "ALIAS", "forgets an import"),
    ("variables", "", "the variables, with their types and values"),
];

impl Command {
    /// The command of a text that begins with a colon.
    pub(super) fn parse(text: &str) -> Option<Result<Self, Error>> {
        let text = text.trim().strip_prefix(':')?;
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        Some(Self::of(name, rest.trim()))
    }

    fn of(name: &str, rest: &str) -> Result<Self, Error> {
        // `:q` is enough where nothing else begins like that.
        let mut meant = COMMANDS.iter().filter(|(known, ..)| !name.is_empty() && known.starts_with(name));
        let Some((known, argument, what)) = meant.next() else {
            let error = Error::new(Code::Usage, format!("there is no command `:{name}`"));
            return Err(match suggest(name, COMMANDS.iter().map(|(known, ..)| *known)) {
                Some(near) => error.hint(format!("did you mean `:{near}`?")),
                None => error.hint("`:help` lists them"),
            });
        };
        if argument.is_empty() != rest.is_empty() {
            let wanted = format!(":{known} {argument}");
            return Err(Error::new(Code::Usage, format!("it is `{}`", wanted.trim())).hint(*what));
        }
        let rest = rest.to_owned();
        Ok(match *known {
            "doc" => Self::Doc(rest),
            "imports" => Self::Imports,
            "quit" => Self::Quit,
            "reload" => Self::Reload,
            "time" => Self::Time(rest),
            "unload" => Self::Unload(rest),
            "variables" => Self::Variables,
            _ => Self::Help,
        })
    }
}

pub(super) fn help() -> String {
    let mut text = String::new();
    for (name, argument, what) in COMMANDS {
        let _ = writeln!(text, "{:<22} {what}", format!(":{name} {argument}"));
    }
    text
}

/// What a module, or a function of one, is for.
pub(super) fn doc(of: &str, interactive: &Interactive) -> Result<String, Error> {
    let (alias, function) =
        of.split_once("::").map_or((of, None), |(alias, function)| (alias, Some(function)));
    let imported = interactive.imports().find(|(known, ..)| *known == alias).map(|(_, path, _)| path);
    let (name, range) = parse_import(imported.unwrap_or(alias))?;
    let session = interactive.session();
    let plugin = crate::lookup::find(session.catalog(), &name, &range)?;
    super::super::doc::text(plugin, session, alias, function)
}

pub(super) fn variables(interactive: &Interactive) -> String {
    let mut text = String::new();
    for (name, value) in interactive.variables() {
        let shown: String = format!("{value:?}").chars().take(60).collect();
        let ty = caraway_loaders_core::bind::conform::type_name(value);
        let _ = writeln!(text, "{name}: {ty} = {}", one_line(&shown));
    }
    for function in interactive.functions().filter(|name| !name.starts_with("anon$")) {
        let _ = writeln!(text, "fn {function}");
    }
    if text.is_empty() { "nothing is defined\n".to_owned() } else { text }
}

pub(super) fn imports(interactive: &Interactive) -> String {
    let mut text = String::new();
    for (alias, path, bound) in interactive.imports() {
        let functions = bound.map_or(0, |bound| bound.signatures.len());
        let count = counted(functions, "function");
        let what = if bound.is_some() { count } else { "a file".to_owned() };
        let _ = writeln!(text, "{path:?} as {alias}: {what}");
    }
    if text.is_empty() { "nothing is imported\n".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        let parsed =
            |text: &str| Command::parse(text).map(|command| command.map_err(|error| error.to_string()));
        assert_eq!(parsed("1 + 1"), None);
        assert_eq!(parsed(" :doc stats::mean "), Some(Ok(Command::Doc("stats::mean".to_owned()))));
        assert_eq!(parsed(":q"), Some(Ok(Command::Quit)));
        assert_eq!(parsed(":time"), Some(Err("it is `:time EXPRESSION`".to_owned())));
        assert_eq!(parsed(":quit now"), Some(Err("it is `:quit`".to_owned())));
        assert_eq!(parsed(":rload"), Some(Err("there is no command `:rload`".to_owned())));
        assert_eq!(parsed(":"), Some(Err("there is no command `:`".to_owned())));
    }
}
