//! A function as an entry of the plugin's table.

use crate::attribute::{Attribute, conditions, doc};
use crate::name::unraw;
use crate::signature::{ReceiverKind, Signature};
use crate::ty::{Scalar, Type};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

/// The most parameters of a function that has a pointer of its own type.
const TYPED_PARAMS: usize = 3;

/// A function to be exported.
pub(crate) struct Export<'a> {
    /// Its name in signatures, with submodules.
    pub(crate) path: String,
    pub(crate) signature: &'a Signature,
    pub(crate) attributes: &'a [Attribute],
    /// The class that it belongs to, and the `#[cfg]`s of its block.
    pub(crate) class: Option<(&'a Ident, &'a [&'a Attribute])>,
    /// Whether it is read like a field.
    pub(crate) is_getter: bool,
}

/// A parameter's part in the expansion.
struct Argument {
    /// What it is to the table.
    param: TokenStream,
    /// Reads it.
    read: TokenStream,
    /// Passes it on.
    pass: TokenStream,
}

impl Export<'_> {
    /// An element of the array of a module's functions.
    pub(crate) fn expand(&self) -> TokenStream {
        let path = &self.path;
        let outer = self.class.map_or(&[][..], |(_, outer)| outer);
        let own = conditions(self.attributes);
        let doc = doc(self.attributes);
        let arguments = self.arguments();
        let params = arguments.iter().map(|argument| &argument.param);
        let reads = arguments.iter().map(|argument| &argument.read);
        let passes = arguments.iter().map(|argument| &argument.pass);
        let function = self.function();
        let (span, returns) = self.returns();
        let spec = quote_spanned!(span=> <#returns as ::caraway_plugin::export::Return>::SPEC);
        let give = quote_spanned!(span=> <#returns as ::caraway_plugin::export::Return>::give);
        let (typed, pointer) = self.typed().map_or_else(
            || (TokenStream::new(), quote!(::core::ptr::null())),
            |typed| (typed, quote!(typed as *const ::core::ffi::c_void)),
        );
        let kind = match self.signature.receiver {
            Some(_) if self.is_getter => quote!(Getter),
            Some(_) => quote!(Method),
            None => quote!(Function),
        };
        quote! {
            #(#outer)*
            #(#own)*
            {
                const PARAMS: &[::caraway_plugin::export::expansion::Param] = &[#(#params),*];
                const RETURNS: ::caraway_plugin::export::expansion::Spec = #spec;
                static SIGNATURE: [
                    ::core::primitive::u8;
                    ::caraway_plugin::export::expansion::signature_len(#path, PARAMS, &RETURNS)
                ] = ::caraway_plugin::export::expansion::signature(#path, PARAMS, &RETURNS);
                const LINES: &[&::core::primitive::str] = #doc;
                static DOC: [
                    ::core::primitive::u8; ::caraway_plugin::export::expansion::concat_len(LINES)
                ] = ::caraway_plugin::export::expansion::concat(LINES);

                unsafe extern "C" fn call(
                    args: *const ::core::primitive::u64,
                    out: *mut ::core::primitive::u64,
                ) -> ::core::primitive::i32 {
                    // SAFETY: the host keeps the contract of `caraway_abi` for this signature.
                    unsafe {
                        ::caraway_plugin::export::expansion::run(args, out, |args, out| {
                            #(#reads)*
                            let given = #give(#function(#(#passes),*), out);
                            given
                        })
                    }
                }
                #typed

                // SAFETY: the texts are made by the functions for them, the pointers are of this signature.
                unsafe {
                    ::caraway_plugin::export::expansion::Export::new(
                        &SIGNATURE,
                        &DOC,
                        call,
                        #pointer,
                        ::caraway_plugin::export::expansion::Kind::#kind,
                        PARAMS,
                        RETURNS,
                    )
                }
            }
        }
    }

    /// How the function is called.
    fn function(&self) -> TokenStream {
        let name = &self.signature.name;
        match self.class {
            Some((class, _)) => quote_spanned!(name.span()=> <#class>::#name),
            None => quote_spanned!(name.span()=> self::#name),
        }
    }

    fn returns(&self) -> (Span, TokenStream) {
        match &self.signature.returns {
            Some(ty) => (ty.span(), quote!(#ty)),
            None => (self.signature.name.span(), quote!(())),
        }
    }

    fn arguments(&self) -> Vec<Argument> {
        let mut arguments = Vec::new();
        if let (Some(receiver), Some((class, _))) = (&self.signature.receiver, self.class) {
            let ty = Type::new(vec![class.clone().into()], None);
            let how = match receiver.kind {
                ReceiverKind::Value => None,
                ReceiverKind::Shared => Some(false),
                ReceiverKind::Unique => Some(true),
            };
            arguments.push(argument(0, "self", &ty, how, receiver.span));
        }
        for param in &self.signature.params {
            let name = unraw(&param.name);
            let at = arguments.len();
            arguments.push(match param.ty.reference() {
                Some((inner, mutable)) => argument(at, &name, &inner, Some(mutable), inner.span()),
                None => argument(at, &name, &param.ty, None, param.ty.span()),
            });
        }
        arguments
    }

    /// The same function for C's own way of calling, `typed`, if its types have registers.
    fn typed(&self) -> Option<TokenStream> {
        let signature = self.signature;
        if signature.receiver.is_some() || signature.params.len() > TYPED_PARAMS {
            return None;
        }
        let returned = signature.returns.as_ref().map_or(Some(Scalar::Unit), Type::scalar_result)?;
        let returned = word(returned);
        let mut params = Vec::new();
        let mut passes = Vec::new();
        for (at, param) in signature.params.iter().enumerate() {
            let scalar = param.ty.scalar()?;
            let (name, word) = (local(at), word(scalar));
            params.push(quote!(#name: ::core::primitive::#word));
            passes.push(match scalar {
                Scalar::Bool => quote!(#name != 0),
                Scalar::Char => quote!(::caraway_plugin::export::expansion::char(#name)?),
                Scalar::Int | Scalar::Float | Scalar::Unit => quote!(#name),
            });
        }
        let function = self.function();
        let (span, returns) = self.returns();
        let run = quote_spanned!(span=> ::caraway_plugin::export::expansion::typed::<#returns>);
        Some(quote! {
            extern "C" fn typed(#(#params),*)
                -> ::caraway_plugin::export::expansion::Ret<::core::primitive::#returned>
            {
                #run(|| {
                    ::core::result::Result::Ok(#function(#(#passes),*))
                })
            }
        })
    }
}

/// `how` is `None` by value, else whether it is by `&mut`.
fn argument(at: usize, name: &str, ty: &Type, how: Option<bool>, span: Span) -> Argument {
    let local = Ident::new(&local(at).to_string(), span);
    // All of it stands where the type does, so that the compiler has one thing to say of it.
    let (ty, read, mutable, pass) = match how {
        None => {
            let ty = quote_spanned!(span=> <#ty as ::caraway_plugin::export::Argument<'_>>);
            (ty, quote_spanned!(span=> take), None, quote_spanned!(span=> #local))
        }
        Some(false) => {
            let ty = quote_spanned!(span=> <#ty as ::caraway_plugin::export::Lent>);
            (ty.clone(), quote_spanned!(span=> hold), None, quote_spanned!(span=> #ty::get(&#local)))
        }
        Some(true) => {
            let ty = quote_spanned!(span=> <#ty as ::caraway_plugin::export::LentMut>);
            let pass = quote_spanned!(span=> #ty::get(&mut #local));
            (ty, quote_spanned!(span=> hold), Some(quote_spanned!(span=> mut)), pass)
        }
    };
    Argument {
        param: quote_spanned!(span=> ::caraway_plugin::export::expansion::Param::new(#name, #ty::SPEC)),
        read: quote_spanned! {span=>
            let #mutable #local = ::caraway_plugin::export::expansion::named(#ty::#read(args), #name)?;
        },
        pass,
    }
}

fn local(at: usize) -> Ident {
    format_ident!("__caraway_argument_{at}")
}

/// The type of the register.
fn word(scalar: Scalar) -> Ident {
    match scalar {
        Scalar::Float => format_ident!("f64"),
        Scalar::Int | Scalar::Bool | Scalar::Char | Scalar::Unit => format_ident!("i64"),
    }
}
