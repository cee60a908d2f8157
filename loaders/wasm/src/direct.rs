//! Calls without a detour, for common signatures.
//!
//! wasmtime calls a function whose types Rust knows about twice as fast as one whose arguments are a tree of
//! [`Val`](wasmtime::component::Val)s, and strings, blobs and lists of floats many times as fast. So there is
//! one monomorphic call for each common combination of types, chosen when a component is loaded.

use crate::lift::Sizes;
use crate::reflect::{Export, Outcome};
use crate::shape::{IntKind, Shape};
use crate::wasi::Guest;
use caraway_loaders_core::Error;
use rhai::{Array, Blob, Dynamic, DynamicReadLock, ImmutableString};
use wasmtime::Store;
use wasmtime::component::{ComponentNamedList, Func, Lift, Lower};

/// A call of a function of certain types.
pub(crate) type Direct = fn(&Func, &mut Store<Guest>, &[&mut Dynamic], &Sizes) -> Result<Dynamic, Failure>;

/// Why a call gave nothing back.
pub(crate) enum Failure {
    /// The arguments need another look: nothing was called.
    NotDirect,
    /// The guest failed, and its store is lost.
    Fault(wasmtime::Error),
    /// The guest is well, but its result cannot be used.
    Refused(Error),
}

/// The direct call for a function's types, if there is one.
pub(crate) fn find(export: &Export) -> Option<Direct> {
    fn among<A: Arguments>(export: &Export) -> Option<Direct> {
        if !A::fit(&export.params) {
            return None;
        }
        let outcome = &export.result;
        let choices: [(bool, Direct); 7] = [
            (Unit::fits(outcome), call::<A, Unit>),
            (Int::gives(outcome), call::<A, Int>),
            (Float::gives(outcome), call::<A, Float>),
            (Bool::gives(outcome), call::<A, Bool>),
            (Text::gives(outcome), call::<A, Text>),
            (Bytes::gives(outcome), call::<A, Bytes>),
            (Floats::gives(outcome), call::<A, Floats>),
        ];
        choices.into_iter().find_map(|(fits, call)| fits.then_some(call))
    }
    among::<()>(export)
        .or_else(|| among::<(Int,)>(export))
        .or_else(|| among::<(Int, Int)>(export))
        .or_else(|| among::<(Int, Int, Int)>(export))
        .or_else(|| among::<(Float,)>(export))
        .or_else(|| among::<(Float, Float)>(export))
        .or_else(|| among::<(Float, Float, Float)>(export))
        .or_else(|| among::<(Text,)>(export))
        .or_else(|| among::<(Text, Text)>(export))
        .or_else(|| among::<(Bytes,)>(export))
        .or_else(|| among::<(Floats,)>(export))
}

fn call<A: Arguments, R: Returns>(
    function: &Func,
    store: &mut Store<Guest>,
    args: &[&mut Dynamic],
    sizes: &Sizes,
) -> Result<Dynamic, Failure> {
    let held = A::hold(args).ok_or(Failure::NotDirect)?;
    let function = function.typed::<A::Wasm<'_>, R::Wasm>(&*store).map_err(Failure::Fault)?;
    let result = function.call(store, A::lower(&held)).map_err(Failure::Fault)?;
    R::give(result, sizes).map_err(Failure::Refused)
}

/// One parameter, or a result.
trait Direction {
    /// What is kept of an argument during the call.
    type Held<'d>;
    /// What wasmtime takes.
    type Wasm<'h>: Lower;
    fn fits(shape: &Shape) -> bool;
    fn hold(value: &Dynamic) -> Option<Self::Held<'_>>;
    fn lower<'h, 'd: 'h>(held: &'h Self::Held<'d>) -> Self::Wasm<'h>;
    fn gives(outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::Value(shape) if Self::fits(shape))
    }
}

/// What a function gives back.
trait Returns {
    type Wasm: ComponentNamedList + Lift + Send + Sync + 'static;
    fn give(result: Self::Wasm, sizes: &Sizes) -> Result<Dynamic, Error>;
}

/// All parameters of a function.
trait Arguments {
    type Held<'d>;
    type Wasm<'h>: ComponentNamedList + Lower;
    fn fit(shapes: &[Shape]) -> bool;
    fn hold<'d>(args: &'d [&mut Dynamic]) -> Option<Self::Held<'d>>;
    fn lower<'h, 'd: 'h>(held: &'h Self::Held<'d>) -> Self::Wasm<'h>;
}

macro_rules! arguments {
    ($($ty:ident $shape:ident $arg:ident),+) => {
        impl<$($ty: Direction),*> Arguments for ($($ty,)*) {
            type Held<'d> = ($($ty::Held<'d>,)*);
            type Wasm<'h> = ($($ty::Wasm<'h>,)*);

            fn fit(shapes: &[Shape]) -> bool {
                matches!(shapes, [$($shape),*] if true $(&& $ty::fits($shape))*)
            }

            fn hold<'d>(args: &'d [&mut Dynamic]) -> Option<Self::Held<'d>> {
                let [$($arg),*] = args else { return None };
                Some(($($ty::hold($arg)?,)*))
            }

            fn lower<'h, 'd: 'h>(held: &'h Self::Held<'d>) -> Self::Wasm<'h> {
                let ($($arg,)*) = held;
                ($($ty::lower($arg),)*)
            }
        }
    };
}

impl Arguments for () {
    type Held<'d> = ();
    type Wasm<'h> = ();

    fn fit(shapes: &[Shape]) -> bool {
        shapes.is_empty()
    }

    fn hold(_: &[&mut Dynamic]) -> Option<()> {
        Some(())
    }

    fn lower<'h, 'd: 'h>((): &'h ()) {}
}

arguments!(A shape_a a);
arguments!(A shape_a a, B shape_b b);
arguments!(A shape_a a, B shape_b b, C shape_c c);

struct Unit;
struct Int;
struct Float;
struct Bool;
struct Text;
struct Bytes;
struct Floats;

impl Unit {
    fn fits(outcome: &Outcome) -> bool {
        *outcome == Outcome::Nothing
    }
}

impl Returns for Unit {
    type Wasm = ();

    fn give((): (), _: &Sizes) -> Result<Dynamic, Error> {
        Ok(Dynamic::UNIT)
    }
}

macro_rules! scalar {
    ($name:ident, $ty:ty, $shape:pat, $hold:expr) => {
        impl Direction for $name {
            type Held<'d> = $ty;
            type Wasm<'h> = $ty;

            fn fits(shape: &Shape) -> bool {
                matches!(shape, $shape)
            }

            fn hold(value: &Dynamic) -> Option<$ty> {
                let hold: fn(&Dynamic) -> Option<$ty> = $hold;
                hold(value)
            }

            fn lower<'h, 'd: 'h>(held: &'h $ty) -> $ty {
                *held
            }
        }

        impl Returns for $name {
            type Wasm = ($ty,);

            fn give((result,): ($ty,), _: &Sizes) -> Result<Dynamic, Error> {
                Ok(result.into())
            }
        }
    };
}

scalar!(Int, i64, Shape::Int(IntKind::S64), |value| value.as_int().ok());
scalar!(Float, f64, Shape::F64, |value| value.as_float().ok());
scalar!(Bool, bool, Shape::Bool, |value| value.as_bool().ok());

impl Direction for Text {
    type Held<'d> = ImmutableString;
    type Wasm<'h> = &'h str;

    fn fits(shape: &Shape) -> bool {
        matches!(shape, Shape::String)
    }

    fn hold(value: &Dynamic) -> Option<ImmutableString> {
        value.read_lock::<ImmutableString>().map(|text| text.clone())
    }

    fn lower<'h, 'd: 'h>(held: &'h ImmutableString) -> &'h str {
        held.as_str()
    }
}

impl Returns for Text {
    type Wasm = (String,);

    fn give((result,): (String,), sizes: &Sizes) -> Result<Dynamic, Error> {
        sizes.bytes(result.len())?;
        Ok(result.into())
    }
}

impl Direction for Bytes {
    type Held<'d> = DynamicReadLock<'d, Blob>;
    type Wasm<'h> = &'h [u8];

    fn fits(shape: &Shape) -> bool {
        matches!(shape, Shape::Bytes)
    }

    fn hold(value: &Dynamic) -> Option<Self::Held<'_>> {
        value.read_lock::<Blob>()
    }

    fn lower<'h, 'd: 'h>(held: &'h Self::Held<'d>) -> &'h [u8] {
        held.as_slice()
    }
}

impl Returns for Bytes {
    type Wasm = (Vec<u8>,);

    fn give((result,): (Vec<u8>,), sizes: &Sizes) -> Result<Dynamic, Error> {
        sizes.bytes(result.len())?;
        Ok(Dynamic::from_blob(result))
    }
}

impl Direction for Floats {
    type Held<'d> = Vec<f64>;
    type Wasm<'h> = &'h [f64];

    fn fits(shape: &Shape) -> bool {
        matches!(shape, Shape::List(item) if **item == Shape::F64)
    }

    fn hold(value: &Dynamic) -> Option<Vec<f64>> {
        let items = value.read_lock::<Array>()?;
        let float =
            |item: &Dynamic| item.as_float().ok().or_else(|| item.as_int().ok().map(|int| int as f64));
        items.iter().map(float).collect()
    }

    fn lower<'h, 'd: 'h>(held: &'h Vec<f64>) -> &'h [f64] {
        held.as_slice()
    }
}

impl Returns for Floats {
    type Wasm = (Vec<f64>,);

    fn give((result,): (Vec<f64>,), sizes: &Sizes) -> Result<Dynamic, Error> {
        sizes.elements(result.len())?;
        Ok(Dynamic::from_array(result.into_iter().map(Dynamic::from_float).collect()))
    }
}
