use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// Tokens, read from the first to the last.
///
/// The compiler has parsed what comes here before: it is Rust, and needs no second look.
pub(crate) struct Tokens {
    all: Vec<TokenTree>,
    at: usize,
}

impl Tokens {
    pub(crate) fn new(tokens: impl IntoIterator<Item = TokenTree>) -> Self {
        Self { all: tokens.into_iter().collect(), at: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at >= self.all.len()
    }

    /// Where it goes on.
    pub(crate) fn span(&self) -> Span {
        self.all.get(self.at).or(self.all.last()).map_or_else(Span::call_site, TokenTree::span)
    }

    pub(crate) fn peek(&self) -> Option<&TokenTree> {
        self.peek_at(0)
    }

    pub(crate) fn peek_at(&self, ahead: usize) -> Option<&TokenTree> {
        self.all.get(self.at + ahead)
    }

    pub(crate) fn next(&mut self) -> Option<TokenTree> {
        let token = self.all.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    /// What is left.
    pub(crate) fn rest(&mut self) -> Vec<TokenTree> {
        self.all.split_off(self.at.min(self.all.len()))
    }

    /// Everything from `start` to here. `start` is a [`position`](Tokens::position).
    pub(crate) fn since(&self, start: usize) -> &[TokenTree] {
        self.all.get(start..self.at).unwrap_or_default()
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn is_ident(&self, name: &str) -> bool {
        is_ident(self.peek(), name)
    }

    pub(crate) fn eat_ident(&mut self, name: &str) -> bool {
        let found = self.is_ident(name);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn any_ident(&mut self) -> Option<Ident> {
        match self.peek() {
            Some(TokenTree::Ident(ident)) => {
                let ident = ident.clone();
                self.at += 1;
                Some(ident)
            }
            _ => None,
        }
    }

    pub(crate) fn eat_punct(&mut self, char: char) -> bool {
        let found = is_punct(self.peek(), char);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn group(&mut self, delimiter: Delimiter) -> Option<Group> {
        match self.peek() {
            Some(TokenTree::Group(group)) if group.delimiter() == delimiter => {
                let group = group.clone();
                self.at += 1;
                Some(group)
            }
            _ => None,
        }
    }

    /// A lifetime, `'a`.
    pub(crate) fn eat_lifetime(&mut self) -> bool {
        let found = is_punct(self.peek(), '\'');
        self.at += 2 * usize::from(found);
        found
    }

    /// All up to the first token that `stop` holds for and that is not inside `<...>`.
    pub(crate) fn until(&mut self, stop: impl Fn(&TokenTree) -> bool) -> Vec<TokenTree> {
        let mut found = Vec::new();
        let mut depth = 0_usize;
        while let Some(token) = self.peek() {
            if depth == 0 && stop(token) {
                break;
            }
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
                // Not the end of `->` and `=>`.
                TokenTree::Punct(punct) if punct.as_char() == '>' => {
                    let arrow = is_half_arrow(found.last());
                    depth = depth.saturating_sub(usize::from(!arrow));
                }
                _ => {}
            }
            found.extend(self.next());
        }
        found
    }

    /// The `<...>` of an item, what is inside it.
    pub(crate) fn generics(&mut self) -> Option<Vec<TokenTree>> {
        if !self.eat_punct('<') {
            return None;
        }
        let mut depth = 1_usize;
        let mut found = Vec::new();
        while let Some(token) = self.next() {
            if let TokenTree::Punct(punct) = &token {
                let arrow = is_half_arrow(found.last());
                match punct.as_char() {
                    '<' => depth += 1,
                    '>' if !arrow => depth -= 1,
                    _ => {}
                }
            }
            if depth == 0 {
                break;
            }
            found.push(token);
        }
        Some(found)
    }
}

/// Whether a `>` after it ends an arrow and no `<...>`.
fn is_half_arrow(before: Option<&TokenTree>) -> bool {
    is_punct(before, '-') || is_punct(before, '=')
}

pub(crate) fn is_ident(token: Option<&TokenTree>, name: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == name)
}

pub(crate) fn is_punct(token: Option<&TokenTree>, char: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}

/// What stands between the commas.
pub(crate) fn commas(tokens: impl IntoIterator<Item = TokenTree>) -> Vec<Vec<TokenTree>> {
    let mut tokens = Tokens::new(tokens);
    let mut parts = Vec::new();
    while !tokens.is_empty() {
        parts.push(tokens.until(|token| is_punct(Some(token), ',')));
        tokens.eat_punct(',');
    }
    parts
}

/// The same group with something else in it.
pub(crate) fn refill(group: &Group, content: TokenStream) -> Group {
    let mut filled = Group::new(group.delimiter(), content);
    filled.set_span(group.span());
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_inside_are_none() {
        let tokens: TokenStream =
            "a: Map<String, Vec<i64>>, f: Callback<'_, fn(A, B) -> C>, c".parse().unwrap();
        let parts: Vec<String> = commas(tokens)
            .into_iter()
            .map(|part| part.into_iter().collect::<TokenStream>().to_string())
            .collect();
        assert_eq!(parts.len(), 3, "{parts:?}");
        assert_eq!(parts[2], "c");
        assert!(commas(TokenStream::new()).is_empty());
    }
}
