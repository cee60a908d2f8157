use crate::attribute::Attribute;
use crate::error::{Error, Result};
use crate::tokens::{Tokens, commas, is_ident, is_punct};
use crate::ty::Type;
use proc_macro2::{Delimiter, Ident, Span, TokenTree};

/// A function's name, parameters and result.
pub(crate) struct Signature {
    pub(crate) name: Ident,
    pub(crate) receiver: Option<Receiver>,
    pub(crate) params: Vec<Param>,
    /// `None` if nothing is written.
    pub(crate) returns: Option<Type>,
}

/// `self` among the parameters.
#[derive(Clone, Copy)]
pub(crate) struct Receiver {
    pub(crate) kind: ReceiverKind,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReceiverKind {
    Shared,
    Unique,
    Value,
}

pub(crate) struct Param {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

impl Signature {
    /// That of the function whose tokens, after its visibility, these are. `this` is what it calls `Self`.
    ///
    /// # Errors
    ///
    /// What scripts have no use for.
    pub(crate) fn parse(tokens: Vec<TokenTree>, this: Option<&Ident>) -> Result<Self> {
        let mut tokens = Tokens::new(tokens);
        while !tokens.eat_ident("fn") {
            let (span, token) = (tokens.span(), tokens.next());
            if is_ident(token.as_ref(), "async") {
                return Err(Error::new(span, "a plugin's function cannot be async: scripts wait for it"));
            }
            if is_ident(token.as_ref(), "unsafe") {
                return Err(Error::new(
                    span,
                    "a plugin's function cannot be unsafe: scripts call it as they like",
                ));
            }
            if token.is_none() {
                return Err(Error::new(span, "expected a function"));
            }
        }
        let span = tokens.span();
        let name = tokens.any_ident().ok_or_else(|| Error::new(span, "expected a name"))?;
        for parameter in commas(tokens.generics().unwrap_or_default()) {
            if !is_punct(parameter.first(), '\'') {
                let span = parameter.first().map_or_else(|| name.span(), TokenTree::span);
                return Err(no_generics(span));
            }
        }
        let span = tokens.span();
        let list =
            tokens.group(Delimiter::Parenthesis).ok_or_else(|| Error::new(span, "expected parameters"))?;
        let mut signature = Self { name, receiver: None, params: Vec::new(), returns: None };
        for param in commas(list.stream()) {
            signature.add_param(param, this)?;
        }
        if tokens.eat_punct('-') && tokens.eat_punct('>') {
            let ty = tokens.until(|token| match token {
                TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                token => is_ident(Some(token), "where") || is_punct(Some(token), ';'),
            });
            let ty = Type::new(ty, this);
            if ty.is_impl() {
                return Err(no_generics(ty.span()));
            }
            signature.returns = Some(ty);
        }
        Ok(signature)
    }

    fn add_param(&mut self, param: Vec<TokenTree>, this: Option<&Ident>) -> Result<()> {
        let mut tokens = Tokens::new(param);
        Attribute::all(&mut tokens);
        let span = tokens.span();
        if let Some(receiver) = receiver(&tokens) {
            self.receiver = Some(receiver?);
            return Ok(());
        }
        tokens.eat_ident("mut");
        let name = match (tokens.any_ident(), tokens.eat_punct(':')) {
            (Some(name), true) if name != "_" && !is_punct(tokens.peek(), ':') => name,
            _ => return Err(Error::new(span, "a parameter of a plugin's function needs a name")),
        };
        let ty = Type::new(tokens.rest(), this);
        if ty.is_impl() {
            return Err(no_generics(ty.span()));
        }
        self.params.push(Param { name, ty });
        Ok(())
    }
}

/// The receiver that the parameter is, if it is one.
fn receiver(tokens: &Tokens) -> Option<Result<Receiver>> {
    let mut ahead = 0;
    let mut kind = ReceiverKind::Value;
    if is_punct(tokens.peek(), '&') {
        kind = ReceiverKind::Shared;
        ahead += 1;
        if is_punct(tokens.peek_at(ahead), '\'') {
            ahead += 2;
        }
    }
    if is_ident(tokens.peek_at(ahead), "mut") {
        ahead += 1;
        if kind == ReceiverKind::Shared {
            kind = ReceiverKind::Unique;
        }
    }
    if !is_ident(tokens.peek_at(ahead), "self") {
        return None;
    }
    let span = tokens.peek_at(ahead).map_or_else(Span::call_site, TokenTree::span);
    Some(if tokens.peek_at(ahead + 1).is_some() {
        Err(Error::new(span, "a method of a plugin takes `&self`, `&mut self` or `self`"))
    } else {
        Ok(Receiver { kind, span })
    })
}

fn no_generics(span: Span) -> Error {
    Error::new(span, "a plugin's function takes no type parameters and no `impl Trait`: scripts have none")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proc_macro2::TokenStream;
    use quote::ToTokens;

    fn parse(text: &str) -> Result<Signature> {
        Signature::parse(text.parse::<TokenStream>().unwrap().into_iter().collect(), None)
    }

    #[test]
    fn heads_of_functions_are_read() {
        let signature = parse(
            "const fn f<'a>(&'a mut self, #[allow(x)] mut a: &'a str, r#type: Vec<(A, B)>) -> Result<A, B>
             where A: B { , }",
        )
        .unwrap();
        let names: Vec<String> = signature.params.iter().map(|param| param.name.to_string()).collect();
        assert_eq!(names, ["a", "r#type"]);
        assert_eq!(signature.receiver.unwrap().kind, ReceiverKind::Unique);
        let returns = signature.returns.unwrap().into_token_stream().to_string();
        assert_eq!(returns.replace(' ', ""), "Result<A,B>");
        let signature = parse("extern \"C\" fn f(mut self) {}").unwrap();
        assert_eq!(signature.receiver.unwrap().kind, ReceiverKind::Value);
        assert!(signature.returns.is_none());
    }

    #[test]
    fn what_scripts_have_no_use_for_is_refused() {
        for (text, message) in [
            ("fn f<T>(x: T) {}", "no type parameters"),
            ("fn f<'a, const N: usize>() {}", "no type parameters"),
            ("fn f(x: impl Copy) {}", "no type parameters"),
            ("fn f() -> impl Copy {}", "no type parameters"),
            ("async fn f() {}", "cannot be async"),
            ("unsafe fn f() {}", "cannot be unsafe"),
            ("fn f((a, b): (i64, i64)) {}", "needs a name"),
            ("fn f(_: i64) {}", "needs a name"),
            ("fn f(Point { x, y }: Point) {}", "needs a name"),
            ("fn f(a::B(c): a::B) {}", "needs a name"),
            ("fn f(self: Box<Self>) {}", "`&self`, `&mut self` or `self`"),
        ] {
            let error = parse(text).err().unwrap().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
