//! Settings of plugins on the command line: set with `--config`, shown by `info` and `validate`.

use super::argument;
use crate::diagnostic::one_line;
use crate::lookup::broken;
use crate::runtime::Builder;
use crate::session::Session;
use caraway_loaders_core::bind::suggest;
use caraway_loaders_core::manifest::Setting;
use caraway_loaders_core::{Code, Error, Location, Value};
use serde_json::json;
use std::fmt::Write;

/// Adds what a `--config PLUGIN.KEY=VALUE` says. The value is JSON, or else a string.
pub(super) fn set(builder: Builder, text: &str) -> Result<Builder, Error> {
    let refuse = |what: &str| Error::new(Code::Usage, format!("`--config {text}`: {what}"));
    let (place, value) = text.split_once('=').unwrap_or((text, ""));
    let (plugin, name) = match place.split_once('.') {
        Some((plugin, name)) if !plugin.is_empty() && !name.is_empty() && place.len() < text.len() => {
            (plugin, name)
        }
        _ => return Err(refuse("is not PLUGIN.KEY=VALUE").hint("for example `--config pager.lines=50`")),
    };
    let value = argument::value(value)
        .map_err(|number| refuse(&format!("{number} is no 64-bit integer")).hint("write it as a string"))?;
    Ok(builder.config(plugin, [(name, value)]))
}

/// A warning for each plugin that the project or the command line has settings for and that is not there: a
/// slip of the finger. The user's own file is for all projects, and not all have the same plugins.
pub(super) fn unused(session: &Session) -> Vec<Error> {
    let catalog = session.catalog();
    let there = || catalog.plugins.iter().map(|plugin| plugin.manifest.name.as_str());
    let warning = |(name, place): (&str, Option<&Location>)| {
        if there().any(|other| other == name) || broken(catalog, name).is_some() {
            return None;
        }
        let message = format!("there are settings for `{name}`, and no plugin is called that");
        let mut warning = Error::new(Code::Config, message);
        if let Some(near) = suggest(name, there()) {
            warning = warning.hint(format!("did you mean `{near}`?"));
        }
        Some(match place {
            Some(place) => warning.at(place.clone()),
            None => warning,
        })
    };
    session.own_config().plugins().filter_map(warning).collect()
}

/// Settings that a plugin takes, for people: a line for each, and one for its description.
pub(super) fn text(settings: &[Setting]) -> String {
    let mut text = String::new();
    for setting in settings {
        let value = match &setting.default {
            _ if setting.secret && setting.required => " (secret, required)".to_owned(),
            _ if setting.secret => " (secret)".to_owned(),
            Some(default) => format!(" = {}", value(default)),
            None if setting.required => " (required)".to_owned(),
            None => String::new(),
        };
        let _ = writeln!(text, "  {}: {}{}", setting.name, setting.ty, one_line(&value));
        if let Some(description) = &setting.description {
            let _ = writeln!(text, "      {}", one_line(description));
        }
    }
    text
}

/// The same for programs.
pub(super) fn list(settings: &[Setting]) -> serde_json::Value {
    let setting = |setting: &Setting| {
        json!({
            "name": setting.name,
            "type": setting.ty.to_string(),
            "default": setting.default.as_ref().map(value),
            "required": setting.required,
            "secret": setting.secret,
            "description": setting.description,
        })
    };
    settings.iter().map(setting).collect()
}

/// A default, which has nothing in it that JSON cannot write.
fn value(default: &Value) -> serde_json::Value {
    match default {
        Value::Bool(bool) => (*bool).into(),
        Value::Int(int) => (*int).into(),
        Value::Float(float) => (*float).into(),
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(value).collect(),
        Value::Map(entries) => entries.iter().map(|(key, item)| (key.clone(), value(item))).collect(),
        Value::Unit | Value::Char(_) | Value::Bytes(_) => serde_json::Value::Null,
    }
}
