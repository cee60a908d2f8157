//! Words as a shell takes them.

/// The text as a shell takes it for one word, quoted only where it must be.
///
/// ```
/// use caraway_loaders_core::capability::quoted;
///
/// assert_eq!(quoted("stats:env=LANG"), "stats:env=LANG");
/// assert_eq!(quoted("filesystem=read:my file"), "'filesystem=read:my file'");
/// assert_eq!(quoted("process=git log *"), "'process=git log *'");
/// ```
pub fn quoted(text: &str) -> String {
    quoted_but(text, "")
}

/// The same where some characters need no quotes that would elsewhere.
pub(super) fn quoted_but(text: &str, plain: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "=:,./_-+@".contains(c) || plain.contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    shlex::try_quote(text).map_or_else(|_| text.to_owned(), |quoted| quoted.into_owned())
}
