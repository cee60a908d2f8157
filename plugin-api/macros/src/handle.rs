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
            use ::caraway_plugin::export::{self, expansion};

            #doc

            impl expansion::Sealed for #name {}

            impl export::Handle for #name {
                // SAFETY: the text is made by the function for it.
                const CLASS: &'static expansion::ClassInfo = &unsafe {
                    expansion::ClassInfo::new::<Self>(
                        #text,
                        ::core::concat!(::core::module_path!(), "::", #text),
                        &DOC,
                    )
                };
            }

            impl export::Lent for #name {
                const SPEC: expansion::Spec = expansion::Spec::class(<Self as export::Handle>::CLASS);
                type Held<'a> = expansion::Held<'a, Self>;

                fn hold<'a>(
                    args: &mut expansion::Args<'a>,
                ) -> ::core::result::Result<Self::Held<'a>, expansion::Failure> {
                    expansion::hold(args)
                }

                fn get<'h>(held: &'h Self::Held<'_>) -> &'h Self {
                    held.get()
                }
            }

            impl export::LentMut for #name {
                const SPEC: expansion::Spec = <Self as export::Lent>::SPEC;
                type Held<'a> = expansion::Held<'a, Self>;

                fn hold<'a>(
                    args: &mut expansion::Args<'a>,
                ) -> ::core::result::Result<Self::Held<'a>, expansion::Failure> {
                    expansion::hold(args)
                }

                fn get<'h>(held: &'h mut Self::Held<'_>) -> &'h mut Self {
                    held.get_mut()
                }
            }

            impl<'a> export::Argument<'a> for #name {
                const SPEC: expansion::Spec = <Self as export::Lent>::SPEC;

                fn take(args: &mut expansion::Args<'a>) -> ::core::result::Result<Self, expansion::Failure> {
                    expansion::close(args)
                }
            }

            impl export::Return for #name {
                const SPEC: expansion::Spec = <Self as export::Lent>::SPEC;

                fn give(self, out: &mut expansion::Out) -> ::core::result::Result<(), expansion::Failure> {
                    expansion::give(self, out);
                    ::core::result::Result::Ok(())
                }
            }
        };
    })
}
