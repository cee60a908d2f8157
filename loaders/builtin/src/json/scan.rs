//! A look at a JSON text before it is parsed, for what the parser would not tell or not survive.

use super::MAX_DEPTH;

/// The longest number: more than any float needs, and what takes no time.
const MAX_DIGITS: usize = 2048;

/// What is wrong, and at which byte.
#[derive(Debug, PartialEq)]
pub(super) struct Flaw {
    pub(super) offset: usize,
    pub(super) message: String,
}

/// Finds arrays and objects that nest too deep for a recursive parser, and ints that do not fit, which the
/// parser would turn into floats. Any other mistake is left to the parser.
pub(super) fn scan(text: &str) -> Result<(), Flaw> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(bytes, at + 1),
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    let message = format!("nests deeper than {MAX_DEPTH} levels");
                    return Err(Flaw { offset: at, message });
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'-' | b'0'..=b'9' => {
                let letters = bytes[at..].iter().take(MAX_DIGITS + 1);
                let length = letters.take_while(|&&b| in_number(b)).count();
                if length > MAX_DIGITS {
                    let message = format!("a number of more than {MAX_DIGITS} characters");
                    return Err(Flaw { offset: at, message });
                }
                let number = &text[at..at + length];
                let digits = number.strip_prefix('-').unwrap_or(number);
                if digits.bytes().all(|b| b.is_ascii_digit())
                    && digits.len() > 18
                    && number.parse::<i64>().is_err()
                {
                    let shown = if length > 40 { format!("{}...", &number[..40]) } else { number.to_owned() };
                    let message = format!("{shown} does not fit an int of 64 bits");
                    return Err(Flaw { offset: at, message });
                }
                at += length - 1;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

fn in_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
}

/// The index of the quote that ends the string which goes on at `at`, or of the end.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let deep = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for (text, flaw) in [
            ("", None),
            ("[1, -2, 3.5e10]", None),
            ("9223372036854775807", None),
            ("-9223372036854775808", None),
            ("[9223372036854775808]", Some(1)),
            ("-9223372036854775809", Some(0)),
            ("0000000000000000000000001", None),
            ("1.0000000000000000000000000", None),
            ("\"99999999999999999999\"", None),
            (&format!("[{}.5]", "1".repeat(MAX_DIGITS - 2)), None),
            (&format!("[{}.5]", "1".repeat(MAX_DIGITS)), Some(1)),
            ("\"\\\"99999999999999999999\"", None),
            ("\"\\\\\" 99999999999999999999", Some(5)),
            (&deep(MAX_DEPTH), None),
            (&deep(MAX_DEPTH + 1), Some(MAX_DEPTH)),
            (&"[]".repeat(1000), None),
            (&format!("\"{}\"", "[".repeat(1000)), None),
            ("\"never ends \\", None),
            ("ü[{\"ü\":\"", None),
        ] {
            assert_eq!(scan(text).err().map(|flaw| flaw.offset), flaw, "{text}");
        }
    }
}
