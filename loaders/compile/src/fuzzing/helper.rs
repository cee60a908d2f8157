//! Functions without declared types, which are called with several lists of types.

use super::choices::Choices;
use super::outline::{Function, Outline};
use super::types::Type::{self, Bool, Float, Floats, Int, Ints, Unit};

/// Writes one, and adds what it can be called with.
pub(super) fn helper(choices: &mut Choices<'_>, outline: &mut Outline, index: usize) -> String {
    let name = format!("h{index}");
    let mut callable = |params: &[Type], result: Type, cost: u64, counts_down: bool| {
        outline.functions.push(Function {
            name: name.clone(),
            params: params.to_vec(),
            result,
            cost,
            counts_down,
            makes: false,
        });
    };
    let access = choices.pick(&["", "private "]);
    let text = match choices.below(19) {
        0..=5 => return format!("{access}{}", arithmetic(choices, &name, callable)),
        6 | 7 => {
            for ty in [Int, Float, Bool] {
                callable(&[Bool, ty, ty], ty, 5, false);
            }
            format!("fn {name}(c, a, b) {{\nif c {{ a }} else {{ b }}\n}}\n")
        }
        8 | 9 => {
            callable(&[Ints], Int, 60, false);
            callable(&[Floats], Float, 60, false);
            let operator = choices.pick(&["+", "*", "-"]);
            format!("fn {name}(xs) {{\nlet sum = xs[0];\nfor x in xs {{ sum {operator}= x; }}\nsum\n}}\n")
        }
        10 | 11 => {
            callable(&[Ints, Int], Unit, 60, false);
            callable(&[Floats, Float], Unit, 60, false);
            callable(&[Floats, Int], Unit, 60, false);
            let operator = choices.pick(&["=", "+=", "*="]);
            format!("fn {name}(xs, x) {{\nfor (y, i) in xs {{\nxs[i] {operator} x;\n}}\n}}\n")
        }
        12 | 13 => {
            callable(&[Int], Bool, 80, true);
            let (even, odd) = (choices.pick(&["true", "n == 1"]), choices.pick(&["false", "n == 3"]));
            format!(
                "fn {name}(n) {{\nif n <= 0 {{ {even} }} else {{ other_{name}(n - 1) }}\n}}\n\
                 {access}fn other_{name}(n) {{\nif n <= 0 {{ return {odd}; }}\n{name}(n - 1)\n}}\n"
            )
        }
        14 | 15 => {
            callable(&[Int, Int], Int, 80, true);
            callable(&[Int, Float], Float, 80, true);
            let (guard, step) = (choices.pick(&["n <= 0", "n <= 0", "n == 0"]), choices.pick(&["x", "1"]));
            format!("fn {name}(n, x) {{\nif {guard} {{ return x; }}\n{name}(n - 1, x + {step})\n}}\n")
        }
        16 | 17 => {
            callable(&[Int], Int, 700, true);
            let base = choices.pick(&["n", "1", "0"]);
            format!("fn {name}(n) {{\nif n < 2 {{ {base} }} else {{ {name}(n - 1) + {name}(n - 2) }}\n}}\n")
        }
        _ => {
            // It gives nothing back, and so stands for whatever is wanted.
            for (ty, result) in [(Int, Int), (Float, Float), (Bool, Unit)] {
                callable(&[ty], result, 5, false);
            }
            format!("fn {name}(x) {{\nthrow x;\n}}\n")
        }
    };
    format!("{access}{text}")
}

/// One whose result is a float if one of its arguments is.
fn arithmetic(
    choices: &mut Choices<'_>,
    name: &str,
    mut callable: impl FnMut(&[Type], Type, u64, bool),
) -> String {
    let count = 1 + choices.below(3);
    let params = &["a", "b", "c"][..count];
    let with_float = choices.one_in(4);
    for mask in 0..1_usize << count {
        let types: Vec<Type> = (0..count).map(|at| if mask >> at & 1 == 1 { Float } else { Int }).collect();
        let is_float = with_float || mask != 0;
        callable(&types, if is_float { Float } else { Int }, 30, false);
    }
    let literal =
        if with_float { choices.pick(&["0.5", "2.0", "-1.5"]) } else { choices.pick(&["1", "2", "3"]) };
    let mut known = params.to_vec();
    let mut operation = |known: &[&str], all: &[&str]| {
        let operators = ["+", "-", "*", "+", "-", "/", "%"];
        all.iter().fold(known[choices.below(known.len())].to_owned(), |text, operand| {
            format!("({text} {} {operand})", choices.pick(&operators))
        })
    };
    // All of what follows is computed of all parameters, and so has one type.
    let first = operation(&[literal], params);
    known.push("t");
    let second = operation(&known, &["t"]);
    known.push("u");
    let third = operation(&known, &["u", "t"]);
    let head = format!("fn {name}({}) {{\nlet t = {first};\n", params.join(", "));
    let comparison = choices.pick(&["<", ">=", "==", "!="]);
    match choices.below(4) {
        0 => format!("{head}let u = {second};\n{third}\n}}\n"),
        1 => format!("{head}let u = {second};\nif t {comparison} a {{ u }} else {{ {third} }}\n}}\n"),
        2 => format!("{head}let u = {second};\nif u {comparison} {literal} {{ return t; }}\n{third}\n}}\n"),
        _ => format!("{head}let u = {second};\nfor i in 0..3 {{ t = u; u = {third}; }}\nt\n}}\n"),
    }
}
