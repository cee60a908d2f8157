use crate::tokens::{Tokens, commas, is_ident, is_punct};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// A type as the author has written it.
#[derive(Clone)]
pub(crate) struct Type {
    tokens: Vec<TokenTree>,
}

/// A type that has a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    Int,
    Float,
    Bool,
    Char,
    /// As a result only.
    Unit,
}

impl Type {
    /// The type, `Self` being `this`, and its lifetimes those that the compiler finds.
    pub(crate) fn new(tokens: Vec<TokenTree>, this: Option<&Ident>) -> Self {
        let tokens = peel(tokens);
        // The lifetimes of `for<'a>` are its own.
        let lifetimes = !tokens.iter().any(|token| is_ident(Some(token), "for"));
        Self { tokens: rewrite(tokens, this, lifetimes) }
    }

    pub(crate) fn span(&self) -> Span {
        self.tokens.first().map_or_else(Span::call_site, TokenTree::span)
    }

    /// What it refers to, if it is a reference, and whether that is `&mut`.
    pub(crate) fn reference(&self) -> Option<(Type, bool)> {
        let mut tokens = Tokens::new(self.tokens.iter().cloned());
        if !tokens.eat_punct('&') {
            return None;
        }
        tokens.eat_lifetime();
        let mutable = tokens.eat_ident("mut");
        Some((Self { tokens: peel(tokens.rest()) }, mutable))
    }

    /// Whether it is `impl Trait`.
    pub(crate) fn is_impl(&self) -> bool {
        is_ident(self.tokens.first(), "impl")
    }

    /// The scalar that a parameter of this type is.
    pub(crate) fn scalar(&self) -> Option<Scalar> {
        match self.tokens.as_slice() {
            [TokenTree::Ident(name)] => match name.to_string().as_str() {
                "i64" => Some(Scalar::Int),
                "f64" => Some(Scalar::Float),
                "bool" => Some(Scalar::Bool),
                "char" => Some(Scalar::Char),
                _ => None,
            },
            _ => None,
        }
    }

    /// The scalar that a result of this type is, or is if it is no error.
    pub(crate) fn scalar_result(&self) -> Option<Scalar> {
        let at = self.tokens.iter().position(|token| is_punct(Some(token), '<'));
        let (path, arguments) = self.tokens.split_at(at.unwrap_or(self.tokens.len()));
        match (path, arguments) {
            ([TokenTree::Group(group)], []) if is_unit(group) => Some(Scalar::Unit),
            (_, []) => self.scalar(),
            ([.., TokenTree::Ident(last)], [_, inside @ .., _]) if last == "Result" => {
                let value = commas(inside.iter().cloned()).into_iter().next()?;
                match peel(value).as_slice() {
                    [TokenTree::Group(group)] if is_unit(group) => Some(Scalar::Unit),
                    tokens => Self { tokens: tokens.to_vec() }.scalar(),
                }
            }
            _ => None,
        }
    }
}

impl ToTokens for Type {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.tokens.iter().cloned());
    }
}

fn is_unit(group: &Group) -> bool {
    group.delimiter() == Delimiter::Parenthesis && group.stream().is_empty()
}

/// Without the invisible parentheses that a `macro_rules` puts around what was passed to it.
pub(crate) fn peel(tokens: Vec<TokenTree>) -> Vec<TokenTree> {
    match tokens.as_slice() {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => {
            peel(group.stream().into_iter().collect())
        }
        _ => tokens,
    }
}

fn rewrite(tokens: Vec<TokenTree>, this: Option<&Ident>, lifetimes: bool) -> Vec<TokenTree> {
    let mut after_quote = false;
    tokens
        .into_iter()
        .map(|token| {
            let lifetime = std::mem::replace(&mut after_quote, is_punct(Some(&token), '\''));
            match (token, this) {
                (TokenTree::Ident(name), _) if lifetime && lifetimes && name != "static" => {
                    Ident::new("_", name.span()).into()
                }
                (TokenTree::Ident(name), Some(this)) if name == "Self" => {
                    Ident::new(&this.to_string(), name.span()).into()
                }
                (TokenTree::Group(group), _) => {
                    let content = rewrite(group.stream().into_iter().collect(), this, lifetimes);
                    crate::tokens::refill(&group, content.into_iter().collect()).into()
                }
                (token, _) => token,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(text: &str) -> Type {
        let this = Ident::new("Counter", Span::call_site());
        Type::new(text.parse::<TokenStream>().unwrap().into_iter().collect(), Some(&this))
    }

    #[test]
    fn scalars_are_told_from_the_rest() {
        for (text, param, result) in [
            ("i64", Some(Scalar::Int), Some(Scalar::Int)),
            ("char", Some(Scalar::Char), Some(Scalar::Char)),
            ("()", None, Some(Scalar::Unit)),
            ("Result<f64, Vec<String>>", None, Some(Scalar::Float)),
            ("std::io::Result<bool>", None, Some(Scalar::Bool)),
            ("Result<(), String>", None, Some(Scalar::Unit)),
            ("Result<Vec<i64>, String>", None, None),
            ("Option<i64>", None, None),
            ("std::primitive::i64", None, None),
            ("&i64", None, None),
        ] {
            assert_eq!((ty(text).scalar(), ty(text).scalar_result()), (param, result), "{text}");
        }
    }

    #[test]
    fn types_make_sense_outside_of_their_place() {
        for (text, expected) in [
            ("&'a [Self]", "& '_ [Counter]"),
            ("Callback<'a, fn(Self) -> Self>", "Callback < '_ , fn (Counter) -> Counter >"),
            ("&'static str", "& 'static str"),
            ("for<'a> fn(&'a str)", "for < 'a > fn (& 'a str)"),
        ] {
            let text = ty(text).into_token_stream().to_string();
            assert_eq!(text.replace(' ', ""), expected.replace(' ', ""));
        }
    }

    #[test]
    fn references_are_taken_off() {
        for (text, inner, mutable) in [("&str", "str", false), ("&'a mut [f64]", "[f64]", true)] {
            let (found, is_mutable) = ty(text).reference().unwrap();
            assert_eq!((found.into_token_stream().to_string().as_str(), is_mutable), (inner, mutable));
        }
        assert!(ty("Vec<&str>").reference().is_none());
    }
}
