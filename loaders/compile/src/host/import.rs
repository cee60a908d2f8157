//! Functions of imported modules.

use super::buffers;
use super::pool::{Cause, State, stopped};
use super::value::{of_word, word};
use crate::emit::IMPORTS;
use crate::ir::{Import, Program, Type};
use caraway_loaders_core::bind::{Bound, Direct};
use caraway_loaders_core::limits::Limits;
use rhai::{Dynamic, Engine, EvalAltResult, GlobalRuntimeState, NativeCallContext, Position};
use std::sync::Arc;
use wasmtime::{Caller, FuncType, Linker, Result, Val, ValType};

/// A function of an imported module, with the types that it is called with.
pub(crate) struct Callee(Direct);

impl Callee {
    /// The function that `import` means in the module `bound`; none if its types are not those that are declared.
    pub(crate) fn of(bound: &Bound, import: &Import) -> Option<Self> {
        let types = import.params.iter().map(|ty| declared(*ty)).collect::<Option<Vec<_>>>()?;
        bound.direct(&import.function, &types).map(Self)
    }
}

fn declared(ty: Type) -> Option<caraway_loaders_core::Type> {
    match ty {
        Type::Bool => Some(caraway_loaders_core::Type::Bool),
        Type::Int => Some(caraway_loaders_core::Type::Int),
        Type::Float => Some(caraway_loaders_core::Type::Float),
        Type::Unit | Type::Never | Type::Ints | Type::Floats => None,
    }
}

/// What the calls of one script are made with.
struct Home {
    engine: Engine,
    global: GlobalRuntimeState,
    positions: Vec<Position>,
}

/// Defines the imports of a program.
pub(super) fn define(
    linker: &mut Linker<State>,
    program: &Program,
    callees: Vec<Callee>,
    source: &str,
    limits: &Limits,
) -> Result<()> {
    if callees.is_empty() {
        return Ok(());
    }
    let mut engine = Engine::new_raw();
    limits.apply(&mut engine);
    let mut global = engine.new_global_runtime_state();
    global.source = Some(source.into());
    let positions = program.sites.iter().map(|site| site.position).collect();
    let home = Arc::new(Home { engine, global, positions });
    for (number, (import, callee)) in program.imports.iter().zip(callees).enumerate() {
        let ty = FuncType::new(linker.engine(), params(import), value(import.result));
        let (import, home) = (import.clone(), home.clone());
        linker.func_new(IMPORTS, &number.to_string(), ty, move |mut caller, args, results| {
            call(&mut caller, &callee, &import, &home, args, results)
        })?;
    }
    Ok(())
}

/// The site comes first.
fn params(import: &Import) -> Vec<ValType> {
    let params = import.params.iter().filter_map(|ty| value(*ty));
    std::iter::once(ValType::I32).chain(params).collect()
}

fn value(ty: Type) -> Option<ValType> {
    match ty {
        Type::Unit | Type::Never => None,
        Type::Bool | Type::Ints | Type::Floats => Some(ValType::I32),
        Type::Int => Some(ValType::I64),
        Type::Float => Some(ValType::F64),
    }
}

fn call(
    caller: &mut Caller<'_, State>,
    callee: &Callee,
    import: &Import,
    home: &Home,
    args: &[Val],
    results: &mut [Val],
) -> Result<()> {
    let [Val::I32(site), args @ ..] = args else {
        return Err(wasmtime::Error::msg("an import is called without its site"));
    };
    let position = home.positions.get(usize::try_from(*site)?).copied().unwrap_or(Position::NONE);
    buffers::release(caller, position)?;
    let mut args: Vec<Dynamic> = import.params.iter().zip(args).map(|(ty, arg)| given(*ty, arg)).collect();
    let outcome = callee.call(home, &mut args.iter_mut().collect::<Vec<_>>(), position);
    match outcome {
        Ok(value) => {
            buffers::renew(caller, position)?;
            if let Some(result) = results.first_mut() {
                *result = taken(import.result, &value)
                    .ok_or_else(|| wasmtime::Error::msg("an import gives another type than declared"))?;
            }
            Ok(())
        }
        Err(error) => Err(stopped(caller.data_mut(), Cause::Import(error))),
    }
}

impl Callee {
    fn call(
        &self,
        home: &Home,
        args: &mut [&mut Dynamic],
        position: Position,
    ) -> std::result::Result<Dynamic, Box<EvalAltResult>> {
        let name = &self.0.signature().name;
        #[allow(deprecated)] // Rhai's mark for an interface that may change; the version is pinned.
        let context =
            NativeCallContext::new_with_all_fields(&home.engine, name, None, &home.global, position);
        self.0.call(context, args)
    }
}

/// An argument, as a script's value.
fn given(ty: Type, value: &Val) -> Dynamic {
    match value {
        Val::I32(bool) => of_word(ty, i64::from(*bool)),
        Val::I64(int) => of_word(ty, *int),
        Val::F64(bits) => of_word(ty, bits.cast_signed()),
        _ => Dynamic::UNIT,
    }
}

/// A result, as the module takes it.
fn taken(ty: Type, value: &Dynamic) -> Option<Val> {
    let word = word(ty, value)?;
    match ty {
        Type::Int => Some(Val::I64(word)),
        Type::Float => Some(Val::F64(word.cast_unsigned())),
        _ => Some(Val::I32(i32::from(word != 0))),
    }
}
