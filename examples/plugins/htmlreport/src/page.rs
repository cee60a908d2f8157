//! Whole pages.

use crate::bindings::{Section, Table, Theme};
use crate::{chart, escape};

/// A complete page.
pub fn render(title: &str, sections: &[Section], theme: Theme) -> String {
    let theme = match theme {
        Theme::Light => "light",
        Theme::Dark => "dark",
    };
    let mut out = String::from("<!DOCTYPE html>\n<html lang=\"en\" class=\"");
    out.push_str(theme);
    out.push_str("\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    element(&mut out, "title", title);
    out.push_str("<style>\n");
    out.push_str(include_str!("page.css"));
    out.push_str("</style>\n</head>\n<body>\n<main>\n");
    element(&mut out, "h1", title);
    for part in sections {
        section(&mut out, part);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn section(out: &mut String, section: &Section) {
    out.push_str("<section>\n");
    if !section.heading.is_empty() {
        element(out, "h2", &section.heading);
    }
    // An empty line begins a new paragraph.
    for paragraph in section.text.split("\n\n").map(str::trim).filter(|text| !text.is_empty()) {
        element(out, "p", paragraph);
    }
    if let Some(content) = &section.table {
        table(out, content);
    }
    let bars: Vec<_> = section.bars.iter().filter(|bar| bar.value.is_finite()).cloned().collect();
    if !bars.is_empty() {
        out.push_str(&chart::svg(&bars));
        out.push('\n');
    }
    out.push_str("</section>\n");
}

fn table(out: &mut String, table: &Table) {
    out.push_str("<table>\n<thead><tr>");
    for title in &table.columns {
        cell(out, "th", title);
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for text in row {
            cell(out, "td", text);
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
}

fn cell(out: &mut String, tag: &str, text: &str) {
    let class = if tag == "td" && text.parse::<f64>().is_ok() { " class=\"number\"" } else { "" };
    out.push_str(&format!("<{tag}{class}>"));
    escape::push(out, text);
    out.push_str(&format!("</{tag}>"));
}

fn element(out: &mut String, tag: &str, text: &str) {
    out.push_str(&format!("<{tag}>"));
    escape::push(out, text);
    out.push_str(&format!("</{tag}>\n"));
}
