//! A function as an entry of the plugin's table.

use crate::module::{conditions, unraw};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, ExprLit, FnArg, GenericParam, ItemFn, Lit, Meta, Pat, ReturnType, Safety};

/// A statement that adds the function to `functions`.
pub(crate) fn expand(function: &ItemFn, path: &str) -> syn::Result<TokenStream> {
    let signature = &function.sig;
    if let Some(token) = &signature.asyncness {
        return Err(Error::new(token.span(), "a plugin's function cannot be async"));
    }
    if let Safety::Unsafe(token) = &signature.safety {
        return Err(Error::new(
            token.span(),
            "a plugin's function cannot be unsafe: scripts call it as they like",
        ));
    }
    let generic = signature.generics.params.iter().find(|param| !matches!(param, GenericParam::Lifetime(_)));
    if let Some(param) = generic {
        return Err(Error::new(
            param.span(),
            "a plugin's function takes no type parameters: scripts have none",
        ));
    }

    let mut names = Vec::new();
    let mut types = Vec::new();
    let mut reads = Vec::new();
    for input in &signature.inputs {
        let FnArg::Typed(param) = input else {
            return Err(Error::new(input.span(), "a plugin's function takes no `self`"));
        };
        let Pat::Ident(name) = &*param.pat else {
            return Err(Error::new(param.pat.span(), "a parameter of a plugin's function needs a name"));
        };
        names.push(unraw(&name.ident));
        let ty = &param.ty;
        types.push(quote_spanned!(ty.span()=> <#ty as ::caraway_plugin::export::Argument>::ty()));
        reads.push(quote_spanned!(ty.span()=> <#ty as ::caraway_plugin::export::Argument>::take(args)?));
    }
    let returns = match &signature.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => quote!(#ty),
    };
    let span = match &signature.output {
        ReturnType::Default => signature.ident.span(),
        ReturnType::Type(_, ty) => ty.span(),
    };
    let returned = quote_spanned!(span=> <#returns as ::caraway_plugin::export::Return>::ty());
    let ident = &signature.ident;
    let give = quote_spanned!(span=> ::caraway_plugin::export::Return::give(self::#ident(#(#reads),*), out));

    let conditions = conditions(&function.attrs);
    let name = format!("{path}{}", unraw(ident));
    let doc = doc(&function.attrs);
    Ok(quote! {
        #(#conditions)*
        {
            unsafe extern "C" fn call(args: *const u64, out: *mut u64) -> i32 {
                // SAFETY: the host keeps the contract of `caraway_abi` for the signature below.
                unsafe {
                    ::caraway_plugin::export::expansion::run(args, out, |args, out| #give)
                }
            }
            functions.push(::caraway_plugin::export::expansion::function(
                #name,
                &[#((#names, #types)),*],
                #returned,
                #doc,
                call,
            ));
        }
    })
}

/// The doc comment, without the space that each line begins with.
fn doc(attributes: &[Attribute]) -> String {
    let lines: Vec<String> = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned())
        .collect();
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doc_comments_become_text() {
        let function: ItemFn =
            syn::parse_str("/// The mean.\n///\n///     of code\n#[inline]\npub fn mean() {}").unwrap();
        assert_eq!(doc(&function.attrs), "The mean.\n\n    of code");
    }
}
