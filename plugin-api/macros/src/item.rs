use crate::attribute::Attribute;
use crate::tokens::{Tokens, is_ident, is_punct};
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};

/// An item of a module or of an `impl` block.
pub(crate) struct Item {
    pub(crate) attributes: Vec<Attribute>,
    /// Whether it is `pub` without restrictions.
    pub(crate) is_public: bool,
    pub(crate) kind: Kind,
    visibility: Vec<TokenTree>,
    /// What follows the visibility.
    pub(crate) tokens: Vec<TokenTree>,
}

pub(crate) enum Kind {
    Function,
    /// A module whose items are here.
    Module(Ident, Group),
    /// `impl Type { ... }`, not of a trait.
    Impl(Vec<TokenTree>, Group),
    /// A struct, enum or union.
    Type(Ident),
    Other,
}

impl Item {
    /// The items of a block.
    pub(crate) fn all(tokens: TokenStream) -> Vec<Self> {
        let mut tokens = Tokens::new(tokens);
        let mut items = Vec::new();
        while !tokens.is_empty() {
            items.push(Self::next(&mut tokens));
        }
        items
    }

    pub(crate) fn next(tokens: &mut Tokens) -> Self {
        if is_punct(tokens.peek(), '#') && is_punct(tokens.peek_at(1), '!') {
            // An attribute of the module itself.
            let tokens = (0..3).filter_map(|_| tokens.next()).collect();
            return Self {
                attributes: vec![],
                is_public: false,
                kind: Kind::Other,
                visibility: vec![],
                tokens,
            };
        }
        let attributes = Attribute::all(tokens);
        let visibility = visibility(tokens);
        let start = tokens.position();
        let kind = kind(tokens);
        Self {
            attributes,
            is_public: visibility.len() == 1,
            kind,
            visibility,
            tokens: tokens.since(start).to_vec(),
        }
    }

    /// Puts something else into the braces that the item ends with.
    pub(crate) fn refill(&mut self, content: TokenStream) {
        if let Some(TokenTree::Group(group)) = self.tokens.last_mut() {
            *group = crate::tokens::refill(group, content);
        }
    }

    /// Takes the attribute away, if the item has it.
    pub(crate) fn take(&mut self, attribute: &str) -> Option<Attribute> {
        let at = self.attributes.iter().position(|found| found.is(attribute))?;
        Some(self.attributes.remove(at))
    }
}

impl ToTokens for Item {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append_all(&self.attributes);
        tokens.append_all(&self.visibility);
        tokens.append_all(&self.tokens);
    }
}

/// `pub`, `pub(crate)`, ... or nothing.
pub(crate) fn visibility(tokens: &mut Tokens) -> Vec<TokenTree> {
    let mut found = Vec::new();
    if tokens.is_ident("pub") {
        found.extend(tokens.next());
        if let Some(TokenTree::Group(group)) = tokens.peek()
            && group.delimiter() == Delimiter::Parenthesis
            && let Some(TokenTree::Ident(first)) = group.stream().into_iter().next()
            && ["crate", "self", "super", "in"].iter().any(|word| first == *word)
        {
            found.extend(tokens.next());
        }
    }
    found
}

/// Reads an item to its end.
fn kind(tokens: &mut Tokens) -> Kind {
    if is_function(tokens) {
        to_brace(tokens);
        return Kind::Function;
    }
    if let Some(word) = tokens.peek().map(ToString::to_string) {
        match word.as_str() {
            "mod" => return module(tokens),
            "impl" => return implementation(tokens),
            "struct" | "enum" | "union" if matches!(tokens.peek_at(1), Some(TokenTree::Ident(_))) => {
                tokens.next();
                let name = tokens.any_ident();
                to_brace(tokens);
                return name.map_or(Kind::Other, Kind::Type);
            }
            "use" | "const" | "static" | "type" => {
                to_semicolon(tokens);
                return Kind::Other;
            }
            _ => {}
        }
    }
    to_brace(tokens);
    Kind::Other
}

/// Whether only what may stand before `fn` does.
fn is_function(tokens: &Tokens) -> bool {
    let before = |token: &TokenTree| match token {
        TokenTree::Ident(word) => ["const", "async", "unsafe", "safe", "extern"].iter().any(|w| word == *w),
        token => matches!(token, TokenTree::Literal(_)),
    };
    let mut ahead = 0;
    while tokens.peek_at(ahead).is_some_and(before) {
        ahead += 1;
    }
    is_ident(tokens.peek_at(ahead), "fn")
}

fn module(tokens: &mut Tokens) -> Kind {
    tokens.next();
    match (tokens.any_ident(), tokens.group(Delimiter::Brace)) {
        (Some(name), Some(body)) => Kind::Module(name, body),
        _ => {
            to_brace(tokens);
            Kind::Other
        }
    }
}

fn implementation(tokens: &mut Tokens) -> Kind {
    tokens.next();
    let generics = tokens.generics();
    let head = tokens.until(is_end);
    match tokens.group(Delimiter::Brace) {
        Some(body) if generics.is_none() && !head.iter().any(|token| is_ident(Some(token), "for")) => {
            Kind::Impl(head, body)
        }
        _ => Kind::Other,
    }
}

fn is_end(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => is_punct(Some(token), ';'),
    }
}

/// To the end of an item that ends with braces or a semicolon.
fn to_brace(tokens: &mut Tokens) {
    tokens.until(is_end);
    tokens.next();
}

/// To the end of an item that may have braces in the middle.
fn to_semicolon(tokens: &mut Tokens) {
    while let Some(token) = tokens.next() {
        if is_punct(Some(&token), ';') {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_end_where_they_end() {
        let source = r#"
            #![allow(x)]
            use a::{b, c};
            pub(crate) const X: [u8; { 1 }] = { [1] };
            const fn f<const N: usize>() -> [u8; N] where [(); { 3 }]: Sized { [0; N] }
            pub unsafe extern "C" fn g() {}
            struct Unit;
            pub struct Tuple(pub (i64, i64), pub(super) u8);
            #[derive(Debug)]
            enum E<const N: usize = { 1 << 2 }> { A = 1, B }
            impl<T> Trait<{ 1 }> for Unit {}
            impl Unit { fn a(&self) {} }
            impl Trait for Unit { type X = u8; }
            macro_rules! m { () => { ; } }
            m!();
            m! { a; b }
            pub const F: fn() = a;
            static Y: u8 = if 1 < 2 { 1 } else { 2 };
            extern "C" { fn h(); }
            trait T { const C: u8; }
            pub mod inner { fn x() {} }
            mod elsewhere;
            union U { a: u8 }
        "#;
        let items = Item::all(source.parse().unwrap());
        let kinds: String = items
            .iter()
            .map(|item| match item.kind {
                Kind::Function => 'f',
                Kind::Module(..) => 'm',
                Kind::Impl(..) => 'i',
                Kind::Type(_) => 't',
                Kind::Other => '.',
            })
            .collect();
        assert_eq!(kinds, "...ffttt.i........m.t");
        let public: Vec<usize> = (0..items.len()).filter(|at| items[*at].is_public).collect();
        assert_eq!(public, [4, 6, 14, 18]);
        let whole: TokenStream = items.iter().map(ToTokens::to_token_stream).collect();
        assert_eq!(whole.to_string(), source.parse::<TokenStream>().unwrap().to_string());
    }
}
