//! Settings of plugins: what the operator sets, against what the manifest's `config` declares.
//!
//! Pure: whoever reads files and flags puts what it finds into a [`Configuration`].

use crate::bind::conform::{Functions, conform as conform_dynamic, from_value, to_value};
use crate::bind::suggest;
use crate::code::Code;
use crate::error::{Error, Location};
use crate::manifest::{Manifest, Setting};
use caraway_plugin::{Type, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// What the operator sets, by plugin and by setting.
///
/// ```
/// use caraway_loaders_core::Value;
/// use caraway_loaders_core::config::Configuration;
/// use caraway_loaders_core::manifest::Manifest;
/// use std::path::Path;
///
/// let manifest = r#"{
///     "name": "pager", "version": "1.0.0", "type": "module",
///     "config": {"lines": {"type": "int", "default": 25}, "title": {"type": "string?"}}
/// }"#;
/// let manifest = Manifest::parse(Path::new("pager/plugin.json"), manifest.as_bytes())?;
///
/// let mut configuration = Configuration::default();
/// configuration.set("pager", "title", Value::String("All".to_owned()), None);
/// let settings = configuration.settle(&manifest, Path::new("caraway.toml"))?;
/// let expected = [("lines", Value::Int(25)), ("title", Value::String("All".to_owned()))];
/// assert_eq!(settings, Value::Map(expected.map(|(name, value)| (name.to_owned(), value)).into()));
///
/// configuration.set("pager", "lnies", Value::Int(50), None);
/// let error = configuration.settle(&manifest, Path::new("caraway.toml")).unwrap_err();
/// assert_eq!(error.message(), "`pager` has no setting `lnies`");
/// # Ok::<(), caraway_loaders_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Configuration(BTreeMap<String, BTreeMap<String, Given>>);

/// A setting that the operator gave.
#[derive(Debug, Clone)]
struct Given {
    value: Value,
    place: Option<Place>,
}

/// Where a setting stands in a configuration file.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its name.
    pub name: Location,
    /// Its value.
    pub value: Location,
}

impl Configuration {
    /// Sets a setting of a plugin, in place of the value that it had. Without a place it was not read from a
    /// file.
    pub fn set(&mut self, plugin: &str, setting: &str, value: Value, place: Option<Place>) {
        let settings = self.0.entry(plugin.to_owned()).or_default();
        settings.insert(setting.to_owned(), Given { value, place });
    }

    /// Both, setting by setting; where both have one, this one's.
    #[must_use]
    pub fn over(mut self, other: &Self) -> Self {
        for (plugin, settings) in &other.0 {
            let own = self.0.entry(plugin.clone()).or_default();
            for (name, given) in settings {
                own.entry(name.clone()).or_insert_with(|| given.clone());
            }
        }
        self
    }

    /// The plugins that it has settings for, and where each has its first one, by name.
    pub fn plugins(&self) -> impl Iterator<Item = (&str, Option<&Location>)> {
        self.0.iter().map(|(plugin, settings)| {
            let place = settings.values().find_map(|given| given.place.as_ref());
            (plugin.as_str(), place.map(|place| &place.name))
        })
    }

    /// The settings of a plugin, as [`LoadRequest::config`](crate::loader::LoadRequest::config) has them:
    /// each that the manifest declares, of its declared type. `file` is the configuration file that the
    /// operator would write to.
    ///
    /// # Errors
    ///
    /// [`Code::Config`] for settings that the manifest does not declare, for values of another type, and for
    /// required settings that are missing; all of them at once, see [`Error::others`].
    pub fn settle(&self, manifest: &Manifest, file: &Path) -> Result<Value, Error> {
        let empty = BTreeMap::new();
        let given = self.0.get(&manifest.name).unwrap_or(&empty);
        let mut errors: Vec<Error> = given
            .iter()
            .filter(|(name, _)| manifest.config.iter().all(|setting| setting.name != **name))
            .map(|(name, given)| unknown(manifest, name, given))
            .collect();
        let mut settings = BTreeMap::new();
        for setting in &manifest.config {
            let value = match (given.get(&setting.name), &setting.default) {
                (Some(given), _) => checked(manifest, setting, given),
                (None, Some(default)) => Ok(default.clone()),
                (None, None) if setting.required => Err(missing(manifest, setting, file)),
                (None, None) => Ok(Value::Unit),
            };
            match value {
                Ok(value) => drop(settings.insert(setting.name.clone(), value)),
                Err(error) => errors.push(error),
            }
        }
        match Error::from_many(errors) {
            Some(error) => Err(error),
            None => Ok(Value::Map(settings)),
        }
    }
}

fn unknown(manifest: &Manifest, name: &str, given: &Given) -> Error {
    let plugin = &manifest.name;
    let names = || manifest.config.iter().map(|setting| setting.name.as_str());
    let error = match manifest.config.is_empty() {
        true => Error::new(Code::Config, format!("`{plugin}` takes no settings, and `{name}` is set")),
        false => Error::new(Code::Config, format!("`{plugin}` has no setting `{name}`")),
    };
    let hint = match suggest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if manifest.config.is_empty() => "take it out".to_owned(),
        None => format!("it has {}", names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    };
    placed(error.hint(hint), given.place.as_ref().map(|place| &place.name))
}

fn checked(manifest: &Manifest, setting: &Setting, given: &Given) -> Result<Value, Error> {
    conform(&setting.ty, given.value.clone()).map_err(|error| {
        let about = format!("the setting `{}` of `{}` {}", setting.name, manifest.name, error.message());
        let error = Error::new(Code::Config, about);
        let wants_text = matches!(unwrapped(&setting.ty), Type::String | Type::Enum(_));
        let is_text = matches!(given.value, Value::String(_));
        let error = if wants_text && !is_text { error.hint("write it in double quotes") } else { error };
        placed(error, given.place.as_ref().map(|place| &place.value))
    })
}

fn missing(manifest: &Manifest, setting: &Setting, file: &Path) -> Error {
    let (plugin, name, ty) = (&manifest.name, &setting.name, &setting.ty);
    Error::new(Code::Config, format!("`{plugin}` needs the setting `{name}`, of the type {ty}"))
        .hint(format!("add `{name} = {}` below `[config.{plugin}]` in {}", example(ty), file.display()))
}

fn placed(error: Error, location: Option<&Location>) -> Error {
    match location {
        Some(location) => error.at(location.clone()),
        None => error,
    }
}

/// The value as one of this type, an int as a float where that is declared.
///
/// # Errors
///
/// What does not fit, as a predicate: "must be int, found string".
pub(crate) fn conform(ty: &Type, value: Value) -> Result<Value, Error> {
    to_value(&conform_dynamic(ty, from_value(value), Functions::Refuse)?)
}

/// Whether TOML and JSON can write every part of a value of this type.
pub(crate) fn can_be_written(ty: &Type) -> bool {
    let known = |ty: &Type| {
        matches!(
            ty,
            Type::Int
                | Type::Float
                | Type::Bool
                | Type::String
                | Type::Any
                | Type::Array(_)
                | Type::Map(_)
                | Type::Option(_)
                | Type::Struct(_)
                | Type::Enum(_)
        )
    };
    !ty.any(&|part| !known(part))
}

fn unwrapped(ty: &Type) -> &Type {
    if let Type::Option(inner) = ty { inner } else { ty }
}

/// A value of this type as TOML writes it, to be replaced by the right one.
fn example(ty: &Type) -> String {
    match ty {
        Type::Int => "0".to_owned(),
        Type::Float => "0.0".to_owned(),
        Type::Bool => "false".to_owned(),
        Type::Array(_) => "[]".to_owned(),
        Type::Map(_) => "{}".to_owned(),
        Type::Option(inner) => example(inner),
        Type::Enum(definition) => {
            toml::Value::String(definition.values.first().cloned().unwrap_or_default()).to_string()
        }
        Type::Struct(definition) => {
            let needed = definition.fields.iter().filter(|field| !matches!(field.ty, Type::Option(_)));
            let fields: Vec<String> =
                needed.map(|field| format!("{} = {}", field.name, example(&field.ty))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        _ => "\"...\"".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
        name = "p"
        version = "1.0.0"
        type = "module"
        types = [
            { name = "Deep", kind = "struct", fields = [{ name = "at", type = "Point" }, { name = "x", type = "int?" }] },
            { name = "Point", kind = "struct", fields = [{ name = "x", type = "float" }, { name = "on", type = "bool" }] },
            { name = "Odd", kind = "enum", values = ['say "hi"', "no"] },
        ]
        [config]
        size = { type = "int", default = 1 }
        ratio = { type = "float", default = 0.5 }
        deep = { type = "Deep", required = true }
        odd = { type = "Odd", required = true }
        names = { type = "array<string>", required = true }
    "#;

    fn manifest() -> Manifest {
        Manifest::parse(Path::new("plugin.toml"), MANIFEST.as_bytes()).unwrap()
    }

    fn place(line: usize) -> Place {
        Place { name: Location::new("caraway.toml", line, 1), value: Location::new("caraway.toml", line, 9) }
    }

    /// What settling says: message, place, hint.
    fn said(configuration: &Configuration) -> Vec<(String, String, String)> {
        let error = configuration.settle(&manifest(), Path::new("my/caraway.toml")).unwrap_err();
        let all = std::iter::once(&error).chain(error.others());
        all.map(|error| {
            assert_eq!(error.code(), Code::Config);
            let place = error.location().map(Location::to_string).unwrap_or_default();
            (error.message().to_owned(), place, error.hint_text().unwrap_or_default().to_owned())
        })
        .collect()
    }

    #[test]
    fn all_problems_are_said_at_once() {
        let mut configuration = Configuration::default();
        configuration.set("p", "sizes", Value::Int(1), Some(place(1)));
        configuration.set("p", "size", Value::Float(1.0), Some(place(2)));
        configuration.set("p", "ratio", Value::Int(2), Some(place(3)));
        configuration.set("p", "names", Value::Array(vec![Value::Int(1)]), None);
        configuration.set("other", "nonsense", Value::Unit, None);
        let expected = [
            ("`p` has no setting `sizes`", "caraway.toml:1:1", "did you mean `size`?"),
            ("the setting `size` of `p` must be int, found float", "caraway.toml:2:9", ""),
            (
                "`p` needs the setting `deep`, of the type Deep",
                "",
                "add `deep = { at = { x = 0.0, on = false } }` below `[config.p]` in my/caraway.toml",
            ),
            (
                "`p` needs the setting `odd`, of the type Odd",
                "",
                "add `odd = 'say \"hi\"'` below `[config.p]` in my/caraway.toml",
            ),
            ("the setting `names` of `p` must be string, found int at `[0]`", "", ""),
        ];
        assert_eq!(
            said(&configuration),
            expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()))
        );
    }

    #[test]
    fn the_line_to_add_is_one_that_is_accepted() {
        let mut configuration = Configuration::default();
        for (_, _, hint) in said(&configuration) {
            let line = hint.split('`').nth(1).unwrap();
            let table: toml::Table = line.parse().unwrap();
            for (name, value) in table {
                configuration.set("p", &name, plain(value), None);
            }
        }
        assert!(configuration.settle(&manifest(), Path::new("caraway.toml")).is_ok());
    }

    fn plain(value: toml::Value) -> Value {
        match value {
            toml::Value::Table(table) => {
                Value::Map(table.into_iter().map(|(key, value)| (key, plain(value))).collect())
            }
            toml::Value::Array(_) => Value::Array(Vec::new()),
            toml::Value::String(text) => Value::String(text),
            toml::Value::Boolean(bool) => Value::Bool(bool),
            other => Value::Float(other.as_float().unwrap()),
        }
    }

    #[test]
    fn what_is_over_wins_setting_by_setting() {
        let of = |value, names: &[(&str, &str)]| {
            let mut configuration = Configuration::default();
            names.iter().for_each(|(plugin, name)| configuration.set(plugin, name, Value::Int(value), None));
            configuration
        };
        let both =
            of(1, &[("p", "a"), ("p", "b"), ("q", "a")]).over(&of(2, &[("p", "b"), ("p", "c"), ("r", "a")]));
        let values = |plugin: &str| {
            let settings = both.0[plugin].iter();
            settings.map(|(name, given)| (name.clone(), given.value.clone())).collect::<Vec<_>>()
        };
        let expected =
            [("a", 1), ("b", 1), ("c", 2)].map(|(name, value)| (name.to_owned(), Value::Int(value)));
        assert_eq!(values("p"), expected);
        assert_eq!(both.plugins().map(|(plugin, _)| plugin).collect::<Vec<_>>(), ["p", "q", "r"]);
    }

    #[test]
    fn nothing_declared_is_an_empty_map() {
        let manifest = Manifest::new("p", semver::Version::new(1, 0, 0), "module");
        let mut configuration = Configuration::default();
        let settings = configuration.settle(&manifest, Path::new("caraway.toml")).unwrap();
        assert_eq!(settings, Value::Map(BTreeMap::new()));
        configuration.set("p", "x", Value::Unit, None);
        let error = configuration.settle(&manifest, Path::new("caraway.toml")).unwrap_err();
        assert_eq!(error.message(), "`p` takes no settings, and `x` is set");
    }
}
