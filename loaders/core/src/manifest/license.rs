//! SPDX expressions.

use super::problems::{Wrong, shown};

/// Longest expression, in bytes.
const MAX_LENGTH: usize = 256;

/// A licence as an SPDX expression, `MIT OR Apache-2.0`.
pub(super) fn expression(text: &str) -> Result<String, Wrong> {
    if text.len() > MAX_LENGTH {
        return Err(Wrong::new(format!("is longer than {MAX_LENGTH} bytes")));
    }
    match spdx::Expression::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => {
            let meant = spdx::Expression::canonicalize(text).ok().flatten();
            let hint = match meant.filter(|meant| spdx::Expression::parse(meant).is_ok()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => {
                    "see https://spdx.org/licenses; a licence of your own is `LicenseRef-name`".to_owned()
                }
            };
            Err(Wrong::new(format!("is {}, which is no SPDX expression: {}", shown(text), error.reason))
                .hint(hint))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences() {
        for text in
            ["MIT", "MIT OR Apache-2.0", "GPL-3.0-or-later WITH GCC-exception-3.1", "LicenseRef-house"]
        {
            assert_eq!(expression(text).as_deref(), Ok(text));
        }
        for (text, hint) in [
            ("MIT/Apache-2.0", "did you mean `MIT OR Apache-2.0`?"),
            ("", "spdx.org"),
            ("free for all", "spdx.org"),
            ("MIT OR", "spdx.org"),
            ("MIT \u{202e}", "spdx.org"),
            ("(((((", "spdx.org"),
        ] {
            let wrong = expression(text).unwrap_err();
            assert!(wrong.hint.as_deref().is_some_and(|h| h.contains(hint)), "{text:?}: {wrong:?}");
        }
        assert!(expression(&"(".repeat(100_000)).is_err());
    }
}
