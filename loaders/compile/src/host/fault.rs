//! Errors, as Rhai's own walk of the tree tells them.

use super::code::Code;
use super::pool::{Cause, State};
use super::value::of_word;
use crate::emit::TOO_DEEP;
use crate::ir::{Binary, Piece, Site, SiteKind, Type};
use caraway_loaders_core::buffer::{Floats, Ints};
use caraway_loaders_core::{Code as ErrorCode, Error, budget};
use rhai::{Dynamic, EvalAltResult, Position};
use wasmtime::{Trap, WasmBacktrace};

/// What a call of the function `root` failed with.
#[cold]
pub(super) fn explain(
    code: &Code,
    root: &str,
    state: &mut State,
    error: &wasmtime::Error,
) -> Box<EvalAltResult> {
    let sites = sites(code, error);
    let told = std::mem::take(&mut state.told);
    let mut fault = match state.cause.take() {
        Some(Cause::Expired(expiry)) => return expiry.terminate(Position::NONE),
        Some(Cause::Failed { site: TOO_DEEP, .. }) => {
            return Box::new(EvalAltResult::ErrorStackOverflow(Position::NONE));
        }
        Some(Cause::Failed { x, y, site }) => {
            let site = usize::try_from(site).ok().and_then(|site| code.program.sites.get(site));
            site.map_or_else(|| broken(error), |site| failed(site, x, y, &told))
        }
        Some(Cause::Buffer { error, site }) => {
            let site = usize::try_from(site).ok().and_then(|site| code.program.sites.get(site));
            error.raise(site.map_or(Position::NONE, |site| site.position))
        }
        Some(Cause::Import(error)) => error,
        None if error.downcast_ref::<Trap>() == Some(&Trap::StackOverflow) => {
            return budget::stack_used_up().terminate(Position::NONE);
        }
        None => broken(error),
    };
    if fault.is_system_exception() || matches!(*fault, EvalAltResult::Exit(..)) {
        fault.set_position(Position::NONE);
        return fault;
    }
    for site in sites {
        if let SiteKind::Call(name) = &site.kind {
            fault = in_call(code, name, fault, site.position);
        }
    }
    in_call(code, root, fault, Position::NONE)
}

fn in_call(code: &Code, name: &str, fault: Box<EvalAltResult>, position: Position) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorInFunctionCall(name.to_owned(), code.source.clone(), fault, position))
}

/// What a call of the function `root` failed with after its end.
#[cold]
pub(super) fn afterwards(code: &Code, root: &str, error: Error) -> Box<EvalAltResult> {
    in_call(code, root, error.raise(Position::NONE), Position::NONE)
}

/// Where the calls are that were going on, the innermost first.
fn sites<'a>(code: &'a Code, error: &wasmtime::Error) -> Vec<&'a Site> {
    let frames = error.downcast_ref::<WasmBacktrace>().map_or(&[][..], WasmBacktrace::frames);
    let sites = frames.iter().filter_map(|frame| {
        let site = code.emitted.call(frame.func_index(), frame.func_offset()?)?;
        code.program.sites.get(site)
    });
    sites.collect()
}

/// What failed at a site, with what was told of it.
fn failed(site: &Site, x: i64, y: i64, told: &[i64]) -> Box<EvalAltResult> {
    let float = || f64::from_bits(x.cast_unsigned());
    let message = match &site.kind {
        SiteKind::Binary(op) => overflow(*op, x, y),
        SiteKind::Negate => "integer overflow".to_owned(),
        SiteKind::Abs => format!("Negation overflow: -{x}"),
        SiteKind::ToInt => format!("Integer overflow: to_int({})", float()),
        SiteKind::Sign => "Sign of NaN is undefined".to_owned(),
        SiteKind::Step => return refused_step(site.position),
        SiteKind::Index(ty) => return out_of_bounds(*ty, x, y, site.position),
        SiteKind::Throw(ty) => {
            return thrown(of_word(*ty, told.first().copied().unwrap_or_default()), site.position);
        }
        SiteKind::ThrowText(pieces) => return thrown(text(pieces, told).into(), site.position),
        SiteKind::Call(_) | SiteKind::Import(_) | SiteKind::Fill => {
            "a call failed without an error".to_owned()
        }
    };
    Box::new(EvalAltResult::ErrorArithmetic(message, site.position))
}

/// Puts values into a text as Rhai prints them.
fn text(pieces: &[Piece], told: &[i64]) -> String {
    let mut words = told.iter().copied();
    let shown = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Value(ty) => of_word(*ty, words.next().unwrap_or_default()).to_string(),
    };
    pieces.iter().map(shown).collect()
}

fn overflow(op: Binary, x: i64, y: i64) -> String {
    match op {
        Binary::Add => format!("Addition overflow: {x} + {y}"),
        Binary::Subtract => format!("Subtraction overflow: {x} - {y}"),
        Binary::Multiply => format!("Multiplication overflow: {x} * {y}"),
        Binary::Divide if y == 0 => format!("Division by zero: {x} / {y}"),
        Binary::Divide => format!("Division overflow: {x} / {y}"),
        Binary::Power if y < 0 => format!("Integer raised to a negative power: {x} ** {y}"),
        Binary::Power => format!("Exponential overflow: {x} ** {y}"),
        _ => format!("Modulo division by zero or overflow: {x} % {y}"),
    }
}

fn refused_step(position: Position) -> Box<EvalAltResult> {
    let cause = EvalAltResult::ErrorArithmetic("step value cannot be zero".to_owned(), Position::NONE);
    let (name, source) = ("range".to_owned(), String::new());
    Box::new(EvalAltResult::ErrorInFunctionCall(name, source, Box::new(cause), position))
}

fn out_of_bounds(ty: Type, index: i64, len: i64, position: Position) -> Box<EvalAltResult> {
    let len = usize::try_from(len).unwrap_or(0);
    let error = match ty {
        Type::Ints => Ints::out_of_bounds(len, index),
        _ => Floats::out_of_bounds(len, index),
    };
    error.raise(position)
}

fn thrown(value: Dynamic, position: Position) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorRuntime(value, position))
}

/// A module that does what it should not be able to.
fn broken(error: &wasmtime::Error) -> Box<EvalAltResult> {
    Error::new(ErrorCode::Internal, format!("a compiled function crashed: {error}"))
        .hint("this is a bug, of Caraway's; please report it with the script")
        .raise(Position::NONE)
}
