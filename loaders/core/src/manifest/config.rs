//! `config`: the settings that a plugin takes.

use super::Setting;
use super::fields::{self, Fields, Place};
use super::names;
use super::problems::{Problems, Wrong};
use super::tree::{Node, Value};
use super::types::Types;
use crate::code::Code;
use crate::config;
use caraway_plugin::Type;

/// Decodes `config`; what is broken is reported and left out.
pub(super) fn decode(
    node: &Node<'_>,
    root: &Place<'_>,
    types: &mut Types,
    problems: &mut Problems<'_>,
) -> Vec<Setting> {
    let place = root.key("config");
    let entries = fields::table(node, &place, problems).unwrap_or_default();
    let mut settings = Vec::with_capacity(entries.len());
    for entry in entries {
        if let Err(wrong) = names::setting(&entry.key) {
            problems.say(Code::ManifestValue, entry.offset, wrong.of("a name in config"));
        }
        settings.extend(setting(&entry.key, &entry.node, place.key(&entry.key), types, problems));
    }
    settings
}

fn setting(
    name: &str,
    node: &Node<'_>,
    place: Place<'_>,
    types: &mut Types,
    problems: &mut Problems<'_>,
) -> Option<Setting> {
    let mut of = Fields::of(node, place, problems)?;
    let ty_at = of.required("type", problems);
    let ty = ty_at.and_then(|node| types.resolve(node, &place.key("type"), problems));
    let default_at = of.take("default");
    let required_at = of.take("required");
    let required = of.boolean("required", problems).or(required_at.is_none().then_some(false));
    let description = of.string("description", problems).map(str::to_owned);
    let secret_at = of.take("secret");
    let secret = of.boolean("secret", problems).or(secret_at.is_none().then_some(false));
    of.finish(problems);

    let (ty, required, secret) = (ty?, required?, secret?);
    let mut refuse = |offset, wrong| problems.say(Code::ManifestValue, offset, wrong);
    if !config::can_be_written(&ty) {
        refuse(
            ty_at?.offset,
            Wrong::new(format!("is `{ty}`, which a configuration file cannot write"))
                .hint("known are `int`, `float`, `bool`, `string`, `any`, arrays and maps of these, structs and enums")
                .of(place.key("type")),
        );
        return None;
    }
    if secret && (*config::unwrapped(&ty) != Type::String || default_at.is_some()) {
        let with = if default_at.is_some() { " with a default" } else { "" };
        refuse(
            secret_at?.offset,
            Wrong::new(format!("`{place}` is a secret, and is `{ty}`{with}"))
                .hint("a secret is a `string` or a `string?`, without a default"),
        );
    }
    match (required, default_at) {
        (true, Some(_)) => refuse(
            required_at?.offset,
            Wrong::new(format!("`{place}` is required and has a default")).hint("take out one of them"),
        ),
        (true, None) if matches!(ty, Type::Option(_)) => refuse(
            required_at?.offset,
            Wrong::new(format!("`{place}` is required and of the type `{ty}`, for which `()` will do"))
                .hint("take out `required`, or the question mark"),
        ),
        (false, None) if !matches!(ty, Type::Option(_) | Type::Any) => refuse(
            node.offset,
            Wrong::new(format!("`{place}` has no value where nobody sets it"))
                .hint(format!("give it a `default`, `required = true`, or the type `{ty}?`")),
        ),
        _ => {}
    }
    let default = match default_at {
        Some(node) => Some(default(node, &place.key("default"), &ty, problems)?),
        None => None,
    };
    Some(Setting { name: name.to_owned(), ty, default, required, description, secret })
}

fn default(
    node: &Node<'_>,
    place: &Place<'_>,
    ty: &Type,
    problems: &mut Problems<'_>,
) -> Option<caraway_plugin::Value> {
    let value = value(node, place, problems)?;
    match config::conform(ty, value) {
        Ok(value) => Some(value),
        Err(error) => {
            let wrong = Wrong::new(error.message()).of(place);
            problems.say(Code::ManifestValue, node.offset, wrong);
            None
        }
    }
}

/// The value that a manifest writes.
fn value(node: &Node<'_>, place: &Place<'_>, problems: &mut Problems<'_>) -> Option<caraway_plugin::Value> {
    use caraway_plugin::Value as Plain;
    let expected = match &node.value {
        Value::Null => return Some(Plain::Unit),
        Value::Bool(bool) => return Some(Plain::Bool(*bool)),
        Value::Int(int) => return Some(Plain::Int(*int)),
        Value::Float(float) if float.is_nan() => "a number that fits 64 bits",
        Value::Float(float) => return Some(Plain::Float(*float)),
        Value::String(text) => return Some(Plain::String(text.clone().into_owned())),
        Value::Date => "a value that plugins know; write it as a string",
        Value::Array(items) => {
            let items = items.iter().enumerate();
            let items = items.map(|(index, item)| value(item, &place.index(index), problems));
            return items.collect::<Option<_>>().map(Plain::Array);
        }
        Value::Table(entries) => {
            let entries = entries.iter().map(|entry| {
                let value = value(&entry.node, &place.key(&entry.key), problems)?;
                Some((entry.key.clone().into_owned(), value))
            });
            return entries.collect::<Option<_>>().map(Plain::Map);
        }
    };
    fields::wrong_type(node, place, expected, problems)
}
