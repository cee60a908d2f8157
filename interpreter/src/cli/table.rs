//! Tables that fit the terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns are not made narrower than this.
const MIN_COLUMN: usize = 8;

/// Between columns.
const GAP: &str = "  ";

/// A table with its header. With a `width`, the widest columns are cut until it fits, and the last ones are left out
/// if that is not enough; but the first stays whole, which names what a row is about.
pub(super) fn render(header: &[&str], rows: &[Vec<String>], width: Option<usize>) -> String {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.width()).collect();
    for row in rows {
        for (column, cell) in widths.iter_mut().zip(row) {
            *column = (*column).max(cell.width());
        }
    }
    if let Some(width) = width {
        while widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1) > width {
            if let Some(widest) = widths.iter_mut().skip(1).max().filter(|widest| **widest > MIN_COLUMN) {
                *widest -= 1;
            } else if widths.len() > 2 {
                widths.pop();
            } else {
                break;
            }
        }
    }
    let header: Vec<String> = header.iter().map(|&cell| cell.to_owned()).collect();
    std::iter::once(&header).chain(rows).map(|row| line(row, &widths)).collect()
}

fn line(row: &[String], widths: &[usize]) -> String {
    let mut text = String::new();
    for (cell, &width) in row.iter().zip(widths) {
        let cell = cut(cell, width);
        text.push_str(&cell);
        text.push_str(&" ".repeat(width - cell.width()));
        text.push_str(GAP);
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// The text, or as much of it as fits with an ellipsis.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut kept = String::new();
    for c in text.chars() {
        let columns = c.width().unwrap_or(0);
        if columns > left {
            break;
        }
        left -= columns;
        kept.push(c);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_fit() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let rows = [row(["a", "eleven char"]), row(["日本", ""])];
        assert_eq!(render(&["N", "TEXT"], &rows, None), "N     TEXT\na     eleven char\n日本\n");
        assert_eq!(render(&["N", "TEXT"], &rows, Some(16)), "N     TEXT\na     eleven ch…\n日本\n");
        assert_eq!(render(&["N", "TEXT"], &rows, Some(1)), "N     TEXT\na     eleven …\n日本\n");
        let named =
            [vec!["a-name-of-some-length".to_owned(), "eleven char".to_owned(), "12345678".to_owned()]];
        let head = ["N", "TEXT", "NUMBER"];
        assert_eq!(
            render(&head, &named, Some(41)),
            "N                      TEXT      NUMBER\na-name-of-some-length  eleven …  12345678\n"
        );
        assert_eq!(
            render(&head, &named, Some(40)),
            "N                      TEXT\na-name-of-some-length  eleven …\n"
        );
        assert_eq!(cut("日本語", 4), "日…");
    }
}
