//! What modules ask the host for: what Rhai does where WebAssembly has no instruction for it.

use super::buffers;
use super::pool::{Cause, State, stopped};
use crate::emit::{HELPERS, Helper};
use crate::ir::Math;
use wasmtime::{Caller, Linker, Result};

/// Defines all helpers.
pub(super) fn define(linker: &mut Linker<State>) -> Result<()> {
    Helper::ALL.iter().try_for_each(|helper| define_one(linker, *helper))
}

fn define_one(linker: &mut Linker<State>, helper: Helper) -> Result<()> {
    let name = &helper.name();
    match helper {
        Helper::Fail => linker.func_wrap(HELPERS, name, fail),
        Helper::Tell => linker.func_wrap(HELPERS, name, |mut caller: Caller<'_, State>, word: i64| {
            caller.data_mut().told.push(word);
        }),
        Helper::Fill => linker.func_wrap(HELPERS, name, buffers::fill),
        Helper::Power => linker.func_wrap(HELPERS, name, power),
        Helper::ShiftLeft => linker.func_wrap(HELPERS, name, shift_left),
        Helper::ShiftRight => linker.func_wrap(HELPERS, name, shift_right),
        Helper::FloatPower => linker.func_wrap(HELPERS, name, f64::powf),
        Helper::FloatRemainder => linker.func_wrap(HELPERS, name, |x: f64, y: f64| x % y),
        Helper::Fetch => linker.func_wrap(HELPERS, name, buffers::fetch),
        Helper::Claim => linker.func_wrap(HELPERS, name, buffers::claim),
        Helper::Unary(math) => linker.func_wrap(HELPERS, name, unary(math)),
        Helper::Binary(math) => linker.func_wrap(HELPERS, name, binary(math)),
    }?;
    Ok(())
}

fn fail(mut caller: Caller<'_, State>, x: i64, y: i64, site: u32) -> Result<()> {
    Err(stopped(caller.data_mut(), Cause::Failed { x, y, site }))
}

fn power(mut caller: Caller<'_, State>, x: i64, y: i64, site: u32) -> Result<i64> {
    let power = u32::try_from(y).ok().and_then(|y| x.checked_pow(y));
    power.ok_or_else(|| stopped(caller.data_mut(), Cause::Failed { x, y, site }))
}

fn shift_left(x: i64, by: i64) -> i64 {
    match u32::try_from(by) {
        Ok(by) => x.checked_shl(by).unwrap_or(0),
        Err(_) if by < 0 => shift_right(x, by.checked_abs().unwrap_or(i64::MAX)),
        Err(_) => 0,
    }
}

fn shift_right(x: i64, by: i64) -> i64 {
    match u32::try_from(by) {
        Ok(by) => x.checked_shr(by).unwrap_or(x >> 63),
        Err(_) if by < 0 => shift_left(x, by.checked_abs().unwrap_or(i64::MAX)),
        Err(_) => x >> 63,
    }
}

fn unary(math: Math) -> fn(f64) -> f64 {
    match math {
        Math::Sin => f64::sin,
        Math::Cos => f64::cos,
        Math::Tan => f64::tan,
        Math::Sinh => f64::sinh,
        Math::Cosh => f64::cosh,
        Math::Tanh => f64::tanh,
        Math::Asin => f64::asin,
        Math::Acos => f64::acos,
        Math::Atan => f64::atan,
        Math::Asinh => f64::asinh,
        Math::Acosh => f64::acosh,
        Math::Atanh => f64::atanh,
        Math::Exp => f64::exp,
        Math::Ln => f64::ln,
        Math::Log10 => f64::log10,
        Math::ToRadians => f64::to_radians,
        Math::ToDegrees => f64::to_degrees,
        // All others are instructions.
        _ => |x| x,
    }
}

fn binary(math: Math) -> fn(f64, f64) -> f64 {
    match math {
        Math::Hypot => f64::hypot,
        Math::Log => f64::log,
        _ => f64::atan2,
    }
}
