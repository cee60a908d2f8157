//! What stands in the parentheses of `#[plugin(...)]`.

use syn::parse::{Parse, ParseStream};
use syn::{Ident, LitStr, Token};

#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) version: Option<LitStr>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut options = Options::default();
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            let field = match key.to_string().as_str() {
                "name" => &mut options.name,
                "version" => &mut options.version,
                _ => return Err(syn::Error::new(key.span(), "expected `name` or `version`")),
            };
            input.parse::<Token![=]>()?;
            if field.replace(input.parse()?).is_some() {
                return Err(syn::Error::new(key.span(), format!("`{key}` is given twice")));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read() {
        let options: Options = syn::parse_str(r#"name = "stats", version = "1.2.0","#).unwrap();
        assert_eq!(options.name.unwrap().value(), "stats");
        assert_eq!(options.version.unwrap().value(), "1.2.0");
        assert!(syn::parse_str::<Options>("").unwrap().name.is_none());
    }

    #[test]
    fn other_options_are_refused() {
        for (text, message) in [
            ("naem = \"x\"", "expected `name` or `version`"),
            ("name = \"x\", name = \"y\"", "given twice"),
            ("name = 1", "expected string literal"),
            ("name", "expected `=`"),
        ] {
            let error = syn::parse_str::<Options>(text).err().unwrap().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
