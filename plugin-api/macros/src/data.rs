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
            use ::caraway_plugin::Value;
            use ::caraway_plugin::export::{Data, Mismatch, TypeName, expansion};
            use ::core::option::Option::{self, None, Some};
            use ::core::result::Result::{self, Err, Ok};

            impl expansion::Sealed for #name {}

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
        pieces.push(quote_spanned!(ty.span()=> #key, <#ty as Data>::TYPE.as_str()));
    }
    pieces.push(quote!(" }"));
    let definitions = fields.iter().map(|(_, ty)| quote_spanned!(ty.span()=> <#ty as Data>::DEFINITION));
    let definition = definition(doc, &pieces, definitions.collect());
    let Named { keys, takes, gives } = Named::new(fields);
    let idents = fields.iter().map(|(ident, _)| ident);
    quote! {
        #definition

        impl Data for #name {
            const TYPE: TypeName = TypeName::new(#text);
            const DEFINITION: Option<&'static expansion::TypeDef> = Some(&DEFINITION);

            fn from_value(value: Value) -> Result<Self, Mismatch> {
                let mut fields = expansion::Fields::of::<Self>(value, &[#(#keys),*])?;
                Ok(Self { #(#takes),* })
            }

            fn into_value(self) -> Value {
                let Self { #(#idents),* } = self;
                Value::from([#(#gives),*])
            }
        }
    }
}

/// The parts of what reads and writes named fields.
struct Named {
    keys: Vec<String>,
    /// `x: ...`, from `fields`.
    takes: Vec<TokenStream>,
    /// `("x", ...)`, from variables with the fields' names.
    gives: Vec<TokenStream>,
}

impl Named {
    fn new(fields: &[(Ident, Type)]) -> Self {
        let mut named = Self { keys: Vec::new(), takes: Vec::new(), gives: Vec::new() };
        for (at, (ident, ty)) in fields.iter().enumerate() {
            let key = unraw(ident);
            named.takes.push(quote_spanned!(ty.span()=> #ident: fields.take::<#ty>(#at)?));
            named.gives.push(quote_spanned!(ty.span()=> (#key, <#ty as Data>::into_value(#ident))));
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
        static TEXT: [::core::primitive::u8; expansion::concat_len(PIECES)] = expansion::concat(PIECES);
        const OTHERS: &[Option<&'static expansion::TypeDef>] = &[#(#others),*];
        static TYPES: [&expansion::TypeDef; expansion::type_count(OTHERS)] = expansion::types(OTHERS);
        static LISTS: [expansion::TypeList; 1] = [expansion::TypeList::new(&TYPES)];
        // SAFETY: the texts are made by the functions for them.
        static DEFINITION: expansion::TypeDef = unsafe { expansion::type_def(&TEXT, &DOC, &LISTS) };
    }
}

/// A struct that is its only field by another name: it crosses as that does.
fn newtype(name: &Ident, inner: &Type) -> TokenStream {
    let data = quote_spanned!(inner.span()=> <#inner as Data>);
    quote! {
        impl Data for #name {
            const TYPE: TypeName = #data::TYPE;
            const DEFINITION: Option<&'static expansion::TypeDef> = #data::DEFINITION;
            const SHAPE: expansion::Shape = #data::SHAPE;
            const VEC_SHAPE: expansion::Shape = #data::VEC_SHAPE;

            fn from_value(value: Value) -> Result<Self, Mismatch> {
                #data::from_value(value).map(Self)
            }

            fn into_value(self) -> Value {
                #data::into_value(self.0)
            }

            fn missing() -> Option<Self> {
                #data::missing().map(Self)
            }

            fn take(args: &mut expansion::Args<'_>) -> Result<Self, expansion::Failure> {
                #data::take(args).map(Self)
            }

            fn give(self, out: &mut expansion::Out) -> Result<(), expansion::Failure> {
                #data::give(self.0, out)
            }

            fn take_vec(args: &mut expansion::Args<'_>) -> Result<::std::vec::Vec<Self>, expansion::Failure> {
                Ok(#data::take_vec(args)?.into_iter().map(Self).collect())
            }

            fn give_vec(
                items: ::std::vec::Vec<Self>,
                out: &mut expansion::Out,
            ) -> Result<(), expansion::Failure> {
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

        impl Data for #name {
            const TYPE: TypeName = TypeName::new(#text);
            const DEFINITION: Option<&'static expansion::TypeDef> = Some(&DEFINITION);

            fn from_value(value: Value) -> Result<Self, Mismatch> {
                Ok(match expansion::unit_case(&value, &[#(#names),*])? {
                    #(#places => Self::#first,)*
                    _ => Self::#last,
                })
            }

            fn into_value(self) -> Value {
                Value::from(match self {
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
                reads.push(quote!((#at, None) => Ok(Self::#ident)));
                writes.push(quote!(Self::#ident => Value::from(#text)));
            }
            Fields::Tuple(fields) => match fields.as_slice() {
                [] => return Err(Error::new(ident.span(), "a case with empty parentheses holds nothing")),
                [ty] => {
                    reads.push(quote_spanned! {ty.span()=>
                        (#at, Some(payload)) => <#ty as Data>::from_value(payload)
                            .map(Self::#ident)
                            .map_err(|mismatch| mismatch.at_key(#text))
                    });
                    writes.push(quote_spanned! {ty.span()=>
                        Self::#ident(payload) => Value::from([(#text, <#ty as Data>::into_value(payload))])
                    });
                }
                fields => {
                    let count = fields.len();
                    let takes = fields.iter().map(|ty| quote_spanned!(ty.span()=> items.take::<#ty>()?));
                    reads.push(quote!((#at, Some(payload)) => {
                        let mut items = expansion::Items::of(#text, payload, #count)?;
                        Ok(Self::#ident(#(#takes),*))
                    }));
                    let locals: Vec<Ident> = (0..count).map(|at| format_ident!("item_{at}")).collect();
                    let gives = fields
                        .iter()
                        .zip(&locals)
                        .map(|(ty, local)| quote_spanned!(ty.span()=> <#ty as Data>::into_value(#local)));
                    writes.push(quote! {
                        Self::#ident(#(#locals),*) =>
                            Value::from([(#text, Value::from(::std::vec::Vec::from([#(#gives),*])))])
                    });
                }
            },
            Fields::Named(fields) => {
                let Named { keys, takes, gives } = Named::new(fields);
                let idents = fields.iter().map(|(ident, _)| ident);
                reads.push(quote!((#at, Some(payload)) => {
                    let mut fields = expansion::Fields::of_case(#text, payload, &[#(#keys),*])?;
                    Ok(Self::#ident { #(#takes),* })
                }));
                writes.push(quote! {
                    Self::#ident { #(#idents),* } =>
                        Value::from([(#text, Value::from([#(#gives),*]))])
                });
            }
        }
    }
    Ok(quote! {
        const CASES: &[&::core::primitive::str] = &[#(#names),*];

        impl Data for #name {
            const TYPE: TypeName = TypeName::new("any");

            fn from_value(value: Value) -> Result<Self, Mismatch> {
                match expansion::case(value, CASES)? {
                    #(#reads,)*
                    (at, payload) => Err(expansion::other_payload(CASES[at], payload.as_ref())),
                }
            }

            fn into_value(self) -> Value {
                match self {
                    #(#writes,)*
                }
            }
        }
    })
}
