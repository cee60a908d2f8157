//! Numbers of things, for people.

/// `1 plugin`, `2 plugins`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{s}")
}
