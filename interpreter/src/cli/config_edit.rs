//! `caraway.toml`, changed without disturbing what people wrote in it.

use crate::config::Config;
use crate::replace::replace;
use caraway_loaders_core::{Code, Error, Location};
use semver::VersionReq;
use std::path::{Path, PathBuf};
use toml_edit::{Array, DocumentMut, Item, Table, Value};

/// A `caraway.toml` that is worked on.
pub(super) struct Edit {
    file: PathBuf,
    old: String,
    /// What stands before the document: all of a file that has nothing but comments.
    head: String,
    document: DocumentMut,
}

impl Edit {
    /// The file as it is; an empty one if there is none.
    ///
    /// # Errors
    ///
    /// [`Code::Config`] if it is wrong already, [`Code::Io`] if it cannot be read.
    pub(super) fn open(file: &Path) -> Result<Self, Error> {
        let old = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Error::io(file, "read", &error)),
        };
        Config::parse(file, &old)?;
        let document: DocumentMut = old.parse().map_err(|error: toml_edit::TomlError| {
            Error::new(Code::Config, error.message()).at(Location::file(file))
        })?;
        let (head, document) = match document.is_empty() {
            true => (old.clone(), DocumentMut::new()),
            false => (String::new(), document),
        };
        Ok(Self { file: file.to_owned(), old, head, document })
    }

    /// What the file will say.
    ///
    /// # Errors
    ///
    /// As [`Config::parse`].
    #[cfg(feature = "install")]
    pub(super) fn config(&self) -> Result<Config, Error> {
        Config::parse(&self.file, &self.text())
    }

    /// Requires a plugin.
    #[cfg(feature = "install")]
    pub(super) fn depend(&mut self, name: &str, requirement: &VersionReq) -> Result<(), Error> {
        let table = self.table(&["dependencies"])?;
        match table.get_mut(name).and_then(Item::as_value_mut) {
            Some(value) => {
                let decor = value.decor().clone();
                *value = requirement.to_string().into();
                *value.decor_mut() = decor;
            }
            None => drop(table.insert(name, toml_edit::value(requirement.to_string()))),
        }
        Ok(())
    }

    /// Requires a plugin no more, and asks for no grants for it. Says whether it was required.
    #[cfg(feature = "install")]
    pub(super) fn undepend(&mut self, name: &str) -> Result<bool, Error> {
        let removed = match self.document.get_mut("dependencies").and_then(Item::as_table_like_mut) {
            Some(table) => table.remove(name).is_some(),
            None => false,
        };
        self.ungrant(name);
        Ok(removed)
    }

    fn ungrant(&mut self, name: &str) {
        if let Some(table) = self.document.get_mut("grants").and_then(Item::as_table_like_mut) {
            table.remove(name);
            if table.is_empty() {
                self.document.remove("grants");
            }
        }
    }

    /// Asks for grants for a plugin, and no others.
    #[cfg(feature = "install")]
    pub(super) fn grant(&mut self, name: &str, rules: &[String]) -> Result<(), Error> {
        if rules.is_empty() {
            self.ungrant(name);
            return Ok(());
        }
        self.table(&["grants", name])?.insert("allow", toml_edit::value(rules.iter().collect::<Array>()));
        Ok(())
    }

    /// Switches a plugin off. Says whether it was on.
    pub(super) fn disable(&mut self, name: &str) -> Result<bool, Error> {
        let list = self.disabled()?;
        if list.iter().any(|value| value.as_str() == Some(name)) {
            return Ok(false);
        }
        list.push(name);
        Ok(true)
    }

    /// Switches a plugin on. Says whether it was off.
    pub(super) fn enable(&mut self, name: &str) -> Result<bool, Error> {
        let list = self.disabled()?;
        let count = list.len();
        list.retain(|value| value.as_str() != Some(name));
        Ok(list.len() < count)
    }

    fn disabled(&mut self) -> Result<&mut Array, Error> {
        let wrong = Error::new(Code::Config, "`disabled` is no list").at(Location::file(&self.file));
        let item =
            self.table(&["plugins"])?.entry("disabled").or_insert_with(|| toml_edit::value(Array::new()));
        item.as_value_mut().and_then(Value::as_array_mut).ok_or(wrong)
    }

    /// A table, which is made if it is missing.
    fn table(&mut self, path: &[&str]) -> Result<&mut dyn toml_edit::TableLike, Error> {
        let mut table: &mut dyn toml_edit::TableLike = self.document.as_table_mut();
        for (depth, name) in path.iter().enumerate() {
            let item = table.entry(name).or_insert_with(|| {
                let mut table = Table::new();
                table.set_implicit(depth + 1 < path.len());
                Item::Table(table)
            });
            table = item.as_table_like_mut().ok_or_else(|| {
                Error::new(Code::Config, format!("`{name}` is no table")).at(Location::file(&self.file))
            })?;
        }
        Ok(table)
    }

    /// Puts it in the place of the old one, if there is anything to change.
    ///
    /// # Errors
    ///
    /// [`Code::Io`].
    pub(super) fn write(&self) -> Result<(), Error> {
        if !self.changes() {
            return Ok(());
        }
        replace(&self.file, self.text().as_bytes())
    }

    /// Whether there is anything to change.
    pub(super) fn changes(&self) -> bool {
        self.text() != self.old
    }

    fn text(&self) -> String {
        let (head, document) = (&self.head, self.document.to_string());
        match head.trim().is_empty() || document.is_empty() {
            true => format!("{head}{document}"),
            false => format!("{}\n\n{document}", head.trim_end()),
        }
    }
}
