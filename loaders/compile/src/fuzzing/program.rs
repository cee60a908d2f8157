//! Whole scripts.

use super::body::Body;
use super::choices::Choices;
use super::outline::{Constant, Function, Outline};
use super::types::Type;
use super::{helper, number};

/// How deep calls may be nested: for each program one of these.
pub(crate) const DEPTHS: [usize; 3] = [12, 24, 48];

/// A script, and the functions of it that have declared types.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) text: String,
    pub(crate) functions: Vec<Function>,
    /// Which of [`DEPTHS`] holds.
    pub(crate) depth: usize,
}

impl Program {
    /// The program that these bytes stand for.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut choices = Choices::new(bytes);
        let mut outline = Outline::default();
        let mut text = String::new();
        let depth = choices.below(DEPTHS.len());
        for index in 0..choices.below(5) {
            let (constant, line) = constant(&mut choices, index);
            outline.constants.push(constant);
            text += &line;
        }
        let mut functions = Vec::new();
        for index in 0..2 + choices.below(4) {
            for _ in 0..choices.below(2) {
                text += &helper::helper(&mut choices, &mut outline, index);
            }
            let (function, lines) = declared(&mut choices, &outline, index);
            outline.functions.push(function.clone());
            functions.push(function);
            text += &lines;
        }
        Self { text: indented(&text), functions, depth }
    }
}

fn constant(choices: &mut Choices<'_>, index: usize) -> (Constant, String) {
    let name = format!("K{index}");
    let (ty, value) = match choices.below(6) {
        0 | 1 => (Type::Int, number::int_text(number::int(choices))),
        2 => (Type::Int, format!("{} * {}", choices.below(100), choices.below(100))),
        3 | 4 => (Type::Float, number::float_text(number::float(choices))),
        _ => (Type::Bool, choices.pick(&["true", "false"]).to_owned()),
    };
    let line = format!("const {name} = {value};\n");
    (Constant { name, ty }, line)
}

/// A function with declared types, and its text.
fn declared(choices: &mut Choices<'_>, outline: &Outline, index: usize) -> (Function, String) {
    let name = format!("f{index}");
    let counts_down = choices.one_in(4);
    let mut params: Vec<Type> = (0..choices.below(4)).map(|_| Type::parameter(choices)).collect();
    if counts_down {
        params.insert(0, Type::Int);
    }
    let result = match Type::result(choices) {
        // One that calls itself cannot make a buffer.
        buffer if counts_down && buffer.item().is_some() && !params.contains(&buffer) => Type::Unit,
        result => result,
    };
    let names: Vec<String> = (0..params.len())
        .map(|at| if counts_down && at == 0 { "down".to_owned() } else { format!("p{at}") })
        .collect();
    let mut body = Body::new(choices, outline, result);
    body.recurs = counts_down;
    for (name, ty) in names.iter().zip(&params) {
        body.declare(name, *ty, name != "down");
    }
    let mut text = format!("fn {name}({}) {{\n", names.join(", "));
    if counts_down {
        text += &again(&mut body, &name, &params);
    }
    text += &body.statements(7);
    if result == Type::Unit {
        text += body.choices.pick(&["", "return;\n", "()\n"]);
    } else {
        let value = body.expression(result, 3);
        text += &match body.choices.below(6) {
            0 => format!("return {value};\n"),
            _ => format!("{value}\n"),
        };
    }
    let cost = if counts_down { body.cost * 6 } else { body.cost };
    (Function { name, params, result, cost, counts_down, makes: body.makes }, text + "}\n")
}

/// The beginning of a function that calls itself.
fn again(body: &mut Body<'_, '_>, name: &str, params: &[Type]) -> String {
    let mut text = String::new();
    // Without this there is no end but that of the limit.
    if !body.choices.one_in(20) {
        let value = if body.result == Type::Unit { String::new() } else { body.expression(body.result, 2) };
        text += &format!("if down <= 0 {{ return {value}; }}\n");
    }
    if body.choices.one_in(2) {
        text += &body.statement();
    }
    let args: Vec<String> = params[1..].iter().map(|ty| body.expression(*ty, 2)).collect();
    let args: String = args.iter().map(|arg| format!(", {arg}")).collect();
    if body.result == Type::Unit {
        return format!("{text}{name}(down - 1{args});\n");
    }
    body.declare("again", body.result, true);
    format!("{text}let again = {name}(down - 1{args});\n")
}

/// Text in which the depth of braces is seen.
fn indented(text: &str) -> String {
    let mut depth = 0_usize;
    let mut result = String::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let closes = line.chars().take_while(|c| matches!(c, '}' | ')')).filter(|c| *c == '}').count();
        result += &"  ".repeat(depth.saturating_sub(closes));
        result += line;
        result.push('\n');
        let (opened, closed) = (line.matches('{').count(), line.matches('}').count());
        depth = (depth + opened).saturating_sub(closed);
    }
    result
}
