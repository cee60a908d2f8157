//! The error that everything in Caraway reports.

use crate::bind::may_leave;
use crate::code::Code;
use crate::text;
use rhai::{Dynamic, EvalAltResult, Position};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// The file, as the user named or would name it. `-` is standard input.
    pub file: PathBuf,
    /// Line, from 1; 0 where only the file is known.
    pub line: usize,
    /// Column in characters, from 1; 0 where only the line is known.
    pub column: usize,
}

impl Location {
    /// A whole file.
    pub fn file(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), line: 0, column: 0 }
    }

    /// A place in a file.
    pub fn new(file: impl Into<PathBuf>, line: usize, column: usize) -> Self {
        Self { file: file.into(), line, column }
    }

    /// The place that a byte offset of `text` is at.
    pub fn at_offset(file: impl Into<PathBuf>, text: &str, offset: usize) -> Self {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        let line = before.matches('\n').count() + 1;
        Self { file: file.into(), line, column: before[line_start..].chars().count() + 1 }
    }

    /// A Rhai position in a source file. A source without a name is `script`.
    pub fn of_position(source: Option<&str>, position: Position) -> Self {
        Self {
            file: PathBuf::from(source.filter(|s| !s.is_empty()).unwrap_or("script")),
            line: position.line().unwrap_or(0),
            column: position.position().unwrap_or(0),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", escape(&self.file.to_string_lossy()))?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.line > 0 && self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        Ok(())
    }
}

/// A call on the way to an error, innermost first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What was called: `stats::mean`.
    pub function: String,
    /// Where it was called.
    pub location: Location,
}

/// What went wrong: a stable [`Code`], what was found, where, and what to do about it.
///
/// [`Display`](fmt::Display) prints the message alone; the parts are for whoever renders it.
///
/// ```
/// use caraway_loaders_core::{Code, Error, Location};
///
/// let error = Error::new(Code::UnknownPlugin, "no plugin is called `stat`")
///     .at(Location::new("app.rhai", 1, 8))
///     .hint("did you mean `stats`?");
/// assert_eq!(error.code().as_str(), "E0401");
/// assert_eq!(error.to_string(), "no plugin is called `stat`");
/// ```
#[derive(Debug, Clone)]
pub struct Error(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    code: Code,
    message: String,
    location: Option<Location>,
    hint: Option<String>,
    frames: Vec<Frame>,
    /// Other problems found at the same time.
    others: Vec<Error>,
    /// A value that a script threw: `throw #{...}`.
    thrown: Option<Dynamic>,
    /// The argument that it is about, from 0.
    argument: Option<usize>,
}

impl Error {
    /// An error without a place or a hint. Control characters in the message are escaped, and what is longer than
    /// [`text::MESSAGE`] bytes is cut.
    pub fn new(code: Code, message: impl AsRef<str>) -> Self {
        Self(Box::new(Parts {
            code,
            message: escape(&text::cut(message.as_ref())),
            location: None,
            hint: None,
            frames: Vec::new(),
            others: Vec::new(),
            thrown: None,
            argument: None,
        }))
    }

    /// An [`Code::Io`] error about a path.
    pub fn io(path: &Path, doing: &str, error: &std::io::Error) -> Self {
        Self::new(Code::Io, format!("cannot {doing} {}: {error}", path.display()))
    }

    /// The same error, found here. A place that is known already is kept.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.0.location.get_or_insert(location);
        self
    }

    /// The same error without its place, where that tells nobody anything.
    #[must_use]
    pub fn without_location(mut self) -> Self {
        self.0.location = None;
        self
    }

    /// The same error, and those that were found with it, about what is at `to` and was looked at below `from`: places
    /// and paths in messages are changed.
    #[must_use]
    pub fn moved(mut self, from: &Path, to: &Path) -> Self {
        let (old, new) = (escape(&from.to_string_lossy()), escape(&to.to_string_lossy()));
        self.0.message = self.0.message.replace(&old, &new);
        if let Some(location) = &mut self.0.location
            && let Ok(inner) = location.file.strip_prefix(from)
        {
            // `join` with an empty path would append a slash.
            location.file = if inner.as_os_str().is_empty() { to.to_owned() } else { to.join(inner) };
        }
        self.0.others = self.0.others.into_iter().map(|other| other.moved(from, to)).collect();
        self
    }

    /// The same error, and those that were found with it, with message and hint changed.
    #[must_use]
    pub(crate) fn reworded(mut self, change: &dyn Fn(&str) -> String) -> Self {
        self.0.message = change(&self.0.message);
        self.0.hint = self.0.hint.as_deref().map(change);
        self.0.others = self.0.others.into_iter().map(|other| other.reworded(change)).collect();
        self
    }

    /// The same error, and those that were found with it, of another code.
    #[must_use]
    pub(crate) fn of_code(mut self, code: Code) -> Self {
        self.0.code = code;
        self.0.others = self.0.others.into_iter().map(|other| other.of_code(code)).collect();
        self
    }

    /// The same error with a hint that says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl AsRef<str>) -> Self {
        self.0.hint = Some(escape(&text::cut(hint.as_ref())));
        self
    }

    /// The same error, passed on by a call.
    #[must_use]
    pub fn through(mut self, function: impl Into<String>, location: Location) -> Self {
        self.0.frames.push(Frame { function: function.into(), location });
        self
    }

    /// The same error, if it is one of a script's own, as one of a plugin's.
    #[must_use]
    pub fn as_failure_of_plugin(mut self) -> Self {
        if self.0.code == Code::ScriptFailed {
            self.0.code = Code::PluginFailed;
        }
        self
    }

    /// The same error, which carries the value that a script threw.
    #[must_use]
    pub fn throwing(mut self, value: Dynamic) -> Self {
        self.0.thrown = Some(value);
        self
    }

    /// The same error without a thrown value that nests too deep to be dropped on any stack, or holds functions.
    #[must_use]
    pub fn leaving(mut self) -> Self {
        self.0.thrown = self.0.thrown.take().filter(|value| may_leave(value, 0));
        self
    }

    /// The same error, which has cost the plugin what it kept.
    #[must_use]
    pub fn with_state_lost(&self) -> Self {
        let lost = Self::new(self.0.code, format!("{}; the plugin's state was lost", self.0.message));
        lost.hint(self.hint_text().unwrap_or("the next call starts with a fresh copy of the plugin"))
    }

    /// The same error, about the argument of this index, from 0. The call that it belongs to names the
    /// function and the parameter.
    #[must_use]
    pub fn about_argument(mut self, index: usize) -> Self {
        self.0.argument = Some(index);
        self
    }

    /// The same error, whose message is a predicate, said of `subject`.
    #[must_use]
    pub fn said_of(mut self, subject: &str) -> Self {
        self.0.message = format!("{} {}", escape(subject), self.0.message);
        self
    }

    /// The argument that it is about, from 0.
    pub fn argument(&self) -> Option<usize> {
        self.0.argument
    }

    /// All of `errors` as one: the first, with the rest in [`others`](Error::others). `None` if there are none.
    pub fn from_many(errors: impl IntoIterator<Item = Error>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let mut first = errors.next()?;
        first.0.others.extend(errors);
        Some(first)
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What was found.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it was found.
    pub fn location(&self) -> Option<&Location> {
        self.0.location.as_ref()
    }

    /// What to do about it.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The calls that it came through, innermost first.
    pub fn frames(&self) -> &[Frame] {
        &self.0.frames
    }

    /// Other problems that were found at the same time.
    pub fn others(&self) -> &[Error] {
        &self.0.others
    }

    /// The value that a script threw, if this error is a `throw`.
    pub fn thrown(&self) -> Option<&Dynamic> {
        self.0.thrown.as_ref()
    }

    /// The error for Rhai, to be raised at `position`. A script can catch it: `catch (e)` gives the thrown
    /// value if there is one, else an [`ErrorValue`].
    pub fn raise(self, position: Position) -> Box<EvalAltResult> {
        let value = match &self.0.thrown {
            Some(thrown) => thrown.clone(),
            None => Dynamic::from(ErrorValue(Arc::new(self))),
        };
        Box::new(EvalAltResult::ErrorRuntime(value, position))
    }

    /// The error that [`raise`](Error::raise) put into `error`, which may be wrapped in calls.
    pub fn raised_in(error: &EvalAltResult) -> Option<Error> {
        match error.unwrap_inner() {
            EvalAltResult::ErrorRuntime(value, _) => {
                value.read_lock::<ErrorValue>().map(|v| Error::clone(&v.0))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

/// An [`Error`] as a value in a script: `e.code`, `e.message`, `e.hint`, and `e` itself prints as the message.
#[derive(Debug, Clone)]
pub struct ErrorValue(pub Arc<Error>);

impl ErrorValue {
    /// Makes the type known to an engine.
    pub fn register(engine: &mut rhai::Engine) {
        engine
            .register_type_with_name::<ErrorValue>("Error")
            .register_get("code", |e: &mut ErrorValue| e.0.code().as_str().to_owned())
            .register_get("message", |e: &mut ErrorValue| e.0.message().to_owned())
            .register_get("hint", |e: &mut ErrorValue| e.0.hint_text().unwrap_or_default().to_owned())
            .register_fn("to_string", |e: &mut ErrorValue| e.0.to_string())
            .register_fn("to_debug", |e: &mut ErrorValue| format!("{} {}", e.0.code(), e.0));
    }
}

impl fmt::Display for ErrorValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Text with everything escaped that could take over a terminal or turn the reading direction: control
/// characters (but for newline and tab), bidirectional overrides, invisible separators.
pub fn escape(text: &str) -> String {
    if !text.contains(is_harmful) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_harmful(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether a character can take over a terminal or turn text around: all of them are below U+10000.
pub fn is_harmful(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_become_lines_and_columns() {
        let text = "a\nüb\n";
        for (offset, line, column) in
            [(0, 1, 1), (1, 1, 2), (2, 2, 1), (3, 2, 1), (4, 2, 2), (6, 3, 1), (99, 3, 1)]
        {
            let location = Location::at_offset("f", text, offset);
            assert_eq!((location.line, location.column), (line, column), "offset {offset}");
        }
    }

    #[test]
    fn terminals_are_safe() {
        assert_eq!(escape("a\u{1b}[31m\u{202e}\u{7}"), "a\\u{1b}[31m\\u{202e}\\u{7}");
        assert_eq!(escape("plain ü\n"), "plain ü\n");
    }

    #[test]
    fn errors_survive_rhai() {
        let error = Error::new(Code::Denied, "no").hint("yes");
        let raised = error.clone().raise(Position::new(1, 2));
        let wrapped = EvalAltResult::ErrorInFunctionCall("f".into(), "s".into(), raised, Position::NONE);
        let back = Error::raised_in(&wrapped).unwrap();
        assert_eq!((back.code(), back.message(), back.hint_text()), (Code::Denied, "no", Some("yes")));
    }
}
