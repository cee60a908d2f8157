//! `functions`: signatures with their types looked up.

use super::Function;
use super::fields::{self, Fields, Place};
use super::names;
use super::problems::{Problems, Wrong};
use super::tree::{Node, Value};
use super::types::Types;
use crate::callable::{MAX_PARAMS, callable};
use crate::code::Code;
use caraway_plugin::{Param, Signature, Type};
use std::collections::HashSet;

/// Decodes `functions`; what is broken is reported and left out.
pub(super) fn decode(
    node: &Node<'_>,
    root: &Place<'_>,
    types: &mut Types,
    problems: &mut Problems<'_>,
) -> Vec<Function> {
    let place = root.key("functions");
    let items = fields::array(node, &place, problems).unwrap_or_default();
    let mut seen = HashSet::new();
    let mut functions = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let Some((function, offset)) = one(item, place.index(index), types, problems) else { continue };
        if seen.insert(function.signature.name.clone()) {
            functions.push(function);
        } else {
            let wrong = Wrong::new(format!("the function `{}` is declared twice", function.signature.name));
            problems.say(Code::ManifestValue, offset, wrong.hint("one name is one function"));
        }
    }
    functions
}

/// A function and where its name stands.
fn one(
    item: &Node<'_>,
    place: Place<'_>,
    types: &mut Types,
    problems: &mut Problems<'_>,
) -> Option<(Function, usize)> {
    let mut of = Fields::of(item, place, problems)?;
    let name_at = of.required("name", problems);
    let name = name_at.and_then(|node| fields::string(node, &place.key("name"), problems));
    let params =
        of.take("params").map_or(Some(Vec::new()), |node| params(node, place.key("params"), types, problems));
    let returns = of
        .take("returns")
        .map_or(Some(Type::Void), |node| types.resolve(node, &place.key("returns"), problems));
    let description = of.string("description", problems).map(str::to_owned);
    let native = of.boolean("native", problems).unwrap_or(false);
    let deprecated =
        of.take("deprecated").and_then(|node| deprecated(node, &place.key("deprecated"), problems));
    of.finish(problems);

    let (name, offset) = (name?, name_at?.offset);
    // The name is checked even where the types are broken.
    let complete = params.is_some() && returns.is_some();
    let signature = Signature {
        name: name.to_owned(),
        params: params.unwrap_or_default(),
        returns: returns.unwrap_or(Type::Void),
    };
    if let Err(error) = callable(&signature) {
        problems.add(offset, || error);
        return None;
    }
    complete.then_some((Function { signature, description, documentation: None, native, deprecated }, offset))
}

/// `true`, or what to use instead; empty if that is not said.
fn deprecated(node: &Node<'_>, place: &Place<'_>, problems: &mut Problems<'_>) -> Option<String> {
    match &node.value {
        Value::Bool(deprecated) => deprecated.then(String::new),
        Value::String(advice) => Some(advice.to_string()),
        _ => fields::wrong_type(node, place, "true, or what to use instead", problems),
    }
}

fn params(
    node: &Node<'_>,
    place: Place<'_>,
    types: &mut Types,
    problems: &mut Problems<'_>,
) -> Option<Vec<Param>> {
    let mut params: Vec<Option<Param>> = Vec::new();
    for (index, item) in fields::array(node, &place, problems)?.iter().enumerate() {
        let param = param(item, place.index(index), types, problems);
        let twice = |p: &Param| params.iter().flatten().any(|other| other.name == p.name);
        if let Some(param) = param.as_ref().filter(|p| twice(p)) {
            let wrong = Wrong::new(format!("the parameter `{}` is declared twice", param.name));
            problems.say(Code::ManifestValue, item.offset, wrong);
        }
        params.push(param);
        if params.len() > MAX_PARAMS {
            break; // `callable` says so.
        }
    }
    params.into_iter().collect()
}

fn param(item: &Node<'_>, place: Place<'_>, types: &mut Types, problems: &mut Problems<'_>) -> Option<Param> {
    let mut of = Fields::of(item, place, problems)?;
    let name = of
        .required("name", problems)
        .and_then(|node| fields::parsed(node, &place.key("name"), problems, names::identifier));
    let ty_at = of.required("type", problems);
    let ty = ty_at.and_then(|node| types.resolve(node, &place.key("type"), problems));
    // For whoever reads the manifest.
    of.string("description", problems);
    of.finish(problems);
    let (name, ty) = (name?, ty?);
    if ty == Type::Void {
        let wrong = Wrong::new("is `void`, which is only a result").of(place.key("type"));
        problems.say(Code::ManifestValue, ty_at?.offset, wrong);
        return None;
    }
    Some(Param { name, ty })
}
