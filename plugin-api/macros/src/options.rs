//! What stands in the parentheses of `#[plugin(...)]`.

use crate::error::{Error, Result};
use crate::tokens::Tokens;
use proc_macro2::{Literal, TokenStream, TokenTree};

#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<Literal>,
    pub(crate) version: Option<Literal>,
}

impl Options {
    pub(crate) fn parse(options: TokenStream) -> Result<Self> {
        let mut tokens = Tokens::new(options);
        let mut options = Options::default();
        while !tokens.is_empty() {
            let span = tokens.span();
            let key = tokens.any_ident().map(|key| key.to_string()).unwrap_or_default();
            let field = match key.as_str() {
                "name" => &mut options.name,
                "version" => &mut options.version,
                _ => return Err(Error::new(span, "expected `name` or `version`")),
            };
            let literal = match (tokens.eat_punct('='), tokens.next()) {
                (true, Some(TokenTree::Literal(literal))) if literal.to_string().ends_with('"') => literal,
                _ => return Err(Error::new(span, format!("expected `{key} = \"...\"`"))),
            };
            if field.replace(literal).is_some() {
                return Err(Error::new(span, format!("`{key}` is given twice")));
            }
            if !tokens.is_empty() && !tokens.eat_punct(',') {
                return Err(Error::new(tokens.span(), "expected `,`"));
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options> {
        Options::parse(text.parse().unwrap())
    }

    #[test]
    fn options_are_read() {
        let options = parse(r#"name = "stats", version = "1.2.0","#).unwrap();
        assert_eq!(options.name.unwrap().to_string(), "\"stats\"");
        assert_eq!(options.version.unwrap().to_string(), "\"1.2.0\"");
        assert!(parse("").unwrap().name.is_none());
    }

    #[test]
    fn other_options_are_refused() {
        for (text, message) in [
            ("naem = \"x\"", "expected `name` or `version`"),
            ("name = \"x\", name = \"y\"", "given twice"),
            ("name = 1", "expected `name = \"...\"`"),
            ("name", "expected `name = \"...\"`"),
            ("name = \"x\" version = \"y\"", "expected `,`"),
        ] {
            let error = parse(text).err().unwrap().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
