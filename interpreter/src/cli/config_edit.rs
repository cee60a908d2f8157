//! A `caraway.toml` that is changed: comments and layout stay, and it is the old file or the new one at any time.

#[cfg(feature = "install")]
use crate::config::Config;
use crate::config::shown;
use crate::replace::replace;
use caraway_loaders_core::{Code, Error, Location};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, value};

/// A configuration file that is worked on.
pub(super) struct Edit {
    /// The file itself, behind links.
    file: PathBuf,
    old: String,
    document: DocumentMut,
}

impl Edit {
    /// Reads a file to change it. One that is not there is begun, and made by [`write`](Self::write). A link is
    /// followed, and stays one.
    ///
    /// # Errors
    ///
    /// [`Code::Io`] if it cannot be read or is a link to nowhere, [`Code::Config`] if it is no TOML.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let unreadable = |error: &std::io::Error| Error::io(&shown(path), "read", error);
        let (file, old) = match path.canonicalize() {
            Ok(file) => {
                let old = fs::read_to_string(&file).map_err(|error| unreadable(&error))?;
                (file, old)
            }
            Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => {
                (path.to_owned(), String::new())
            }
            Err(error) => return Err(unreadable(&error)),
        };
        let document = old.parse::<DocumentMut>().map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            Error::new(Code::Config, error.message()).at(Location::at_offset(shown(path), &old, offset))
        })?;
        Ok(Self { file, old, document })
    }

    /// Adds a plugin to `[plugins] disabled`; `false` if it is there.
    ///
    /// # Errors
    ///
    /// [`Code::Config`] if `plugins` is no table or `disabled` no list.
    pub(super) fn disable(&mut self, name: &str) -> Result<bool, Error> {
        let names = self.disabled()?;
        if names.iter().any(|other| other.as_str() == Some(name)) {
            return Ok(false);
        }
        // A list with an entry a line goes on like that.
        let decor = names.iter().last().map(|last| last.decor().clone());
        let prefix = decor.and_then(|decor| decor.prefix()?.as_str().map(str::to_owned));
        let on_lines = prefix.as_deref().and_then(|prefix| prefix.rfind('\n').map(|start| &prefix[start..]));
        match on_lines {
            Some(indent) => {
                let mut entry = toml_edit::Value::from(name);
                entry.decor_mut().set_prefix(indent);
                names.push_formatted(entry);
            }
            None => names.push(name),
        }
        Ok(true)
    }

    /// Takes a plugin out of `[plugins] disabled`; `false` if it is not there.
    ///
    /// # Errors
    ///
    /// As [`disable`](Self::disable).
    pub(super) fn enable(&mut self, name: &str) -> Result<bool, Error> {
        if self.document.get("plugins").and_then(|plugins| plugins.get("disabled")).is_none() {
            return Ok(false);
        }
        let names = self.disabled()?;
        let before = names.len();
        names.retain(|other| other.as_str() != Some(name));
        Ok(names.len() < before)
    }

    /// What `[plugins] disabled` names.
    pub(super) fn disabled_names(&self) -> Vec<String> {
        let disabled = self.document.get("plugins").and_then(|plugins| plugins.get("disabled"));
        let names = disabled.and_then(Item::as_array).into_iter().flatten();
        names.filter_map(|name| Some(name.as_str()?.to_owned())).collect()
    }

    /// Sets what `[dependencies]` require of a plugin; `false` if they do already.
    ///
    /// # Errors
    ///
    /// [`Code::Config`] if `dependencies` is no table.
    #[cfg(any(feature = "install", test))]
    pub(super) fn depend(&mut self, name: &str, requirement: &str) -> Result<bool, Error> {
        let dependencies = self.table("dependencies")?;
        match dependencies.get_mut(name) {
            Some(item) if item.as_str() == Some(requirement) => return Ok(false),
            Some(item) => {
                let decor = item.as_value().map(|old| old.decor().clone());
                *item = value(requirement);
                if let (Some(new), Some(decor)) = (item.as_value_mut(), decor) {
                    *new.decor_mut() = decor;
                }
            }
            None => drop(dependencies.insert(name, value(requirement))),
        }
        Ok(true)
    }

    /// Takes a plugin out of `[dependencies]`; `false` if it is not there.
    ///
    /// # Errors
    ///
    /// As [`depend`](Self::depend).
    #[cfg(any(feature = "install", test))]
    pub(super) fn undepend(&mut self, name: &str) -> Result<bool, Error> {
        if self.document.get("dependencies").is_none() {
            return Ok(false);
        }
        Ok(self.table("dependencies")?.remove(name).is_some())
    }

    /// Sets what `[grants]` ask for a plugin; without rules, it asks for nothing.
    ///
    /// # Errors
    ///
    /// [`Code::Config`] if `grants`, or what it has for the plugin, is no table.
    #[cfg(feature = "install")]
    pub(super) fn grant(&mut self, name: &str, rules: &[String]) -> Result<(), Error> {
        if rules.is_empty() {
            if let Some(table) = self.document.get_mut("grants").and_then(Item::as_table_like_mut) {
                table.remove(name);
                if table.is_empty() {
                    self.document.remove("grants");
                }
            }
            return Ok(());
        }
        let wrong = || self.wrong(&format!("`grants.{name}` is no table"));
        let (no_grants, no_table) = (wrong(), wrong());
        let grants = self.document.entry("grants").or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        let grants = grants.as_table_like_mut().ok_or(no_grants)?;
        let of_plugin = grants.entry(name).or_insert(Item::Table(Table::new()));
        let of_plugin = of_plugin.as_table_like_mut().ok_or(no_table)?;
        of_plugin.insert("allow", value(rules.iter().collect::<Array>()));
        Ok(())
    }

    /// What the file will say.
    ///
    /// # Errors
    ///
    /// [`Code::Config`] if that is wrong.
    #[cfg(feature = "install")]
    pub(super) fn config(&self) -> Result<Config, Error> {
        Config::parse(&self.file, &self.text())
    }

    /// Puts the new text in the place of the old one, if it is another: whoever reads the file sees one of them. The
    /// folder of a new one is made.
    ///
    /// # Errors
    ///
    /// [`Code::Io`] if the file must not be written, was changed by somebody else, or the disk is full.
    pub(super) fn write(&self) -> Result<(), Error> {
        let text = self.text();
        if text == self.old {
            return Ok(());
        }
        match fs::read_to_string(&self.file) {
            Ok(now) if now != self.old => {
                return Err(Error::new(Code::Io, "the file was changed by somebody else in the meantime")
                    .at(Location::file(shown(&self.file)))
                    .hint("try again"));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let folder = self.file.parent().unwrap_or(Path::new("."));
                fs::create_dir_all(folder).map_err(|error| Error::io(folder, "make", &error))?;
            }
            _ => {}
        }
        replace(&self.file, text.as_bytes())
    }

    /// Whether there is anything to change.
    #[cfg(feature = "install")]
    pub(super) fn changes(&self) -> bool {
        self.text() != self.old
    }

    fn text(&self) -> String {
        let text = self.document.to_string();
        match self.old.contains("\r\n") {
            true => text.replace("\r\n", "\n").replace('\n', "\r\n"),
            false => text,
        }
    }

    fn disabled(&mut self) -> Result<&mut Array, Error> {
        let wrong = self.wrong("`disabled` in `[plugins]` is no list");
        let names = self.table("plugins")?.entry("disabled").or_insert(value(Array::new()));
        names.as_array_mut().ok_or(wrong)
    }

    /// The table of this name, at the end of the file if there is none.
    fn table(&mut self, name: &str) -> Result<&mut dyn TableLike, Error> {
        let wrong = self.wrong(&format!("`{name}` is no table"));
        let mut new = Table::new();
        if !self.document.contains_key(name) {
            // Comments at the end of the file belong to what is above them.
            let trailing = self.document.trailing().as_str().unwrap_or_default().to_owned();
            if !trailing.trim().is_empty() {
                let end = if trailing.ends_with('\n') { "\n" } else { "\n\n" };
                new.decor_mut().set_prefix(format!("{trailing}{end}"));
                self.document.set_trailing("");
            }
        }
        let item = self.document.entry(name).or_insert(Item::Table(new));
        item.as_table_like_mut().ok_or(wrong)
    }

    fn wrong(&self, what: &str) -> Error {
        Error::new(Code::Config, what).at(Location::file(shown(&self.file)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a change makes of a text.
    #[track_caller]
    fn changed(old: &str, change: impl FnOnce(&mut Edit) -> Result<bool, Error>) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("caraway.toml");
        fs::write(&file, old).unwrap();
        let mut edit = Edit::open(&file).unwrap();
        let changed = change(&mut edit).unwrap();
        edit.write().unwrap();
        let new = fs::read_to_string(&file).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(new != old, changed, "{new}");
        changed.then_some(new)
    }

    #[test]
    fn layout_stays() {
        let rest = "# mine\nplugin_path = [ \"a\",\"b\" ] # both\n";
        for (old, disabled) in [
            ("", "[plugins]\ndisabled = [\"x\"]\n"),
            ("[plugins]\ndisabled = [\"a\"] # slow\n", "[plugins]\ndisabled = [\"a\", \"x\"] # slow\n"),
            (
                "[plugins]\ndisabled = [\n    # slow\n    \"a\",\n    \"b\", # too\n]\n",
                "[plugins]\ndisabled = [\n    # slow\n    \"a\",\n    \"b\",\n    \"x\", # too\n]\n",
            ),
            ("plugins = { disabled = [\"a\"] }\n", "plugins = { disabled = [\"a\", \"x\"] }\n"),
            ("plugins.disabled = []\r\n", "plugins.disabled = [\"x\"]\r\n"),
        ] {
            let new = changed(&format!("{rest}{old}"), |edit| edit.disable("x")).unwrap();
            let gap = if old.is_empty() { "\n" } else { "" };
            assert_eq!(new.replace('\r', ""), format!("{rest}{gap}{disabled}").replace('\r', ""), "{old}");
            assert_eq!(changed(&new, |edit| edit.disable("x")), None);
            let back = changed(&new, |edit| edit.enable("x")).unwrap();
            assert!(back.starts_with(rest.trim_end()) || back.contains('\r'), "{back}");
            assert_eq!(changed(&back, |edit| edit.enable("x")), None);
        }
    }

    #[test]
    fn dependencies_are_set_and_taken_out() {
        for (old, name, requirement, new) in [
            ("", "a", "^1", Some("[dependencies]\na = \"^1\"\n")),
            ("[dependencies]\na = \"^1\" # old\n", "a", "^2", Some("[dependencies]\na = \"^2\" # old\n")),
            ("[dependencies]\na = \"^1\"\n", "a", "^1", None),
            (
                "[dependencies]\na = \"^1\"\n\n[limits]\n",
                "std/fs",
                "*",
                Some("[dependencies]\na = \"^1\"\n\"std/fs\" = \"*\"\n\n[limits]\n"),
            ),
        ] {
            assert_eq!(changed(old, |edit| edit.depend(name, requirement)).as_deref(), new, "{old}");
        }
        let old = "[dependencies]\na = \"^1\"\nb = \"*\"\n";
        assert_eq!(changed(old, |edit| edit.undepend("a")).as_deref(), Some("[dependencies]\nb = \"*\"\n"));
        assert_eq!(changed(old, |edit| edit.undepend("c")), None);
        assert_eq!(changed("", |edit| edit.undepend("c")), None);
    }

    #[test]
    fn what_is_something_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("caraway.toml");
        for text in ["plugins = 1\n", "[plugins]\ndisabled = \"a\"\n", "[[plugins]]\ndisabled = []\n"] {
            fs::write(&file, text).unwrap();
            let error = Edit::open(&file).unwrap().disable("x").unwrap_err();
            assert_eq!(error.code(), Code::Config, "{text}");
        }
        fs::write(&file, "[plugins\n").unwrap();
        let error = Edit::open(&file).err().unwrap();
        assert_eq!((error.code(), error.location().unwrap().line), (Code::Config, 1));
        fs::write(&file, "").unwrap();
        let mut edit = Edit::open(&file).unwrap();
        edit.disable("x").unwrap();
        fs::write(&file, "# somebody else\n").unwrap();
        assert_eq!(edit.write().unwrap_err().code(), Code::Io);
        assert_eq!(fs::read_to_string(&file).unwrap(), "# somebody else\n");
    }
}
