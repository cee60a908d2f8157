//! Settings of plugins: what the operator sets, against what the manifest's `config` declares.
//!
//! Pure: whoever reads files and flags puts what it finds into a [`Configuration`].

use crate::bind::conform::{Functions, conform as conform_dynamic, from_value, to_value};
use crate::bind::suggest;
use crate::code::Code;
use crate::error::{Error, Location};
use crate::manifest::{Manifest, Setting};
use crate::secret::Secrets;
use caraway_plugin::{Type, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

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
/// let settings = configuration.settle(&manifest, Path::new("caraway.toml"), &|_| Err("is not there".to_owned()))?;
/// let expected = [("lines", Value::Int(25)), ("title", Value::String("All".to_owned()))];
/// assert_eq!(settings, Value::Map(expected.map(|(name, value)| (name.to_owned(), value)).into()));
///
/// configuration.set("pager", "lnies", Value::Int(50), None);
/// let error = configuration.settle(&manifest, Path::new("caraway.toml"), &|_| Err("is not there".to_owned())).unwrap_err();
/// assert_eq!(error.message(), "`pager` has no setting `lnies`");
/// # Ok::<(), caraway_loaders_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Configuration(BTreeMap<String, BTreeMap<String, Given>>);

/// A setting that the operator gave.
#[derive(Debug, Clone)]
struct Given {
    value: GivenValue,
    place: Option<Place>,
    /// Whether a project says it, which may be a stranger's.
    by_project: bool,
}

#[derive(Clone)]
enum GivenValue {
    Plain(Value),
    Secret(String),
}

impl fmt::Debug for GivenValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(value) => value.fmt(f),
            Self::Secret(_) => f.write_str("a secret"),
        }
    }
}

/// Where a secret is to be taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable of the host: `{ env = "API_TOKEN" }`.
    Environment(String),
    /// A file: `{ file = "/run/secrets/token" }`. Relative to the configuration file that says it, or to the
    /// current directory.
    File(PathBuf),
}

/// Gives the text of a secret, or says why there is none: "is not set", said of the source.
pub type ReadSecret<'a> = dyn Fn(&SecretSource) -> Result<String, String> + 'a;

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
        self.give(plugin, setting, GivenValue::Plain(value), place);
    }

    /// Sets a setting that the plugin's manifest declares as a secret.
    pub fn set_secret(&mut self, plugin: &str, setting: &str, secret: impl Into<String>) {
        self.give(plugin, setting, GivenValue::Secret(secret.into()), None);
    }

    fn give(&mut self, plugin: &str, setting: &str, value: GivenValue, place: Option<Place>) {
        let settings = self.0.entry(plugin.to_owned()).or_default();
        settings.insert(setting.to_owned(), Given { value, place, by_project: false });
    }

    /// The same as a project's, which may be a stranger's: it cannot say where secrets come from.
    #[must_use]
    pub fn of_project(mut self) -> Self {
        self.0.values_mut().flat_map(BTreeMap::values_mut).for_each(|given| given.by_project = true);
        self
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
    /// operator would write to; `read` is asked for secrets.
    ///
    /// # Errors
    ///
    /// [`Code::Config`] for settings that the manifest does not declare, for values of another type, for secrets
    /// that are written down, that a project sends for or that are not there, and for required settings that are
    /// missing; all of them at once, see [`Error::others`].
    pub fn settle(&self, manifest: &Manifest, file: &Path, read: &ReadSecret) -> Result<Value, Error> {
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
                (Some(given), _) if setting.secret => secret(manifest, setting, given, read),
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
    let GivenValue::Plain(value) = &given.value else {
        let about = format!("the setting `{}` of `{}` is no secret", setting.name, manifest.name);
        return Err(Error::new(Code::Config, about).hint("set it with `Builder::config`"));
    };
    conform(&setting.ty, value.clone()).map_err(|error| {
        let about = format!("the setting `{}` of `{}` {}", setting.name, manifest.name, error.message());
        let error = Error::new(Code::Config, about);
        let wants_text = matches!(unwrapped(&setting.ty), Type::String | Type::Enum(_));
        let is_text = matches!(value, Value::String(_));
        let error = if wants_text && !is_text { error.hint("write it in double quotes") } else { error };
        placed(error, given.place.as_ref().map(|place| &place.value))
    })
}

/// The text of a secret.
fn secret(manifest: &Manifest, setting: &Setting, given: &Given, read: &ReadSecret) -> Result<Value, Error> {
    let (plugin, name) = (&manifest.name, &setting.name);
    let refused =
        |what: String| placed(Error::new(Code::Config, what), given.place.as_ref().map(|place| &place.value));
    let value = match &given.value {
        GivenValue::Secret(text) => {
            return long_enough(text.clone())
                .map_err(|what| refused(format!("the secret `{name}` of `{plugin}` {what}")));
        }
        GivenValue::Plain(value) => value,
    };
    let Some(source) = source(value, given.place.as_ref()) else {
        return Err(refused(format!(
            "the setting `{name}` of `{plugin}` is a secret, which is not to be written down"
        ))
        .hint("`{ env = \"NAME\" }` takes it from the environment, `{ file = \"PATH\" }` from a file"));
    };
    if given.by_project {
        return Err(refused(format!("a project cannot say where `{plugin}` gets the secret `{name}` from"))
            .hint(format!("move the line to your own caraway.toml, or run with `{}`", flag(plugin, name))));
    }
    let from = match &source {
        SecretSource::Environment(variable) => format!("the environment variable `{variable}`"),
        SecretSource::File(path) => path.display().to_string(),
    };
    read(&source)
        .and_then(long_enough)
        .map_err(|what| refused(format!("the secret `{name}` of `{plugin}` comes from {from}, which {what}")))
}

/// What is shorter could not be kept out of messages.
fn long_enough(text: String) -> Result<Value, String> {
    match text.len() < Secrets::SHORTEST {
        true => Err(format!("is shorter than {} bytes", Secrets::SHORTEST)),
        false => Ok(Value::String(text)),
    }
}

/// Where a secret comes from, if a value says that.
fn source(value: &Value, place: Option<&Place>) -> Option<SecretSource> {
    let Value::Map(entries) = value else { return None };
    let (key, Value::String(text)) = entries.first_key_value()? else { return None };
    match key.as_str() {
        _ if entries.len() > 1 || text.is_empty() => None,
        "env" => Some(SecretSource::Environment(text.clone())),
        "file" => {
            let folder = place.and_then(|place| place.value.file.parent()).unwrap_or(Path::new(""));
            Some(SecretSource::File(folder.join(text)))
        }
        _ => None,
    }
}

fn flag(plugin: &str, name: &str) -> String {
    format!("--config '{plugin}.{name}={{\"env\":\"NAME\"}}'")
}

fn missing(manifest: &Manifest, setting: &Setting, file: &Path) -> Error {
    let (plugin, name, ty) = (&manifest.name, &setting.name, &setting.ty);
    if setting.secret {
        return Error::new(Code::Config, format!("`{plugin}` needs the secret `{name}`")).hint(format!(
            "run with `{}`, or add `{name} = {{ env = \"NAME\" }}` below `[config.{plugin}]` in your own caraway.toml",
            flag(plugin, name)
        ));
    }
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

/// The type without its question mark.
pub(crate) fn unwrapped(ty: &Type) -> &Type {
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

    fn none(_: &SecretSource) -> Result<String, String> {
        Err("is not there".to_owned())
    }

    fn manifest() -> Manifest {
        Manifest::parse(Path::new("plugin.toml"), MANIFEST.as_bytes()).unwrap()
    }

    fn place(line: usize) -> Place {
        Place { name: Location::new("caraway.toml", line, 1), value: Location::new("caraway.toml", line, 9) }
    }

    /// What settling says: message, place, hint.
    fn said(configuration: &Configuration) -> Vec<(String, String, String)> {
        let error = configuration.settle(&manifest(), Path::new("my/caraway.toml"), &none).unwrap_err();
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
        assert!(configuration.settle(&manifest(), Path::new("caraway.toml"), &none).is_ok());
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
            settings.map(|(name, given)| (name.clone(), format!("{:?}", given.value))).collect::<Vec<_>>()
        };
        let expected =
            [("a", 1), ("b", 1), ("c", 2)].map(|(name, value)| (name.to_owned(), format!("Int({value})")));
        assert_eq!(values("p"), expected);
        assert_eq!(both.plugins().map(|(plugin, _)| plugin).collect::<Vec<_>>(), ["p", "q", "r"]);
    }

    const SECRETIVE: &str = r#"
        name = "p"
        version = "1.0.0"
        type = "module"
        [config]
        token = { type = "string", secret = true, required = true }
        other = { type = "string?", secret = true }
        plain = { type = "any" }
    "#;

    fn read(source: &SecretSource) -> Result<String, String> {
        match source {
            SecretSource::Environment(name) if name == "TOKEN" => Ok("t0ken".to_owned()),
            SecretSource::Environment(name) if name == "SHORT" => Ok("abc".to_owned()),
            SecretSource::File(path) if path == Path::new("my/token.txt") => Ok("from a file".to_owned()),
            _ => Err("is not there".to_owned()),
        }
    }

    fn from(key: &str, text: &str) -> Value {
        Value::Map([(key.to_owned(), Value::String(text.to_owned()))].into())
    }

    #[test]
    fn secrets_come_from_elsewhere() {
        let manifest = Manifest::parse(Path::new("plugin.toml"), SECRETIVE.as_bytes()).unwrap();
        let settle = |configuration: &Configuration| {
            configuration.settle(&manifest, Path::new("my/caraway.toml"), &read).map(
                |settings| match settings {
                    Value::Map(mut settings) => settings.remove("token").unwrap(),
                    other => other,
                },
            )
        };
        let with = |value: Value, place: Option<Place>| {
            let mut configuration = Configuration::default();
            configuration.set("p", "token", value, place);
            configuration
        };
        let my = Place {
            name: Location::new("my/caraway.toml", 1, 1),
            value: Location::new("my/caraway.toml", 1, 9),
        };
        let text = |text: &str| Value::String(text.to_owned());
        for (value, place, expected) in [
            (from("env", "TOKEN"), None, Ok("t0ken")),
            (from("file", "token.txt"), Some(my.clone()), Ok("from a file")),
            (from("file", "my/token.txt"), None, Ok("from a file")),
            (
                from("env", "NONE"),
                None,
                Err("comes from the environment variable `NONE`, which is not there"),
            ),
            (from("env", "SHORT"), None, Err("`SHORT`, which is shorter than 4 bytes")),
            (from("env", ""), None, Err("is a secret, which is not to be written down")),
            (from("vault", "x"), None, Err("is a secret, which is not to be written down")),
            (text("written"), None, Err("is a secret, which is not to be written down")),
            (Value::Int(1), None, Err("is a secret, which is not to be written down")),
        ] {
            let settled = settle(&with(value.clone(), place));
            match expected {
                Ok(secret) => assert_eq!(settled.unwrap(), text(secret), "{value:?}"),
                Err(message) => {
                    let error = settled.unwrap_err();
                    assert!(error.message().contains(message), "{value:?}: {error}");
                    assert!(!error.message().contains("written\""), "{error}");
                }
            }
        }
        let error = settle(&with(from("env", "TOKEN"), Some(my)).of_project()).unwrap_err();
        assert_eq!(error.message(), "a project cannot say where `p` gets the secret `token` from");
        assert_eq!(error.location().unwrap().to_string(), "my/caraway.toml:1:9");
        let mut configuration = Configuration::default();
        assert_eq!(settle(&configuration).unwrap_err().message(), "`p` needs the secret `token`");
        configuration.set_secret("p", "token", "given");
        assert_eq!(settle(&configuration).unwrap(), text("given"));
        assert!(!format!("{configuration:?}").contains("given\""));
        configuration.set_secret("p", "plain", "given");
        assert!(settle(&configuration).unwrap_err().message().contains("`plain` of `p` is no secret"));
    }

    #[test]
    fn nothing_declared_is_an_empty_map() {
        let manifest = Manifest::new("p", semver::Version::new(1, 0, 0), "module");
        let mut configuration = Configuration::default();
        let settings = configuration
            .settle(&manifest, Path::new("caraway.toml"), &|_| Err("is not there".to_owned()))
            .unwrap();
        assert_eq!(settings, Value::Map(BTreeMap::new()));
        configuration.set("p", "x", Value::Unit, None);
        let error = configuration
            .settle(&manifest, Path::new("caraway.toml"), &|_| Err("is not there".to_owned()))
            .unwrap_err();
        assert_eq!(error.message(), "`p` takes no settings, and `x` is set");
    }
}
