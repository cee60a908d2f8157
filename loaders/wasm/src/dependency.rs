//! Functions that a component imports from other plugins, of whatever kind.

use crate::lift::{Lifting, Sizes, lift};
use crate::lower::lower;
use crate::reflect::{Outcome, callable};
use crate::shape::{Shape, TypeNames, snake_case};
use crate::wasi::{Guest, Stopped};
use caraway_loaders_core::bind::Bound;
use caraway_loaders_core::budget::Expiry;
use caraway_loaders_core::buffer::{Floats, Ints};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::Imports;
use caraway_loaders_core::{Code, Error, Param, Signature, Type};
use rhai::{AST, Array, Dynamic, Engine, EvalAltResult, FnPtr, Module};
use std::fmt;
use std::sync::Arc;
use wasmtime::component::types::ComponentFunc;
use wasmtime::component::{Linker, Val};

/// An interface, or a single function, that a component imports from a plugin.
pub(crate) struct Wanted {
    /// What the component imports: `acme:stats/api@1.0.0`; `None` for functions that it imports by name alone.
    pub(crate) interface: Option<String>,
    /// The submodule that it is looked for in first: `api`.
    pub(crate) submodule: Option<String>,
    /// The declared dependencies that may have it.
    pub(crate) plugins: Vec<String>,
    /// The functions, by their WIT names.
    pub(crate) functions: Vec<(String, ComponentFunc)>,
}

/// Lets a component import what it wants from other plugins. Without `imports` nothing is loaded or compared, and
/// calls fail: for looking at a component.
///
/// # Errors
///
/// A plugin that cannot be loaded, [`Code::LoadFailed`] for functions that none or several have, and
/// [`Code::SignatureMismatch`] for those of other types.
pub(crate) fn link(
    linker: &mut Linker<Guest>,
    wanted: &[Wanted],
    imports: Option<&dyn Imports>,
    limits: &Limits,
) -> Result<(), Error> {
    let mut errors = Vec::new();
    for wanted in wanted {
        let plugins = match imports {
            Some(imports) => {
                wanted.plugins.iter().map(|name| imports.import(name)).collect::<Result<Vec<_>, _>>()?
            }
            None => Vec::new(),
        };
        let mut instance = match &wanted.interface {
            Some(name) => linker.instance(name).map_err(|error| internal(&error))?,
            None => linker.root(),
        };
        for (name, ty) in &wanted.functions {
            let added = if imports.is_some() {
                match Callee::find(wanted, name, ty, &plugins, limits) {
                    Ok(callee) => instance.func_new(name, move |_, _, params, results| {
                        if let (Some(value), Some(result)) = (callee.call(params)?, results.first_mut()) {
                            *result = value;
                        }
                        Ok(())
                    }),
                    Err(error) => {
                        errors.push(error);
                        continue;
                    }
                }
            } else {
                instance.func_new(name, |_, _, _, _| Err(wasmtime::Error::msg("not linked")))
            };
            added.map_err(|error| internal(&error))?;
        }
    }
    Error::from_many(errors).map_or(Ok(()), Err)
}

fn internal(error: &wasmtime::Error) -> Error {
    Error::new(Code::Internal, format!("cannot link a dependency: {error}"))
}

/// A function of another plugin, as a component calls it.
struct Callee {
    /// With the plugin's name.
    signature: Signature,
    /// Finds the function, and has the limits of the component.
    engine: Engine,
    function: FnPtr,
    params: Vec<Shape>,
    outcome: Outcome,
    sizes: Sizes,
}

/// The error that stops a guest when it cannot be given the error of a function that it called.
#[derive(Debug)]
pub(crate) struct CalleeFailed(pub(crate) Error);

impl fmt::Display for CalleeFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.message())
    }
}

impl std::error::Error for CalleeFailed {}

impl Callee {
    /// The one function that goes with what is imported.
    fn find(
        wanted: &Wanted,
        name: &str,
        ty: &ComponentFunc,
        plugins: &[Arc<Bound>],
        limits: &Limits,
    ) -> Result<Self, Error> {
        let names = TypeNames::default();
        let shown = match &wanted.interface {
            Some(interface) => format!("`{name}` of `{interface}`"),
            None => format!("`{name}`"),
        };
        let unusable = |error: Error| error.said_of(&format!("the import {shown}:"));
        let mut declared = Vec::new();
        let mut params = Vec::new();
        for (param, ty) in ty.params() {
            let shape = Shape::of(&ty, &names).map_err(unusable)?;
            declared.push(Param { name: snake_case(param), ty: shape.script_type() });
            params.push(shape);
        }
        let outcome = Outcome::of(ty.results().next().as_ref(), &names).map_err(unusable)?;
        let last = callable(&snake_case(name));
        let imported = Signature { name: last.clone(), params: declared, returns: outcome.script_type() };

        let nested = wanted.submodule.as_ref().map(|submodule| format!("{submodule}::{last}"));
        let mut found = plugins.iter().filter_map(|plugin| {
            let named = |name: &str| plugin.signatures.iter().find(|signature| signature.name == name);
            let signature = nested.as_deref().and_then(named).or_else(|| named(&last))?;
            Some((plugin, signature))
        });
        let (plugin, signature) = match (found.next(), found.next()) {
            (Some(found), None) => found,
            (Some((one, _)), Some((other, _))) => {
                let message = format!("it imports {shown}, which `{}` and `{}` have", one.name, other.name);
                return Err(Error::new(Code::LoadFailed, message)
                    .hint("import an interface in a package of the plugin's name: `acme:stats/api`"));
            }
            (None, _) => {
                let names: Vec<String> = plugins.iter().map(|plugin| format!("`{}`", plugin.name)).collect();
                let message =
                    format!("it imports {shown}, and {} has no function `{last}`", names.join(", "));
                let missing = Error::new(Code::LoadFailed, message);
                return Err(missing.hint(format!("it would have to be `{imported}`")));
            }
        };
        let shown =
            Signature { name: format!("{}::{}", plugin.name, signature.name), ..(**signature).clone() };
        if !fits(&imported, signature) {
            let message =
                format!("the component imports `{imported}`, and `{}` has `{signature}`", plugin.name);
            return Err(Error::new(Code::SignatureMismatch, message)
                .hint("change the component's import, or require another version of the plugin"));
        }
        let mut engine = Engine::new_raw();
        limits.apply(&mut engine);
        engine.register_global_module(module_of(plugin, &signature.name)?);
        let own = signature.name.rsplit("::").next().unwrap_or_default();
        let function = FnPtr::new(own).map_err(|error| Error::new(Code::Internal, error.to_string()))?;
        Ok(Self { signature: shown, engine, function, params, outcome, sizes: Sizes::of(limits) })
    }

    /// Calls the function, and gives what the component gets.
    fn call(&self, params: &[Val]) -> wasmtime::Result<Option<Val>> {
        let mut args = Vec::with_capacity(params.len());
        for ((shape, value), param) in self.params.iter().zip(params).zip(&self.signature.params) {
            match lift(shape, value.clone(), &Lifting::plain(self.sizes)) {
                Ok(value) => args.push(handed_over(&param.ty, value)),
                Err(error) => return self.failed(None, error),
            }
        }
        match self.function.call::<Dynamic>(&self.engine, &AST::empty(), args) {
            Ok(value) => self.succeeded(taken_over(value)),
            Err(error) => match Expiry::of(&error) {
                Some(expiry) => Err(Stopped(expiry).into()),
                None => {
                    let (thrown, error) = self.explained(&error);
                    self.failed(thrown.as_ref(), error)
                }
            },
        }
    }

    fn succeeded(&self, value: Dynamic) -> wasmtime::Result<Option<Val>> {
        let lowered = match &self.outcome {
            Outcome::Nothing => return Ok(None),
            Outcome::Value(shape) => lower(shape, &value),
            Outcome::Fallible { ok: None, .. } => return Ok(Some(Val::Result(Ok(None)))),
            Outcome::Fallible { ok: Some(shape), .. } => {
                lower(shape, &value).map(|value| Val::Result(Ok(Some(Box::new(value)))))
            }
        };
        match lowered {
            Ok(value) => Ok(Some(value)),
            Err(misfit) => {
                let misfit = misfit.into_error(0);
                let error = misfit.said_of(&format!("the result of `{}`", self.signature.name));
                self.failed(None, Error::new(Code::ResultType, error.message()))
            }
        }
    }

    /// The error of a `result`: what was thrown if that is of its type, or the message if that is a string.
    fn failed(&self, thrown: Option<&Dynamic>, error: Error) -> wasmtime::Result<Option<Val>> {
        let payload = match &self.outcome {
            Outcome::Fallible { err: None, .. } => None,
            Outcome::Fallible { err: Some(shape), .. } => {
                let own = thrown.and_then(|thrown| lower(shape, thrown).ok());
                match (own, shape) {
                    (Some(value), _) => Some(Box::new(value)),
                    (None, Shape::String) => Some(Box::new(Val::String(error.message().to_owned()))),
                    (None, _) => return Err(CalleeFailed(error).into()),
                }
            }
            _ => return Err(CalleeFailed(error).into()),
        };
        Ok(Some(Val::Result(Err(payload))))
    }

    /// What was thrown, and the error as a host knows it.
    fn explained(&self, error: &EvalAltResult) -> (Option<Dynamic>, Error) {
        if let Some(error) = Error::raised_in(error) {
            return (error.thrown().cloned(), error);
        }
        let (thrown, what) = match error.unwrap_inner() {
            EvalAltResult::ErrorRuntime(thrown, _) => (Some(thrown.clone()), thrown.to_string()),
            other => (None, other.to_string()),
        };
        let message = format!("`{}` failed: {what}", self.signature.name);
        (thrown, Error::new(Code::PluginFailed, message))
    }
}

/// The module that has the function of this name, which may be a submodule's.
fn module_of(plugin: &Bound, name: &str) -> Result<Arc<Module>, Error> {
    let mut module = &plugin.module;
    let mut path: Vec<&str> = name.split("::").collect();
    path.pop();
    for step in path {
        let submodule = module.iter_sub_modules().find(|(name, _)| *name == step);
        let (_, submodule) = submodule
            .ok_or_else(|| Error::new(Code::Internal, format!("`{}` lacks `{step}`", plugin.name)))?;
        module = submodule;
    }
    Ok(module.clone())
}

/// A list of numbers becomes the buffer that a function wants.
fn handed_over(ty: &Type, value: Dynamic) -> Dynamic {
    let Some(items) = value.read_lock::<Array>() else { return value };
    let buffer = match ty {
        Type::Floats => {
            let items: Vec<f64> = items.iter().map(|item| item.as_float().unwrap_or_default()).collect();
            Some(Dynamic::from(Floats::from(items)))
        }
        Type::Ints => {
            let items: Vec<i64> = items.iter().map(|item| item.as_int().unwrap_or_default()).collect();
            Some(Dynamic::from(Ints::from(items)))
        }
        _ => None,
    };
    drop(items);
    buffer.unwrap_or(value)
}

/// A buffer becomes a list of numbers.
fn taken_over(value: Dynamic) -> Dynamic {
    let numbers: Option<Array> = if let Some(buffer) = Floats::of(&value) {
        buffer.read().ok().map(|items| items.iter().copied().map(Dynamic::from_float).collect())
    } else if let Some(buffer) = Ints::of(&value) {
        buffer.read().ok().map(|items| items.iter().copied().map(Dynamic::from_int).collect())
    } else {
        None
    };
    numbers.map_or(value, Dynamic::from_array)
}

/// Whether a function can be called as the imported one.
fn fits(imported: &Signature, found: &Signature) -> bool {
    imported.params.len() == found.params.len()
        && imported.params.iter().zip(&found.params).all(|(from, to)| accepts(&to.ty, &from.ty))
        && match (&imported.returns, &found.returns) {
            (_, Type::Any) => true,
            (to, from) => accepts(to, from),
        }
}

/// Whether every value of the type `from` is one of the type `to`, or may be and is looked at when it comes.
fn accepts(to: &Type, from: &Type) -> bool {
    match (to, from) {
        (Type::Any, from) => *from != Type::Void,
        (to, Type::Any) => *to != Type::Void,
        (Type::Float, Type::Int) => true,
        (Type::Option(to), Type::Option(from)) => accepts(to, from),
        (Type::Option(to), from) => accepts(to, from),
        (Type::Array(to), Type::Array(from)) => accepts(to, from),
        (Type::Floats, Type::Array(item)) | (Type::Array(item), Type::Floats) => **item == Type::Float,
        (Type::Ints, Type::Array(item)) | (Type::Array(item), Type::Ints) => **item == Type::Int,
        (Type::Map(to), Type::Map(from)) => accepts(to, from),
        (Type::Map(to), Type::Struct(from)) => from.fields.iter().all(|field| accepts(to, &field.ty)),
        (Type::Struct(to), Type::Struct(from)) => {
            let given = |name: &str| from.fields.iter().find(|field| field.name == name);
            to.fields.iter().all(|field| match given(&field.name) {
                Some(from) => accepts(&field.ty, &from.ty),
                None => matches!(field.ty, Type::Option(_)),
            }) && from.fields.iter().all(|field| to.fields.iter().any(|known| known.name == field.name))
        }
        (Type::String, Type::Enum(_)) => true,
        (Type::Enum(to), Type::Enum(from)) => from.values.iter().all(|value| to.values.contains(value)),
        (to, from) => to == from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(imported: &str, found: &str, expected: bool) {
        let parse = |text: &str| text.parse::<Signature>().unwrap();
        assert_eq!(fits(&parse(imported), &parse(found)), expected, "{imported} from {found}");
    }

    #[test]
    fn functions_fit_if_every_value_does() {
        for (imported, found, expected) in [
            ("f(a: int) -> float", "f(b: int) -> float", true),
            ("f(a: int) -> float", "f(a: float) -> int", true),
            ("f(a: float) -> int", "f(a: int) -> int", false),
            ("f(a: float) -> int", "f(a: float) -> float", false),
            ("f(a: int)", "f(a: int)", true),
            ("f(a: int)", "f(a: int) -> int", false),
            ("f(a: int)", "f(a: any) -> any", true),
            ("f() -> string", "f() -> any", true),
            ("f() -> string", "f()", false),
            ("f(a: int)", "f(a: int, b: int?)", false),
            ("f(a: int)", "f(a: int?)", true),
            ("f(a: int?)", "f(a: int)", false),
            ("f(a: array<int>) -> array<float>", "f(a: array<float>) -> array<int>", true),
            ("f(a: array<float>) -> array<float>", "f(a: floats) -> floats", true),
            ("f(a: array<int>)", "f(a: floats)", false),
            ("f(a: string)", "f(a: fn(int) -> int)", false),
            ("f(a: bytes) -> bytes", "f(a: bytes) -> bytes", true),
            ("f(a: bytes)", "f(a: string)", false),
        ] {
            case(imported, found, expected);
        }
    }
}
