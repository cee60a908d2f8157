//! Text that fits the terminal.

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};
use unicode_width::UnicodeWidthStr;

/// How far a line that goes on is indented where its first word is a path: the signature of a function.
const SIGNATURE: usize = 4;

/// The text with lines of at most `width` columns, broken between words. A line goes on below where it began, or where
/// the last of its columns did, which two spaces separate. Longer words stay whole: they can be copied.
pub(super) fn wrapped(text: &str, width: usize) -> String {
    let mut whole = String::new();
    for line in text.lines() {
        if line.width() <= width {
            whole.push_str(line);
        } else {
            let hang = " ".repeat(Some(hang(line)).filter(|hang| *hang <= width / 2).unwrap_or(SIGNATURE));
            let options = Options::new(width)
                .subsequent_indent(&hang)
                .break_words(false)
                .word_separator(WordSeparator::AsciiSpace)
                .word_splitter(WordSplitter::NoHyphenation)
                .wrap_algorithm(WrapAlgorithm::FirstFit);
            whole.push_str(&textwrap::fill(line, options));
        }
        whole.push('\n');
    }
    whole
}

fn hang(line: &str) -> usize {
    let text = line.trim_start_matches(' ');
    let indent = line.len() - text.len();
    let word = text.split(' ').next().unwrap_or_default();
    if word.contains("::") {
        return indent + SIGNATURE;
    }
    let Some((column, rest)) = text.split_once("  ") else { return indent };
    indent + column.width() + 2 + (rest.len() - rest.trim_start_matches(' ').len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_on_where_they_began() {
        for (line, expected) in [
            ("short", "short\n"),
            ("a line of prose that is long", "a line of prose that\nis long\n"),
            ("  a line of prose that is long", "  a line of prose\n  that is long\n"),
            ("  key   a value that is long", "  key   a value that\n        is long\n"),
            ("s::f(a: int, b: int) -> int", "s::f(a: int, b: int)\n    -> int\n"),
            ("  s::f(a: int, b: int) -> int", "  s::f(a: int, b:\n      int) -> int\n"),
            ("a-very-long-key  a value that", "a-very-long-key  a\n    value that\n"),
            ("/a/path/that/is/too/long/to/fit", "/a/path/that/is/too/long/to/fit\n"),
            ("日本語日本語 日本語日本語", "日本語日本語\n日本語日本語\n"),
            ("a\n\nb", "a\n\nb\n"),
        ] {
            assert_eq!(wrapped(line, 20), expected, "{line}");
        }
    }
}
