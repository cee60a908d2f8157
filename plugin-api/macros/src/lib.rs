//! The attribute macro of `caraway-plugin`, which documents it.

mod function;
mod module;
mod options;

use proc_macro::TokenStream;

/// Makes a plugin of a module: its public functions become the plugin's functions, public modules inside it
/// become submodules, doc comments become descriptions.
///
/// The name and version are those of the Cargo package unless given: `#[plugin(name = "stats")]`,
/// `#[plugin(version = "1.2.0")]`. They must be the ones of the plugin's manifest. A crate has one such module.
/// What parameters and results can be, see `caraway_plugin::export`.
#[proc_macro_attribute]
pub fn plugin(options: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = syn::parse(options)
        .and_then(|options| syn::parse(item).and_then(|item| module::expand(options, item)))
        .unwrap_or_else(|error| error.to_compile_error());
    expanded.into()
}
