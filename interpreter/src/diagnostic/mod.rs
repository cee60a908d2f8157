//! Errors as people and programs read them.
//!
//! On a terminal an error is a graphical report, anywhere else a stable plain text, and with `--format json`
//! one JSON object. All three show the same: code, message, place, source line, calls, hint.

mod graphical;
mod json;
mod plain;
mod snippet;

pub(crate) use json::{SCHEMA_VERSION, error_value, json_text, location_value};

use caraway_loaders_core::{Error, Location, escape};
use snippet::Snippet;
pub(crate) use snippet::Texts;
use std::fmt;
use std::io::Write;
use std::path::Path;

/// How many problems are shown at most; of more the number is told.
const MAX_PROBLEMS: usize = 20;

/// How many calls are shown at most; of a deeper stack the middle is left out.
const MAX_FRAMES: usize = 10;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Error,
    Warning,
}

/// How reports look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One JSON object a line.
    Json,
    /// The text for pipes and logs.
    Plain,
    /// The report for terminals.
    Graphical {
        /// With colours.
        color: bool,
        /// With characters outside ASCII.
        unicode: bool,
        /// In columns.
        width: usize,
    },
}

/// Writes reports to standard error.
#[derive(Debug)]
pub(crate) struct Reporter {
    layout: Layout,
    /// A program that is in no file, by the name that locations give it.
    source: Option<(String, String)>,
}

impl Reporter {
    pub(crate) fn new(layout: Layout) -> Self {
        Self { layout, source: None }
    }

    /// Makes the text of a program known that is in no file.
    pub(crate) fn set_source(&mut self, name: &str, text: &str) {
        self.source = Some((name.to_owned(), text.to_owned()));
    }

    /// Writes an error and all that was found with it. If standard error is closed, nobody is told.
    pub(crate) fn report(&self, severity: Severity, error: &Error) {
        let _ = std::io::stderr().write_all(self.render(severity, error).as_bytes());
    }

    /// The text of [`report`](Self::report).
    pub(crate) fn render(&self, severity: Severity, error: &Error) -> String {
        if self.layout == Layout::Json {
            return json::render(severity, error);
        }
        let mut problems = Vec::new();
        flatten(error, &mut problems);
        let mut text = String::new();
        for problem in problems.iter().take(MAX_PROBLEMS) {
            let report = Report::new(severity, problem, self.source.as_ref());
            text.push_str(&match self.layout {
                Layout::Graphical { color, unicode, width } => {
                    graphical::render(&report, color, unicode, width)
                }
                _ => plain::render(&report),
            });
        }
        if let Some(more) = problems.len().checked_sub(MAX_PROBLEMS).filter(|more| *more > 0) {
            text.push_str(&format!("and {more} more\n"));
        }
        text
    }
}

/// The error and all that were found with it, in order.
pub(crate) fn flatten<'a>(error: &'a Error, into: &mut Vec<&'a Error>) {
    into.push(error);
    for other in error.others() {
        flatten(other, into);
    }
}

/// Text on one line: escaped, newlines and tabs too.
pub(crate) fn one_line(text: &str) -> String {
    escape(text).replace('\n', "\\n").replace('\t', "\\t")
}

/// One problem, with what it takes to show it.
#[derive(Debug)]
struct Report<'a> {
    severity: Severity,
    error: &'a Error,
    /// `file:line:column`, safe to print.
    place: Option<String>,
    /// The calls that it came through.
    calls: Vec<String>,
    snippet: Option<Snippet>,
}

impl<'a> Report<'a> {
    fn new(severity: Severity, error: &'a Error, source: Option<&(String, String)>) -> Self {
        let location = error.location().filter(|location| !location.file.as_os_str().is_empty());
        let snippet = location.and_then(|location| match source {
            Some((name, text)) if location.file == Path::new(name) => Snippet::of(text, location),
            _ => Snippet::read(location),
        });
        Self { severity, error, place: location.map(place), calls: calls(error), snippet }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

fn place(location: &Location) -> String {
    one_line(&location.to_string())
}

/// A line for each call, innermost first.
fn calls(error: &Error) -> Vec<String> {
    let frames = error.frames();
    let tail = 2;
    let skipped = (frames.len() > MAX_FRAMES).then(|| frames.len() - (MAX_FRAMES - 1));
    let mut lines = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        match skipped {
            Some(skipped) if index == MAX_FRAMES - 1 - tail => lines.push(format!("{skipped} more calls")),
            Some(_) if (MAX_FRAMES - 1 - tail..frames.len() - tail).contains(&index) => {}
            _ => lines.push(format!(
                "in `{}`, called from {}",
                one_line(&frame.function),
                place(&frame.location)
            )),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use caraway_loaders_core::Code;

    const PLAIN: Reporter = Reporter { layout: Layout::Plain, source: None };

    fn graphical(color: bool, unicode: bool, width: usize) -> Reporter {
        Reporter::new(Layout::Graphical { color, unicode, width })
    }

    #[test]
    fn parts_of_a_report() {
        let mut reporter = Reporter::new(Layout::Plain);
        reporter.set_source("-", "let a = 1;\n\timport \"stat\" as s;\n");
        let error = Error::new(Code::UnknownPlugin, "no plugin is called `stat`")
            .at(Location::new("-", 2, 9))
            .hint("did you mean `stats`?\nor `std`")
            .through("f\u{1b}", Location::new("-", 1, 9));
        assert_eq!(
            reporter.render(Severity::Error, &error),
            "\
error[E0401]: no plugin is called `stat`
 --> -:2:9
  |
2 |     import \"stat\" as s;
  |            ^^^^^^
  = in `f\\u{1b}`, called from -:1:9
  = help: did you mean `stats`?
          or `std`
"
        );
        let graphical = Reporter { layout: graphical(false, true, 80).layout, ..reporter };
        let text = graphical.render(Severity::Warning, &error);
        for part in
            ["E0401", "no plugin is called", "[-:2:9]", "import \"stat\"", "called from -:1:9", "help:"]
        {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn what_has_no_source_has_a_place() {
        let error = Error::new(Code::Io, "gone").at(Location::new("no/such\u{1b}[2J\nfile", 3, 4));
        let shown = "no/such\\u{1b}[2J\\nfile:3:4";
        for reporter in [PLAIN, graphical(false, false, 20), graphical(false, true, 200)] {
            let text = reporter.render(Severity::Error, &error).replace("\n  |   ", "");
            assert!(text.replace(char::is_whitespace, "").contains(&shown.replace(' ', "")), "{text}");
        }
    }

    #[test]
    fn colors_only_where_they_are_wanted() {
        let error = Error::new(Code::Io, "gone").hint("look");
        assert!(graphical(true, true, 80).render(Severity::Error, &error).contains("\u{1b}["));
        for (color, unicode, width) in
            [(false, true, 80), (false, false, 80), (false, true, 1), (false, true, 0)]
        {
            let text = graphical(color, unicode, width).render(Severity::Error, &error);
            assert!(!text.contains('\u{1b}'));
            assert!(unicode || text.is_ascii(), "{text}");
        }
    }

    #[test]
    fn many_problems_and_deep_stacks_are_cut() {
        let many = (0..50).map(|index| Error::new(Code::ManifestField, format!("problem {index}")));
        let error = Error::from_many(many).unwrap();
        let text = PLAIN.render(Severity::Error, &error);
        assert!(text.contains("problem 19\n") && !text.contains("problem 20"), "{text}");
        assert!(text.ends_with("and 30 more\n"), "{text}");

        let deep = (0..100).fold(Error::new(Code::Limit, "deep"), |error, index| {
            error.through(format!("f{index}"), Location::new("a", 1, 1))
        });
        let calls = calls(&deep);
        assert_eq!(calls.len(), MAX_FRAMES);
        assert_eq!(calls[7], "91 more calls");
        assert!(calls[6].contains("`f6`") && calls[8].contains("`f98`") && calls[9].contains("`f99`"));
        let ten = (0..10).fold(Error::new(Code::Limit, "deep"), |error, index| {
            error.through(format!("f{index}"), Location::new("a", 1, 1))
        });
        assert!(super::calls(&ten).iter().all(|call| call.starts_with("in `f")));
    }

    #[test]
    fn json_is_one_line() {
        let error = Error::from_many([
            Error::new(Code::Denied, "no\nway").at(Location::new("a.rhai", 1, 2)).hint("pay"),
            Error::new(Code::Io, "gone"),
        ])
        .unwrap();
        let text = Reporter::new(Layout::Json).render(Severity::Error, &error);
        assert_eq!(text.lines().count(), 1);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["schema_version"], SCHEMA_VERSION);
        assert_eq!(
            value["error"],
            serde_json::json!({
                "code": "E0501", "exit_code": 5, "message": "no\nway", "hint": "pay",
                "location": {"file": "a.rhai", "line": 1, "column": 2}, "calls": [],
                "others": [{
                    "code": "E0801", "exit_code": 8, "message": "gone", "hint": null,
                    "location": null, "calls": [], "others": [],
                }],
            })
        );
    }
}
