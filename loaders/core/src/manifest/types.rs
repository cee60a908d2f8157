//! The types that a manifest declares, and looking them up in signatures.

use super::fields::{self, Fields, Place};
use super::names;
use super::problems::{Problems, Wrong, shown};
use super::tree::Node;
use crate::code::Code;
use crate::suggest::suggest;
use caraway_plugin::{EnumType, Field, StructType, Type};
use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// How deep a type may nest once its names are looked up.
const MAX_DEPTH: usize = 32;

/// Of how many types one may consist once its names are looked up: ten structs that hold the one before them
/// ten times each are ten lines and ten thousand million fields.
const MAX_PARTS: usize = 1000;

/// The names that types have without being declared, for suggestions.
const BUILT_IN: &[&str] = &[
    "int", "float", "bool", "char", "string", "bytes", "ints", "floats", "array", "map", "any", "void", "fn",
];

/// The kinds of types that can be declared, and the field that belongs to each.
const KINDS: &[(&str, Option<&str>)] =
    &[("struct", Some("fields")), ("enum", Some("values")), ("alias", Some("base_type")), ("handle", None)];

/// A type with its names looked up, and its size.
#[derive(Clone)]
struct Known {
    ty: Type,
    parts: usize,
    depth: usize,
}

/// An entry of `types`, its names not looked up yet.
enum Declared {
    Struct(Vec<(String, Type, usize)>),
    Enum(Vec<String>),
    Alias(Type, usize),
    Handle,
}

enum State {
    Declared(Declared),
    /// Being looked up: to come here again is recursion.
    Open,
    Known(Known),
    /// Reported already.
    Broken,
}

/// The types of one manifest.
pub(super) struct Types {
    states: BTreeMap<String, State>,
}

impl Types {
    /// Decodes `types`, if the manifest has them.
    pub(super) fn decode(node: Option<&Node<'_>>, root: &Place<'_>, problems: &mut Problems<'_>) -> Self {
        let mut types = Self { states: BTreeMap::new() };
        let place = root.key("types");
        let items = node.and_then(|node| fields::array(node, &place, problems)).unwrap_or_default();
        for (index, item) in items.iter().enumerate() {
            types.declare(item, place.index(index), problems);
        }
        let names: Vec<String> = types.states.keys().cloned().collect();
        for name in names {
            types.known(&name, 0, problems);
        }
        types
    }

    /// Every declared type.
    pub(super) fn into_types(self) -> BTreeMap<String, Type> {
        let known = |(name, state)| match state {
            State::Known(known) => Some((name, known.ty)),
            _ => None,
        };
        self.states.into_iter().filter_map(known).collect()
    }

    /// The type that a field's text stands for, with its names looked up.
    pub(super) fn resolve(
        &mut self,
        node: &Node<'_>,
        place: &Place<'_>,
        problems: &mut Problems<'_>,
    ) -> Option<Type> {
        let ty = parse(node, place, problems)?;
        Some(self.look_up(&ty, node.offset, 0, problems)?.ty)
    }

    fn declare(&mut self, item: &Node<'_>, place: Place<'_>, problems: &mut Problems<'_>) {
        let Some(mut of) = Fields::of(item, place, problems) else { return };
        let name_at = of.required("name", problems);
        let name = name_at.and_then(|node| fields::parsed(node, &place.key("name"), problems, type_name));
        let kind_at = of.required("kind", problems);
        let kind = kind_at.and_then(|node| fields::string(node, &place.key("kind"), problems));
        let declared = match kind {
            Some("struct") => struct_fields(&mut of, place, problems).map(Declared::Struct),
            Some("enum") => enum_values(&mut of, place, problems).map(Declared::Enum),
            Some("alias") => of.required("base_type", problems).and_then(|node| {
                Some(Declared::Alias(parse(node, &place.key("base_type"), problems)?, node.offset))
            }),
            Some("handle") => Some(Declared::Handle),
            Some(other) => {
                let kinds = KINDS.iter().map(|(kind, _)| *kind);
                let hint = suggest(other, kinds).map(|n| format!("did you mean `{n}`?"));
                let wrong = format!("is {}; known are `struct`, `enum`, `alias` and `handle`", shown(other));
                let wrong = Wrong::new(wrong).maybe_hint(hint).of(place.key("kind"));
                problems.say(Code::ManifestValue, kind_at.map_or(item.offset, |n| n.offset), wrong);
                return;
            }
            None => None,
        };
        for (kind_of, field) in KINDS {
            let Some(field) = *field else { continue };
            if let (Some(kind), Some(node)) = (kind, of.take(field))
                && kind != *kind_of
            {
                let wrong = Wrong::new(format!("belongs to a type of the kind `{kind_of}`, not `{kind}`"));
                problems.say(Code::ManifestField, node.offset, wrong.of(place.key(field)));
            }
        }
        of.finish(problems);
        let Some(name) = name else { return };
        let state = declared.map_or(State::Broken, State::Declared);
        match self.states.entry(name) {
            Slot::Vacant(slot) => {
                slot.insert(state);
            }
            Slot::Occupied(slot) => {
                let wrong = Wrong::new(format!("the type `{}` is declared twice", slot.key()));
                problems.say(Code::ManifestValue, name_at.map_or(item.offset, |n| n.offset), wrong);
            }
        }
    }

    /// The declared type of this name. `None` where there is none, or a broken one.
    fn known(&mut self, name: &str, level: usize, problems: &mut Problems<'_>) -> Option<Known> {
        let state = self.states.get_mut(name)?;
        let declared = match state {
            State::Known(known) => return Some(known.clone()),
            State::Open | State::Broken => return None,
            State::Declared(_) => match std::mem::replace(state, State::Open) {
                State::Declared(declared) => declared,
                _ => return None,
            },
        };
        let known = match declared {
            Declared::Alias(ty, offset) => self.look_up(&ty, offset, level + 1, problems),
            Declared::Enum(values) => {
                let ty = Type::Enum(Arc::new(EnumType { name: name.to_owned(), values }));
                Some(Known { ty, parts: 1, depth: 1 })
            }
            Declared::Handle => Some(Known { ty: Type::Handle(name.into()), parts: 1, depth: 1 }),
            Declared::Struct(fields) => self.known_struct(name, fields, level, problems),
        };
        let state = known.clone().map_or(State::Broken, State::Known);
        self.states.insert(name.to_owned(), state);
        known
    }

    fn known_struct(
        &mut self,
        name: &str,
        declared: Vec<(String, Type, usize)>,
        level: usize,
        problems: &mut Problems<'_>,
    ) -> Option<Known> {
        let mut fields = Vec::with_capacity(declared.len());
        let (mut parts, mut depth) = (1, 0);
        for (name, ty, offset) in declared {
            let known = whole(self.look_up(&ty, offset, level + 1, problems)?, offset, problems)?;
            parts += known.parts;
            depth = depth.max(known.depth);
            if !fits(parts, depth + 1, offset, problems) {
                return None;
            }
            fields.push(Field { name, ty: known.ty });
        }
        let ty = Type::Struct(Arc::new(StructType { name: name.to_owned(), fields }));
        Some(Known { ty, parts, depth: depth + 1 })
    }

    fn look_up(
        &mut self,
        ty: &Type,
        offset: usize,
        level: usize,
        problems: &mut Problems<'_>,
    ) -> Option<Known> {
        if !fits(0, level, offset, problems) {
            return None;
        }
        let mut inner = |ty: &Type| {
            let known = self.look_up(ty, offset, level + 1, problems)?;
            whole(known, offset, problems)
        };
        let (ty, parts, depth) = match ty {
            Type::Array(item) => {
                let item = inner(item)?;
                (Type::Array(Box::new(item.ty)), item.parts, item.depth)
            }
            Type::Map(item) => {
                let item = inner(item)?;
                (Type::Map(Box::new(item.ty)), item.parts, item.depth)
            }
            Type::Option(item) => {
                let item = inner(item)?;
                if matches!(item.ty, Type::Option(_) | Type::Any) {
                    let wrong = Wrong::new(format!("`{ty}` is optional twice: `{}` includes `()`", item.ty));
                    problems.say(Code::ManifestValue, offset, wrong);
                    return None;
                }
                (Type::Option(Box::new(item.ty)), item.parts, item.depth)
            }
            Type::Fn(params, returns) => {
                let params = params.iter().map(&mut inner).collect::<Option<Vec<Known>>>()?;
                let returns = inner(returns)?;
                let parts = params.iter().map(|p| p.parts).sum::<usize>() + returns.parts;
                let depth = params.iter().map(|p| p.depth).fold(returns.depth, usize::max);
                let params = params.into_iter().map(|p| p.ty).collect();
                (Type::Fn(params, Box::new(returns.ty)), parts, depth)
            }
            Type::Named(name) => return self.named(name, offset, level, problems),
            plain => (plain.clone(), 0, 0),
        };
        let known = Known { ty, parts: parts + 1, depth: depth + 1 };
        fits(known.parts, known.depth, offset, problems).then_some(known)
    }

    fn named(
        &mut self,
        name: &str,
        offset: usize,
        level: usize,
        problems: &mut Problems<'_>,
    ) -> Option<Known> {
        match self.states.get(name) {
            None => {
                let declared = self.states.keys().map(String::as_str);
                let near = suggest(name, declared.chain(BUILT_IN.iter().copied()));
                let hint = near.map_or_else(
                    || "declare it in `types`".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                let wrong = Wrong::new(format!("unknown type {}", shown(name))).hint(hint);
                problems.say(Code::ManifestValue, offset, wrong);
                None
            }
            Some(State::Open) => {
                let wrong = Wrong::new(format!("the type `{name}` contains itself"))
                    .hint("use `any` or `map<any>` where it begins again");
                problems.say(Code::ManifestValue, offset, wrong);
                None
            }
            Some(_) => {
                let known = self.known(name, level, problems)?;
                fits(known.parts, level + known.depth, offset, problems).then_some(known)
            }
        }
    }
}

/// The type of a part of another one, which a handle cannot be.
fn whole(known: Known, offset: usize, problems: &mut Problems<'_>) -> Option<Known> {
    let Type::Handle(name) = &known.ty else { return Some(known) };
    let wrong = Wrong::new(format!("the handle `{name}` cannot be a part of another type"))
        .hint("pass it as a parameter or a result of its own");
    problems.say(Code::ManifestValue, offset, wrong);
    None
}

fn fits(parts: usize, depth: usize, offset: usize, problems: &mut Problems<'_>) -> bool {
    let wrong = if depth > MAX_DEPTH {
        format!("the type nests deeper than {MAX_DEPTH} levels")
    } else if parts > MAX_PARTS {
        format!("the type has more than {MAX_PARTS} parts once its names are looked up")
    } else {
        return true;
    };
    problems.say(Code::ManifestValue, offset, Wrong::new(wrong));
    false
}

fn parse(node: &Node<'_>, place: &Place<'_>, problems: &mut Problems<'_>) -> Option<Type> {
    fields::parsed(node, place, problems, |text| {
        let wrong = |e: caraway_plugin::ParseTypeError| format!("is {}, which is no type: {e}", shown(text));
        text.parse().map_err(|e| Wrong::new(wrong(e)))
    })
}

/// The name of a declared type: an identifier that no type has already.
fn type_name(name: &str) -> Result<String, Wrong> {
    names::identifier(name)?;
    match name.parse() {
        Ok(Type::Named(_)) => Ok(name.to_owned()),
        _ => Err(Wrong::new(format!("is `{name}`, which is a type already"))),
    }
}

fn struct_fields(
    of: &mut Fields<'_, '_, '_>,
    place: Place<'_>,
    problems: &mut Problems<'_>,
) -> Option<Vec<(String, Type, usize)>> {
    let node = of.required("fields", problems)?;
    let place = place.key("fields");
    let items = fields::array(node, &place, problems)?;
    let mut seen = HashSet::new();
    let mut declared = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let place = place.index(index);
        let mut of = Fields::of(item, place, problems)?;
        let name_at = of.required("name", problems);
        let name =
            name_at.and_then(|node| fields::parsed(node, &place.key("name"), problems, names::identifier));
        let ty_at = of.required("type", problems);
        let ty = ty_at.and_then(|node| parse(node, &place.key("type"), problems));
        of.finish(problems);
        let (name, ty, offset) = (name?, ty?, ty_at?.offset);
        if ty == Type::Void {
            let wrong = Wrong::new("is `void`, which is only a result").of(place.key("type"));
            problems.say(Code::ManifestValue, offset, wrong);
        }
        if !seen.insert(name.clone()) {
            let wrong = Wrong::new(format!("the field `{name}` is declared twice"));
            problems.say(Code::ManifestValue, name_at?.offset, wrong);
        }
        declared.push((name, ty, offset));
    }
    Some(declared)
}

fn enum_values(
    of: &mut Fields<'_, '_, '_>,
    place: Place<'_>,
    problems: &mut Problems<'_>,
) -> Option<Vec<String>> {
    let node = of.required("values", problems)?;
    let place = place.key("values");
    let values = fields::list(node, &place, problems, |value| Ok(value.to_owned()));
    let mut seen = HashSet::new();
    if let Some(twice) = values.iter().find(|value| !seen.insert(value.as_str())) {
        let wrong = Wrong::new(format!("has {} twice", shown(twice))).of(place);
        problems.say(Code::ManifestValue, node.offset, wrong);
    }
    if values.is_empty() {
        problems.say(Code::ManifestValue, node.offset, Wrong::new("is empty").of(place));
    }
    Some(values)
}
