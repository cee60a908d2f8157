//! The manifest's functions against the library's.
//!
//! A declared function is the library's if the name and the number of parameters are the same and each type
//! fits. Types fit if they are equal, and also
//!
//! * a struct of the manifest fits a `map<T>` that can hold its fields, an enum fits `string`: that is what
//!   they are to native code;
//! * every type that can be encoded fits `any`, inside arrays, maps and options too: the manifest then says more
//!   than the code does, and each call's arguments and result are checked against the manifest.
//!
//! Structs and enums that both define are equal if they have the same fields or values, in whatever order. A
//! handle that one has the other must have, too.

use crate::function::Function;
use crate::library::Library;
use crate::shape::Shape;
use caraway_loaders_core::loader::Description;
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_core::{Code, Error, Signature, Type};
use caraway_plugin::{Definition, EnumType, StructType};
use std::sync::Arc;

/// Whether the library may have functions that the manifest does not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlisted {
    /// They are an error.
    Refuse,
    /// They stay private to the plugin.
    Private,
}

/// Each function that is exported, as it is declared: those of the manifest's `functions` for which `of_library`
/// holds; all of the library's if the manifest lists none.
///
/// # Errors
///
/// [`Code::SignatureMismatch`] for each declared type or function that is missing or another, and for each that is
/// not listed if `unlisted` says so. All of them at once, see [`Error::others`].
pub fn agree<'a>(
    manifest: &Manifest,
    library: &'a Library,
    unlisted: Unlisted,
    of_library: impl Fn(&caraway_loaders_core::manifest::Function) -> bool,
) -> Result<Vec<(Arc<Signature>, &'a Function)>, Error> {
    let mut errors = types(manifest, library);
    let Some(declared) = &manifest.functions else {
        return match Error::from_many(errors) {
            Some(error) => Err(error),
            None => Ok(library.functions().iter().map(|f| (f.signature().clone(), f)).collect()),
        };
    };
    let mut agreed = Vec::new();
    for (index, wanted) in declared.iter().enumerate().filter(|(_, function)| of_library(function)) {
        let wanted = &wanted.signature;
        match library.function(&wanted.name) {
            Some(function) if signature_fits(wanted, function.signature()) => {
                agreed.push((Arc::new(wanted.clone()), function));
            }
            other => errors
                .push(mismatch(wanted, other, library).at(manifest.locate(&format!("functions.{index}")))),
        }
    }
    if unlisted == Unlisted::Refuse {
        let handles = library.types().filter(|(_, ty)| matches!(ty, Type::Handle(_)));
        for (name, _) in handles.filter(|(name, _)| !manifest.types.contains_key(*name)) {
            let message =
                format!("{} has the handle `{name}`, which the manifest does not list", library.shown());
            errors.push(
                Error::new(Code::SignatureMismatch, message)
                    .at(manifest.locate("types"))
                    .hint(format!("add {{\"name\": \"{name}\", \"kind\": \"handle\"}} to `types`")),
            );
        }
        for function in library.functions() {
            let signature = function.signature();
            if manifest.function(&signature.name).is_none() {
                let message =
                    format!("{} exports `{signature}`, which the manifest does not list", library.shown());
                errors.push(
                    Error::new(Code::SignatureMismatch, message)
                        .at(manifest.locate("functions"))
                        .hint("add it to `functions`, or make it private"),
                );
            }
        }
    }
    match Error::from_many(errors) {
        Some(error) => Err(error),
        None => Ok(agreed),
    }
}

/// What the library says of itself, with the types of the manifest where they fit. `partial` if it is half of a
/// plugin.
pub fn describe(manifest: &Manifest, library: &Library, partial: bool) -> Description {
    let types = library.types().map(|(name, ty)| {
        let declared = manifest.types.get(name).filter(|declared| same(declared, ty));
        declared.unwrap_or(ty).clone()
    });
    let mut description = Description { types: types.collect(), partial, ..Default::default() };
    for function in library.functions() {
        let mut signature = Signature::clone(function.signature());
        if let Some(declared) = manifest.function(&signature.name).map(|function| &function.signature) {
            for (param, declared) in signature.params.iter_mut().zip(&declared.params) {
                if fits(&declared.ty, &param.ty) {
                    param.ty = declared.ty.clone();
                }
            }
            if fits(&declared.returns, &signature.returns) {
                signature.returns = declared.returns.clone();
            }
        }
        description.add(signature, function.doc());
    }
    description
}

/// The types of the manifest against those that the library defines.
fn types(manifest: &Manifest, library: &Library) -> Vec<Error> {
    let mut errors = Vec::new();
    for (name, declared) in &manifest.types {
        let found = match (declared, library.defined(name)) {
            (Type::Handle(handle), None) if **handle == **name => "has none of that name".to_owned(),
            (_, Some(defined)) if !same(declared, defined) => format!("has {}", definition(name, defined)),
            _ => continue,
        };
        let message =
            format!("the manifest declares {}, but {} {found}", definition(name, declared), library.shown());
        errors.push(
            Error::new(Code::SignatureMismatch, message)
                .at(manifest.locate("types"))
                .hint("change the manifest or the code so that both agree; then build again"),
        );
    }
    errors
}

/// A type as whoever declares it would write it.
fn definition(name: &str, ty: &Type) -> String {
    match ty {
        Type::Struct(ty) => format!("`{}`", Definition::Struct(StructType::clone(ty))),
        Type::Enum(ty) => format!("`{}`", Definition::Enum(EnumType::clone(ty))),
        Type::Handle(_) => format!("the handle `{name}`"),
        other => format!("`{name}` as `{other}`"),
    }
}

/// Whether two types are equal, but for the order of fields and values.
fn same(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Struct(a), Type::Struct(b)) => {
            a.name == b.name
                && a.fields.len() == b.fields.len()
                && a.fields.iter().all(|field| {
                    b.fields.iter().any(|other| field.name == other.name && same(&field.ty, &other.ty))
                })
        }
        (Type::Enum(a), Type::Enum(b)) => {
            a.name == b.name
                && a.values.len() == b.values.len()
                && a.values.iter().all(|value| b.values.contains(value))
        }
        (Type::Array(a), Type::Array(b))
        | (Type::Map(a), Type::Map(b))
        | (Type::Option(a), Type::Option(b)) => same(a, b),
        (Type::Fn(params, returns), Type::Fn(others, other)) => {
            params.len() == others.len()
                && params.iter().zip(others).all(|(a, b)| same(a, b))
                && same(returns, other)
        }
        _ => a == b,
    }
}

fn mismatch(wanted: &Signature, found: Option<&Function>, library: &Library) -> Error {
    let (found, hint) = match found {
        Some(function) => (
            format!("but {} has `{}`", library.shown(), function.signature()),
            "change the manifest or the code so that both agree; then build again".to_owned(),
        ),
        None => (
            format!("but {} has no function of that name", library.shown()),
            match library.nearest(&wanted.name) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "make it public in the plugin's module and build again".to_owned(),
            },
        ),
    };
    Error::new(Code::SignatureMismatch, format!("the manifest declares `{wanted}`, {found}")).hint(hint)
}

fn signature_fits(declared: &Signature, native: &Signature) -> bool {
    declared.params.len() == native.params.len()
        && declared.params.iter().zip(&native.params).all(|(d, n)| fits(&d.ty, &n.ty))
        && fits(&declared.returns, &native.returns)
}

/// Whether a declared type fits a native one, see the [module](self).
fn fits(declared: &Type, native: &Type) -> bool {
    if same(declared, native) {
        return true;
    }
    match (declared, native) {
        (Type::Void, _) => false,
        (_, Type::Any) => !declared.any(&Shape::is_whole),
        (Type::Enum(_), Type::String) => true,
        (Type::Struct(def), Type::Map(item)) => def.fields.iter().all(|field| fits(&field.ty, item)),
        (Type::Array(declared), Type::Array(native))
        | (Type::Map(declared), Type::Map(native))
        | (Type::Option(declared), Type::Option(native)) => fits(declared, native),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use caraway_plugin::Field;
    use std::sync::Arc;

    fn ty(text: &str) -> Type {
        let point = |ty: Type| {
            let fields = ["x", "y"].map(|name| Field { name: name.to_owned(), ty: ty.clone() });
            Type::Struct(Arc::new(StructType { name: "Point".to_owned(), fields: fields.to_vec() }))
        };
        let colour =
            Type::Enum(Arc::new(EnumType { name: "Colour".to_owned(), values: vec!["red".to_owned()] }));
        let lookup = |name: &str| match name {
            "Point" => Some(point(Type::Float)),
            "Pair" => Some(point(Type::Option(Box::new(Type::Int)))),
            "Colour" => Some(colour.clone()),
            "Counter" => Some(Type::Handle("Counter".into())),
            _ => None,
        };
        text.parse::<Type>().unwrap().resolve(&lookup).unwrap()
    }

    #[test]
    fn types_fit() {
        for (declared, native, expected) in [
            ("int", "int", true),
            ("int", "float", false),
            ("int", "any", true),
            ("any", "int", false),
            ("void", "void", true),
            ("void", "any", false),
            ("array<int>", "array<any>", true),
            ("array<any>", "array<int>", false),
            ("array<int>", "array<float>", false),
            ("map<array<int>>", "map<any>", true),
            ("int?", "any", true),
            ("int?", "int", false),
            ("int", "int?", false),
            ("Point", "map<any>", true),
            ("Point", "map<float>", true),
            ("Point", "map<int>", false),
            ("Pair", "map<int?>", true),
            ("Pair", "map<int>", false),
            ("Point", "any", true),
            ("array<Point>", "array<map<float>>", true),
            ("Colour", "string", true),
            ("string", "Colour", false),
            ("Colour", "bytes", false),
            ("fn(int) -> int", "any", false),
            ("fn(int) -> int", "fn(int) -> int", true),
            ("fn(int) -> int", "fn(int) -> any", false),
            ("fn(Point)", "fn(Point)", true),
            ("ints", "any", false),
            ("ints", "array<int>", false),
            ("floats", "floats", true),
            ("Counter", "Counter", true),
            ("Counter", "any", false),
            ("any", "Counter", false),
        ] {
            assert_eq!(fits(&ty(declared), &ty(native)), expected, "{declared} as {native}");
        }
    }
}
