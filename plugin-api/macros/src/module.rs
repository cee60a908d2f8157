//! A module as a plugin.

use crate::attribute::conditions;
use crate::error::{Error, Result};
use crate::item::{Item, Kind};
use crate::lifecycle::Lifecycle;
use crate::name::unraw;
use crate::options::Options;
use crate::signature::Signature;
use crate::tokens::Tokens;
use crate::ty::peel;
use crate::{class, function};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use std::collections::HashMap;

/// The module as it is, and the table for it.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let options = Options::parse(options)?;
    let mut module = Item::next(&mut Tokens::new(item));
    let Kind::Module(name, body) = &module.kind else {
        let message = "`#[plugin]` belongs on a module that has its functions here, in braces";
        return Err(Error::new(module.tokens.first().map_or_else(Span::call_site, TokenTree::span), message));
    };
    let name = name.clone();
    let mut exports = Exports::default();
    let body = exports.expand(body.stream(), "", &mut Names::default())?;
    if !exports.has_functions {
        return Err(Error::new(name.span(), "the module has no public functions to export"));
    }
    let table = table(&options, &exports.lifecycle);
    module.refill(quote!(#body #table));
    // What `pub` means here is that scripts see it.
    Ok(quote!(#[allow(unreachable_pub)] #module))
}

/// The module without what only `expand` understands.
pub(crate) fn plain(item: TokenStream) -> TokenStream {
    let mut module = Item::next(&mut Tokens::new(item));
    let Kind::Module(_, body) = &module.kind else { return module.to_token_stream() };
    let body = plain_items(body.stream());
    module.refill(body);
    module.to_token_stream()
}

fn plain_items(body: TokenStream) -> TokenStream {
    let mut items = Item::all(body);
    for item in &mut items {
        for attribute in ["init", "shutdown", "getter"] {
            item.take(attribute);
        }
        if let Kind::Module(_, body) | Kind::Impl(_, body) = &item.kind {
            let body = plain_items(body.stream());
            item.refill(body);
        }
    }
    items.iter().map(ToTokens::to_token_stream).collect()
}

/// The plugin's table, to stand in its module.
fn table(options: &Options, Lifecycle { init, shutdown }: &Lifecycle) -> TokenStream {
    let given = |literal: &Option<_>| literal.as_ref().map(|literal| quote!(#literal));
    let name = given(&options.name).unwrap_or_else(|| quote!(::core::env!("CARGO_PKG_NAME")));
    let version = given(&options.version).unwrap_or_else(|| quote!(::core::env!("CARGO_PKG_VERSION")));
    quote! {
        // The name is `caraway_abi::SYMBOL`; an attribute takes no constant.
        #[doc(hidden)]
        #[allow(deprecated, unsafe_code, clippy::all, clippy::pedantic)]
        #[unsafe(export_name = "caraway_plugin_v1")]
        pub static __CARAWAY_PLUGIN: ::caraway_plugin::export::expansion::Plugin = {
            use ::caraway_plugin::export::expansion as __caraway;

            const EXPORTS: &__caraway::Exports = &self::__CARAWAY_EXPORTS;
            const LIFECYCLE: __caraway::Lifecycle =
                __caraway::Lifecycle { init: &[#(#init),*], shutdown: &[#(#shutdown),*] };
            const COUNTS: __caraway::Counts = EXPORTS.counts();
            const ALL: __caraway::Collected<{ COUNTS.functions }, { COUNTS.classes }, { COUNTS.types }> =
                EXPORTS.collect();
            static FUNCTIONS: [__caraway::Function; COUNTS.functions] = ALL.functions();
            static CLASSES: [__caraway::Class; ALL.class_count] = ALL.classes();
            static TYPES: [&__caraway::TypeDef; ALL.type_count] = ALL.types();
            static TYPE_LISTS: [__caraway::TypeList; 1] = [__caraway::TypeList::new(&TYPES)];
            const NAME: &::core::primitive::str = #name;
            const VERSION: &::core::primitive::str = #version;

            unsafe extern "C" fn attach(host: *const __caraway::HostApi) -> ::core::primitive::i32 {
                // SAFETY: the host keeps the contract of `caraway_abi`.
                unsafe { __caraway::attach(host, NAME, VERSION, LIFECYCLE.needs_init()) }
            }

            __caraway::plugin(
                NAME,
                VERSION,
                ::core::cfg!(panic = "unwind"),
                &FUNCTIONS,
                &CLASSES,
                &TYPE_LISTS,
                attach,
                LIFECYCLE.init(ALL.uses_context),
                LIFECYCLE.shutdown(),
            )
        };

        #[doc(hidden)]
        const _: () = {
            ::caraway_plugin::export::expansion::envelope!(__CARAWAY_PLUGIN);
        };
    }
}

/// What the modules of a plugin export.
#[derive(Default)]
struct Exports {
    has_functions: bool,
    lifecycle: Lifecycle,
}

impl Exports {
    /// Collects what a module exports, and gives back what the module becomes. `path` is what the names of its
    /// functions begin with.
    fn expand(&mut self, body: TokenStream, path: &str, names: &mut Names) -> Result<TokenStream> {
        let mut items = Item::all(body);
        let classes = classes(&items);
        for (class, conditions) in &classes {
            names.add_class(class, !conditions.is_empty())?;
        }
        let (mut functions, mut modules) = (Vec::new(), Vec::new());
        for item in &mut items {
            if self.lifecycle.take(item, path.is_empty())? {
                continue;
            }
            let is_conditional = !conditions(&item.attributes).is_empty();
            match &item.kind {
                Kind::Function if item.is_public => {
                    let signature = Signature::parse(item.tokens.clone(), None)?;
                    if let Some(receiver) = signature.receiver {
                        let message = "`self` belongs in an `impl` block of a type that derives `Handle`";
                        return Err(Error::new(receiver.span, message));
                    }
                    let path = format!("{path}{}", unraw(&signature.name));
                    names.add(&path, is_conditional, signature.name.span())?;
                    let attributes = &item.attributes;
                    let export = function::Export {
                        path,
                        signature: &signature,
                        attributes,
                        class: None,
                        is_getter: false,
                    };
                    functions.push(export.expand());
                }
                Kind::Module(name, body) if item.is_public => {
                    let path = format!("{path}{}::", unraw(name));
                    let conditions = conditions(&item.attributes);
                    modules.push(quote!(#(#conditions)* &#name::__CARAWAY_EXPORTS));
                    let body = self.expand(body.stream(), &path, names)?;
                    item.refill(body);
                }
                Kind::Impl(ty, body) => {
                    if let [TokenTree::Ident(class)] = peel(ty.clone()).as_slice()
                        && classes.iter().any(|(known, _)| known == class)
                    {
                        let body = class::expand(
                            class,
                            &item.attributes,
                            body.stream(),
                            path,
                            names,
                            &mut functions,
                        )?;
                        item.refill(body);
                    }
                }
                _ => {}
            }
        }
        self.has_functions |= !functions.is_empty();
        let classes = classes.iter().map(
            |(class, conditions)| quote!(#conditions <#class as ::caraway_plugin::export::Handle>::CLASS),
        );
        let exports = quote! {
            #[doc(hidden)]
            #[allow(deprecated, unsafe_code, clippy::all, clippy::pedantic)]
            pub const __CARAWAY_EXPORTS: ::caraway_plugin::export::expansion::Exports =
                ::caraway_plugin::export::expansion::Exports {
                    functions: &[#(#functions),*],
                    classes: &[#(#classes),*],
                    modules: &[#(#modules),*],
                };
        };
        Ok(items.iter().map(ToTokens::to_token_stream).chain([exports]).collect())
    }
}

/// The types of a module that derive `Handle`, with their `#[cfg]`s.
fn classes(items: &[Item]) -> Vec<(Ident, TokenStream)> {
    let class = |item: &Item| match &item.kind {
        Kind::Type(name) if item.attributes.iter().any(|attribute| attribute.derives("Handle")) => {
            let conditions = conditions(&item.attributes);
            Some((name.clone(), quote!(#(#conditions)*)))
        }
        _ => None,
    };
    items.iter().filter_map(class).collect()
}

/// The names that are taken.
#[derive(Default)]
pub(crate) struct Names {
    /// Whether each of them is only there under some condition.
    taken: HashMap<String, bool>,
    classes: HashMap<String, bool>,
}

impl Names {
    /// Takes a name. The compiler sees to functions of one module; a class is a module too.
    pub(crate) fn add(&mut self, path: &str, is_conditional: bool, span: Span) -> Result<()> {
        match self.taken.insert(path.to_owned(), is_conditional) {
            Some(false) if !is_conditional => {
                Err(Error::new(span, format!("another function is known as `{path}`")))
            }
            _ => Ok(()),
        }
    }

    /// Takes the name of a class, which is said without its module.
    fn add_class(&mut self, class: &Ident, is_conditional: bool) -> Result<()> {
        match self.classes.insert(unraw(class), is_conditional) {
            Some(false) if !is_conditional => {
                let message = format!(
                    "another type that derives `Handle` is called `{class}`: signatures could not tell them apart"
                );
                Err(Error::new(class.span(), message))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(item: &str) -> Result<String> {
        expand(TokenStream::new(), item.parse().unwrap()).map(|tokens| tokens.to_string())
    }

    #[test]
    fn what_cannot_be_exported_is_refused() {
        for (item, message) in [
            ("mod m;", "here, in braces"),
            ("fn f() {}", "here, in braces"),
            ("mod m {}", "no public functions"),
            ("mod m { fn private() {} pub(crate) fn inner() {} }", "no public functions"),
            ("mod m { struct A; impl A { pub fn f() {} } }", "no public functions"),
            ("mod m { pub fn f<T>(x: T) {} }", "no type parameters"),
            ("mod m { pub fn f(self) {} }", "belongs in an `impl` block"),
            ("mod m { pub fn a() {} pub mod b { pub mod a {} #[init] fn c() {} } }", "not in one inside it"),
            ("mod m { #[init] struct A; }", "belongs on a function"),
            ("mod m { #[init] fn f(a: A, b: B) {} }", "take `&Context` or nothing"),
            ("mod m { #[derive(Handle)] struct A; impl A { pub fn new(&self) {} } }", "a method `new`"),
            ("mod m { #[derive(Handle)] struct A; impl A { #[getter] fn f(&self) {} } }", "public method"),
            (
                "mod m { #[derive(Handle)] struct A; impl A { #[getter] pub fn f(&mut self) {} } }",
                "takes `&self`",
            ),
            (
                "mod m { #[derive(Handle)] struct A; impl A { #[getter] pub fn f(&self, x: i64) {} } }",
                "takes `&self`",
            ),
            (
                "mod m { pub fn a() {} #[derive(Handle)] struct A; impl A { pub fn new() {} } }",
                "known as `a`",
            ),
        ] {
            let error = expanded(item).err().unwrap().to_string();
            assert!(error.contains(message), "{item}: {error}");
        }
    }

    #[test]
    fn names_are_qualified() {
        let expanded = expanded(
            "pub mod m {
                pub mod api {
                    pub fn r#mid(x: &str) {}
                    #[derive(Debug, caraway_plugin::prelude::Handle)]
                    struct DbConn;
                    impl DbConn {
                        pub fn new() -> Self {}
                        pub fn open() -> Self {}
                        pub fn close(self) {}
                        fn private() {}
                    }
                }
            }",
        )
        .unwrap();
        for name in ["api::mid", "api::db_conn", "api::db_conn::open", "api::db_conn::close"] {
            assert!(expanded.contains(&format!("{name:?}")), "{name}: {expanded}");
        }
        assert!(!expanded.contains("api::db_conn::private"));
        assert!(expanded.contains("CARGO_PKG_NAME"));
    }
}
