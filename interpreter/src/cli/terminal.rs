//! What the terminal can do.

use std::io::IsTerminal;
use std::os::fd::AsFd;

/// How wide the terminal is, in columns; `None` where the stream is none.
pub(super) fn width(stream: &(impl IsTerminal + AsFd)) -> Option<usize> {
    if !stream.is_terminal() {
        return None;
    }
    Some(terminal_size::terminal_size_of(stream).map_or(80, |(width, _)| usize::from(width.0)))
}

/// Whether a terminal gets colours when nobody says otherwise.
pub(super) fn wants_color() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether the locale is a UTF-8 one.
pub(super) fn speaks_unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(std::env::var_os)
        .find(|value| !value.is_empty())
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}
