//! `#[derive(Handle)]`.

use crate::definition::{Definition, doc_constants};
use crate::error::Result;
use crate::name::unraw;
use proc_macro2::TokenStream;
use quote::quote;

pub(crate) fn expand(item: TokenStream) -> Result<TokenStream> {
    let Definition { name, doc, .. } = Definition::parse(item, "Handle")?;
    let text = unraw(&name);
    let doc = doc_constants(&doc);
    Ok(quote! {
        #[doc(hidden)]
        #[allow(deprecated, unsafe_code, clippy::all, clippy::pedantic)]
        const _: () = {
            use ::caraway_plugin::export::{self as __export, expansion as __caraway};

            #doc

            impl __caraway::Sealed for #name {}

            impl __export::Handle for #name {
                // SAFETY: the text is made by the function for it.
                const CLASS: &'static __caraway::ClassInfo = &unsafe {
                    __caraway::ClassInfo::new::<Self>(
                        #text,
                        ::core::concat!(::core::module_path!(), "::", #text),
                        &DOC,
                    )
                };
            }

            impl __export::Lent for #name {
                const SPEC: __caraway::Spec = __caraway::Spec::class(<Self as __export::Handle>::CLASS);
                type Held<'a> = __caraway::Held<'a, Self>;

                fn hold<'a>(
                    args: &mut __caraway::Args<'a>,
                ) -> ::core::result::Result<Self::Held<'a>, __caraway::Failure> {
                    __caraway::hold(args)
                }

                fn get<'h>(held: &'h Self::Held<'_>) -> &'h Self {
                    held.get()
                }
            }

            impl __export::LentMut for #name {
                const SPEC: __caraway::Spec = <Self as __export::Lent>::SPEC;
                type Held<'a> = __caraway::Held<'a, Self>;

                fn hold<'a>(
                    args: &mut __caraway::Args<'a>,
                ) -> ::core::result::Result<Self::Held<'a>, __caraway::Failure> {
                    __caraway::hold(args)
                }

                fn get<'h>(held: &'h mut Self::Held<'_>) -> &'h mut Self {
                    held.get_mut()
                }
            }

            impl<'a> __export::Argument<'a> for #name {
                const SPEC: __caraway::Spec = <Self as __export::Lent>::SPEC;

                fn take(args: &mut __caraway::Args<'a>) -> ::core::result::Result<Self, __caraway::Failure> {
                    __caraway::close(args)
                }
            }

            impl __export::Return for #name {
                const SPEC: __caraway::Spec = <Self as __export::Lent>::SPEC;

                fn give(self, out: &mut __caraway::Out) -> ::core::result::Result<(), __caraway::Failure> {
                    __caraway::give(self, out);
                    ::core::result::Result::Ok(())
                }
            }
        };
    })
}
