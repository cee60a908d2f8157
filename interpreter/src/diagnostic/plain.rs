//! The text for pipes and logs.

use super::Report;
use std::fmt::Write;

/// The report as text. Its form is stable:
///
/// ```text
/// error[E0401]: no plugin is called `stat`
///  --> app.rhai:1:8
///   |
/// 1 | import "stat" as s;
///   |        ^^^^^^
///   = help: did you mean `stats`?
/// ```
pub(super) fn render(report: &Report) -> String {
    let error = report.error;
    let number = report.snippet.as_ref().map_or(String::new(), |snippet| snippet.line.to_string());
    let gutter = " ".repeat(number.len().max(1));
    let mut text = format!("{}[{}]: {}\n", report.severity, error.code(), indented(error.message(), "  "));
    if let Some(place) = &report.place {
        let _ = writeln!(text, "{gutter}--> {place}");
    }
    if let Some(snippet) = &report.snippet {
        let _ = writeln!(text, "{gutter} |\n{number} | {}", snippet.text.trim_end());
        if let Some(mark) = &snippet.mark {
            let before = " ".repeat(mark.before);
            let _ = writeln!(text, "{gutter} | {before}{}", "^".repeat(mark.width.max(1)));
        }
    }
    for call in &report.calls {
        let _ = writeln!(text, "{gutter} = {call}");
    }
    if let Some(hint) = error.hint_text() {
        let indent = format!("{gutter}         ");
        let _ = writeln!(text, "{gutter} = help: {}", indented(hint, &indent));
    }
    text
}

/// Further lines indented: what a script throws cannot pass for a line of ours.
fn indented(text: &str, indent: &str) -> String {
    text.trim_end().replace('\n', &format!("\n{indent}"))
}
