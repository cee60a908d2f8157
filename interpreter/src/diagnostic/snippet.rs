//! The source line that an error is about.

use caraway_loaders_core::{Location, escape};
use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use unicode_width::UnicodeWidthStr;

/// Files that are larger, in bytes, are not read for a message.
const MAX_FILE: u64 = 1 << 20;

/// How much of a long line is shown, in characters.
const MAX_LINE: usize = 160;

/// What a tab is shown as.
const TAB: &str = "    ";

/// One line, safe to print.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Snippet {
    /// The file, as it is shown.
    pub(super) file: String,
    /// The line's number, from 1.
    pub(super) line: usize,
    /// The column's number, from 1; 0 where only the line is known.
    pub(super) column: usize,
    /// The line: escaped, tabs expanded, cut if it is long.
    pub(super) text: String,
    /// What is wrong in it.
    pub(super) mark: Option<Mark>,
}

/// A part of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// In bytes of the text.
    pub(super) bytes: Range<usize>,
    /// Terminal columns before it.
    pub(super) before: usize,
    /// Terminal columns that it takes.
    pub(super) width: usize,
}

impl Snippet {
    /// The line in a file, if it is a regular, not too large one that still has that line.
    pub(super) fn read(location: &Location) -> Option<Self> {
        if location.line == 0 || !readable(&location.file) {
            return None;
        }
        let bytes = std::fs::read(&location.file).ok()?;
        Self::of(&String::from_utf8_lossy(&bytes), location)
    }

    /// The line in a text.
    pub(super) fn of(text: &str, location: &Location) -> Option<Self> {
        let line: Vec<char> = text.lines().nth(location.line.checked_sub(1)?)?.chars().collect();
        let start = location.column.checked_sub(1).map(|start| start.min(line.len()));
        let token = start.map(|start| start..start + token_length(&line[start..]));
        let shown = window(line.len(), start.unwrap_or(0));

        let mut out = String::new();
        if shown.start > 0 {
            out.push_str("...");
        }
        let mut bytes = out.len()..out.len();
        for index in shown.clone() {
            if token.as_ref().is_some_and(|token| token.start == index) {
                bytes.start = out.len();
            }
            match line[index] {
                '\t' => out.push_str(TAB),
                c => out.push_str(&escape(c.encode_utf8(&mut [0; 4]))),
            }
            if token.as_ref().is_some_and(|token| token.contains(&index)) {
                bytes.end = out.len();
            }
        }
        if token.as_ref().is_some_and(|token| token.is_empty()) {
            bytes = out.len()..out.len();
        }
        if shown.end < line.len() {
            out.push_str("...");
        }
        let mark = token.map(|_| Mark {
            before: out[..bytes.start].width(),
            width: out[bytes.clone()].width(),
            bytes,
        });
        Some(Self {
            file: super::one_line(&location.file.to_string_lossy()),
            line: location.line,
            column: location.column,
            text: out,
            mark,
        })
    }
}

/// The texts of files that findings are in, each read once.
#[derive(Debug, Default)]
pub(crate) struct Texts(HashMap<PathBuf, Option<String>>);

impl Texts {
    /// The column after the word or text that a place is at, if there is one.
    pub(crate) fn end_column(&mut self, location: &Location) -> Option<usize> {
        let (line, start) = (location.line.checked_sub(1)?, location.column.checked_sub(1)?);
        let read = || {
            let bytes = readable(&location.file).then(|| std::fs::read(&location.file).ok()).flatten()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        };
        let text = self.0.entry(location.file.clone()).or_insert_with(read).as_ref()?;
        let rest: Vec<char> = text.lines().nth(line)?.chars().skip(start).collect();
        Some(location.column + token_length(&rest)).filter(|end| *end > location.column)
    }
}

fn readable(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() <= MAX_FILE)
}

/// The characters of a line that are shown: all, or those around the one that matters.
fn window(length: usize, at: usize) -> Range<usize> {
    if length <= MAX_LINE {
        return 0..length;
    }
    let start = at.saturating_sub(MAX_LINE / 2).min(length - MAX_LINE);
    start..start + MAX_LINE
}

/// How long a name, a qualified name or a string is that begins here; 1 for anything else, 0 at the end.
fn token_length(rest: &[char]) -> usize {
    let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
    match rest.first() {
        None => 0,
        Some(quote @ ('"' | '`')) => {
            rest[1..].iter().position(|c| c == quote).map_or(1, |closing| closing + 2)
        }
        Some(c) if is_word(c) => {
            let mut length = 0;
            while rest.get(length).is_some_and(is_word) {
                length += 1;
                if rest[length..].starts_with(&[':', ':']) && rest.get(length + 2).is_some_and(is_word) {
                    length += 2;
                }
            }
            length
        }
        Some(_) => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str, column: usize, shown: &str, marked: Option<&str>) {
        let snippet = Snippet::of(text, &Location::new("f", 1, column)).unwrap();
        assert_eq!(snippet.text, shown);
        assert_eq!(snippet.mark.as_ref().map(|mark| &snippet.text[mark.bytes.clone()]), marked);
    }

    #[test]
    fn what_is_marked() {
        case("let x = a::bc::d(1);", 9, "let x = a::bc::d(1);", Some("a::bc::d"));
        case("import \"a b\" as c", 8, "import \"a b\" as c", Some("\"a b\""));
        case("import \"a b", 8, "import \"a b", Some("\""));
        case("a + b", 3, "a + b", Some("+"));
        case("a::", 1, "a::", Some("a"));
        case("größe ü", 7, "größe ü", Some("ü"));
        case("\tx", 2, "    x", Some("x"));
        case("x", 2, "x", Some(""));
        case("x", 99, "x", Some(""));
        case("x", 0, "x", None);
        case("\n", 1, "", Some(""));
        case("a\u{1b}[31mred", 2, "a\\u{1b}[31mred", Some("\\u{1b}"));
        case("\u{202e}x", 2, "\\u{202e}x", Some("x"));
    }

    #[test]
    fn long_lines_are_cut() {
        let text = format!("{}HERE{}", "x ".repeat(500), " y".repeat(500));
        let snippet = Snippet::of(&text, &Location::new("f", 1, 1001)).unwrap();
        let mark = snippet.mark.unwrap();
        assert_eq!(snippet.text.len(), MAX_LINE + 6);
        assert_eq!(&snippet.text[mark.bytes], "HERE");
        let end = Snippet::of(&text, &Location::new("f", 1, 2004)).unwrap();
        assert!(end.text.starts_with("...") && end.text.ends_with(" y"));
        let token = "z".repeat(1000);
        case(&token, 1, &format!("{}...", "z".repeat(MAX_LINE)), Some(&"z".repeat(MAX_LINE)));
    }

    #[test]
    fn what_is_not_read() {
        assert_eq!(Snippet::of("a\n", &Location::new("f", 2, 1)), None);
        assert_eq!(Snippet::of("a\n", &Location::file("f")), None);
        for file in ["/dev/zero", "/", "no such file", ""] {
            assert_eq!(Snippet::read(&Location::new(file, 1, 1)), None, "{file}");
        }
        let big = tempfile::NamedTempFile::new().unwrap();
        big.as_file().set_len(MAX_FILE + 1).unwrap();
        assert_eq!(Snippet::read(&Location::new(big.path(), 1, 1)), None);
    }
}
