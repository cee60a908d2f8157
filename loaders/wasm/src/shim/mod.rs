//! A shorter way into functions of a few scalars.
//!
//! For each call of an exported function wasmtime looks up where its code is, unless the function belongs to a module
//! that imports it and exports it again: of such ones it has the address at hand. So before a component is compiled,
//! a module is appended that does just that with its functions of a few scalars, which are then lifted and exported
//! once more, under names that no script sees. Nothing else in the component changes, and what a caller can tell of a
//! call is the same.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `spaces` | what a component is made of, as far as its functions go |
//! | `extend` | the component with its shim |

#[cfg(feature = "compiler")]
mod extend;
#[cfg(feature = "compiler")]
mod spaces;

#[cfg(feature = "compiler")]
pub(crate) use extend::compile;

const PREFIX: &str = "caraway-shim-x";

/// What a function is exported as once more. `interface` is what it is exported from, `None` for the component itself.
pub(crate) fn name(interface: Option<&str>, function: &str) -> String {
    // No name of an interface or a function has a zero in it.
    let whole = [interface.unwrap_or_default(), function].join("\0");
    let hash = blake3::hash(whole.as_bytes()).to_hex();
    format!("{PREFIX}{}", hash.get(..32).unwrap_or_default())
}

/// Whether an export is a shim's.
pub(crate) fn is_name(export: &str) -> bool {
    export.starts_with(PREFIX)
}

#[cfg(all(test, feature = "compiler"))]
mod tests;
