//! What a function takes and gives back.

use crate::ty::{ParseTypeError, Parser, Type};
use std::fmt;
use std::str::FromStr;

/// A function's name, parameters and result.
///
/// The text form is `name(param: type, ...) -> type`. The name of a function in a submodule is qualified,
/// `api::mid`; `-> void` may be left out when reading and is left out when writing.
///
/// ```
/// use caraway_plugin::Signature;
///
/// let signature: Signature = "api::greet(name: string, times: int?)".parse()?;
/// assert_eq!(signature.to_string(), "api::greet(name: string, times: int?)");
/// # Ok::<(), caraway_plugin::ParseTypeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The function's name, with its submodules: `mean`, `api::mid`.
    pub name: String,
    /// The parameters, in order.
    pub params: Vec<Param>,
    /// The type of the result.
    pub returns: Type,
}

/// A parameter of a [`Signature`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// Its name, for messages and documentation; calls are positional.
    pub name: String,
    /// Its type.
    pub ty: Type,
}

impl Signature {
    /// A signature from its parts.
    pub fn new<N: Into<String>>(
        name: impl Into<String>,
        params: impl IntoIterator<Item = (N, Type)>,
        returns: Type,
    ) -> Self {
        let params = params.into_iter().map(|(name, ty)| Param { name: name.into(), ty }).collect();
        Self { name: name.into(), params, returns }
    }

    /// The same signature with every named type replaced, see [`Type::resolve`].
    ///
    /// # Errors
    ///
    /// The first name for which `lookup` gives `None`.
    pub fn resolve(mut self, lookup: &dyn Fn(&str) -> Option<Type>) -> Result<Signature, String> {
        for param in &mut self.params {
            param.ty.replace_names(lookup)?;
        }
        self.returns.replace_names(lookup)?;
        Ok(self)
    }

    /// Whether the other function is called in the same way: same name and types, whatever the parameters
    /// are called.
    pub fn matches(&self, other: &Signature) -> bool {
        self.name == other.name
            && self.returns == other.returns
            && self.params.iter().map(|p| &p.ty).eq(other.params.iter().map(|p| &p.ty))
    }

    /// Whether `test` holds for any type in the signature, nested ones included.
    pub fn any_type(&self, test: &dyn Fn(&Type) -> bool) -> bool {
        self.params.iter().any(|p| p.ty.any(test)) || self.returns.any(test)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (i, param) in self.params.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}{}: {}", param.name, param.ty)?;
        }
        f.write_str(")")?;
        if self.returns != Type::Void {
            write!(f, " -> {}", self.returns)?;
        }
        Ok(())
    }
}

impl FromStr for Signature {
    type Err = ParseTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parser = Parser::new(text);
        let mut name = parser.name("a function name")?.to_owned();
        while parser.eat("::") {
            name = format!("{name}::{}", parser.name("a function name")?);
        }
        parser.expect("(")?;
        let params = if parser.eat(")") { Vec::new() } else { params(&mut parser)? };
        let returns = if parser.eat("->") { parser.ty()? } else { Type::Void };
        parser.end()?;
        Ok(Signature { name, params, returns })
    }
}

/// One parameter or more, up to the `)`.
fn params(parser: &mut Parser<'_>) -> Result<Vec<Param>, ParseTypeError> {
    let mut params: Vec<Param> = Vec::with_capacity(4);
    loop {
        let name = parser.name("a parameter name")?.to_owned();
        parser.expect(":")?;
        let ty = parser.ty()?;
        if ty == Type::Void {
            return parser.error("`void` is only a result");
        }
        if params.iter().any(|p| p.name == name) {
            return parser.error(format!("parameter `{name}` is declared twice"));
        }
        params.push(Param { name, ty });
        if parser.eat(")") {
            return Ok(params);
        }
        parser.expect(",")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_print_as_they_are_written() {
        for text in ["f()", "f(x: int)", "a::b::f(x: array<int>, y: Point?) -> map<string>"] {
            assert_eq!(text.parse::<Signature>().unwrap().to_string(), text);
        }
        assert_eq!("f() -> void".parse::<Signature>().unwrap().to_string(), "f()");
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        for text in
            ["", "f", "f(", "f(x)", "f(x:)", "f(x: void)", "f(x: int, x: int)", "f() ->", "f() g", "::f()"]
        {
            assert!(text.parse::<Signature>().is_err(), "{text}");
        }
    }
}
