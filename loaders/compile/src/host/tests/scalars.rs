//! Operators and functions of the standard package.

use super::{Both, binary, expr, function, get, int};
use crate::ir::{Binary, Kind, Math, SiteKind, Type};
use rhai::Dynamic;
use std::slice::from_ref;

fn ints() -> Vec<Dynamic> {
    let near = [0, 1, 2, 3, 31, 32, 62, 63, 64, 65, 1 << 31, 1 << 32, (1 << 32) - 1, 3_037_000_500, i64::MAX];
    let all = near.into_iter().flat_map(|value| [value, -value, value - 1]).chain([i64::MIN, i64::MIN + 1]);
    all.map(Dynamic::from_int).collect()
}

fn floats() -> Vec<Dynamic> {
    let near = [0.0, 0.1, 0.3, 0.5, 1.0, 1.5, 2.0, 2.5, 1e-300, 1e300, 4.5e15, 9.3e18, 0.5_f64.next_down()];
    let all = near.into_iter().flat_map(|value: f64| [value, -value, value.next_up(), -value.next_down()]);
    let rest = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE, 5e-324];
    all.chain(rest).map(Dynamic::from_float).collect()
}

const OPERATORS: [(&str, Binary); 17] = [
    ("+", Binary::Add),
    ("-", Binary::Subtract),
    ("*", Binary::Multiply),
    ("/", Binary::Divide),
    ("%", Binary::Remainder),
    ("**", Binary::Power),
    ("<<", Binary::ShiftLeft),
    (">>", Binary::ShiftRight),
    ("&", Binary::And),
    ("|", Binary::Or),
    ("^", Binary::Xor),
    ("==", Binary::Equal),
    ("!=", Binary::NotEqual),
    ("<", Binary::Less),
    ("<=", Binary::LessEqual),
    (">", Binary::Greater),
    (">=", Binary::GreaterEqual),
];

#[test]
fn operators_of_ints() {
    for (token, op) in OPERATORS {
        let script = format!("fn f(x, y) {{ x {token} y }}");
        let body = binary(op, get(0, Type::Int), get(1, Type::Int), 0);
        let functions = vec![function("f", &[Type::Int, Type::Int], body)];
        let both = Both::new(&script, functions, &[(&format!("{token} y"), SiteKind::Binary(op))]);
        for x in ints() {
            for y in ints() {
                both.agree("f", &[x.clone(), y]);
            }
        }
    }
}

#[test]
fn operators_of_ints_with_constants() {
    for (token, op) in OPERATORS {
        for constant in [0, 1, 2, 7, 63, 64, -1, -2, -5, i64::MAX, i64::MIN + 1] {
            let script = format!("fn f(x) {{ x {token} {constant} }}");
            let body = binary(op, get(0, Type::Int), int(constant), 0);
            let functions = vec![function("f", &[Type::Int], body)];
            let site = format!("{token} {constant}");
            let both = Both::new(&script, functions, &[(&site, SiteKind::Binary(op))]);
            for x in ints() {
                both.agree("f", &[x]);
            }
        }
    }
}

#[test]
fn operators_of_floats() {
    for (token, op) in OPERATORS {
        if matches!(op, Binary::ShiftLeft | Binary::ShiftRight | Binary::And | Binary::Or | Binary::Xor) {
            continue;
        }
        let script =
            format!("fn f(x, y) {{ x {token} y }} fn g(x) {{ x {token} 4.0 }} fn h(x) {{ 0.0 {token} x }}");
        let (x, y) = (get(0, Type::Float), get(1, Type::Float));
        let constant = |value| expr(Kind::Float(value), Type::Float);
        let functions = vec![
            function("f", &[Type::Float, Type::Float], binary(op, x.clone(), y, 0)),
            function("g", &[Type::Float], binary(op, x.clone(), constant(4.0), 0)),
            function("h", &[Type::Float], binary(op, constant(0.0), x, 0)),
        ];
        let both = Both::new(&script, functions, &[("x", SiteKind::Binary(op))]);
        for x in floats() {
            both.agree("g", from_ref(&x));
            both.agree("h", from_ref(&x));
            for y in floats() {
                both.agree("f", &[x.clone(), y]);
            }
        }
    }
}

#[test]
fn operators_of_bools() {
    for (token, op) in OPERATORS {
        if !op.compares() && !matches!(op, Binary::And | Binary::Or | Binary::Xor) {
            continue;
        }
        let script = format!("fn f(x, y) {{ x {token} y }}");
        let functions =
            vec![function("f", &[Type::Bool; 2], binary(op, get(0, Type::Bool), get(1, Type::Bool), 0))];
        let both = Both::new(&script, functions, &[("x", SiteKind::Binary(op))]);
        for (x, y) in [(false, false), (false, true), (true, false), (true, true)] {
            both.agree("f", &[x.into(), y.into()]);
        }
    }
}

#[test]
fn functions_of_the_standard_package() {
    use Type::{Bool, Float, Int};

    let functions = [
        ("abs", Math::AbsInt, 1, Int, Int),
        ("sign", Math::SignInt, 1, Int, Int),
        ("min", Math::MinInt, 2, Int, Int),
        ("max", Math::MaxInt, 2, Int, Int),
        ("to_float", Math::IntToFloat, 1, Int, Float),
        ("abs", Math::AbsFloat, 1, Float, Float),
        ("sign", Math::SignFloat, 1, Float, Int),
        ("min", Math::MinFloat, 2, Float, Float),
        ("max", Math::MaxFloat, 2, Float, Float),
        ("to_int", Math::FloatToInt, 1, Float, Int),
        ("sqrt", Math::Sqrt, 1, Float, Float),
        ("floor", Math::Floor, 1, Float, Float),
        ("ceiling", Math::Ceiling, 1, Float, Float),
        ("round", Math::Round, 1, Float, Float),
        ("int", Math::Truncate, 1, Float, Float),
        ("fraction", Math::Fraction, 1, Float, Float),
        ("is_zero", Math::IsZeroFloat, 1, Float, Bool),
        ("is_nan", Math::IsNan, 1, Float, Bool),
        ("is_finite", Math::IsFinite, 1, Float, Bool),
        ("is_infinite", Math::IsInfinite, 1, Float, Bool),
        ("sin", Math::Sin, 1, Float, Float),
        ("cos", Math::Cos, 1, Float, Float),
        ("tan", Math::Tan, 1, Float, Float),
        ("sinh", Math::Sinh, 1, Float, Float),
        ("cosh", Math::Cosh, 1, Float, Float),
        ("tanh", Math::Tanh, 1, Float, Float),
        ("asin", Math::Asin, 1, Float, Float),
        ("acos", Math::Acos, 1, Float, Float),
        ("atan", Math::Atan, 1, Float, Float),
        ("atan", Math::Atan2, 2, Float, Float),
        ("asinh", Math::Asinh, 1, Float, Float),
        ("acosh", Math::Acosh, 1, Float, Float),
        ("atanh", Math::Atanh, 1, Float, Float),
        ("hypot", Math::Hypot, 2, Float, Float),
        ("exp", Math::Exp, 1, Float, Float),
        ("ln", Math::Ln, 1, Float, Float),
        ("log", Math::Log, 2, Float, Float),
        ("log", Math::Log10, 1, Float, Float),
        ("to_radians", Math::ToRadians, 1, Float, Float),
        ("to_degrees", Math::ToDegrees, 1, Float, Float),
    ];
    for (name, math, params, ty, result) in functions {
        let args = ["x", "y"][..params].join(", ");
        let script = format!("fn f({args}) {{ {name}({args}) }}");
        let gets = (0..params).map(|local| get(local, ty)).collect();
        let body = expr(Kind::Math(math, gets, 0), result);
        let kind = match math {
            Math::AbsInt => SiteKind::Abs,
            Math::SignFloat => SiteKind::Sign,
            _ => SiteKind::ToInt,
        };
        let both = Both::new(&script, vec![function("f", &vec![ty; params], body)], &[(name, kind)]);
        let values = if ty == Int { ints() } else { floats() };
        for x in &values {
            match params {
                1 => drop(both.agree("f", from_ref(x))),
                _ => values.iter().for_each(|y| drop(both.agree("f", &[x.clone(), y.clone()]))),
            }
        }
    }
}
