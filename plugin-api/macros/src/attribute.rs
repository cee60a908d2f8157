use crate::tokens::{Tokens, commas, is_punct};
use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};

/// An attribute, `#[name ...]`.
#[derive(Clone)]
pub(crate) struct Attribute {
    name: String,
    pub(crate) span: Span,
    /// What follows the name.
    rest: Vec<TokenTree>,
    tokens: TokenStream,
}

impl Attribute {
    /// Those that stand here.
    pub(crate) fn all(tokens: &mut Tokens) -> Vec<Self> {
        let mut found = Vec::new();
        while is_punct(tokens.peek(), '#') && !is_punct(tokens.peek_at(1), '!') {
            let start = tokens.position();
            tokens.next();
            let Some(group) = tokens.group(Delimiter::Bracket) else { break };
            let mut inside = Tokens::new(group.stream());
            let mut name = String::new();
            while let Some(TokenTree::Ident(_) | TokenTree::Punct(_)) = inside.peek()
                && !is_punct(inside.peek(), '=')
            {
                name.extend(inside.next().map(|token| token.to_string()));
            }
            let span = group.span();
            let tokens = tokens.since(start).iter().cloned().collect();
            found.push(Self { name, span, rest: inside.rest(), tokens });
        }
        found
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// Whether it derives a trait of this name.
    pub(crate) fn derives(&self, name: &str) -> bool {
        let Some(TokenTree::Group(list)) = self.rest.first() else { return false };
        self.is("derive")
            && commas(list.stream())
                .iter()
                .any(|path| matches!(path.last(), Some(TokenTree::Ident(last)) if last == name))
    }

    /// Whether it takes something: `#[name(...)]`.
    pub(crate) fn has_arguments(&self) -> bool {
        !self.rest.is_empty()
    }
}

impl ToTokens for Attribute {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.tokens.to_tokens(tokens);
    }
}

/// The `#[cfg]`s of an item, which what is made for it must have too.
pub(crate) fn conditions(attributes: &[Attribute]) -> Vec<&Attribute> {
    attributes.iter().filter(|attribute| attribute.is("cfg")).collect()
}

/// The doc comment, as the pieces that `expansion::concat` takes.
pub(crate) fn doc(attributes: &[Attribute]) -> TokenStream {
    let mut pieces = Vec::new();
    for attribute in attributes {
        if let (true, [TokenTree::Punct(_), value @ ..]) = (attribute.is("doc"), attribute.rest.as_slice()) {
            let value: TokenStream = value.iter().cloned().collect();
            pieces.push(quote!(::caraway_plugin::export::expansion::line(#value), "\n"));
        }
    }
    quote!(&[#(#pieces),*])
}
