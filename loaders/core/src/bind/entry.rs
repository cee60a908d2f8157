//! The ways of calling one function.

use super::conform::{self, Passing};
use super::error::wrong_argument;
use super::kind::Kind;
use super::shown::Shown;
use crate::code::Code;
use crate::error::{Error, Location};
use caraway_plugin::Type;
use rhai::{Dynamic, EvalAltResult, FuncRegistration, Module, NativeCallContext, Position, RhaiFunc, Shared};
use smallvec::{SmallVec, smallvec};
use std::any::TypeId;

/// How many typed entries one function may have; calls that would need more go the long way.
const MAX_ENTRIES: usize = 64;

/// What Rhai calls.
pub(super) type Body = dyn Fn(Option<NativeCallContext>, &mut [&mut Dynamic]) -> Result<Dynamic, Box<EvalAltResult>>
    + Send
    + Sync;

/// Puts every way of calling a function into a module. `buffers` says whether a list of numbers may be a buffer.
pub(super) fn register(module: &mut Module, name: &str, shown: &Shown, body: &Shared<Body>, buffers: bool) {
    entries(shown.signature.params.iter().map(|param| &param.ty), buffers, |types, floats| {
        let func: Shared<Body> = if floats.is_empty() {
            body.clone()
        } else {
            let (body, floats) = (body.clone(), Floats::from_slice(floats));
            Shared::new(move |context: Option<NativeCallContext>, args: &mut [&mut Dynamic]| {
                with_floats(&floats, args, |args| body(context, args))
            })
        };
        set(module, FuncRegistration::new(name), types, func);
    });
    let count = shown.signature.params.len();
    if count > 0 {
        let (shown, body) = (shown.clone(), body.clone());
        let anything =
            with_context(move |context, args| call_with_anything(&shown, &*body, buffers, context, args));
        let types: Types = smallvec![TypeId::of::<Dynamic>(); count];
        set(module, FuncRegistration::new(name), &types, anything);
    }
}

/// A body that is called with its context, as all that [`set`] registers are.
pub(super) fn with_context(
    call: impl Fn(NativeCallContext, &mut [&mut Dynamic]) -> Result<Dynamic, Box<EvalAltResult>>
    + Send
    + Sync
    + 'static,
) -> Shared<Body> {
    Shared::new(move |context: Option<NativeCallContext>, args: &mut [&mut Dynamic]| match context {
        Some(context) => call(context, args),
        None => Err(Error::new(Code::Internal, "a call without a context").raise(Position::NONE)),
    })
}

/// Puts one function into a module.
#[inline]
pub(super) fn set(module: &mut Module, registration: FuncRegistration, types: &[TypeId], func: Shared<Body>) {
    // A `Method` borrows its first argument where a `Pure` function gets a clone; `is_pure` lets it be called
    // on constants, which bodies keep safe by never changing it; volatile functions are not folded away.
    let func = RhaiFunc::Method { func, has_context: true, is_pure: true, is_volatile: true };
    registration.set_into_module_raw(module, types, func);
}

type Types = SmallVec<[TypeId; 4]>;
/// The parameters where an int is to become a float.
type Floats = SmallVec<[usize; 4]>;
/// What an argument may be, and whether an int is to become a float.
type Choice = (Kind, bool);

/// Gives the ways of calling a function with these parameters, each the types of its arguments and the parameters
/// where an int is to become a float; the declared one first.
fn entries<'a>(
    params: impl Iterator<Item = &'a Type>,
    buffers: bool,
    mut give: impl FnMut(&[TypeId], &[usize]),
) {
    let mut count = 1;
    let choices: SmallVec<[&[Choice]; 4]> = params
        .map(|ty| {
            let mut choices = choices(ty, buffers);
            if count * choices.len() > MAX_ENTRIES {
                choices = &choices[..1];
            }
            count *= choices.len();
            choices
        })
        .collect();
    let (mut types, mut floats) = (Types::new(), Floats::new());
    for entry in 0..count {
        // A digit for each parameter.
        let mut rest = entry;
        types.clear();
        floats.clear();
        for (index, choices) in choices.iter().enumerate() {
            let (kind, from_int) = match choices {
                [only] => *only,
                _ => choices[rest % choices.len()],
            };
            rest /= choices.len();
            types.push(kind.type_id());
            if from_int {
                floats.push(index);
            }
        }
        give(&types, &floats);
    }
}

fn choices(ty: &Type, buffers: bool) -> &'static [Choice] {
    match ty {
        Type::Float => &[(Kind::Float, false), (Kind::Int, true)],
        Type::Option(inner) => or_unit(inner),
        Type::Array(_) if buffers && buffer(ty) == Some(Kind::Ints) => {
            &[(Kind::Array, false), (Kind::Ints, false)]
        }
        Type::Array(_) if buffers && buffer(ty) == Some(Kind::Floats) => {
            &[(Kind::Array, false), (Kind::Floats, false)]
        }
        _ => Kind::of_type(ty).map_or(&COMMON[..5], |kind| &OR_UNIT[kind as usize][..1]),
    }
}

fn or_unit(ty: &Type) -> &'static [Choice] {
    match ty {
        Type::Float => &[(Kind::Float, false), (Kind::Int, true), (Kind::Unit, false)],
        Type::Option(inner) => or_unit(inner),
        _ => Kind::of_type(ty).map_or(&COMMON, |kind| &OR_UNIT[kind as usize]),
    }
}

/// Each kind, or nothing.
static OR_UNIT: [[Choice; 2]; Kind::ALL.len()] = {
    let mut choices = [[(Kind::Unit, false); 2]; Kind::ALL.len()];
    let mut at = 0;
    while at < choices.len() {
        assert!(Kind::ALL[at] as usize == at);
        choices[at][0].0 = Kind::ALL[at];
        at += 1;
    }
    choices
};

/// The commonest of what `any` is, and nothing: they are found at once, the rest by the entry that takes anything.
static COMMON: [Choice; 6] = [
    (Kind::Int, false),
    (Kind::Float, false),
    (Kind::String, false),
    (Kind::Array, false),
    (Kind::Map, false),
    (Kind::Unit, false),
];

/// The buffer that may stand for a list of numbers.
fn buffer(ty: &Type) -> Option<Kind> {
    match ty {
        Type::Array(item) if **item == Type::Int => Some(Kind::Ints),
        Type::Array(item) if **item == Type::Float => Some(Kind::Floats),
        _ => None,
    }
}

/// Calls with floats where `args` has ints. Argument 0 may be the caller's variable: it is replaced, not changed.
fn with_floats<R>(
    floats: &[usize],
    args: &mut [&mut Dynamic],
    call: impl FnOnce(&mut [&mut Dynamic]) -> R,
) -> R {
    let mut first = Dynamic::UNIT;
    for &index in floats {
        if let Ok(int) = args[index].as_int() {
            let float = Dynamic::from_float(int as f64);
            if index == 0 { first = float } else { *args[index] = float }
        }
    }
    if floats.first() != Some(&0) {
        return call(args);
    }
    let mut replaced: Vec<&mut Dynamic> = Vec::with_capacity(args.len());
    replaced.push(&mut first);
    replaced.extend(args[1..].iter_mut().map(|arg| &mut **arg));
    call(&mut replaced)
}

/// Calls with arguments of any types: converts, or says what is wrong.
pub(super) fn call_with_anything(
    shown: &Shown,
    body: &Body,
    buffers: bool,
    context: NativeCallContext,
    args: &mut [&mut Dynamic],
) -> Result<Dynamic, Box<EvalAltResult>> {
    let position = context.call_position();
    let mut floats = Floats::new();
    for (index, (param, arg)) in shown.signature.params.iter().zip(args.iter()).enumerate() {
        match conform::top_level(&param.ty, arg) {
            Passing::AsItIs => {}
            Passing::IntToFloat => floats.push(index),
            Passing::No if buffers && buffer(&param.ty).is_some_and(|kind| kind.holds(arg)) => {}
            Passing::No => {
                let location = Location::of_position(context.call_source(), position);
                return Err(wrong_argument(shown, index, &conform::type_name(arg))
                    .at(location)
                    .raise(position));
            }
        }
    }
    if floats.is_empty() {
        return body(Some(context), args);
    }
    with_floats(&floats, args, |args| body(Some(context), args))
}
