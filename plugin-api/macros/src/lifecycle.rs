//! `#[init]` and `#[shutdown]`.

use crate::attribute::{Attribute, conditions};
use crate::error::{Error, Result};
use crate::item::{Item, Kind};
use crate::signature::Signature;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

/// What a module does at the beginning and at the end, as elements of arrays.
#[derive(Default)]
pub(crate) struct Lifecycle {
    pub(crate) init: Vec<TokenStream>,
    pub(crate) shutdown: Vec<TokenStream>,
}

impl Lifecycle {
    /// Takes the item's `#[init]` or `#[shutdown]`, and whether it had one.
    pub(crate) fn take(&mut self, item: &mut Item, is_root: bool) -> Result<bool> {
        for name in ["init", "shutdown"] {
            let Some(attribute) = item.take(name) else { continue };
            if !is_root {
                let message =
                    format!("`#[{name}]` belongs in the plugin's module itself, not in one inside it");
                return Err(Error::new(attribute.span, message));
            }
            if !matches!(item.kind, Kind::Function) {
                return Err(Error::new(attribute.span, format!("`#[{name}]` belongs on a function")));
            }
            let shim = shim(name, &attribute, item)?;
            if name == "init" { &mut self.init } else { &mut self.shutdown }.push(shim);
            return Ok(true);
        }
        Ok(false)
    }
}

fn shim(name: &str, attribute: &Attribute, item: &Item) -> Result<TokenStream> {
    if attribute.has_arguments() {
        return Err(Error::new(attribute.span, format!("`#[{name}]` takes nothing")));
    }
    let signature = Signature::parse(item.tokens.clone(), None)?;
    let function = &signature.name;
    let call = match signature.params.as_slice() {
        [] => quote!(self::#function()),
        [param] => {
            let span = param.ty.span();
            quote_spanned!(span=> self::#function(context))
        }
        _ => {
            let message = format!("`#[{name}]` functions take `&Context` or nothing");
            return Err(Error::new(function.span(), message));
        }
    };
    let (span, returns) = match &signature.returns {
        Some(ty) => (ty.span(), quote!(#ty)),
        None => (function.span(), quote!(())),
    };
    let ending =
        quote_spanned!(span=> <#returns as ::caraway_plugin::export::expansion::Ending>::ending(#call));
    let conditions = conditions(&item.attributes);
    Ok(if name == "init" {
        quote! {
            #(#conditions)*
            {
                unsafe extern "C" fn init(
                    config: *const ::core::primitive::u8,
                    len: ::core::primitive::usize,
                    out: *mut ::core::primitive::u64,
                ) -> ::core::primitive::i32 {
                    // SAFETY: the host keeps the contract of `caraway_abi`.
                    unsafe { ::caraway_plugin::export::expansion::init(config, len, out, |context| #ending) }
                }
                init
            }
        }
    } else {
        quote! {
            #(#conditions)*
            {
                unsafe extern "C" fn shutdown(out: *mut ::core::primitive::u64) -> ::core::primitive::i32 {
                    // SAFETY: the host keeps the contract of `caraway_abi`.
                    unsafe { ::caraway_plugin::export::expansion::shutdown(out, |context| #ending) }
                }
                shutdown
            }
        }
    })
}
