use std::fmt;

/// What a type is called in signatures, made while the plugin is compiled.
///
/// ```
/// use caraway_plugin::export::{Data, TypeName};
///
/// const POINTS: TypeName = TypeName::new("Point").array();
/// assert_eq!(POINTS.as_str(), "array<Point>");
/// assert_eq!(<Vec<Option<f64>> as Data>::TYPE.as_str(), "array<float?>");
/// ```
#[derive(Clone, Copy)]
pub struct TypeName {
    bytes: [u8; Self::LIMIT],
    len: usize,
}

impl TypeName {
    /// The longest text of a type, in bytes.
    pub const LIMIT: usize = 256;

    /// The type that is called this.
    ///
    /// # Panics
    ///
    /// As all functions that make one: if the text is longer than [`LIMIT`](TypeName::LIMIT). In a constant
    /// that is an error of the compiler.
    pub const fn new(text: &str) -> Self {
        Self { bytes: [0; Self::LIMIT], len: 0 }.and(text)
    }

    /// `array<...>` of it.
    #[must_use]
    pub const fn array(self) -> Self {
        Self::new("array<").and(self.as_str()).and(">")
    }

    /// `map<...>` of it.
    #[must_use]
    pub const fn map(self) -> Self {
        Self::new("map<").and(self.as_str()).and(">")
    }

    /// This or `()`: `...?`, but for `any` and what is optional already.
    #[must_use]
    pub const fn optional(self) -> Self {
        match self.as_str().as_bytes() {
            b"any" | [.., b'?'] => self,
            _ => self.and("?"),
        }
    }

    /// A function from these types to this one: `fn(...) -> ...`.
    #[must_use]
    pub const fn of_function(self, params: &[TypeName]) -> Self {
        let mut text = Self::new("fn(");
        let mut at = 0;
        while at < params.len() {
            if at > 0 {
                text = text.and(", ");
            }
            text = text.and(params[at].as_str());
            at += 1;
        }
        text.and(") -> ").and(self.as_str())
    }

    /// The text.
    pub const fn as_str(&self) -> &str {
        // SAFETY: the bytes up to `len` are those of whole `str`s, one after the other.
        unsafe { std::str::from_utf8_unchecked(self.bytes.split_at(self.len).0) }
    }

    const fn and(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        assert!(
            self.len + text.len() <= Self::LIMIT,
            "the text of a type is longer than 256 bytes: give what is inside it a name with `#[derive(Data)]`"
        );
        self.bytes.split_at_mut(self.len).1.split_at_mut(text.len()).0.copy_from_slice(text);
        self.len += text.len();
        self
    }
}

impl fmt::Debug for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Type;

    #[test]
    fn names_are_those_of_types() {
        let int = TypeName::new("int");
        for (name, text) in [
            (int, "int"),
            (int.array().map(), "map<array<int>>"),
            (int.optional().optional(), "int?"),
            (TypeName::new("any").optional(), "any"),
            (TypeName::new("void").of_function(&[]), "fn() -> void"),
            (int.optional().of_function(&[int, int.array()]), "fn(int, array<int>) -> int?"),
        ] {
            assert_eq!(name.as_str(), text);
            assert_eq!(text.parse::<Type>().unwrap().to_string(), text);
        }
    }

    #[test]
    #[should_panic(expected = "longer than 256 bytes")]
    fn long_names_are_refused() {
        let _: TypeName = (0..37).fold(TypeName::new("int"), |name, _| name.array());
    }
}
