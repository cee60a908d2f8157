//! The structs, enums and classes that a library defines.

use crate::shape::Shape;
use caraway_loaders_core::Type;
use caraway_plugin::{Definition, Field, StructType};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How deep a type may nest once its names are looked up.
const MAX_DEPTH: usize = 32;

/// Of how many types one may consist once its names are looked up.
const MAX_PARTS: usize = 1000;

/// The types of a library, by name, with the names in them looked up.
#[derive(Debug, Default)]
pub(crate) struct Types(BTreeMap<String, Type>);

impl Types {
    /// The types of these definitions, and a handle for each class. Several definitions of one name must say the
    /// same.
    ///
    /// # Errors
    ///
    /// What is wrong, to be said of the library: "has ...".
    pub(crate) fn new<'a>(
        definitions: impl IntoIterator<Item = &'a str>,
        classes: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, String> {
        let mut defined: BTreeMap<String, State> = BTreeMap::new();
        for name in classes {
            if !matches!(name.parse(), Ok(Type::Named(parsed)) if parsed == name) {
                return Err(format!("has the class `{name}`, which is no name for a type"));
            }
            let known = Known { ty: Type::Handle(name.into()), parts: 1, depth: 1 };
            if defined.insert(name.to_owned(), State::Known(known)).is_some() {
                return Err(format!("has the class `{name}` twice"));
            }
        }
        for text in definitions {
            let definition: Definition =
                text.parse().map_err(|error| format!("has the type `{text}`, which is none: {error}"))?;
            let name = definition.name().to_owned();
            match defined.get(&name) {
                None => {
                    defined.insert(name, State::Defined(definition));
                }
                Some(State::Defined(other)) if *other == definition => {}
                Some(State::Defined(other)) => {
                    return Err(format!("has two types of one name: `{other}` and `{definition}`"));
                }
                Some(_) => return Err(format!("has a class and a type of the name `{name}`")),
            }
        }
        let names: Vec<String> = defined.keys().cloned().collect();
        for name in &names {
            look_up(&mut defined, name, 0)?;
        }
        let known = |(name, state)| match state {
            State::Known(known) => Some((name, known.ty)),
            _ => None,
        };
        Ok(Self(defined.into_iter().filter_map(known).collect()))
    }

    /// The type of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Type> {
        self.0.get(name)
    }

    /// All types, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Type)> {
        self.0.iter().map(|(name, ty)| (name.as_str(), ty))
    }
}

enum State {
    Defined(Definition),
    /// Being looked up: to come here again is recursion.
    Open,
    Known(Known),
}

#[derive(Clone)]
struct Known {
    ty: Type,
    parts: usize,
    depth: usize,
}

fn look_up(defined: &mut BTreeMap<String, State>, name: &str, level: usize) -> Result<Known, String> {
    let Some(state) = defined.get_mut(name) else {
        return Err(format!("has types that name `{name}`, which it does not define"));
    };
    let definition = match std::mem::replace(state, State::Open) {
        State::Open => return Err(format!("has the type `{name}`, which contains itself")),
        State::Known(known) => {
            *state = State::Known(known.clone());
            return Ok(known);
        }
        State::Defined(definition) => definition,
    };
    let known = match definition {
        Definition::Enum(ty) => Known { ty: Type::Enum(Arc::new(ty)), parts: 1, depth: 1 },
        Definition::Struct(ty) => {
            let (mut parts, mut depth) = (1, 0);
            let mut fields = Vec::with_capacity(ty.fields.len());
            for field in ty.fields {
                let known = resolve(defined, &field.ty, level + 1)?;
                if Shape::is_whole(&known.ty) || known.ty == Type::Void {
                    return Err(format!(
                        "has the field `{}` of `{name}`, which cannot be {}",
                        field.name, known.ty
                    ));
                }
                parts += known.parts;
                depth = depth.max(known.depth);
                fields.push(Field { name: field.name, ty: known.ty });
            }
            let ty = Type::Struct(Arc::new(StructType { name: ty.name, fields }));
            bounded(Known { ty, parts, depth: depth + 1 }, name)?
        }
    };
    defined.insert(name.to_owned(), State::Known(known.clone()));
    Ok(known)
}

fn resolve(defined: &mut BTreeMap<String, State>, ty: &Type, level: usize) -> Result<Known, String> {
    if level > MAX_DEPTH {
        return Err(format!("has types that nest deeper than {MAX_DEPTH} levels"));
    }
    let inside = |defined: &mut BTreeMap<String, State>, inner: &Type| {
        let known = resolve(defined, inner, level + 1)?;
        match Shape::is_whole(&known.ty) {
            true => Err(format!("has the type `{ty}`: `{inner}` cannot be a part of another type")),
            false => Ok(known),
        }
    };
    let known = match ty {
        Type::Named(name) => return look_up(defined, name, level),
        Type::Array(item) => {
            let item = inside(defined, item)?;
            Known { ty: Type::Array(Box::new(item.ty)), parts: item.parts + 1, depth: item.depth + 1 }
        }
        Type::Map(item) => {
            let item = inside(defined, item)?;
            Known { ty: Type::Map(Box::new(item.ty)), parts: item.parts + 1, depth: item.depth + 1 }
        }
        Type::Option(inner) => {
            let inner = inside(defined, inner)?;
            if matches!(inner.ty, Type::Option(_) | Type::Any) {
                return Err(format!("has the type `{ty}`, which includes `()` already"));
            }
            Known { ty: Type::Option(Box::new(inner.ty)), parts: inner.parts + 1, depth: inner.depth + 1 }
        }
        // What cannot be in a struct is refused there, its names with it.
        other => Known { ty: other.clone(), parts: 1, depth: 1 },
    };
    bounded(known, "a field")
}

fn bounded(known: Known, name: &str) -> Result<Known, String> {
    if known.depth > MAX_DEPTH || known.parts > MAX_PARTS {
        return Err(format!(
            "has a type that is too large, {name}: at most {MAX_PARTS} parts, {MAX_DEPTH} levels deep"
        ));
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(definitions: &[&str], classes: &[&str]) -> Result<Vec<String>, String> {
        let types = Types::new(definitions.iter().copied(), classes.iter().copied())?;
        Ok(types.iter().map(|(name, ty)| format!("{name} {ty:?}")).collect())
    }

    #[test]
    fn names_are_looked_up() {
        let types = Types::new(
            [
                "struct Line { from: Point, ends: array<Point?> }",
                "struct Point { x: float }",
                "enum Colour { \"red\" }",
            ],
            ["Counter"],
        )
        .unwrap();
        let names: Vec<&str> = types.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["Colour", "Counter", "Line", "Point"]);
        let Some(Type::Struct(line)) = types.get("Line") else { panic!("{types:?}") };
        assert_eq!(Some(&line.fields[0].ty), types.get("Point"));
        assert_eq!(line.fields[1].ty.to_string(), "array<Point?>");
        assert_eq!(types.get("Counter"), Some(&Type::Handle("Counter".into())));
    }

    #[test]
    fn definitions_of_one_name_must_agree() {
        assert_eq!(shown(&["struct A { x: int }", "struct A { x: int }"], &[]).unwrap().len(), 1);
        for (definitions, classes, message) in [
            (&["struct A { x: int }", "struct A { x: float }"][..], &[][..], "has two types of one name"),
            (&["struct A { x: int }", "enum A { \"x\" }"], &[], "has two types of one name"),
            (&["struct A { x: int }"], &["A"], "has a class and a type of the name `A`"),
            (&[], &["A", "A"], "has the class `A` twice"),
        ] {
            let error = shown(definitions, classes).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let deep = (0..40).map(|i| format!("struct T{i} {{ t: T{} }}", i + 1)).collect::<Vec<_>>();
        let deep: Vec<&str> = deep.iter().map(String::as_str).chain(["struct T40 { x: int }"]).collect();
        let wide = (0..10)
            .map(|i| format!("struct W{i} {{ a: W{n}, b: W{n}, c: W{n} }}", n = i + 1))
            .collect::<Vec<_>>();
        let wide: Vec<&str> = wide.iter().map(String::as_str).chain(["struct W10 { x: int }"]).collect();
        for (definitions, classes, message) in [
            (&["struct A"][..], &[][..], "has the type `struct A`, which is none"),
            (&["struct A { b: B }"], &[], "name `B`, which it does not define"),
            (&["struct A { a: A? }"], &[], "has the type `A`, which contains itself"),
            (&["struct A { b: B }", "struct B { a: array<A> }"], &[], "which contains itself"),
            (&["struct A { c: Counter }"], &["Counter"], "has the field `c` of `A`, which cannot be Counter"),
            (&["struct A { c: array<Counter> }"], &["Counter"], "`Counter` cannot be a part of another type"),
            (&["struct A { f: fn(int) -> int }"], &[], "cannot be fn(int) -> int"),
            (&["struct A { xs: floats }"], &[], "cannot be floats"),
            (&["struct A { xs: ints? }"], &[], "`ints` cannot be a part of another type"),
            (&[], &["int"], "has the class `int`, which is no name for a type"),
            (&[], &["a b"], "no name for a type"),
            (&[], &[""], "no name for a type"),
            (&deep, &[], "levels"),
            (&wide, &[], "too large"),
        ] {
            let error = shown(definitions, classes).unwrap_err();
            assert!(error.contains(message), "{definitions:?}: {error}");
        }
    }
}
