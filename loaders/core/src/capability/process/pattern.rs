//! A program with what its arguments may be, as one text: `git log *`.

use super::super::quote::quoted_but;
use std::fmt;

/// The longest command that is written out whole, in bytes.
const MAX_SHOWN: usize = 256;

/// A program, and a pattern for each of its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    program: String,
    /// `None` for any arguments.
    arguments: Option<Arguments>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Arguments {
    /// One for each, in order; `*` is any run of characters.
    words: Vec<String>,
    /// Whether any number of others may follow: a last `**`.
    more: bool,
}

impl Pattern {
    /// Splits a text into words as a shell does.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let shown = || text.escape_debug();
        if text.contains('\0') {
            return Err(format!("the program `{}` holds a NUL character", shown()));
        }
        let mut words =
            shlex::split(text).ok_or_else(|| format!("`{}` ends within a quote or after `\\`", shown()))?;
        // What a shell takes for a comment would be left out.
        let whole = shlex::split(&format!("{text} end")).is_some_and(|more| more.len() == words.len() + 1);
        if !whole {
            return Err(format!("`{}` has a comment; quote the `#`", shown()));
        }
        if words.first().is_none_or(String::is_empty) {
            return Err("a program's name is empty".to_owned());
        }
        let program = words.remove(0);
        if program.contains('*') {
            return Err(format!("`{program}` is no program's name: `*` stands for arguments alone"));
        }
        if program.contains('/') && !program.starts_with('/') {
            return Err(format!("`{program}` is relative; write a name that PATH has, or an absolute path"));
        }
        let more = words.last().is_some_and(|last| last == "**");
        if more {
            words.pop();
        }
        if words.iter().any(|word| word == "**") {
            return Err(format!("`{}` has `**` before its end; `*` stands for one argument", shown()));
        }
        let any = words.is_empty();
        Ok(Self { program, arguments: (!any).then_some(Arguments { words, more }) })
    }

    pub(super) fn allows(&self, program: &str, arguments: &[String]) -> bool {
        self.program == program
            && self.arguments.as_ref().is_none_or(|patterns| patterns.cover(arguments, false))
    }

    /// Whether it allows all that another one does.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.program == other.program
            && match (&self.arguments, &other.arguments) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(ours), Some(theirs)) => ours.cover(&theirs.words, theirs.more),
            }
    }
}

impl Arguments {
    /// Whether they hold for these words. The words may be patterns, too: since no `*` of a pattern stands for itself, a
    /// pattern that matches the text of another matches all that the other does.
    fn cover(&self, words: &[String], more: bool) -> bool {
        let enough = match self.more {
            true => words.len() >= self.words.len(),
            false => words.len() == self.words.len() && !more,
        };
        enough && self.words.iter().zip(words).all(|(pattern, word)| matches(pattern, word))
    }
}

/// Whether a text is what a pattern says. What was tried for a `*` is tried longer when the rest does not fit; an earlier
/// `*` never has to be.
fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&word(&self.program))?;
        let Some(Arguments { words, more }) = &self.arguments else { return Ok(()) };
        words.iter().try_for_each(|text| write!(f, " {}", word(text)))?;
        f.write_str(if *more { " **" } else { "" })
    }
}

/// The entry that allows a command and as little else as can be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Narrowest {
    /// `None` where no entry allows it.
    pub(in super::super) entry: Option<String>,
    /// What it allows beside the command.
    pub(in super::super) excess: Option<&'static str>,
}

/// No pattern says that there are no arguments, has a `*` that stands for itself, or is longer than is shown.
pub(in super::super) fn narrowest(program: &str, arguments: &[String]) -> Narrowest {
    let literal = !arguments.is_empty() && arguments.iter().all(|argument| !argument.contains('*'));
    let allows = |entry: &String| {
        is_shown(entry) && Pattern::parse(entry).is_ok_and(|pattern| pattern.allows(program, arguments))
    };
    if let Some(entry) = Some(command(program, arguments)).filter(|entry| literal && allows(entry)) {
        return Narrowest { entry: Some(entry), excess: None };
    }
    match Some(word(program)).filter(allows) {
        Some(entry) => {
            Narrowest { entry: Some(entry), excess: Some("all arguments: no pattern is this command alone") }
        }
        None => Narrowest { entry: None, excess: Some("all programs: no pattern is this one") },
    }
}

/// A command as messages show it; without its arguments where they are too long or cannot be shown.
pub(in super::super) fn shown(program: &str, arguments: &[String]) -> String {
    let command = command(program, arguments);
    if is_shown(&command) { command } else { word(program) }
}

fn is_shown(command: &str) -> bool {
    command.len() <= MAX_SHOWN && !command.chars().any(|c| c.is_control() || crate::is_harmful(c))
}

fn command(program: &str, arguments: &[String]) -> String {
    let words = std::iter::once(program).chain(arguments.iter().map(String::as_str));
    words.map(word).collect::<Vec<_>>().join(" ")
}

/// A word as it is split off again.
fn word(text: &str) -> String {
    quoted_but(text, "%*")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn arguments_by_their_patterns() {
        for (entry, arguments, expected) in [
            ("git", &[][..], true),
            ("git", &["push", "--force"], true),
            ("git **", &[], true),
            ("git **", &["push", "x"], true),
            ("git log", &["log"], true),
            ("git log", &["log", "-1"], false),
            ("git log", &[], false),
            ("git log *", &["log", "-1"], true),
            ("git log *", &["log", ""], true),
            ("git log *", &["log"], false),
            ("git log *", &["log", "a", "b"], false),
            ("git log *", &["push", "a"], false),
            ("git log **", &["log"], true),
            ("git log **", &["log", "a", "b"], true),
            ("git log **", &["-C", "log"], false),
            ("git --depth=*", &["--depth=3"], true),
            ("git --depth=*", &["--depth"], false),
            ("git *.txt", &["a.txt"], true),
            ("git *.txt", &[".txt"], true),
            ("git *.txt", &["a.txt.exe"], false),
            ("git a*b*c", &["abc"], true),
            ("git a*b*c", &["axxbyybzzc"], true),
            ("git a*b*c", &["acb"], false),
            ("git ab*ba", &["aba"], false),
            ("git ab*ba", &["abba"], true),
            ("git 'a b' \"\"", &["a b", ""], true),
            ("git 'a b'", &["a", "b"], false),
            ("git '*'", &["anything"], true),
            ("git '#1'", &["#1"], true),
            ("git x*", &["x*"], true),
            ("git *é*", &["caféx"], true),
        ] {
            let pattern = Pattern::parse(entry).unwrap();
            assert_eq!(pattern.allows("git", &owned(arguments)), expected, "{entry} {arguments:?}");
            assert!(!pattern.allows("hg", &owned(arguments)));
            assert_eq!(Pattern::parse(&pattern.to_string()), Ok(pattern), "{entry}");
        }
    }

    #[test]
    fn what_covers_what() {
        for (wide, narrow, expected) in [
            ("git", "git", true),
            ("git", "git log *", true),
            ("git", "hg", false),
            ("git **", "git", true),
            ("git log *", "git", false),
            ("git log *", "git **", false),
            ("git log *", "git log -1", true),
            ("git log *", "git log *", true),
            ("git log *", "git log **", false),
            ("git log **", "git log * *", true),
            ("git log **", "git log", true),
            ("git log * **", "git log **", false),
            ("git log * **", "git log *", true),
            ("git log **", "git log -1 **", true),
            ("git a*", "git ab*", true),
            ("git ab*", "git a*", false),
            ("git *b*", "git a*b", true),
            ("git *", "git *x*", true),
            ("git *x*", "git *", false),
            ("git a*a", "git a", false),
        ] {
            let parsed = |text| Pattern::parse(text).unwrap();
            assert_eq!(parsed(wide).covers(&parsed(narrow)), expected, "{wide} covers {narrow}");
        }
    }

    #[test]
    fn entries_that_make_no_sense() {
        for (entry, problem) in [
            ("", "name is empty"),
            ("''", "name is empty"),
            ("git 'log", "ends within a quote"),
            ("git log\\", "ends within a quote or after"),
            ("git # log", "quote the `#`"),
            ("#", "quote the `#`"),
            ("git*", "`*` stands for arguments alone"),
            ("./git", "`./git` is relative"),
            ("tools/git", "is relative"),
            ("git ** log", "`**` before its end"),
            ("git\0", "NUL"),
        ] {
            let error = Pattern::parse(entry).unwrap_err();
            assert!(error.contains(problem), "{entry}: {error}");
        }
    }

    #[test]
    fn the_entry_for_one_command() {
        let long = "x".repeat(300);
        for (program, arguments, entry) in [
            ("git", &["log", "-1"][..], "git log -1"),
            ("git", &["a b", ""], "git 'a b' ''"),
            ("git", &["it's", "$x"], "git \"it's\" '$x'"),
            ("git", &["#"], "git '#'"),
            ("/opt/my tool", &["x"], "'/opt/my tool' x"),
        ] {
            let arguments = owned(arguments);
            assert_eq!(narrowest(program, &arguments), Narrowest { entry: Some(entry.into()), excess: None });
            assert_eq!(shown(program, &arguments), entry);
            let pattern = Pattern::parse(entry).unwrap();
            assert!(pattern.allows(program, &arguments), "{entry}");
            for index in 0..arguments.len() {
                let mut others = arguments.clone();
                others[index].push('x');
                assert!(!pattern.allows(program, &others), "{entry} {others:?}");
                assert!(!pattern.allows(program, &arguments[..index]), "{entry}");
            }
        }
        for (program, arguments, entry, command) in [
            ("git", &[][..], Some("git"), "git"),
            ("git", &["*"], Some("git"), "git *"),
            ("git", &["a*b"], Some("git"), "git a*b"),
            ("git", &["x", "**"], Some("git"), "git x **"),
            ("git", &["**", "x"], Some("git"), "git ** x"),
            ("git", &["\n"], Some("git"), "git"),
            ("git", &["\u{202e}"], Some("git"), "git"),
            ("git", &[&long], Some("git"), "git"),
            ("g*t", &["x"], None, "g*t x"),
            ("g\nt", &["x"], None, "'g\nt'"),
        ] {
            let arguments = owned(arguments);
            let found = narrowest(program, &arguments);
            assert_eq!((found.entry.as_deref(), found.excess.is_some()), (entry, true), "{command}");
            assert_eq!(shown(program, &arguments), command);
        }
    }
}
