//! A plugin's library, opened.

use crate::elf::{self, Unfit};
use crate::function::Function;
use crate::host::HOST_API;
use crate::image::{self, Image};
use abi_stable::library::{LibHeader, LibraryError, RootModule, RootModuleError, lib_header_from_path};
use caraway_abi::envelope::RootRef;
use caraway_abi::{ABI_MAJOR, ABI_MINOR, Status, Text};
use caraway_loaders_core::bind::{callable, suggest};
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::{Code, Error, Location, Signature, Type};
use libloading::os::unix::{Library as Handle, RTLD_LOCAL, RTLD_NOW};
use semver::Version;
use std::path::Path;

/// The most functions that a library may have.
const MAX_FUNCTIONS: usize = 10_000;

/// A plugin's library. Once opened it stays open as long as the process lives.
#[derive(Debug)]
pub struct Library {
    /// The file, for messages.
    shown: String,
    functions: Vec<Function>,
}

impl Library {
    /// Opens the file of the plugin's folder, which runs its constructors, and reads its functions. Named
    /// types in their signatures are those of the manifest.
    ///
    /// # Errors
    ///
    /// * [`Code::EntryPoint`]: the file is missing, outside the folder or not regular;
    /// * [`Code::LoadFailed`]: it is no library, cut short, no plugin, or its table is broken;
    /// * [`Code::Incompatible`]: it is for another machine or another version of the contract, or it was built
    ///   without unwinding;
    /// * [`Code::SignatureMismatch`]: it is not the plugin, or not the version, that the manifest describes.
    pub fn open(plugin: &Plugin, file: &Path) -> Result<Self, Error> {
        let opening = Opening { plugin, location: Location::file(plugin.root.join(file)), file };
        let path = plugin.file(file).map_err(|error| opening.missing(error))?;
        let bytes =
            image::read(&path).map_err(|error| opening.refused(&format!("cannot be read: {error}")))?;
        if cfg!(all(unix, not(target_vendor = "apple"))) {
            elf::check(&bytes).map_err(|unfit| opening.unfit(unfit))?;
        }
        let header = opening.header(&bytes)?;
        let table = opening.table(header)?;
        let functions = opening.accept(table)?;
        Ok(Self { shown: file.display().to_string(), functions })
    }

    /// The file as the manifest names it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Its functions, in the library's order.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// The function of this name.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.signature().name == name)
    }

    /// The name that is nearest to this one.
    pub(crate) fn nearest(&self, name: &str) -> Option<&str> {
        suggest(name, self.functions.iter().map(|function| function.signature().name.as_str()))
    }
}

/// A library on its way in.
struct Opening<'a> {
    plugin: &'a Plugin,
    file: &'a Path,
    location: Location,
}

impl Opening<'_> {
    fn error(&self, code: Code, message: &str) -> Error {
        Error::new(code, format!("{} {message}", self.file.display())).at(self.location.clone())
    }

    fn refused(&self, message: &str) -> Error {
        self.error(Code::LoadFailed, message)
    }

    fn incompatible(&self, message: &str) -> Error {
        let hint = format!("rebuild it against caraway-plugin {}", env!("CARGO_PKG_VERSION"));
        self.error(Code::Incompatible, message).hint(hint)
    }

    /// A library that is not there was perhaps never built.
    fn missing(&self, error: Error) -> Error {
        let implementation = &self.plugin.manifest.implementation;
        match &implementation.build_cmd {
            Some(words) if !self.plugin.root.join(self.file).exists() => {
                error.hint(format!("build it: `{}` in {}", words.join(" "), self.plugin.root.display()))
            }
            _ => error,
        }
    }

    fn unfit(&self, unfit: Unfit) -> Error {
        match unfit {
            Unfit::Broken(what) => self.refused(&format!("is no library: {what}")).hint("build it again"),
            Unfit::Foreign(what) => self
                .error(Code::Incompatible, &format!("is built for another machine ({what})"))
                .hint(format!("this host is {}", crate::target::TARGET)),
            Unfit::NoPlugin => self
                .refused("is a library, but exports no Caraway plugin")
                .hint("put `#[caraway_plugin::plugin]` on a module of a `cdylib` crate"),
        }
    }

    /// Opens a private copy, and gives the header that abi_stable vouches for.
    fn header(&self, bytes: &[u8]) -> Result<&'static LibHeader, Error> {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let image = Image::new(&name, bytes)
            .map_err(|error| self.refused(&format!("cannot be copied into memory: {error}")))?;

        // All symbols now: one that is missing is an error here and not the end of the process in a call.
        // SAFETY: constructors run. The operator has granted this plugin all that native code can do, and the
        // file's structure has been checked.
        let handle = unsafe { Handle::open(Some(image.path()), RTLD_NOW | RTLD_LOCAL) }.map_err(|error| {
            let system = error.to_string().replace(&*image.path().to_string_lossy(), &name);
            self.refused(&format!("cannot be opened: {system}"))
        })?;
        // Code may have been registered anywhere by now: the library stays, whatever comes of it.
        std::mem::forget(handle);
        let header = lib_header_from_path(image.path());
        image.opened();

        let header = header.map_err(|error| match error {
            LibraryError::InvalidAbiHeader(found) => self.incompatible(&format!(
                "was built with abi_stable {}.{}, which this host does not speak",
                found.abi_major, found.abi_minor
            )),
            LibraryError::GetSymbolError { .. } => self.unfit(Unfit::NoPlugin),
            _ => self.refused("exports a header that abi_stable does not accept").hint("build it again"),
        })?;
        let (ours, theirs) = (RootRef::VERSION_STRINGS, header.version_strings());
        match (ours.parsed(), theirs.parsed()) {
            (Ok(ours), Ok(theirs)) if ours.major == theirs.major => Ok(header),
            (_, Ok(theirs)) => {
                Err(self
                    .incompatible(&format!("was built for plugin contract {theirs}; this host has {ours}")))
            }
            (_, Err(_)) => Err(self.refused("names a version of the plugin contract that is none")),
        }
    }

    /// The plugin's table, whose layout abi_stable has checked.
    fn table(&self, header: &'static LibHeader) -> Result<&'static caraway_abi::Plugin, Error> {
        match header.init_root_module::<RootRef>() {
            // SAFETY: the envelope's table is one of 1.0 or later, which `accept` looks at before it reads on.
            Ok(root) => Ok(unsafe { &*std::ptr::from_ref(root.plugin()).cast() }),
            Err(LibraryError::RootModule { err: RootModuleError::Unwound, .. }) => {
                Err(self.refused("panicked while it listed its functions"))
            }
            Err(_) => Err(self
                .refused("is not laid out as its own version of the plugin contract says")
                .hint("build it again, from clean sources")),
        }
    }

    /// Checks the plugin's table, attaches the plugin, and gives its functions.
    fn accept(&self, table: &caraway_abi::Plugin) -> Result<Vec<Function>, Error> {
        if table.abi_major != ABI_MAJOR {
            return Err(self.incompatible(&format!(
                "was built for plugin contract {}.{}; this host has {ABI_MAJOR}.{ABI_MINOR}",
                table.abi_major, table.abi_minor
            )));
        }
        let stride = table.function_size as usize;
        let sound = table.size >= caraway_abi::PLUGIN_SIZE_1_0
            && stride >= caraway_abi::FUNCTION_SIZE_1_0
            && stride.is_multiple_of(align_of::<caraway_abi::Function>())
            && table.function_count <= MAX_FUNCTIONS
            && (table.function_count == 0 || (!table.functions.is_null() && table.functions.is_aligned()));
        if !sound {
            return Err(self.refused("has a table of functions that is broken"));
        }
        if table.unwind != 1 {
            return Err(self
                .error(Code::Incompatible, "was built with `panic = \"abort\"`: a panic would end the host")
                .hint("remove `panic = \"abort\"` from its Cargo profile"));
        }
        self.is_described(table)?;

        // SAFETY: the host's table lives as long as the process.
        let status = unsafe { (table.attach)(&raw const HOST_API) };
        if Status::from_code(status) != Some(Status::Ok) {
            return Err(self.refused(&format!("refused to be attached, with status {status}")));
        }
        self.functions(table)
    }

    /// Checks that the library is the one that the manifest describes.
    fn is_described(&self, table: &caraway_abi::Plugin) -> Result<(), Error> {
        let manifest = &self.plugin.manifest;
        let name = self.text(table.name)?;
        if name != manifest.name {
            return Err(self
                .error(Code::SignatureMismatch, &format!("is the plugin `{name}`, not `{}`", manifest.name))
                .hint("make `name` in the manifest and the package's name, or `#[plugin(name = ...)]`, the same"));
        }
        let version = self.text(table.version)?;
        if Version::parse(version).ok().as_ref() != Some(&manifest.version) {
            let message = format!("is version {version} of `{name}`; the manifest says {}", manifest.version);
            return Err(self
                .error(Code::SignatureMismatch, &message)
                .hint("build it again, or make the versions of manifest and package the same"));
        }
        Ok(())
    }

    fn text(&self, text: Text) -> Result<&'static str, Error> {
        // SAFETY: the table's texts are the library's constants, and it stays open.
        unsafe { text.as_str() }.ok_or_else(|| self.refused("has a text in its table that is not UTF-8"))
    }

    fn functions(&self, table: &caraway_abi::Plugin) -> Result<Vec<Function>, Error> {
        let mut functions: Vec<Function> = Vec::with_capacity(table.function_count);
        for index in 0..table.function_count {
            // SAFETY: the table has `function_count` structs that begin with a `Function`, `function_size`
            // bytes apart, aligned and never changed.
            let entry = unsafe {
                caraway_abi::Prefix::read(
                    table.functions.byte_add(index * table.function_size as usize),
                    table.function_size as usize,
                )
            };
            let Some(entry): Option<caraway_abi::Function> = entry else {
                return Err(self.refused("has a table of functions that is broken"));
            };
            let text = self.text(entry.signature)?;
            let signature = self.signature(text)?;
            if functions.iter().any(|other| other.signature().name == signature.name) {
                return Err(self.refused(&format!("exports `{}` twice", signature.name)));
            }
            functions.push(Function::new(signature, self.text(entry.doc)?.to_owned(), entry.call));
        }
        Ok(functions)
    }

    fn signature(&self, text: &str) -> Result<Signature, Error> {
        let signature: Signature = text
            .parse()
            .map_err(|error| self.refused(&format!("exports `{text}`, which is no signature: {error}")))?;
        let types = &self.plugin.manifest.types;
        let signature = signature.resolve(&|name| types.get(name).cloned()).map_err(|name| {
            self.error(
                Code::SignatureMismatch,
                &format!("exports `{signature}`, with the unknown type `{name}`"),
            )
            .hint("declare it in the manifest's `types`")
        })?;
        if signature.any_type(&|ty| matches!(ty, Type::Fn(..))) {
            let message = format!("exports `{signature}`: native plugins cannot be given functions yet");
            return Err(self.error(Code::NotEnforced, &message).hint("take data, and return it"));
        }
        callable(&signature).map_err(|error| error.at(self.location.clone()))?;
        Ok(signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use caraway_abi::HostApi;
    use caraway_loaders_core::discover::Origin;
    use caraway_loaders_core::manifest::Manifest;

    unsafe extern "C" fn attach(_host: *const HostApi) -> i32 {
        0
    }

    unsafe extern "C" fn refuse(_host: *const HostApi) -> i32 {
        1
    }

    unsafe extern "C" fn call(_args: *const u64, _out: *mut u64) -> i32 {
        0
    }

    fn table(signatures: &[&'static str]) -> caraway_abi::Plugin {
        let functions: Vec<caraway_abi::Function> = signatures
            .iter()
            .map(|text| caraway_abi::Function { signature: Text::new(text), doc: Text::new("A doc."), call })
            .collect();
        let functions = functions.leak();
        caraway_abi::Plugin {
            abi_major: ABI_MAJOR,
            abi_minor: ABI_MINOR,
            size: size_of::<caraway_abi::Plugin>(),
            name: Text::new("p"),
            version: Text::new("1.2.3"),
            unwind: 1,
            function_size: size_of::<caraway_abi::Function>() as u32,
            function_count: functions.len(),
            functions: functions.as_ptr(),
            attach,
        }
    }

    fn accept(table: &caraway_abi::Plugin) -> Result<Vec<Function>, Error> {
        let manifest = Manifest::new("p", Version::new(1, 2, 3), "native");
        let plugin = Plugin { manifest, root: "folder".into(), origin: Origin::BuiltIn };
        let file = Path::new("libp.so");
        Opening { plugin: &plugin, location: Location::file("folder/libp.so"), file }.accept(table)
    }

    #[test]
    fn a_sound_table_is_accepted() {
        let mut table = table(&["f(x: int) -> int", "api::g()"]);
        // Built for a later contract that only adds.
        table.abi_minor += 1;
        table.size += 8;
        let functions = accept(&table).unwrap();
        let shown: Vec<String> = functions.iter().map(|f| f.signature().to_string()).collect();
        assert_eq!(shown, ["f(x: int) -> int", "api::g()"]);
        assert_eq!(functions[0].doc(), "A doc.");
    }

    #[test]
    fn longer_entries_are_stepped_over() {
        #[repr(C)]
        struct Later {
            function: caraway_abi::Function,
            more: u64,
        }
        let entry = |text| Later {
            function: caraway_abi::Function { signature: Text::new(text), doc: Text::new(""), call },
            more: u64::MAX,
        };
        let entries = [entry("f()"), entry("g()")];
        let mut table = table(&[]);
        table.function_size = size_of::<Later>() as u32;
        table.function_count = entries.len();
        table.functions = entries.as_ptr().cast();
        let functions = accept(&table).unwrap();
        assert_eq!(functions[1].signature().name, "g");
        assert_eq!(entries[1].more, u64::MAX);
    }

    #[test]
    fn unsound_tables_are_refused() {
        type Change = fn(&mut caraway_abi::Plugin);
        let changes: [(Change, Code, &str); 12] = [
            (|t| t.abi_major = 2, Code::Incompatible, "contract 2.0; this host has 1.0"),
            (|t| t.size = 8, Code::LoadFailed, "is broken"),
            (|t| t.function_size = 8, Code::LoadFailed, "is broken"),
            (|t| t.function_size += 1, Code::LoadFailed, "is broken"),
            (|t| t.function_count = usize::MAX, Code::LoadFailed, "is broken"),
            (|t| t.functions = std::ptr::null(), Code::LoadFailed, "is broken"),
            (|t| t.unwind = 0, Code::Incompatible, "panic = \"abort\""),
            (|t| t.name = Text::new("q"), Code::SignatureMismatch, "is the plugin `q`, not `p`"),
            (|t| t.name.ptr = std::ptr::null(), Code::LoadFailed, "not UTF-8"),
            (|t| t.version = Text::new("1.2.4"), Code::SignatureMismatch, "is version 1.2.4 of `p`"),
            (|t| t.version = Text::new("new"), Code::SignatureMismatch, "is version new of `p`"),
            (|t| t.attach = refuse, Code::LoadFailed, "refused to be attached, with status 1"),
        ];
        for (change, code, message) in changes {
            let mut table = table(&["f()"]);
            change(&mut table);
            let error = accept(&table).unwrap_err();
            assert_eq!(error.code(), code, "{error}");
            assert!(error.message().contains(message), "{error}");
        }
    }

    #[test]
    fn unsound_signatures_are_refused() {
        for (signatures, code, message) in [
            (&["f"][..], Code::LoadFailed, "exports `f`, which is no signature"),
            (&["f()", "f(x: int)"], Code::LoadFailed, "exports `f` twice"),
            (&["f(x: Point)"], Code::SignatureMismatch, "the unknown type `Point`"),
            (&["f(x: fn(int) -> int)"], Code::NotEnforced, "cannot be given functions yet"),
            (&["f(x: floats)"], Code::NotEnforced, "typed buffers"),
            (&["spawn()"], Code::ManifestValue, "`spawn` cannot be called in Rhai"),
        ] {
            let error = accept(&table(signatures)).unwrap_err();
            assert_eq!(error.code(), code, "{error}");
            assert!(error.message().contains(message), "{error}");
            assert_eq!(error.location(), Some(&Location::file("folder/libp.so")));
        }
    }
}
