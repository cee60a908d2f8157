//! A library on its way from the plugin's folder into the process.

use crate::elf::{Exports, Unfit};
use crate::image::Image;
use crate::table::{Flaw, Table};
use caraway_abi::{ABI_MAJOR, ABI_MINOR, Plugin as PluginTable, SYMBOL};
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::regular::RegularFile;
use caraway_loaders_core::{Code, Error, Location};
use libloading::os::unix::{Library as Handle, RTLD_LOCAL, RTLD_NOW};
use semver::Version;
use std::path::Path;

/// The library of a plugin, and how errors name it.
pub(crate) struct Opening<'a> {
    pub(crate) plugin: &'a Plugin,
    file: &'a Path,
    location: Location,
}

impl<'a> Opening<'a> {
    /// For a file of the plugin's folder.
    pub(crate) fn new(plugin: &'a Plugin, file: &'a Path) -> Self {
        Self { plugin, file, location: Location::file(plugin.root.join(file)) }
    }

    /// Opens a private copy of the file, which runs its constructors, and gives its table, which is the one of
    /// the manifest's plugin.
    pub(crate) fn open(&self) -> Result<Table, Error> {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let image = self.copy(&name)?;
        let exports = self.exports(&image)?;
        let pointer = self.load(image, &name, exports)?;
        self.check(pointer, exports.table.and_then(|symbol| symbol.size))
    }

    /// A copy of the file, which is what it must be.
    fn copy(&self, name: &str) -> Result<Image, Error> {
        let plugin = self.plugin;
        let (file, path) = match plugin.open(self.file) {
            Some(file) => (file, None),
            None => {
                let path = plugin.binary(self.file)?;
                (RegularFile::open(&path).map_err(|error| self.unreadable(&error))?, Some(path))
            }
        };
        let image = Image::copy(file, name).map_err(|error| self.unreadable(&error))?;
        if plugin.checksums.is_some() {
            let bytes = image.bytes().map_err(|error| self.unreadable(&error))?;
            match path {
                Some(path) => plugin.verify(&path, bytes)?,
                None => plugin.verify_opened(self.file, bytes)?,
            }
        }
        Ok(image)
    }

    #[cfg(all(unix, not(target_vendor = "apple")))]
    fn exports(&self, image: &Image) -> Result<Exports, Error> {
        use crate::elf;

        // What is wrong is known only with all of it.
        let glanced = image.pieces().and_then(|pieces| elf::check(&pieces).ok());
        let exports = match glanced {
            Some(exports) => exports,
            None => {
                let bytes = image.bytes().map_err(|error| self.unreadable(&error))?;
                elf::check(bytes).map_err(|unfit| self.unfit(unfit))?
            }
        };
        #[cfg(not(feature = "abi_stable"))]
        if exports.table.is_none() {
            return Err(self.enveloped());
        }
        Ok(exports)
    }

    #[cfg(not(all(unix, not(target_vendor = "apple"))))]
    fn exports(&self, _image: &Image) -> Result<Exports, Error> {
        Ok(Exports::UNKNOWN)
    }

    /// Opens a private copy, for good, and finds the table in it.
    fn load(&self, mut image: Image, name: &str, exports: Exports) -> Result<*const PluginTable, Error> {
        let mut opened = dlopen(&image);
        // To look beforehand would cost each load more.
        if opened.is_err() && !image.path().exists() {
            image = image.named(name).map_err(|error| self.unreadable(&error))?;
            opened = dlopen(&image);
        }
        let handle = opened.map_err(|error| {
            let system = error.to_string().replace(&*image.path().to_string_lossy(), name);
            self.refused(&format!("cannot be opened: {system}"))
        })?;
        // SAFETY: the symbol is only taken for an address.
        let symbol = exports.table.and_then(|_| unsafe { handle.get::<*const PluginTable>(SYMBOL) }.ok());
        let pointer = symbol.map(|symbol| symbol.as_raw_ptr().cast_const().cast());
        // Code may have been registered anywhere by now: the library stays, whatever comes of it.
        std::mem::forget(handle);
        let pointer = match pointer {
            Some(pointer) => Ok(pointer),
            None if exports.envelope => self.enveloped_table(&image),
            None => Err(self.no_plugin()),
        };
        image.opened();
        pointer
    }

    #[cfg(feature = "abi_stable")]
    fn enveloped_table(&self, image: &Image) -> Result<*const PluginTable, Error> {
        crate::envelope::table(self, image.path())
    }

    #[cfg(not(feature = "abi_stable"))]
    fn enveloped_table(&self, _image: &Image) -> Result<*const PluginTable, Error> {
        Err(self.enveloped())
    }

    /// The table, checked, of the plugin that the manifest describes.
    pub(crate) fn check(&self, pointer: *const PluginTable, room: Option<usize>) -> Result<Table, Error> {
        // SAFETY: the library exports this as its table, and is never closed.
        let table = unsafe { Table::read(pointer, room) }.map_err(|flaw| self.flawed(flaw))?;
        let manifest = &self.plugin.manifest;
        let Table { name, version, .. } = table;
        if name != manifest.name {
            return Err(self.mismatch(&format!("is the plugin `{name}`, not `{}`", manifest.name)).hint(
                "make `name` in the manifest and the package's name, or `#[plugin(name = ...)]`, the same",
            ));
        }
        if Version::parse(version).ok().as_ref() != Some(&manifest.version) {
            return Err(self
                .mismatch(&format!(
                    "is version {version} of `{name}`; the manifest says {}",
                    manifest.version
                ))
                .hint(format!(
                    "set `version` to {version} in the manifest, or to {} in the package and build again",
                    manifest.version
                )));
        }
        Ok(table)
    }

    /// The file as the manifest names it.
    pub(crate) fn file(&self) -> &Path {
        self.file
    }

    /// Where it is.
    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    pub(crate) fn error(&self, code: Code, message: &str) -> Error {
        Error::new(code, format!("{} {message}", self.file.display())).at(self.location.clone())
    }

    pub(crate) fn refused(&self, message: &str) -> Error {
        self.error(Code::LoadFailed, message)
    }

    fn unreadable(&self, error: &dyn std::fmt::Display) -> Error {
        self.refused(&format!("cannot be read: {error}"))
    }

    pub(crate) fn mismatch(&self, message: &str) -> Error {
        self.error(Code::SignatureMismatch, message)
    }

    pub(crate) fn incompatible(&self, message: &str) -> Error {
        let hint = format!("rebuild it against caraway-plugin {}", env!("CARGO_PKG_VERSION"));
        self.error(Code::Incompatible, message).hint(hint)
    }

    /// It was built for this other version of the contract.
    pub(crate) fn contract(&self, version: &str) -> Error {
        self.incompatible(&format!(
            "was built for plugin contract {version}; this host has {ABI_MAJOR}.{ABI_MINOR}"
        ))
    }

    pub(crate) fn no_plugin(&self) -> Error {
        self.refused("is a library, but exports no Caraway plugin")
            .hint("put `#[caraway_plugin::plugin]` on a module of a `cdylib` crate, or see caraway_plugin.h")
    }

    pub(crate) fn flawed(&self, flaw: Flaw) -> Error {
        match flaw {
            Flaw::Contract(major, minor) => self.contract(&format!("{major}.{minor}")),
            Flaw::Aborts => self
                .error(Code::Incompatible, "was built with `panic = \"abort\"`: a panic would end the host")
                .hint("remove `panic = \"abort\"` from its Cargo profile"),
            Flaw::Broken(what) => {
                self.refused(&format!("has {what}")).hint("build it again, from clean sources")
            }
            Flaw::TooNew(what) => {
                self.error(Code::Incompatible, &format!("has {what}")).hint("update Caraway")
            }
        }
    }

    #[cfg(not(feature = "abi_stable"))]
    fn enveloped(&self) -> Error {
        self.error(Code::Incompatible, "wraps its table with abi_stable, which this host was built without")
            .hint(format!(
                "rebuild it against caraway-plugin {}, or the host with the feature `abi_stable`",
                env!("CARGO_PKG_VERSION")
            ))
    }

    #[cfg_attr(
        any(not(unix), target_vendor = "apple"),
        allow(dead_code, reason = "libraries of these systems are not looked at before they are opened")
    )]
    fn unfit(&self, unfit: Unfit) -> Error {
        match unfit {
            Unfit::Broken(what) => self.refused(&format!("is no library: {what}")).hint("build it again"),
            Unfit::Foreign(what) => self
                .error(Code::Incompatible, &format!("is built for another machine ({what})"))
                .hint(format!("this host is {}", caraway_loaders_core::TARGET)),
            Unfit::NoPlugin => self.no_plugin(),
            Unfit::NoTable => self
                .refused(&format!("exports `{SYMBOL}`, which is no plugin's table"))
                .hint("build it again"),
            Unfit::Contract(version) => self.contract(&version.to_string()),
        }
    }
}

/// Opens a copy whose structure has been checked.
fn dlopen(image: &Image) -> Result<Handle, libloading::Error> {
    // All symbols now: one that is missing is an error here and not the end of the process in a call.
    // SAFETY: constructors run. The operator has granted this plugin all that native code can do, and the
    // file's structure has been checked.
    unsafe { Handle::open(Some(image.path()), RTLD_NOW | RTLD_LOCAL) }
}
