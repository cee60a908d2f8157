//! Exports to signatures.

use crate::shape::{IntKind, Resource, Shape, TypeNames, snake_case};
use crate::shim;
use caraway_loaders_core::manifest::Function;
use caraway_loaders_core::{Code, Error, Param, Signature, Type};
use std::collections::HashMap;
use wasmtime::Engine;
use wasmtime::component::types::{ComponentFunc, ComponentItem, Type as WitType};
use wasmtime::component::{Component, ComponentExportIndex};

/// Functions that toolchains add to the exports, for their own runtimes.
const OF_TOOLCHAINS: [&str; 3] = ["init", "_initialize", "_start"];

/// An exported function.
#[derive(Clone)]
pub(crate) struct Export {
    /// As a script calls it.
    pub(crate) signature: Signature,
    /// Where the component has it.
    pub(crate) index: ComponentExportIndex,
    /// Where its shim has it, if it has one.
    pub(crate) shim: Option<ComponentExportIndex>,
    /// What its parameters are.
    pub(crate) params: Vec<Shape>,
    /// What it gives back.
    pub(crate) result: Outcome,
}

/// What a function gives back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// Nothing.
    Nothing,
    /// A value.
    Value(Shape),
    /// A `result`: a value, or an error that is thrown.
    Fallible { ok: Option<Shape>, err: Option<Shape> },
}

impl Export {
    /// The resources in its parameters and its result, some of them perhaps more than once.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        let mut found = Vec::new();
        let mut give = |resource: &Resource| found.push(resource.clone());
        let (ok, err) = match &self.result {
            Outcome::Nothing => (None, None),
            Outcome::Value(shape) => (Some(shape), None),
            Outcome::Fallible { ok, err } => (ok.as_ref(), err.as_ref()),
        };
        self.params.iter().chain(ok).chain(err).for_each(|shape| shape.each_resource(&mut give));
        found
    }
}

impl Outcome {
    pub(crate) fn of(ty: Option<&WitType>, names: &TypeNames) -> Result<Self, Error> {
        Ok(match ty {
            None => Self::Nothing,
            Some(WitType::Result(result)) => Self::Fallible {
                ok: result.ok().map(|ty| Shape::of(&ty, names)).transpose()?,
                err: result.err().map(|ty| Shape::of(&ty, names)).transpose()?,
            },
            Some(ty) => Self::Value(Shape::of(ty, names)?),
        })
    }

    pub(crate) fn script_type(&self) -> Type {
        match self {
            Self::Nothing | Self::Fallible { ok: None, .. } => Type::Void,
            Self::Value(shape) | Self::Fallible { ok: Some(shape), .. } => shape.script_type(),
        }
    }
}

/// The functions that a component exports, by name.
///
/// # Errors
///
/// [`Code::NotEnforced`] for functions over types that are not built, all of them, and
/// [`Code::LoadFailed`] for two interfaces of one name.
pub(crate) fn exports(engine: &Engine, component: &Component) -> Result<Vec<Export>, Error> {
    let ty = component.component_type();
    let mut names = TypeNames::default();
    for (name, item) in ty.exports(engine).chain(ty.imports(engine)) {
        note_types(engine, name, &item.ty, &mut names);
    }
    for (name, item) in ty.exports(engine) {
        note_resources(engine, name, &item.ty, &mut names);
    }
    let mut walk = Walk { component, names, found: Vec::new(), errors: Vec::new() };
    let mut interfaces: Vec<(String, &str)> = Vec::new();
    for (name, item) in ty.exports(engine) {
        match item.ty {
            ComponentItem::ComponentFunc(_) if shim::is_name(name) => {}
            ComponentItem::ComponentFunc(function) => walk.function(None, "", name, &function),
            // What a host runs, not what it calls: `wasi:cli/run`.
            ComponentItem::ComponentInstance(_) if name.starts_with("wasi:") => {}
            ComponentItem::ComponentInstance(instance) => {
                let submodule = callable(&interface_name(name));
                if let Some((_, other)) = interfaces.iter().find(|(known, _)| *known == submodule) {
                    walk.errors.push(
                        Error::new(
                            Code::LoadFailed,
                            format!("it exports two interfaces that would both be `{submodule}`: `{other}` and `{name}`"),
                        )
                        .hint("rename one of them"),
                    );
                    continue;
                }
                let Some(index) = component.get_export_index(None, name) else { continue };
                for (function, item) in instance.exports(engine) {
                    if let ComponentItem::ComponentFunc(ty) = item.ty {
                        walk.function(Some((name, &index)), &submodule, function, &ty);
                    }
                }
                interfaces.push((submodule, name));
            }
            _ => {}
        }
    }
    // The component's own functions before those of its interfaces, which wasmtime does not promise.
    walk.found.sort_by_key(|export| export.signature.name.contains("::"));
    match Error::from_many(walk.errors) {
        Some(error) => Err(error),
        None => Ok(walk.found),
    }
}

/// The exported interface that a function is in, and where the component has it.
type Parent<'a> = Option<(&'a str, &'a ComponentExportIndex)>;

struct Walk<'a> {
    component: &'a Component,
    names: TypeNames,
    found: Vec<Export>,
    errors: Vec<Error>,
}

impl Walk<'_> {
    fn function(&mut self, parent: Parent<'_>, submodule: &str, name: &str, ty: &ComponentFunc) {
        if OF_TOOLCHAINS.contains(&name) || name.starts_with("cabi_") {
            return;
        }
        let called = script_name(name);
        let called = if submodule.is_empty() { called } else { format!("{submodule}::{called}") };
        match self.export(parent, name, &called, ty) {
            Ok(export) => self.found.push(export),
            Err(error) => {
                let message = format!("`{called}` cannot be called: {}", error.message());
                let problem = Error::new(error.code(), message);
                self.errors.push(match error.hint_text() {
                    Some(hint) => problem.hint(hint),
                    None => problem,
                });
            }
        }
    }

    fn export(
        &self,
        parent: Parent<'_>,
        name: &str,
        called: &str,
        ty: &ComponentFunc,
    ) -> Result<Export, Error> {
        if ty.async_() {
            return Err(Error::new(Code::NotEnforced, "it is asynchronous, which is not built yet"));
        }
        let mut params = Vec::new();
        let mut shapes = Vec::new();
        for (name, ty) in ty.params() {
            let shape = Shape::of(&ty, &self.names)?;
            params.push(Param { name: snake_case(name), ty: shape.script_type() });
            shapes.push(shape);
        }
        let result = Outcome::of(ty.results().next().as_ref(), &self.names)?;
        let index = self
            .component
            .get_export_index(parent.map(|(_, index)| index), name)
            .ok_or_else(|| Error::new(Code::Internal, "an export that is not there"))?;
        let shim = self.shim(parent.map(|(interface, _)| interface), name, ty);
        let signature = Signature { name: called.to_owned(), params, returns: result.script_type() };
        Ok(Export { signature, index, shim, params: shapes, result })
    }

    /// The function's shim. A component may export anything by that name: what is of another type is none.
    fn shim(&self, interface: Option<&str>, name: &str, ty: &ComponentFunc) -> Option<ComponentExportIndex> {
        let (item, index) = self.component.get_export(None, shim::name(interface, name))?;
        let ComponentItem::ComponentFunc(shim) = item else { return None };
        let params = |ty: &ComponentFunc| ty.params().map(|(_, ty)| ty).collect::<Vec<_>>();
        (params(&shim) == params(ty) && shim.results().eq(ty.results())).then_some(index)
    }
}

/// Shorter names for functions of interfaces, each with the function's own: without the interface, where no other
/// function is called so.
pub(crate) fn aliases(exports: &[Export]) -> Vec<(String, String)> {
    let names = || exports.iter().map(|export| export.signature.name.as_str());
    let short = |name: &'_ str| name.split_once("::").map(|(_, short)| short.to_owned());
    let mut count: HashMap<String, usize> = HashMap::new();
    for name in names().map(str::to_owned).chain(names().filter_map(short)) {
        *count.entry(name).or_default() += 1;
    }
    let unambiguous = names().filter_map(|name| Some((short(name)?, name.to_owned())));
    unambiguous.filter(|(short, _)| count.get(short) == Some(&1)).collect()
}

/// Collects the names of types, which are exports and imports of their own.
fn note_types(engine: &Engine, name: &str, item: &ComponentItem, names: &mut TypeNames) {
    match item {
        ComponentItem::Type(ty) => names.add(name, ty.clone()),
        ComponentItem::ComponentInstance(instance) => {
            for (name, item) in instance.exports(engine) {
                if let ComponentItem::Type(ty) = item.ty {
                    names.add(name, ty);
                }
            }
        }
        _ => {}
    }
}

fn note_resources(engine: &Engine, name: &str, item: &ComponentItem, names: &mut TypeNames) {
    match item {
        ComponentItem::Resource(ty) => names.add_resource("", name, *ty),
        ComponentItem::ComponentInstance(instance) => {
            let interface = interface_name(name);
            for (name, item) in instance.exports(engine) {
                if let ComponentItem::Resource(ty) = item.ty {
                    names.add_resource(&interface, name, ty);
                }
            }
        }
        _ => {}
    }
}

/// What a script calls an exported function. `[constructor]counter` is `counter`, and both `[method]counter.up` and
/// `[static]counter.up` are `counter::up`.
pub(crate) fn script_name(export: &str) -> String {
    let plain = export.split_once(']').map_or(export, |(_, rest)| rest);
    let parts: Vec<String> = plain.split('.').map(|part| callable(&snake_case(part))).collect();
    parts.join("::")
}

/// `ns:pkg/api@1.0.0` is called `api`.
pub(crate) fn interface_name(export: &str) -> String {
    let without_version = export.split('@').next().unwrap_or(export);
    snake_case(without_version.rsplit(['/', ':']).next().unwrap_or(without_version))
}

/// A name that Rhai can call: reserved words get a trailing `_`.
pub(crate) fn callable(name: &str) -> String {
    if rhai::is_valid_function_name(name) { name.to_owned() } else { format!("{name}_") }
}

/// The functions that a plugin offers: the component's own, or those that the manifest declares, which must be
/// the same. Declared names of parameters and types take the place of the component's.
///
/// # Errors
///
/// [`Code::SignatureMismatch`] for every function that only one of them has, or that differs.
pub(crate) fn matched(
    exports: Vec<Export>,
    declared: Option<&[Function]>,
) -> Result<Vec<Export>, Vec<Error>> {
    let Some(declared) = declared else { return Ok(exports) };
    let mut errors = Vec::new();
    for function in declared {
        let name = &function.signature.name;
        if !exports.iter().any(|export| export.signature.name == *name) {
            errors.push(
                Error::new(
                    Code::SignatureMismatch,
                    format!(
                        "the manifest declares `{}`, which the component does not export",
                        function.signature
                    ),
                )
                .hint("rebuild the component, or take the function out of `functions`"),
            );
        }
    }
    let mut offered = Vec::new();
    for mut export in exports {
        match declared.iter().find(|f| f.signature.name == export.signature.name) {
            None => errors.push(
                Error::new(
                    Code::SignatureMismatch,
                    format!(
                        "the component exports `{}`, which the manifest does not declare",
                        export.signature
                    ),
                )
                .hint(
                    "add it to `functions`, or leave `functions` out to offer all that the component exports",
                ),
            ),
            Some(function) if !same_signature(&function.signature, &export) => errors.push(
                Error::new(
                    Code::SignatureMismatch,
                    format!(
                        "the manifest declares `{}`, the component exports `{}`",
                        function.signature, export.signature
                    ),
                )
                .hint(difference(&function.signature, &export.signature)),
            ),
            Some(function) => {
                export.signature = function.signature.clone();
                offered.push(export);
            }
        }
    }
    if errors.is_empty() { Ok(offered) } else { Err(errors) }
}

fn same_signature(declared: &Signature, export: &Export) -> bool {
    let exported = &export.signature;
    let result = match &export.result {
        Outcome::Nothing => None,
        Outcome::Value(shape) => Some(shape),
        Outcome::Fallible { ok, .. } => ok.as_ref(),
    };
    let params = declared.params.iter().zip(&exported.params).zip(&export.params);
    declared.params.len() == exported.params.len()
        && params.into_iter().all(|((a, b), shape)| same_or_buffer(&a.ty, &b.ty, Some(shape)))
        && same_or_buffer(&declared.returns, &exported.returns, result)
}

/// As [`same_type`]; a list of numbers of 64 bits may be declared as a buffer.
fn same_or_buffer(declared: &Type, exported: &Type, shape: Option<&Shape>) -> bool {
    let item = match shape {
        Some(Shape::List(item)) => Some(&**item),
        _ => None,
    };
    match declared {
        Type::Ints => item == Some(&Shape::Int(IntKind::S64)),
        Type::Floats => item == Some(&Shape::F64),
        _ => same_type(declared, exported),
    }
}

/// Whether two types are the same but for the names and the order of what is in them: both are a matter of
/// taste for a map's keys.
fn same_type(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Array(a), Type::Array(b))
        | (Type::Map(a), Type::Map(b))
        | (Type::Option(a), Type::Option(b)) => same_type(a, b),
        (Type::Struct(a), Type::Struct(b)) => {
            a.fields.len() == b.fields.len()
                && a.fields.iter().all(|field| {
                    b.fields.iter().any(|other| other.name == field.name && same_type(&field.ty, &other.ty))
                })
        }
        (Type::Enum(a), Type::Enum(b)) => {
            a.values.len() == b.values.len() && a.values.iter().all(|value| b.values.contains(value))
        }
        (a, b) => a == b,
    }
}

/// Says what the two texts of the signatures may not show: structs print as their names.
fn difference(declared: &Signature, exported: &Signature) -> String {
    let pairs = declared.params.iter().zip(&exported.params).map(|(a, b)| (&a.ty, &b.ty));
    for (a, b) in pairs.chain([(&declared.returns, &exported.returns)]) {
        if a.to_string() == b.to_string() && !same_type(a, b) {
            return format!("`{a}` is not the same in both: the component has {}", spelled_out(b));
        }
    }
    "change the manifest's `functions` or the component".to_owned()
}

fn spelled_out(ty: &Type) -> String {
    match ty {
        Type::Struct(def) => {
            let fields: Vec<String> = def.fields.iter().map(|f| format!("{}: {}", f.name, f.ty)).collect();
            format!("{{{}}}", fields.join(", "))
        }
        Type::Enum(def) => def.values.join(" | "),
        Type::Array(inner) | Type::Map(inner) | Type::Option(inner) => spelled_out(inner),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_called_by_their_last_word() {
        for (export, name) in [
            ("demo:plugin/api@0.1.0", "api"),
            ("demo:plugin/text-tools", "text_tools"),
            ("plain", "plain"),
            ("a:b:c/d/e@1", "e"),
        ] {
            assert_eq!(interface_name(export), name);
        }
    }

    #[test]
    fn functions_of_resources_are_in_a_submodule() {
        for (export, name) in [
            ("next-one", "next_one"),
            ("[constructor]big-counter", "big_counter"),
            ("[method]big-counter.count-up", "big_counter::count_up"),
            ("[static]counter.new", "counter::new_"),
        ] {
            assert_eq!(script_name(export), name);
        }
    }

    #[test]
    fn reserved_words_are_marked() {
        for (name, called) in [("mid", "mid"), ("match", "match_"), ("new", "new_"), ("default", "default_")]
        {
            assert_eq!(callable(name), called);
        }
    }
}
