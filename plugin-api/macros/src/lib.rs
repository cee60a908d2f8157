//! The macros of `caraway-plugin`, which documents them.

mod attribute;
mod class;
mod data;
mod definition;
mod error;
mod function;
mod handle;
mod item;
mod lifecycle;
mod module;
mod name;
mod options;
mod signature;
mod tokens;
mod ty;

use proc_macro::TokenStream;

/// Makes a plugin of a module: its public functions become the plugin's functions, public modules inside it
/// become submodules, doc comments become descriptions.
///
/// The public functions in `impl` blocks of a type of the module that derives `Handle` become methods: see
/// [`Handle`](macro@Handle). `#[init]` and `#[shutdown]` mark what is called at the beginning and at the end;
/// these functions need not be public.
///
/// The name and version are those of the Cargo package unless given: `#[plugin(name = "stats")]`,
/// `#[plugin(version = "1.2.0")]`. They must be the ones of the plugin's manifest. A crate has one such module.
/// What parameters and results can be, see `caraway_plugin::export`.
#[proc_macro_attribute]
pub fn plugin(options: TokenStream, item: TokenStream) -> TokenStream {
    let item: proc_macro2::TokenStream = item.into();
    match module::expand(options.into(), item.clone()) {
        Ok(expanded) => expanded.into(),
        Err(error) => {
            // With the module as it is, what it uses and what uses it makes no further errors.
            let mut expanded = error.into_compile_error();
            expanded.extend(module::plain(item));
            expanded.into()
        }
    }
}

/// Makes a struct or enum a type of parameters and results, which crosses as a copy.
///
/// A struct is a map with its fields as keys. Other keys are refused; a field that is an `Option` may be
/// missing. A struct with one field and no name for it crosses as that field does.
///
/// An enum is the name of the case in snake_case, as a string. A case that holds something is a map of one
/// entry, `#{circle: payload}`: the payload is what it holds, a map if that has names, an array if there are
/// several. In signatures an enum with such cases is `any`.
///
/// Doc comments become descriptions. The type has no parameters and no lifetimes.
#[proc_macro_derive(Data)]
pub fn data(item: TokenStream) -> TokenStream {
    data::expand(item.into()).unwrap_or_else(error::Error::into_compile_error).into()
}

/// Makes a struct or enum a class of handles: values that scripts hold and cannot look into.
///
/// In a module with the attribute `plugin`, public functions in `impl` blocks of a type that derives this there
/// are exported. Those of `Counter` are `counter::...` in signatures:
///
/// | in Rust | in scripts |
/// | --- | --- |
/// | `pub fn new(start: i64) -> Self` | `m::counter(5)` |
/// | `pub fn open(name: &str) -> Result<Self, E>` | `m::counter::open("x")` |
/// | `pub fn incr(&mut self, by: i64)` | `c.incr(1)` |
/// | `#[getter] pub fn count(&self) -> i64` | `c.count` |
/// | `pub fn finish(self) -> i64` | `c.finish()`; then the handle is closed |
#[proc_macro_derive(Handle)]
pub fn handle(item: TokenStream) -> TokenStream {
    handle::expand(item.into()).unwrap_or_else(error::Error::into_compile_error).into()
}
