//! What the derives have in common: the type's name and docs, and what may not be in front of them.

use crate::attribute::{Attribute, doc};
use crate::error::{Error, Result};
use crate::item::visibility;
use crate::name::{is_builtin_type, unraw};
use crate::tokens::{Tokens, commas, is_punct};
use crate::ty::Type;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::quote;

/// A struct or enum.
pub(crate) struct Definition {
    pub(crate) name: Ident,
    /// Its doc comment, as pieces.
    pub(crate) doc: TokenStream,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    Struct(Fields),
    Enum(Vec<Case>),
}

/// What a struct or a case holds.
pub(crate) enum Fields {
    Unit,
    Tuple(Vec<Type>),
    Named(Vec<(Ident, Type)>),
}

/// A case of an enum.
pub(crate) struct Case {
    pub(crate) name: Ident,
    pub(crate) fields: Fields,
}

impl Definition {
    /// `derive` is the name of the trait, for messages.
    pub(crate) fn parse(item: TokenStream, derive: &str) -> Result<Self> {
        let mut tokens = Tokens::new(item);
        let attributes = Attribute::all(&mut tokens);
        visibility(&mut tokens);
        let span = tokens.span();
        let keyword = tokens.any_ident().map(|keyword| keyword.to_string()).unwrap_or_default();
        let name = match (keyword.as_str(), tokens.any_ident()) {
            ("struct" | "enum", Some(name)) => name,
            _ => return Err(Error::new(span, format!("`{derive}` is derived for structs and enums"))),
        };
        if is_punct(tokens.peek(), '<') {
            let message = format!(
                "a type that derives `{derive}` has no parameters and no lifetimes: scripts know none"
            );
            return Err(Error::new(tokens.span(), message));
        }
        if is_builtin_type(&unraw(&name)) {
            let message = format!("`{name}` is a type of its own to scripts: give this one another name");
            return Err(Error::new(name.span(), message));
        }
        tokens.until(|token| matches!(token, TokenTree::Group(_)) || is_punct(Some(token), ';'));
        let body = match keyword.as_str() {
            "enum" => Body::Enum(cases(&mut tokens)?),
            _ => Body::Struct(fields(&mut tokens, &name)?),
        };
        Ok(Self { name, doc: doc(&attributes), body })
    }
}

/// The constants `LINES` and `DOC`, the doc comment.
pub(crate) fn doc_constants(doc: &TokenStream) -> TokenStream {
    quote! {
        const LINES: &[&::core::primitive::str] = #doc;
        static DOC: [::core::primitive::u8; __caraway::concat_len(LINES)] = __caraway::concat(LINES);
    }
}

fn fields(tokens: &mut Tokens, name: &Ident) -> Result<Fields> {
    let Some(TokenTree::Group(group)) = tokens.peek() else { return Ok(Fields::Unit) };
    let group = group.clone();
    let mut named = Vec::new();
    let mut unnamed = Vec::new();
    for field in commas(group.stream()) {
        let mut field = Tokens::new(field);
        Attribute::all(&mut field);
        visibility(&mut field);
        if group.delimiter() == Delimiter::Parenthesis {
            unnamed.push(Type::new(field.rest(), Some(name)));
            continue;
        }
        let span = field.span();
        match (field.any_ident(), field.eat_punct(':')) {
            (Some(key), true) => named.push((key, Type::new(field.rest(), Some(name)))),
            _ => return Err(Error::new(span, "expected a field")),
        }
    }
    tokens.next();
    Ok(match group.delimiter() {
        Delimiter::Parenthesis => Fields::Tuple(unnamed),
        _ => Fields::Named(named),
    })
}

fn cases(tokens: &mut Tokens) -> Result<Vec<Case>> {
    let Some(body) = tokens.group(Delimiter::Brace) else { return Ok(Vec::new()) };
    let mut tokens = Tokens::new(body.stream());
    let mut cases = Vec::new();
    while !tokens.is_empty() {
        Attribute::all(&mut tokens);
        let span = tokens.span();
        let name = tokens.any_ident().ok_or_else(|| Error::new(span, "expected a case"))?;
        let fields = fields(&mut tokens, &name)?;
        cases.push(Case { name, fields });
        // A discriminant, in which `<` does not open anything.
        while let Some(token) = tokens.next() {
            if is_punct(Some(&token), ',') {
                break;
            }
        }
    }
    Ok(cases)
}
