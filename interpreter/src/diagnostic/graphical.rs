//! The report for terminals, drawn by miette.

use super::snippet::Snippet;
use super::{Report, Severity};
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents,
    SourceCode, SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};
use std::fmt;

/// Terminals that say they are narrower, in columns, are drawn for as if they were this wide.
const MIN_WIDTH: usize = 40;

pub(super) fn render(report: &Report, color: bool, unicode: bool, width: usize) -> String {
    let theme = GraphicalTheme {
        characters: if unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() },
        styles: if color { ThemeStyles::ansi() } else { ThemeStyles::none() },
    };
    let mut text = String::new();
    let drawn = GraphicalReportHandler::new_themed(theme)
        .with_width(width.max(MIN_WIDTH))
        .with_links(false)
        .without_syntax_highlighting()
        .render_report(&mut text, &Drawn::new(report));
    match drawn {
        Ok(()) => text,
        Err(fmt::Error) => super::plain::render(report),
    }
}

/// A report as miette wants it.
#[derive(Debug)]
struct Drawn<'a> {
    report: &'a Report<'a>,
    notes: Option<Box<Note>>,
}

/// A line below the message, and those after it.
#[derive(Debug)]
struct Note {
    text: String,
    next: Option<Box<Note>>,
}

impl<'a> Drawn<'a> {
    fn new(report: &'a Report<'a>) -> Self {
        // Where there is no source to draw, the place stands below the message.
        let place =
            report.place.iter().filter(|_| report.snippet.is_none()).map(|place| format!("at {place}"));
        let lines: Vec<String> = place.chain(report.calls.iter().cloned()).collect();
        let notes = lines.into_iter().rev().fold(None, |next, text| Some(Box::new(Note { text, next })));
        Self { report, notes }
    }
}

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.report.error.message())
    }
}

impl std::error::Error for Drawn<'_> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.notes.as_deref().map(|note| note as _)
    }
}

impl Diagnostic for Drawn<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(self.report.error.code()))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.report.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.report.error.hint_text().map(|hint| Box::new(hint) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.report.snippet.as_ref().map(|snippet| snippet as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let snippet = self.report.snippet.as_ref()?;
        let bytes = snippet.mark.as_ref().map_or(0..snippet.text.len(), |mark| mark.bytes.clone());
        Some(Box::new(std::iter::once(LabeledSpan::underline(bytes))))
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Note {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.next.as_deref().map(|note| note as _)
    }
}

impl SourceCode for Snippet {
    fn read_span<'a>(
        &'a self,
        _span: &SourceSpan,
        _lines_before: usize,
        _lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let whole = SourceSpan::from(0..self.text.len());
        let (line, column) = (self.line - 1, self.column.saturating_sub(1));
        let name = self.file.clone();
        Ok(Box::new(MietteSpanContents::new_named(name, self.text.as_bytes(), whole, line, column, 1)))
    }
}
