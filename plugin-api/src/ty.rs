//! The types of signatures.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Deepest nesting of a type's text that is accepted: `array<array<...>>`.
const MAX_TYPE_DEPTH: usize = 32;

/// The type of a parameter, a result or a field.
///
/// The text form is the one of manifests, and [`FromStr`] and [`Display`](fmt::Display) are inverse:
///
/// ```
/// use caraway_plugin::Type;
///
/// let ty: Type = "map<array<int>?>".parse()?;
/// assert_eq!(ty.to_string(), "map<array<int>?>");
/// assert_eq!("array".parse::<Type>()?.to_string(), "array<any>");
/// # Ok::<(), caraway_plugin::ParseTypeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Type {
    /// `int`: a signed 64-bit integer.
    Int,
    /// `float`: a 64-bit float. An int is accepted where a float is declared.
    Float,
    /// `bool`.
    Bool,
    /// `char`: a Unicode scalar value.
    Char,
    /// `string`: UTF-8 text.
    String,
    /// `bytes`: a blob.
    Bytes,
    /// `ints`: a typed buffer of 64-bit integers.
    Ints,
    /// `floats`: a typed buffer of 64-bit floats.
    Floats,
    /// `array<T>`; `array` alone is `array<any>`.
    Array(Box<Type>),
    /// `map<T>`, with string keys; `map` alone is `map<any>`.
    Map(Box<Type>),
    /// `any`: every value.
    Any,
    /// `void`: no value, `()` in a script.
    Void,
    /// `T?`: a `T` or `()`. As a parameter it may not be left out.
    Option(Box<Type>),
    /// `fn(A, B) -> R`: a function of the caller, valid during the call only.
    Fn(Vec<Type>, Box<Type>),
    /// A name that a manifest's `types` declare and that has not been looked up yet.
    Named(String),
    /// A struct of a manifest's `types`: a map with these keys and no others.
    Struct(Arc<StructType>),
    /// An enum of a manifest's `types`: one of these strings.
    Enum(Arc<EnumType>),
    /// A handle of a manifest's `types`: an opaque value that only the plugin itself can make. It is a whole
    /// parameter or result, never a part of another type.
    Handle(Arc<str>),
}

/// A struct that a manifest declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StructType {
    /// Its name in signatures.
    pub name: String,
    /// Its fields, in the manifest's order.
    pub fields: Vec<Field>,
}

/// A field of a [`StructType`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The key in the script's map.
    pub name: String,
    /// The type of its value; a `T?` field may be missing.
    pub ty: Type,
}

/// An enum that a manifest declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumType {
    /// Its name in signatures.
    pub name: String,
    /// The strings that are its values.
    pub values: Vec<String>,
}

impl Type {
    /// Replaces every [`Type::Named`] by what `lookup` gives for its name.
    ///
    /// # Errors
    ///
    /// The first name for which `lookup` gives `None`.
    pub fn resolve(mut self, lookup: &dyn Fn(&str) -> Option<Type>) -> Result<Type, String> {
        self.replace_names(lookup)?;
        Ok(self)
    }

    #[inline]
    pub(crate) fn replace_names(&mut self, lookup: &dyn Fn(&str) -> Option<Type>) -> Result<(), String> {
        // Most types are none of these, and have no names in them.
        let named =
            matches!(self, Type::Array(_) | Type::Map(_) | Type::Option(_) | Type::Fn(..) | Type::Named(_));
        if named { self.replace_names_inside(lookup) } else { Ok(()) }
    }

    fn replace_names_inside(&mut self, lookup: &dyn Fn(&str) -> Option<Type>) -> Result<(), String> {
        match self {
            Type::Array(inner) | Type::Map(inner) | Type::Option(inner) => inner.replace_names(lookup),
            Type::Fn(params, returns) => {
                params.iter_mut().try_for_each(|param| param.replace_names(lookup))?;
                returns.replace_names(lookup)
            }
            Type::Named(name) => {
                *self = lookup(name).ok_or_else(|| name.clone())?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether `test` holds for this type or any type inside it.
    pub fn any(&self, test: &dyn Fn(&Type) -> bool) -> bool {
        test(self)
            || match self {
                Type::Array(inner) | Type::Map(inner) | Type::Option(inner) => inner.any(test),
                Type::Fn(params, returns) => params.iter().any(|p| p.any(test)) || returns.any(test),
                Type::Struct(def) => def.fields.iter().any(|f| f.ty.any(test)),
                _ => false,
            }
    }

    /// Whether a handle is a part of this type, where none may be: in an array, a map, an option, a callback or
    /// a struct. A type that is itself a handle has none inside.
    ///
    /// ```
    /// use caraway_plugin::Type;
    ///
    /// let counter = Type::Handle("Counter".into());
    /// assert!(!counter.has_handle_inside());
    /// assert!(Type::Option(Box::new(counter)).has_handle_inside());
    /// ```
    pub fn has_handle_inside(&self) -> bool {
        let is_handle = |ty: &Type| matches!(ty, Type::Handle(_));
        !is_handle(self) && self.any(&is_handle)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Int => f.write_str("int"),
            Type::Float => f.write_str("float"),
            Type::Bool => f.write_str("bool"),
            Type::Char => f.write_str("char"),
            Type::String => f.write_str("string"),
            Type::Bytes => f.write_str("bytes"),
            Type::Ints => f.write_str("ints"),
            Type::Floats => f.write_str("floats"),
            Type::Array(item) => write!(f, "array<{item}>"),
            Type::Map(item) => write!(f, "map<{item}>"),
            Type::Any => f.write_str("any"),
            Type::Void => f.write_str("void"),
            Type::Option(inner) => match **inner {
                // `fn() -> int?` is a function whose result is optional.
                Type::Fn(..) => write!(f, "({inner})?"),
                _ => write!(f, "{inner}?"),
            },
            Type::Fn(params, returns) => {
                f.write_str("fn(")?;
                for (i, param) in params.iter().enumerate() {
                    let comma = if i > 0 { ", " } else { "" };
                    write!(f, "{comma}{param}")?;
                }
                write!(f, ") -> {returns}")
            }
            Type::Named(name) => f.write_str(name),
            Type::Struct(def) => f.write_str(&def.name),
            Type::Enum(def) => f.write_str(&def.name),
            Type::Handle(name) => f.write_str(name),
        }
    }
}

/// A text that is not a type or a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseTypeError {
    /// What is wrong, for a person.
    pub message: String,
    /// Where, in bytes from the start of the text.
    pub offset: usize,
}

impl fmt::Display for ParseTypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at column {}", self.message, self.offset + 1)
    }
}

impl std::error::Error for ParseTypeError {}

impl FromStr for Type {
    type Err = ParseTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parser = Parser::new(text);
        let ty = parser.ty()?;
        parser.end()?;
        Ok(ty)
    }
}

/// Whether a byte is a part of names.
const NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_';
        byte += 1;
    }
    table
};

/// A recursive-descent parser over one line of text; also used by [`Signature`](crate::Signature).
pub(crate) struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// How deep the type nests that is being read.
    depth: usize,
    /// How many parentheses are open, which make no type deeper.
    open: usize,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, open: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    #[inline]
    fn skip_space(&mut self) {
        let bytes = self.text.as_bytes();
        // Mostly there is one, or none.
        self.at += usize::from(bytes.get(self.at) == Some(&b' '));
        if !bytes.get(self.at).is_none_or(u8::is_ascii_graphic) {
            self.skip_more_space();
        }
    }

    #[cold]
    fn skip_more_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    pub(crate) fn error<T>(&self, message: impl Into<String>) -> Result<T, ParseTypeError> {
        Err(ParseTypeError { message: message.into(), offset: self.at })
    }

    #[inline]
    pub(crate) fn eat(&mut self, token: &str) -> bool {
        self.skip_space();
        let found =
            self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(token.as_bytes()));
        self.at += if found { token.len() } else { 0 };
        found
    }

    #[inline]
    pub(crate) fn expect(&mut self, token: &str) -> Result<(), ParseTypeError> {
        if self.eat(token) { Ok(()) } else { self.missing(token) }
    }

    #[cold]
    fn missing(&self, token: &str) -> Result<(), ParseTypeError> {
        match self.rest().chars().next() {
            Some(found) => self.error(format!("expected `{token}`, found `{}`", found.escape_debug())),
            None => self.error(format!("expected `{token}`, found the end")),
        }
    }

    pub(crate) fn end(&mut self) -> Result<(), ParseTypeError> {
        self.skip_space();
        match self.rest().chars().next() {
            None => Ok(()),
            Some(found) => self.error(format!("unexpected `{}`", found.escape_debug())),
        }
    }

    /// A name: a letter or `_`, then letters, digits, `_`.
    pub(crate) fn name(&mut self, what: &str) -> Result<&'a str, ParseTypeError> {
        self.skip_space();
        let (start, bytes) = (self.at, self.text.as_bytes());
        while bytes.get(self.at).is_some_and(|byte| NAME[usize::from(*byte)]) {
            self.at += 1;
        }
        match self.text.get(start..self.at) {
            Some(name) if !name.is_empty() && !bytes[start].is_ascii_digit() => Ok(name),
            _ => {
                self.at = start;
                self.error(format!("expected {what}"))
            }
        }
    }

    /// A text in quotes, in which `\"` and `\\` stand for `"` and `\`.
    pub(crate) fn quoted(&mut self) -> Result<String, ParseTypeError> {
        self.expect("\"")?;
        let mut text = String::new();
        let mut escaped = false;
        for (at, char) in self.rest().char_indices() {
            match char {
                '"' if !escaped => {
                    self.at += at + 1;
                    return Ok(text);
                }
                '\\' if !escaped => escaped = true,
                char if char.is_control() || escaped && !"\"\\".contains(char) => {
                    self.at += at;
                    return self.error(format!("unexpected `{}` in a text", char.escape_debug()));
                }
                char => {
                    text.push(char);
                    escaped = false;
                }
            }
        }
        self.at = self.text.len();
        self.error("expected `\"`, found the end")
    }

    pub(crate) fn ty(&mut self) -> Result<Type, ParseTypeError> {
        self.deeper()?;
        let mut ty = if self.eat("(") {
            self.open += 1;
            self.depth -= 1;
            if self.open > MAX_TYPE_DEPTH {
                return self.error(format!("parentheses nest deeper than {MAX_TYPE_DEPTH}"));
            }
            let inner = self.ty()?;
            self.expect(")")?;
            self.open -= 1;
            self.depth += 1;
            inner
        } else {
            let start = self.at;
            match self.name("a type")? {
                "int" => Type::Int,
                "float" => Type::Float,
                "bool" => Type::Bool,
                "char" => Type::Char,
                "string" => Type::String,
                "bytes" => Type::Bytes,
                "ints" => Type::Ints,
                "floats" => Type::Floats,
                "any" => Type::Any,
                "void" => Type::Void,
                "array" => Type::Array(Box::new(self.argument()?)),
                "map" => Type::Map(Box::new(self.argument()?)),
                "fn" => self.function()?,
                name => {
                    if self.eat("<") {
                        self.at = start;
                        return self.error(format!("`{name}` takes no type argument"));
                    }
                    Type::Named(name.to_owned())
                }
            }
        };
        while self.eat("?") {
            if matches!(ty, Type::Option(_) | Type::Void | Type::Any) {
                return self.error(format!("`{ty}` already includes `()`"));
            }
            ty = Type::Option(Box::new(ty));
        }
        self.depth -= 1;
        Ok(ty)
    }

    fn deeper(&mut self) -> Result<(), ParseTypeError> {
        self.depth += 1;
        if self.depth > MAX_TYPE_DEPTH {
            return self.error(format!("types nest deeper than {MAX_TYPE_DEPTH}"));
        }
        Ok(())
    }

    /// A type that is not written out, and stands as deep as if it were.
    fn implied(&mut self, ty: Type) -> Result<Type, ParseTypeError> {
        self.deeper()?;
        self.depth -= 1;
        Ok(ty)
    }

    fn argument(&mut self) -> Result<Type, ParseTypeError> {
        if !self.eat("<") {
            return self.implied(Type::Any);
        }
        let ty = self.ty()?;
        if ty == Type::Void {
            return self.error("`void` is only a result");
        }
        self.expect(">")?;
        Ok(ty)
    }

    fn function(&mut self) -> Result<Type, ParseTypeError> {
        self.expect("(")?;
        let mut params = Vec::new();
        while !self.eat(")") {
            if !params.is_empty() {
                self.expect(",")?;
            }
            params.push(self.ty()?);
        }
        let returns = if self.eat("->") { self.ty()? } else { self.implied(Type::Void)? };
        Ok(Type::Fn(params, Box::new(returns)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn round_trip(text: &str, canonical: &str) {
        let ty: Type = text.parse().unwrap();
        assert_eq!(ty.to_string(), canonical);
        assert_eq!(canonical.parse::<Type>().unwrap(), ty);
    }

    #[track_caller]
    fn refused(text: &str, message: &str) {
        let error = text.parse::<Type>().unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }

    #[test]
    fn types_print_as_they_are_written() {
        for ty in ["int", "float", "bool", "char", "string", "bytes", "ints", "floats", "any", "void"] {
            round_trip(ty, ty);
        }
        round_trip("array", "array<any>");
        round_trip(" map < array<int> > ", "map<array<int>>");
        round_trip("string?", "string?");
        round_trip("fn(int,float)->bool", "fn(int, float) -> bool");
        round_trip("fn()", "fn() -> void");
        round_trip("(fn() -> int)?", "(fn() -> int)?");
        round_trip("fn() -> int?", "fn() -> int?");
        round_trip("Point", "Point");
    }

    #[test]
    fn what_is_no_type_is_refused() {
        refused("", "expected a type");
        refused("array<", "expected a type");
        refused("array<int", "expected `>`, found the end");
        refused("int int", "unexpected `i`");
        refused("int??", "already includes");
        refused("any?", "already includes");
        refused("int<int>", "unexpected `<`");
        refused("Point<int>", "takes no type argument");
        refused("array<void>", "only a result");
        refused(&"array<".repeat(100_000), "nest deeper");
        refused(&"(".repeat(100_000), "nest deeper");
        refused("\u{202e}int", "expected a type");
    }

    #[test]
    fn what_is_implied_nests_as_if_it_were_written() {
        let inside =
            |levels: usize, inner: &str| format!("{}{inner}{}", "array<".repeat(levels), ">".repeat(levels));
        for (inner, canonical) in
            [("array", "array<any>"), ("fn()", "fn() -> void"), ("fn()?", "(fn() -> void)?")]
        {
            round_trip(&inside(30, inner), &inside(30, canonical));
            refused(&inside(31, inner), "nest deeper");
        }
    }
}
