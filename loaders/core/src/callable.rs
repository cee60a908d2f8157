//! Which signatures a function can have.

use crate::code::Code;
use crate::error::Error;
use caraway_plugin::{Signature, Type};
use std::cell::RefCell;

/// Up to how many parameters a plugin's function may have: Rhai looks for entries that take anything up to this
/// number. It tries 2^n combinations to find one, which a call with 16 arguments of odd types feels (3 ms).
pub const MAX_PARAMS: usize = 16;

/// Whether Rhai can call a function of this signature, and its types are whole.
///
/// # Errors
///
/// [`Code::ManifestValue`] for a name that Rhai cannot call, more than [`MAX_PARAMS`] parameters, a type that is
/// not declared, and a handle that is a part of another type.
pub fn callable(signature: &Signature) -> Result<(), Error> {
    let valid = rhai::is_valid_function_name;
    if !valid(&signature.name)
        && let Some(part) = signature.name.split("::").find(|part| !valid(part))
    {
        return Err(Error::new(
            Code::ManifestValue,
            format!("`{part}` cannot be called in Rhai: it is a reserved word or no identifier"),
        )
        .hint(format!("rename it, for example to `{part}_`")));
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
    let types = || signature.params.iter().map(|param| &param.ty).chain([&signature.returns]);
    let simple = |ty: &Type| matches!(ty, Type::Int | Type::Float | Type::Bool | Type::String | Type::Void);
    if types().all(simple) {
        return Ok(());
    }
    if let Some(ty) = types().find(|ty| ty.has_handle_inside()) {
        return Err(Error::new(
            Code::ManifestValue,
            format!("`{}` has a handle inside `{ty}`, which cannot be", signature.name),
        )
        .hint("a handle is a parameter or a result of its own"));
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
    let found = RefCell::new(None);
    signature.any_type(&|ty| match ty {
        Type::Named(name) => {
            found.replace(Some(name.clone()));
            true
        }
        _ => false,
    });
    found.into_inner()
}
