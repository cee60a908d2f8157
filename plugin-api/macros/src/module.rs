//! A module as a plugin.

use crate::function;
use crate::options::Options;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Item, ItemMod, Visibility, parse_quote};

/// The name of the function that each module gets, which lists the module's exports.
const LIST: &str = "__caraway_functions";

pub(crate) fn expand(options: Options, mut module: ItemMod) -> syn::Result<TokenStream> {
    let mut count = 0;
    add_list(&mut module, "", &mut count)?;
    if count == 0 {
        return Err(syn::Error::new(module.ident.span(), "the module has no public functions to export"));
    }
    let name =
        options.name.map_or_else(|| quote!(::core::env!("CARGO_PKG_NAME")), ToTokens::into_token_stream);
    let version = options
        .version
        .map_or_else(|| quote!(::core::env!("CARGO_PKG_VERSION")), ToTokens::into_token_stream);
    let ident = &module.ident;
    let list = list_ident();
    Ok(quote! {
        #module

        #[doc(hidden)]
        const _: () = {
            use ::caraway_plugin::export::expansion;

            struct Crate;

            impl expansion::Export for Crate {
                fn plugin() -> &'static expansion::Plugin {
                    static PLUGIN: expansion::OnceLock<expansion::Plugin> = expansion::OnceLock::new();
                    PLUGIN.get_or_init(|| {
                        let mut functions = expansion::Vec::new();
                        #ident::#list(&mut functions);
                        expansion::plugin(#name, #version, ::core::cfg!(panic = "unwind"), functions)
                    })
                }
            }

            // The name is `caraway_abi::ROOT_SYMBOL`; an attribute takes no constant.
            #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
            static HEADER: expansion::LibHeader = expansion::header::<Crate>();
        };
    })
}

fn list_ident() -> syn::Ident {
    syn::Ident::new(LIST, proc_macro2::Span::call_site())
}

/// Gives the module a function that lists its exports, and those of its public modules.
fn add_list(module: &mut ItemMod, path: &str, count: &mut usize) -> syn::Result<()> {
    let span = module.ident.span();
    let Some((_, items)) = &mut module.content else {
        return Err(syn::Error::new(span, "the module must have its functions here, in braces"));
    };
    let list = list_ident();
    let mut statements = Vec::new();
    for item in items.iter_mut() {
        match item {
            Item::Fn(function) if is_public(&function.vis) => {
                *count += 1;
                statements.push(function::expand(function, path)?);
            }
            Item::Mod(inner) if is_public(&inner.vis) && inner.content.is_some() => {
                add_list(inner, &format!("{path}{}::", unraw(&inner.ident)), count)?;
                let conditions = conditions(&inner.attrs);
                let ident = &inner.ident;
                statements.push(quote!(#(#conditions)* #ident::#list(functions);));
            }
            _ => {}
        }
    }
    items.push(parse_quote! {
        #[doc(hidden)]
        pub fn #list(
            functions: &mut ::caraway_plugin::export::expansion::Vec<::caraway_plugin::export::expansion::Function>,
        ) {
            #(#statements)*
        }
    });
    Ok(())
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// The `#[cfg]`s of an item, which what is generated for it must have too.
pub(crate) fn conditions(attributes: &[Attribute]) -> Vec<&Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect()
}

/// An identifier as its name is said: without `r#`.
pub(crate) fn unraw(ident: &syn::Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(item: &str) -> String {
        expand(Options::default(), syn::parse_str(item).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_exported_is_refused() {
        for (item, message) in [
            ("mod m;", "must have its functions here"),
            ("mod m {}", "no public functions"),
            ("mod m { fn private() {} pub(crate) fn inner() {} }", "no public functions"),
            ("mod m { pub fn f<T>(x: T) {} }", "no type parameters"),
            ("mod m { pub async fn f() {} }", "cannot be async"),
            ("mod m { pub unsafe fn f() {} }", "cannot be unsafe"),
            ("mod m { pub fn f((a, b): (i64, i64)) {} }", "needs a name"),
            ("mod m { pub fn f(_: i64) {} }", "needs a name"),
        ] {
            let error = error(item);
            assert!(error.contains(message), "{item}: {error}");
        }
    }

    #[test]
    fn submodules_qualify_their_functions() {
        let module = syn::parse_str("mod m { pub mod api { pub fn r#mid(x: &str) {} } }").unwrap();
        let expanded = expand(Options::default(), module).unwrap().to_string();
        assert!(expanded.contains("\"api::mid\""), "{expanded}");
        assert!(expanded.contains("CARGO_PKG_NAME"), "{expanded}");
    }
}
