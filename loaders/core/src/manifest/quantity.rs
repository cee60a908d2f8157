//! Sizes and durations with their units.

use super::problems::{Wrong, shown};
use std::time::Duration;

const SIZES: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

const TIMES: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

/// No limit is longer than this: what is meant is no limit.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// Bytes: `10MB` is 10,000,000, `10MiB` is 10,485,760.
pub(super) fn bytes(text: &str) -> Result<u64, Wrong> {
    let bytes = quantity(text, SIZES, "a size", "`100MB` is 100,000,000 bytes, `100MiB` is 104,857,600")?;
    if i64::try_from(bytes).is_err() {
        return Err(Wrong::new(format!("is {}, which is too large", shown(text))));
    }
    Ok(bytes)
}

/// A span of time: `10s`, `500ms`, `2m`.
pub(super) fn duration(text: &str) -> Result<Duration, Wrong> {
    let span =
        Duration::from_millis(quantity(text, TIMES, "a duration", "write `500ms`, `10s`, `2m` or `1h`")?);
    if span > LONGEST {
        return Err(Wrong::new(format!("is {}, which is more than a year", shown(text))));
    }
    Ok(span)
}

/// The bytes of a size as manifests and `caraway.toml` write it: `10MB` is 10,000,000, `10MiB` is 10,485,760.
///
/// ```
/// assert_eq!(caraway_loaders_core::manifest::parse_size("10MiB"), Ok(10_485_760));
/// ```
///
/// # Errors
///
/// What is wrong with the text: no number, no unit, zero, or too large.
pub fn parse_size(text: &str) -> Result<u64, String> {
    bytes(text).map_err(|wrong| wrong.message)
}

/// A duration as manifests and `caraway.toml` write it: `500ms`, `10s`, `2m`, `1h`.
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(caraway_loaders_core::manifest::parse_duration("2m"), Ok(Duration::from_secs(120)));
/// ```
///
/// # Errors
///
/// What is wrong with the text: no number, no unit, zero, or more than a year.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    duration(text).map_err(|wrong| wrong.message)
}

/// CPU time: a duration; a share of a processor is something else.
pub(super) fn cpu_time(text: &str) -> Result<Duration, Wrong> {
    if text.trim_end().ends_with('%') {
        return Err(Wrong::new(format!("is {}, a share of a processor, which is not enforced", shown(text)))
            .hint("give the CPU time that a call may use, for example `10s`"));
    }
    duration(text)
}

fn quantity(text: &str, units: &[(&str, u64)], what: &str, hint: &str) -> Result<u64, Wrong> {
    let wrong = |message: String| Wrong::new(message).hint(hint);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(wrong(format!("is {}, which is not {what}", shown(text))));
    }
    let Some(&(_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        let units: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
        let units = units.join(", ");
        return Err(match unit {
            "" => wrong(format!("is {}, which has no unit; the units are {units}", shown(text))),
            _ => wrong(format!("is {}, which is not a whole number and one of {units}", shown(text))),
        });
    };
    match number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)) {
        Some(0) => Err(wrong(format!("is {}, which allows nothing", shown(text)))),
        Some(amount) => Ok(amount),
        None => Err(wrong(format!("is {}, which is too large", shown(text)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused<T: std::fmt::Debug>(result: Result<T, Wrong>, message: &str) {
        let wrong = result.unwrap_err();
        assert!(wrong.message.contains(message), "{}", wrong.message);
    }

    #[test]
    fn sizes() {
        for (text, size) in [
            ("1B", 1),
            ("10kB", 10_000),
            ("10KB", 10_000),
            ("10MB", 10_000_000),
            ("10MiB", 10_485_760),
            ("2GB", 2_000_000_000),
            ("2GiB", 2_147_483_648),
            ("64KiB", 65_536),
        ] {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        for text in ["", "MB", "-1MB", "+1MB", "\u{661}MB"] {
            refused(bytes(text), "not a size");
        }
        refused(bytes("100"), "has no unit");
        for text in ["1.5MB", "10 MB", "10mb", "10M", "1e3MB", "10MB "] {
            refused(bytes(text), "not a whole number");
        }
        refused(bytes("0MB"), "allows nothing");
        for text in ["99999999999999999999B", "18446744073709551615GB", "9223372036854775808B"] {
            refused(bytes(text), "too large");
        }
    }

    #[test]
    fn durations() {
        for (text, ms) in [("500ms", 500), ("10s", 10_000), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        refused(duration("10"), "has no unit");
        refused(duration("0s"), "allows nothing");
        refused(duration("10sec"), "not a whole number");
        refused(duration("9000h"), "more than a year");
        refused(duration("18446744073709551615h"), "too large");
        refused(cpu_time("50%"), "share of a processor");
        assert_eq!(cpu_time("10s"), Ok(Duration::from_secs(10)));
    }
}
