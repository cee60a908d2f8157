//! `#[derive(Data)]`.

use crate::definition::{Body, Case, Definition, Fields, doc_constants};
use crate::error::{Error, Result};
use crate::name::{snake_case, unraw};
use crate::ty::Type;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};

pub(crate) fn expand(item: TokenStream) -> Result<TokenStream> {
    let Definition { name, doc, body } = Definition::parse(item, "Data")?;
    let span = name.span();
    let content = match body {
        Body::Struct(Fields::Named(fields)) if !fields.is_empty() => record(&name, &doc, &fields),
        Body::Struct(Fields::Tuple(fields)) => match fields.as_slice() {
            [inner] => newtype(&name, inner),
            _ => return Err(Error::new(span, "the fields of a struct that scripts see need names")),
        },
        Body::Struct(_) => return Err(Error::new(span, "a struct without fields has nothing for scripts")),
        Body::Enum(cases) => {
            let names = case_names(&cases)?;
            let is_plain = cases.iter().all(|case| matches!(case.fields, Fields::Unit));
            match names.is_empty() {
                true => return Err(Error::new(span, "an enum without cases has no values")),
                false if is_plain => choice(&name, &doc, &cases, &names),
                false => variant(&name, &cases, &names)?,
            }
        }
    };
    Ok(quote! {
        #[doc(hidden)]
        #[allow(deprecated, unsafe_code, clippy::all, clippy::pedantic)]
        const _: () = {
            // The author's types are meant by their own names: nothing else gets one here.
            use ::caraway_plugin::export::expansion as __caraway;
            use ::core::option::Option as __Option;
            use ::core::result::Result as __Result;

            impl __caraway::Sealed for #name {}

            #content
        };
    })
}

/// A struct: a map with these keys.
fn record(name: &Ident, doc: &TokenStream, fields: &[(Ident, Type)]) -> TokenStream {
    let text = unraw(name);
    let head = format!("struct {text} {{ ");
    let mut pieces = vec![quote!(#head)];
    for (at, (key, ty)) in fields.iter().enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        let key = format!("{comma}{}: ", unraw(key));
        pieces.push(quote_spanned!(ty.span()=> #key, <#ty as __caraway::Data>::TYPE.as_str()));
    }
    pieces.push(quote!(" }"));
    let definitions =
        fields.iter().map(|(_, ty)| quote_spanned!(ty.span()=> <#ty as __caraway::Data>::DEFINITION));
    let definition = definition(doc, &pieces, definitions.collect());
    let Named { keys, takes, gives, .. } = Named::new(fields, |ident, _| quote!(self.#ident));
    quote! {
        #definition

        impl __caraway::Data for #name {
            const TYPE: __caraway::TypeName = __caraway::TypeName::new(#text);
            const DEFINITION: __Option<&'static __caraway::TypeDef> = __Option::Some(&DEFINITION);

            fn from_value(value: __caraway::Value) -> __Result<Self, __caraway::Mismatch> {
                let mut fields = __caraway::Fields::of::<Self>(value, &[#(#keys),*])?;
                __Result::Ok(Self { #(#takes),* })
            }

            fn into_value(self) -> __caraway::Value {
                __caraway::Value::from([#(#gives),*])
            }
        }
    }
}

/// The parts of what reads and writes named fields.
struct Named {
    keys: Vec<String>,
    /// `x: ...`, from `fields`.
    takes: Vec<TokenStream>,
    /// What gives back each field's value.
    values: Vec<TokenStream>,
    /// `("x", ...)`, from these.
    gives: Vec<TokenStream>,
}

impl Named {
    fn new(fields: &[(Ident, Type)], value: impl Fn(&Ident, usize) -> TokenStream) -> Self {
        let mut named = Self { keys: Vec::new(), takes: Vec::new(), values: Vec::new(), gives: Vec::new() };
        for (at, (ident, ty)) in fields.iter().enumerate() {
            let (key, value) = (unraw(ident), value(ident, at));
            named.takes.push(quote_spanned!(ty.span()=> #ident: fields.take::<#ty>(#at)?));
            named
                .gives
                .push(quote_spanned!(ty.span()=> (#key, <#ty as __caraway::Data>::into_value(#value))));
            named.values.push(value);
            named.keys.push(key);
        }
        named
    }
}

/// The static `DEFINITION`, with this text, of a type that names these others.
fn definition(doc: &TokenStream, pieces: &[TokenStream], others: Vec<TokenStream>) -> TokenStream {
    let doc = doc_constants(doc);
    quote! {
        #doc
        const PIECES: &[&::core::primitive::str] = &[#(#pieces),*];
        static TEXT: [::core::primitive::u8; __caraway::concat_len(PIECES)] = __caraway::concat(PIECES);
        const OTHERS: &[__Option<&'static __caraway::TypeDef>] = &[#(#others),*];
        static TYPES: [&__caraway::TypeDef; __caraway::type_count(OTHERS)] = __caraway::types(OTHERS);
        static LISTS: [__caraway::TypeList; 1] = [__caraway::TypeList::new(&TYPES)];
        // SAFETY: the texts are made by the functions for them.
        static DEFINITION: __caraway::TypeDef = unsafe { __caraway::type_def(&TEXT, &DOC, &LISTS) };
    }
}

/// A struct that is its only field by another name: it crosses as that does.
fn newtype(name: &Ident, inner: &Type) -> TokenStream {
    let data = quote_spanned!(inner.span()=> <#inner as __caraway::Data>);
    quote! {
        impl __caraway::Data for #name {
            const TYPE: __caraway::TypeName = #data::TYPE;
            const DEFINITION: __Option<&'static __caraway::TypeDef> = #data::DEFINITION;
            const SHAPE: __caraway::Shape = #data::SHAPE;
            const VEC_SHAPE: __caraway::Shape = #data::VEC_SHAPE;

            fn from_value(value: __caraway::Value) -> __Result<Self, __caraway::Mismatch> {
                #data::from_value(value).map(Self)
            }

            fn into_value(self) -> __caraway::Value {
                #data::into_value(self.0)
            }

            fn missing() -> __Option<Self> {
                #data::missing().map(Self)
            }

            fn take(args: &mut __caraway::Args<'_>) -> __Result<Self, __caraway::Failure> {
                #data::take(args).map(Self)
            }

            fn give(self, out: &mut __caraway::Out) -> __Result<(), __caraway::Failure> {
                #data::give(self.0, out)
            }

            fn take_vec(
                args: &mut __caraway::Args<'_>,
            ) -> __Result<::std::vec::Vec<Self>, __caraway::Failure> {
                __Result::Ok(#data::take_vec(args)?.into_iter().map(Self).collect())
            }

            fn give_vec(
                items: ::std::vec::Vec<Self>,
                out: &mut __caraway::Out,
            ) -> __Result<(), __caraway::Failure> {
                #data::give_vec(items.into_iter().map(|item| item.0).collect(), out)
            }
        }
    }
}

/// What scripts call the cases.
fn case_names(cases: &[Case]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for case in cases {
        let name = snake_case(&unraw(&case.name));
        if names.contains(&name) {
            return Err(Error::new(case.name.span(), format!("another case is {name:?} to scripts")));
        }
        names.push(name);
    }
    Ok(names)
}

/// An enum whose cases hold nothing: strings.
fn choice(name: &Ident, doc: &TokenStream, cases: &[Case], names: &[String]) -> TokenStream {
    let text = unraw(name);
    let values: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    let whole = format!("enum {text} {{ {} }}", values.join(", "));
    let definition = definition(doc, &[quote!(#whole)], Vec::new());
    let idents: Vec<&Ident> = cases.iter().map(|case| &case.name).collect();
    let (last, first) = idents.split_last().map_or((None, &[][..]), |(last, first)| (Some(last), first));
    let places = 0..first.len();
    quote! {
        #definition

        impl __caraway::Data for #name {
            const TYPE: __caraway::TypeName = __caraway::TypeName::new(#text);
            const DEFINITION: __Option<&'static __caraway::TypeDef> = __Option::Some(&DEFINITION);

            fn from_value(value: __caraway::Value) -> __Result<Self, __caraway::Mismatch> {
                __Result::Ok(match __caraway::unit_case(&value, &[#(#names),*])? {
                    #(#places => Self::#first,)*
                    _ => Self::#last,
                })
            }

            fn into_value(self) -> __caraway::Value {
                __caraway::Value::from(match self {
                    #(Self::#idents => #names,)*
                })
            }
        }
    }
}

/// An enum with cases that hold something: a string, or a map of one entry.
fn variant(name: &Ident, cases: &[Case], names: &[String]) -> Result<TokenStream> {
    let mut reads = Vec::new();
    let mut writes = Vec::new();
    for (at, (case, text)) in cases.iter().zip(names).enumerate() {
        let ident = &case.name;
        match &case.fields {
            Fields::Unit => {
                reads.push(quote!((#at, __Option::None) => __Result::Ok(Self::#ident)));
                writes.push(quote!(Self::#ident => __caraway::Value::from(#text)));
            }
            Fields::Tuple(fields) => match fields.as_slice() {
                [] => return Err(Error::new(ident.span(), "a case with empty parentheses holds nothing")),
                [ty] => {
                    reads.push(quote_spanned! {ty.span()=>
                        (#at, __Option::Some(payload)) => <#ty as __caraway::Data>::from_value(payload)
                            .map(Self::#ident)
                            .map_err(|mismatch| mismatch.at_key(#text))
                    });
                    writes.push(quote_spanned! {ty.span()=>
                        Self::#ident(payload) => {
                            __caraway::Value::from([(#text, <#ty as __caraway::Data>::into_value(payload))])
                        }
                    });
                }
                fields => {
                    let count = fields.len();
                    let takes = fields.iter().map(|ty| quote_spanned!(ty.span()=> items.take::<#ty>()?));
                    reads.push(quote!((#at, __Option::Some(payload)) => {
                        let mut items = __caraway::Items::of(#text, payload, #count)?;
                        __Result::Ok(Self::#ident(#(#takes),*))
                    }));
                    let locals: Vec<Ident> = (0..count).map(local).collect();
                    let gives = fields.iter().zip(&locals).map(|(ty, local)| {
                        quote_spanned!(ty.span()=> <#ty as __caraway::Data>::into_value(#local))
                    });
                    writes.push(quote! {
                        Self::#ident(#(#locals),*) => {
                            let items = __caraway::Value::from(::std::vec::Vec::from([#(#gives),*]));
                            __caraway::Value::from([(#text, items)])
                        }
                    });
                }
            },
            Fields::Named(fields) => {
                let Named { keys, takes, values, gives } = Named::new(fields, |_, at| {
                    let local = local(at);
                    quote!(#local)
                });
                let idents = fields.iter().map(|(ident, _)| ident);
                reads.push(quote!((#at, __Option::Some(payload)) => {
                    let mut fields = __caraway::Fields::of_case(#text, payload, &[#(#keys),*])?;
                    __Result::Ok(Self::#ident { #(#takes),* })
                }));
                writes.push(quote! {
                    Self::#ident { #(#idents: #values),* } =>
                        __caraway::Value::from([(#text, __caraway::Value::from([#(#gives),*]))])
                });
            }
        }
    }
    Ok(quote! {
        const CASES: &[&::core::primitive::str] = &[#(#names),*];

        impl __caraway::Data for #name {
            const TYPE: __caraway::TypeName = __caraway::TypeName::new("any");

            fn from_value(value: __caraway::Value) -> __Result<Self, __caraway::Mismatch> {
                match __caraway::case(value, CASES)? {
                    #(#reads,)*
                    (at, payload) => __Result::Err(__caraway::other_payload(CASES[at], payload.as_ref())),
                }
            }

            fn into_value(self) -> __caraway::Value {
                match self {
                    #(#writes,)*
                }
            }
        }
    })
}

/// A variable, whose name is no constant's of the author.
fn local(at: usize) -> Ident {
    format_ident!("__caraway_{at}")
}
