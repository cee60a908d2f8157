//! Texts that are not to be shown.

use crate::error::{Error, escape};
use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// What stands in messages in the place of a secret.
const HIDDEN: &str = "[secret]";

/// The secrets that plugins were given, to be taken out of whatever the host shows. Clones share them; the default
/// has none.
///
/// A secret is found as it is and as messages write it: escaped, in quotes, in JSON. One that a plugin has encoded or cut
/// into pieces is not found.
///
/// ```
/// use caraway_loaders_core::secret::Secrets;
///
/// let secrets = Secrets::default();
/// assert!(!secrets.keep("abc"), "too short to be told from other text");
/// assert!(secrets.keep("s3cr3t-token"));
/// assert_eq!(secrets.hide("Bearer s3cr3t-token"), "Bearer [secret]");
/// ```
#[derive(Clone, Default)]
pub struct Secrets(Arc<RwLock<Vec<String>>>);

impl Secrets {
    /// The shortest text that can be kept, in bytes: what is shorter is part of other words.
    pub const SHORTEST: usize = 4;

    /// Keeps a text from now on, and says whether it can be kept.
    pub fn keep(&self, text: &str) -> bool {
        if text.len() < Self::SHORTEST {
            return false;
        }
        let quoted = |text: String| text[1..text.len() - 1].to_owned();
        let json = serde_json::Value::from(text).to_string();
        let forms = [text.to_owned(), escape(text), quoted(format!("{text:?}")), quoted(json)];
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for form in forms {
            if !kept.contains(&form) {
                kept.push(form);
            }
        }
        // One that holds another is to be found whole.
        kept.sort_by_key(|form| std::cmp::Reverse(form.len()));
        true
    }

    /// The text without them.
    pub fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut shown = Cow::Borrowed(text);
        for secret in self.0.read().unwrap_or_else(PoisonError::into_inner).iter() {
            if shown.contains(secret.as_str()) {
                shown = Cow::Owned(shown.replace(secret.as_str(), HIDDEN));
            }
        }
        shown
    }

    /// The error without them, and those that were found with it. A value that was thrown stays as it is.
    #[must_use]
    pub fn hide_in(&self, error: Error) -> Error {
        if self.0.read().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return error;
        }
        error.reworded(&|text| self.hide(text).into_owned())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

    #[track_caller]
    fn hides(secret: &str, text: &str, shown: &str) {
        let secrets = Secrets::default();
        assert!(secrets.keep(secret));
        assert_eq!(secrets.hide(text), shown);
    }

    #[test]
    fn every_way_of_writing_it() {
        hides("abcd", "abcdabcd abc", "[secret][secret] abc");
        hides("a\"b\\c", "a\"b\\c", "[secret]");
        hides("a\"b\\c", r#"token = "a\"b\\c""#, r#"token = "[secret]""#);
        hides("line\u{1b}[1m", &escape("x line\u{1b}[1m"), "x [secret]");
        hides("one\ntwo", "{\"v\":\"one\\ntwo\"}", "{\"v\":\"[secret]\"}");
        hides("ключ", "ключ", "[secret]");
    }

    #[test]
    fn a_longer_one_is_found_whole() {
        let secrets = Secrets::default();
        assert!(secrets.keep("abcd") && secrets.keep("abcdefgh"));
        assert_eq!(secrets.hide("abcdefgh abcd"), "[secret] [secret]");
    }

    #[test]
    fn errors_lose_them_everywhere() {
        let secrets = Secrets::default();
        let inner = Error::new(Code::PluginFailed, "also abcd").hint("not abcd");
        let error =
            Error::from_many([Error::new(Code::PluginFailed, "it was abcd").hint("abcd?"), inner]).unwrap();
        assert_eq!(secrets.hide_in(error.clone()).message(), "it was abcd");
        secrets.keep("abcd");
        let hidden = secrets.hide_in(error);
        assert_eq!((hidden.message(), hidden.hint_text()), ("it was [secret]", Some("[secret]?")));
        assert_eq!(hidden.others()[0].message(), "also [secret]");
        assert_eq!(hidden.others()[0].hint_text(), Some("not [secret]"));
        assert_eq!(format!("{secrets:?}"), "Secrets");
    }
}
