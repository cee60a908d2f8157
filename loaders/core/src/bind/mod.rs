//! The only place that puts functions into a module.
//!
//! A backend gives a [`Signature`] and a body that takes `Dynamic`s and gives one back; [`Binder`] registers
//! it so that Rhai finds it by the types of the arguments, at the cost of one lookup. For each function there
//! are
//!
//! * one entry for each way of calling it that needs no thought: the declared types, and an int where a float
//!   is declared, converted on the way;
//! * one entry that takes anything, which Rhai tries last. It converts what can be converted, and says what
//!   is wrong with the rest. The hot path pays nothing for it.
//!
//! So a body can rely on this: each argument has the Rhai type of its declared type, scalars need no further
//! look, and what is inside arrays and maps is checked by [`conform`] or by the backend's own marshalling.
//! Argument 0 may be the caller's own variable: bodies never change it.

mod callback;
pub mod conform;
mod missing;

pub use callback::Callbacks;
pub use missing::{Imported, explain, imports_of, suggest};

use crate::budget::Expiry;
use crate::code::Code;
use crate::error::{Error, Location};
use caraway_plugin::{Signature, Type};
use conform::Passing;
use rhai::{
    Array, Blob, Dynamic, EvalAltResult, FnPtr, FuncRegistration, ImmutableString, Map, Module,
    NativeCallContext, Position, RhaiFunc, Shared,
};
use std::any::TypeId;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// How many typed entries one function may have; calls that would need more go the long way.
const MAX_ENTRIES: usize = 64;

/// Up to how many parameters a plugin's function may have: Rhai looks for entries that take anything up to this
/// number. It tries 2^n combinations to find one, which a call with 16 arguments of odd types feels (3 ms).
pub const MAX_PARAMS: usize = 16;

/// What a call gives back to Rhai.
pub type CallResult = Result<Dynamic, CallError>;

/// Why a call failed.
#[derive(Debug)]
pub enum CallError {
    /// An error of the plugin or of the boundary; its caller can catch it.
    Error(Error),
    /// A limit of the program or of a caller further out, which nobody can catch.
    Expired(Expiry),
    /// An error of Rhai to be passed on as it is: of a callback, or one with a frame already.
    Rhai(Box<EvalAltResult>),
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Expiry> for CallError {
    fn from(expiry: Expiry) -> Self {
        Self::Expired(expiry)
    }
}

/// A loaded plugin: its module and what it offers.
#[derive(Clone)]
#[non_exhaustive]
pub struct Bound {
    /// The module, to be shared by all importers.
    pub module: Arc<Module>,
    /// The name that messages use: the manifest's `name`.
    pub name: String,
    /// The functions in it.
    pub signatures: Vec<Signature>,
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound")
            .field("name", &self.name)
            .field("signatures", &self.signatures)
            .finish_non_exhaustive()
    }
}

/// Fills a module.
///
/// ```
/// use caraway_loaders_core::bind::Binder;
/// use rhai::{Dynamic, Engine};
///
/// let mut binder = Binder::new("math", "math@1.0.0");
/// binder.function("half(x: float) -> float".parse()?, |_, args| {
///     Ok(Dynamic::from_float(args[0].as_float().unwrap_or_default() / 2.0))
/// })?;
///
/// let mut engine = Engine::new();
/// engine.register_static_module("math", binder.finish().module);
/// assert_eq!(engine.eval::<f64>("math::half(3)")?, 1.5);
///
/// let error = engine.eval::<f64>("math::half(true)").unwrap_err();
/// let error = caraway_loaders_core::Error::raised_in(&error).ok_or("another error")?;
/// assert_eq!(error.message(), "argument 1 of `math::half`: `x` must be float, found bool");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Binder {
    name: String,
    root: Module,
    submodules: BTreeMap<String, Binder>,
    signatures: Vec<Signature>,
}

impl Binder {
    /// An empty module of the plugin `name`, with `id` as Rhai's name for the module: its source in errors.
    pub fn new(name: &str, id: &str) -> Self {
        let mut root = Module::new();
        root.set_id(id);
        Self { name: name.to_owned(), root, submodules: BTreeMap::new(), signatures: Vec::new() }
    }

    /// Adds a function. A qualified name goes into a submodule.
    ///
    /// # Errors
    ///
    /// [`Code::NotEnforced`] for types that are not built yet, [`Code::ManifestValue`] for more than
    /// [`MAX_PARAMS`] parameters or a name that Rhai cannot call.
    pub fn function<F>(&mut self, signature: Signature, body: F) -> Result<(), Error>
    where
        F: Fn(&NativeCallContext, &mut [&mut Dynamic]) -> CallResult + Send + Sync + 'static,
    {
        callable(&signature)?;
        let shown =
            Arc::new(Signature { name: format!("{}::{}", self.name, signature.name), ..signature.clone() });
        let function = shown.clone();
        let body = move |context: Option<NativeCallContext>, args: &mut [&mut Dynamic]| {
            let Some(context) = context else {
                return Err(Error::new(Code::Internal, "a call without a context").raise(Position::NONE));
            };
            body(&context, args).map_err(|error| failed(&function, &context, error))
        };
        self.register(&signature.name.clone(), &shown, Shared::new(body));
        self.signatures.push(signature);
        Ok(())
    }

    /// Adds a constant to the module: `stats::VERSION`.
    ///
    /// # Errors
    ///
    /// [`Code::CallbackExpired`] if a function is in it, [`Code::ValueRefused`] if it nests too deep.
    pub fn constant(&mut self, name: &str, value: Dynamic) -> Result<(), Error> {
        let value = conform::conform(&Type::Any, value, conform::Functions::Refuse)
            .map_err(|error| error.said_of(&format!("the exported `{name}`")))?;
        self.root.set_var(name, value);
        Ok(())
    }

    fn register(&mut self, path: &str, shown: &Arc<Signature>, body: Shared<Body>) {
        if let Some((submodule, rest)) = path.split_once("::") {
            let id = self.root.id().unwrap_or_default().to_owned();
            let submodule =
                self.submodules.entry(submodule.to_owned()).or_insert_with(|| Binder::new(&self.name, &id));
            return submodule.register(rest, shown, body);
        }
        for entry in entries(&shown.params.iter().map(|p| &p.ty).collect::<Vec<_>>()) {
            let func: Shared<Body> = if entry.floats.is_empty() {
                body.clone()
            } else {
                let body = body.clone();
                let floats = entry.floats;
                Shared::new(move |context: Option<NativeCallContext>, args: &mut [&mut Dynamic]| {
                    with_floats(&floats, args, |args| body(context, args))
                })
            };
            set(&mut self.root, path, &entry.types, func);
        }
        let count = shown.params.len();
        if count > 0 {
            let shown = shown.clone();
            let anything = move |context: Option<NativeCallContext>, args: &mut [&mut Dynamic]| match context
            {
                Some(context) => call_with_anything(&shown, &*body, context, args),
                None => Err(Error::new(Code::Internal, "a call without a context").raise(Position::NONE)),
            };
            set(&mut self.root, path, &vec![TypeId::of::<Dynamic>(); count], Shared::new(anything));
        }
    }

    /// The filled module.
    pub fn finish(mut self) -> Bound {
        let signatures = std::mem::take(&mut self.signatures);
        let name = self.name.clone();
        Bound { module: Arc::new(self.into_module()), name, signatures }
    }

    fn into_module(mut self) -> Module {
        for (name, submodule) in self.submodules {
            self.root.set_sub_module(name, submodule.into_module());
        }
        self.root.build_index();
        self.root
    }
}

type Body = dyn Fn(Option<NativeCallContext>, &mut [&mut Dynamic]) -> Result<Dynamic, Box<EvalAltResult>>
    + Send
    + Sync;

/// Whether Rhai can call a function of this signature, and every type in it is built.
///
/// # Errors
///
/// As [`Binder::function`].
pub fn callable(signature: &Signature) -> Result<(), Error> {
    for part in signature.name.split("::") {
        if !rhai::is_valid_function_name(part) {
            return Err(Error::new(
                Code::ManifestValue,
                format!("`{part}` cannot be called in Rhai: it is a reserved word or no identifier"),
            )
            .hint(format!("rename it, for example to `{part}_`")));
        }
    }
    if signature.params.len() > MAX_PARAMS {
        return Err(Error::new(
            Code::ManifestValue,
            format!(
                "`{}` has {} parameters; at most {MAX_PARAMS} are supported",
                signature.name,
                signature.params.len()
            ),
        )
        .hint("pass a map"));
    }
    if signature.any_type(&|ty| matches!(ty, Type::Ints | Type::Floats)) {
        return Err(Error::new(
            Code::NotEnforced,
            format!("`{}` uses typed buffers (`ints`, `floats`), which are not built yet", signature.name),
        )
        .hint("use `array<int>` or `array<float>`"));
    }
    if let Some(name) = unresolved(signature) {
        return Err(Error::new(
            Code::ManifestValue,
            format!("`{}` uses the unknown type `{name}`", signature.name),
        )
        .hint("declare it in the manifest's `types`"));
    }
    Ok(())
}

fn unresolved(signature: &Signature) -> Option<String> {
    let found = std::cell::RefCell::new(None);
    signature.any_type(&|ty| match ty {
        Type::Named(name) => {
            found.replace(Some(name.clone()));
            true
        }
        _ => false,
    });
    found.into_inner()
}

fn set(module: &mut Module, name: &str, types: &[TypeId], func: Shared<Body>) {
    // A `Method` borrows its first argument where a `Pure` function gets a clone; `is_pure` lets it be called
    // on constants, which bodies keep safe by never changing it; volatile functions are not folded away.
    let func = RhaiFunc::Method { func, has_context: true, is_pure: true, is_volatile: true };
    FuncRegistration::new(name).set_into_module_raw(module, types, func);
}

/// One way of calling a function.
struct Entry {
    types: Vec<TypeId>,
    /// The parameters where an int is to become a float.
    floats: Vec<usize>,
}

/// The ways of calling a function with these parameters, the declared one first.
fn entries(params: &[&Type]) -> Vec<Entry> {
    let mut entries = vec![Entry { types: Vec::new(), floats: Vec::new() }];
    for (index, ty) in params.iter().enumerate() {
        let mut choices = rhai_types(ty);
        if entries.len() * choices.len() > MAX_ENTRIES {
            choices.truncate(1);
        }
        entries = entries
            .iter()
            .flat_map(|entry| {
                choices.iter().map(move |&(id, from_int)| {
                    let mut types = entry.types.clone();
                    types.push(id);
                    let mut floats = entry.floats.clone();
                    if from_int {
                        floats.push(index);
                    }
                    Entry { types, floats }
                })
            })
            .collect();
    }
    entries
}

/// The Rhai types that an argument of this type may have, and whether an int is to become a float.
fn rhai_types(ty: &Type) -> Vec<(TypeId, bool)> {
    match ty {
        Type::Int => vec![(TypeId::of::<i64>(), false)],
        Type::Float => vec![(TypeId::of::<f64>(), false), (TypeId::of::<i64>(), true)],
        Type::Bool => vec![(TypeId::of::<bool>(), false)],
        Type::Char => vec![(TypeId::of::<char>(), false)],
        Type::String | Type::Enum(_) => vec![(TypeId::of::<ImmutableString>(), false)],
        Type::Bytes => vec![(TypeId::of::<Blob>(), false)],
        Type::Array(_) => vec![(TypeId::of::<Array>(), false)],
        Type::Map(_) | Type::Struct(_) => vec![(TypeId::of::<Map>(), false)],
        Type::Fn(..) => vec![(TypeId::of::<FnPtr>(), false)],
        Type::Option(inner) => {
            let mut types = rhai_types(inner);
            types.push((TypeId::of::<()>(), false));
            types
        }
        // The commonest types are found at once, the rest by the entry that takes anything.
        _ => vec![
            (TypeId::of::<i64>(), false),
            (TypeId::of::<f64>(), false),
            (TypeId::of::<ImmutableString>(), false),
            (TypeId::of::<Array>(), false),
            (TypeId::of::<Map>(), false),
        ],
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

/// The entry that takes anything: converts, or says what is wrong.
fn call_with_anything(
    shown: &Signature,
    body: &Body,
    context: NativeCallContext,
    args: &mut [&mut Dynamic],
) -> Result<Dynamic, Box<EvalAltResult>> {
    let position = context.call_position();
    let mut floats = Vec::new();
    for (index, (param, arg)) in shown.params.iter().zip(args.iter()).enumerate() {
        match conform::top_level(&param.ty, arg) {
            Passing::AsItIs => {}
            Passing::IntToFloat => floats.push(index),
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

/// The error for an argument of a wrong type.
pub(crate) fn wrong_argument(shown: &Signature, index: usize, found: &str) -> Error {
    let param = &shown.params[index];
    Error::new(
        Code::ArgumentType,
        format!(
            "argument {} of `{}`: `{}` must be {}, found {found}",
            index + 1,
            shown.name,
            param.name,
            param.ty
        ),
    )
    .hint(format!("the signature is `{shown}`"))
}

/// The error for an argument that [`conform`](conform::conform) refused, with the function and the parameter.
#[cold]
fn wrong_inside(shown: &Signature, index: usize, error: &Error) -> Error {
    let name = shown.params.get(index).map_or("?", |p| p.name.as_str());
    let message = format!("argument {} of `{}`: `{name}` {}", index + 1, shown.name, error.message());
    let hint = error.hint_text().map_or_else(|| format!("the signature is `{shown}`"), str::to_owned);
    Error::new(error.code(), message).hint(hint)
}

/// What a failed call is to its caller.
#[cold]
fn failed(function: &Signature, context: &NativeCallContext, error: CallError) -> Box<EvalAltResult> {
    let position = context.call_position();
    match error {
        CallError::Error(error) => {
            let here = Location::of_position(context.call_source(), position);
            let error = if error.location().is_some() {
                error.through(function.name.clone(), here)
            } else if let Some(index) = error.argument() {
                wrong_inside(function, index, &error).at(here)
            } else {
                error.at(here)
            };
            error.raise(position)
        }
        CallError::Expired(expiry) => expiry.terminate(position),
        CallError::Rhai(error) => error,
    }
}
