//! The manifest's functions against the library's.
//!
//! A declared function is the library's if the name and the number of parameters are the same and each type
//! fits. Types fit if they are equal, and also
//!
//! * a struct of the manifest fits a `map<T>` that can hold its fields, an enum fits `string`: that is what
//!   they are to native code;
//! * every type fits `any`, inside arrays, maps and options too: the manifest then says more than the code
//!   does, and each call's arguments and result are checked against the manifest.

use crate::function::Function;
use crate::library::Library;
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_core::{Code, Error, Signature, Type};

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
/// [`Code::SignatureMismatch`] for each declared function that is missing or another, and for each that is not
/// listed if `unlisted` says so. All of them at once, see [`Error::others`].
pub fn agree<'a>(
    manifest: &Manifest,
    library: &'a Library,
    unlisted: Unlisted,
    of_library: impl Fn(&caraway_loaders_core::manifest::Function) -> bool,
) -> Result<Vec<(Signature, &'a Function)>, Error> {
    let Some(declared) = &manifest.functions else {
        return Ok(library.functions().iter().map(|f| (f.signature().clone(), f)).collect());
    };
    let mut errors = Vec::new();
    let mut agreed = Vec::new();
    for (index, wanted) in declared.iter().enumerate().filter(|(_, function)| of_library(function)) {
        let wanted = &wanted.signature;
        match library.function(&wanted.name) {
            Some(function) if signature_fits(wanted, function.signature()) => {
                agreed.push((wanted.clone(), function));
            }
            other => errors
                .push(mismatch(wanted, other, library).at(manifest.locate(&format!("functions.{index}")))),
        }
    }
    if unlisted == Unlisted::Refuse {
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
    if declared == native {
        return true;
    }
    match (declared, native) {
        (Type::Void | Type::Fn(..), _) => false,
        (_, Type::Any) => true,
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
    use caraway_plugin::{EnumType, Field, StructType};
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
        ] {
            assert_eq!(fits(&ty(declared), &ty(native)), expected, "{declared} as {native}");
        }
    }
}
