//! The native half of `textplot`: what is done for each character. An example of a hybrid.

use caraway_plugin::prelude::*;

/// The widest text that is made.
const MAX_WIDTH: i64 = 1000;

/// Blocks of one to eight eighths.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

#[plugin]
mod textplot {
    use super::{EIGHTHS, MAX_WIDTH};
    use unicode_width::UnicodeWidthStr;

    /// A bar that is `width` characters long where `value` is `max`, drawn to an eighth of a character.
    pub fn bar(value: f64, max: f64, width: i64) -> Result<String, String> {
        let width = checked(width)?;
        let part = value / max;
        if !part.is_finite() {
            return Err(format!("no bar can show {value} of {max}"));
        }
        let eighths = (part.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
        let mut bar = String::from(EIGHTHS[7]).repeat(eighths / 8);
        if eighths % 8 > 0 {
            bar.push(EIGHTHS[eighths % 8 - 1]);
        }
        Ok(bar)
    }

    /// The number with this many decimals, 0 to 15.
    pub fn fixed(x: f64, decimals: i64) -> Result<String, String> {
        match usize::try_from(decimals) {
            Ok(decimals) if decimals <= 15 => Ok(format!("{x:.decimals$}")),
            _ => Err(format!("a number has from 0 to 15 decimals, not {decimals}")),
        }
    }

    /// How many columns of a terminal the text takes.
    pub fn columns(text: &str) -> i64 {
        text.width() as i64
    }

    /// The text with spaces before it until it is `width` columns wide.
    pub fn pad(text: &str, width: i64) -> Result<String, String> {
        let spaces = checked(width)?.saturating_sub(text.width());
        Ok(" ".repeat(spaces) + text)
    }

    fn checked(width: i64) -> Result<usize, String> {
        match usize::try_from(width) {
            Ok(columns) if width <= MAX_WIDTH => Ok(columns),
            _ => Err(format!("a width is from 0 to {MAX_WIDTH}, not {width}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::textplot::*;

    #[test]
    fn bars() {
        for (value, max, width, expected) in [
            (1.0, 1.0, 3, "███"),
            (1.0, 2.0, 3, "█▌"),
            (1.0, 16.0, 1, "▏"),
            (0.0, 1.0, 3, ""),
            (-1.0, 1.0, 3, ""),
            (9.0, 1.0, 2, "██"),
        ] {
            assert_eq!(bar(value, max, width).as_deref(), Ok(expected), "{value} of {max}");
        }
        assert!(bar(1.0, 0.0, 3).is_err());
        assert!(bar(1.0, 1.0, -1).is_err());
        assert!(bar(1.0, 1.0, i64::MAX).is_err());
    }

    #[test]
    fn texts() {
        assert_eq!(fixed(2.5, 0).as_deref(), Ok("2"));
        assert_eq!(fixed(0.125, 2).as_deref(), Ok("0.12"));
        assert!(fixed(1.0, 16).is_err());
        assert_eq!(columns("aü世"), 4);
        assert_eq!(pad("世", 4).as_deref(), Ok("  世"));
        assert_eq!(pad("long", 2).as_deref(), Ok("long"));
    }
}
