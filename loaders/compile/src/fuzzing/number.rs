//! Numbers that are worth a try, as values and as they are written in a script.

use super::choices::Choices;

/// The ints at which something changes.
const INTS: &[i64] = &[
    i64::MIN,
    i64::MIN + 1,
    i64::MAX,
    i64::MAX - 1,
    -64,
    -63,
    31,
    32,
    62,
    63,
    64,
    65,
    255,
    1 << 31,
    1 << 32,
    (1 << 32) - 1,
    -(1 << 32),
    1 << 53,
    (1 << 53) + 1,
    3_037_000_500,
    -3_037_000_500,
    1_000_000_007,
];

/// The floats at which something changes.
const FLOATS: &[f64] = &[
    -0.0,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    1e300,
    -1e300,
    1e-300,
    5e-324,
    -5e-324,
    2.2250738585072014e-308,
    f64::MAX,
    f64::MIN,
    9_223_372_036_854_775_807.0,
    -9_223_372_036_854_775_808.0,
    9_223_372_036_854_774_784.0,
    4_503_599_627_370_497.5,
    9_007_199_254_740_993.0,
    1.000_000_000_000_000_2,
    0.999_999_999_999_999_9,
    0.499_999_999_999_999_94,
    2.5,
    -2.5,
    0.1,
    1e16,
];

pub(crate) fn int(choices: &mut Choices<'_>) -> i64 {
    match choices.below(16) {
        0..=7 => choices.below(13) as i64 - i64::from(choices.one_in(4)) * 6,
        8..=14 => choices.pick(INTS),
        _ => choices.word() as i64,
    }
}

pub(crate) fn float(choices: &mut Choices<'_>) -> f64 {
    match choices.below(16) {
        0..=7 => quarters(choices),
        8 | 9 => {
            let one = choices.pick(&[1.0, 2.0, 0.25, 3.0]);
            float_near(choices, one)
        }
        10 => {
            let some = quarters(choices);
            float_near(choices, some)
        }
        11..=14 => choices.pick(FLOATS),
        _ => f64::from_bits(choices.word()),
    }
}

/// One that Rhai takes for the same float, or nearly so, or its opposite.
pub(crate) fn float_near(choices: &mut Choices<'_>, float: f64) -> f64 {
    match choices.below(8) {
        0 | 1 => float,
        2 => -float,
        _ => f64::from_bits(float.to_bits().wrapping_add(choices.below(9) as u64).wrapping_sub(4)),
    }
}

pub(crate) fn int_near(choices: &mut Choices<'_>, int: i64) -> i64 {
    match choices.below(8) {
        0..=2 => int,
        3 => int.wrapping_neg(),
        _ => int.wrapping_add(choices.below(5) as i64 - 2),
    }
}

/// A small number of quarters.
fn quarters(choices: &mut Choices<'_>) -> f64 {
    let magnitude = choices.below(16) as f64 / 4.0;
    if choices.one_in(4) { -magnitude } else { magnitude }
}

/// An int as a script writes it. The least one has no literal in decimal, and Rhai makes a float of its literal with a
/// minus.
pub(crate) fn int_text(int: i64) -> String {
    match int {
        i64::MIN => "(-9223372036854775807 - 1)".to_owned(),
        negative if negative < 0 => format!("({negative})"),
        int => int.to_string(),
    }
}

/// A float as a script writes it.
pub(crate) fn float_text(float: f64) -> String {
    if float.is_nan() {
        return "(0.0 / 0.0)".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { "(1.0 / 0.0)" } else { "(-1.0 / 0.0)" }.to_owned();
    }
    // Without an exponent, and with one decimal at least.
    let digits = format!("{float:?}");
    let text = match digits.split_once('e') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0e{exponent}"),
        _ => digits,
    };
    if float.is_sign_negative() { format!("({text})") } else { text }
}

#[cfg(test)]
mod tests {
    use super::{FLOATS, INTS, float_text, int_text};

    #[test]
    fn numbers_are_written_as_rhai_reads_them() {
        let engine = rhai::Engine::new();
        for int in INTS {
            assert_eq!(engine.eval::<i64>(&int_text(*int)).unwrap(), *int);
        }
        for float in FLOATS {
            let read = engine.eval::<f64>(&float_text(*float)).unwrap();
            assert!(read.to_bits() == float.to_bits() || read.is_nan() && float.is_nan(), "{float}: {read}");
        }
    }
}
