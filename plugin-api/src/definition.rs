//! What the named types of signatures are.

use crate::ty::{EnumType, Field, ParseTypeError, Parser, StructType, Type};
use std::fmt;
use std::str::FromStr;

/// A struct or enum, as the table of a native plugin defines it.
///
/// The text form is `struct Point { x: float, y: float }` or `enum Colour { "red", "dark_blue" }`.
/// [`FromStr`] and [`Display`](fmt::Display) are inverse:
///
/// ```
/// use caraway_plugin::Definition;
///
/// let definition: Definition = "struct Point { x: float, label: string? }".parse()?;
/// assert_eq!(definition.name(), "Point");
/// assert_eq!(definition.to_string(), "struct Point { x: float, label: string? }");
/// # Ok::<(), caraway_plugin::ParseTypeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Definition {
    /// A map with these keys and no others. Its types may be [`Type::Named`].
    Struct(StructType),
    /// One of these strings.
    Enum(EnumType),
}

impl Definition {
    /// The name in signatures.
    pub fn name(&self) -> &str {
        match self {
            Self::Struct(def) => &def.name,
            Self::Enum(def) => &def.name,
        }
    }
}

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (keyword, inside): (_, Vec<String>) = match self {
            Self::Struct(def) => {
                ("struct", def.fields.iter().map(|field| format!("{}: {}", field.name, field.ty)).collect())
            }
            Self::Enum(def) => ("enum", def.values.iter().map(|value| quoted(value)).collect()),
        };
        write!(f, "{keyword} {} {{ {} }}", self.name(), inside.join(", "))
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl FromStr for Definition {
    type Err = ParseTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parser = Parser::new(text);
        let definition = match parser.name("`struct` or `enum`")? {
            "struct" => {
                let name = name(&mut parser)?;
                Self::Struct(StructType { name, fields: list(&mut parser, field)? })
            }
            "enum" => {
                let name = name(&mut parser)?;
                Self::Enum(EnumType { name, values: list(&mut parser, value)? })
            }
            other => return parser.error(format!("expected `struct` or `enum`, found `{other}`")),
        };
        parser.end()?;
        Ok(definition)
    }
}

fn name(parser: &mut Parser<'_>) -> Result<String, ParseTypeError> {
    let name = parser.name("a name")?;
    // `fn` alone is no type, and no name either.
    match name.parse() {
        Ok(Type::Named(name)) => Ok(name),
        _ => parser.error(format!("`{name}` is a type of its own")),
    }
}

/// What stands in the braces, at least one.
fn list<T>(
    parser: &mut Parser<'_>,
    item: fn(&mut Parser<'_>, &[T]) -> Result<T, ParseTypeError>,
) -> Result<Vec<T>, ParseTypeError> {
    parser.expect("{")?;
    let mut items = vec![item(parser, &[])?];
    while parser.eat(",") {
        items.push(item(parser, &items)?);
    }
    parser.expect("}")?;
    Ok(items)
}

fn field(parser: &mut Parser<'_>, before: &[Field]) -> Result<Field, ParseTypeError> {
    let name = parser.name("a field")?.to_owned();
    if before.iter().any(|field| field.name == name) {
        return parser.error(format!("the field `{name}` is declared twice"));
    }
    parser.expect(":")?;
    match parser.ty()? {
        Type::Void => parser.error("`void` is only a result"),
        ty => Ok(Field { name, ty }),
    }
}

fn value(parser: &mut Parser<'_>, before: &[String]) -> Result<String, ParseTypeError> {
    let value = parser.quoted()?;
    if before.contains(&value) {
        return parser.error(format!("the value {value:?} stands twice"));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_print_as_they_are_written() {
        for text in [
            "struct Point { x: float }",
            "struct Tree { at: Point?, children: array<Tree>, f: fn(int) -> void }",
            "enum Colour { \"red\" }",
            "enum Odd { \"\", \" a , b } \", \"q\\\"\\\\q\", \"ü\" }",
        ] {
            assert_eq!(text.parse::<Definition>().unwrap().to_string(), text);
        }
        let spaced: Definition = " struct  Point{x:float,y :float} ".parse().unwrap();
        assert_eq!(spaced.to_string(), "struct Point { x: float, y: float }");
        let odd: Definition = r#"enum E { "a\"b\\" }"#.parse().unwrap();
        assert_eq!(odd, Definition::Enum(EnumType { name: "E".into(), values: vec!["a\"b\\".into()] }));
    }

    #[test]
    fn what_is_no_definition_is_refused() {
        for (text, message) in [
            ("", "expected `struct` or `enum`"),
            ("class A { x: int }", "found `class`"),
            ("struct { x: int }", "expected a name"),
            ("struct int { x: int }", "`int` is a type of its own"),
            ("struct fn { x: int }", "`fn` is a type of its own"),
            ("struct A", "expected `{`"),
            ("struct A {}", "expected a field"),
            ("struct A { x: int", "expected `}`, found the end"),
            ("struct A { x: int, }", "expected a field"),
            ("struct A { x: int, x: int }", "`x` is declared twice"),
            ("struct A { x: void }", "only a result"),
            ("struct A { x: int } y", "unexpected `y`"),
            ("enum A {}", "expected `\"`"),
            ("enum A { red }", "expected `\"`, found `r`"),
            ("enum A { \"red }", "expected `\"`, found the end"),
            ("enum A { \"red\\", "expected `\"`, found the end"),
            ("enum A { \"a\\n\" }", "unexpected `n` in a text"),
            ("enum A { \"a\nb\" }", "unexpected `\\n` in a text"),
            ("enum A { \"red\", \"red\" }", "\"red\" stands twice"),
        ] {
            let error = text.parse::<Definition>().unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
