//! A plugin's library, opened.

use crate::function::Function;
use crate::instance::Instance;
use crate::life::Life;
use crate::opening::Opening;
use crate::shape::{Scalar, Shape};
use crate::table::{ClassEntry, FunctionEntry, Table};
use crate::typed::Typed;
use crate::types::Types;
use caraway_abi::Kind;
use caraway_loaders_core::bind::{callable, suggest};
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::loader::LoadRequest;
use caraway_loaders_core::{Code, Error, Signature, Type};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A plugin's library. Once opened it stays open as long as the process lives.
#[derive(Debug)]
pub struct Library {
    file: PathBuf,
    table: Table,
    functions: Vec<Function>,
    /// The places of `functions`, by name.
    names: Vec<usize>,
    types: Types,
    classes: Vec<ClassEntry>,
    started: AtomicBool,
}

impl Library {
    /// Opens the file of the plugin's folder, which runs its constructors, and reads what is in it. Named types in
    /// signatures are the library's own; those that it does not define are the manifest's.
    ///
    /// # Errors
    ///
    /// * [`Code::EntryPoint`]: the file is missing, outside the folder or not regular;
    /// * [`Code::LoadFailed`]: it is no library, cut short, no plugin, or its table is broken;
    /// * [`Code::Incompatible`]: it is for another machine or another version of the contract, or it was built
    ///   without unwinding;
    /// * [`Code::SignatureMismatch`]: it is not the plugin, or not the version, that the manifest describes.
    pub fn open(plugin: &Plugin, file: &Path) -> Result<Self, Error> {
        let opening = Opening::new(plugin, file);
        let table = opening.open()?;
        Self::read(&opening, table)
    }

    pub(crate) fn read(opening: &Opening<'_>, table: Table) -> Result<Self, Error> {
        let flawed = |flaw| opening.flawed(flaw);
        let classes = table.classes().map_err(flawed)?;
        let types = Types::new(table.types().map_err(flawed)?, classes.iter().map(|class| class.name))
            .map_err(|wrong| opening.refused(&wrong))?;
        let entries = table.functions().map_err(flawed)?;
        let mut functions: Vec<Function> = Vec::with_capacity(entries.len());
        for entry in entries {
            functions.push(function(opening, &types, &entry)?);
        }
        let name = |place: &usize| functions[*place].signature.name.as_str();
        let mut names: Vec<usize> = (0..functions.len()).collect();
        names.sort_unstable_by_key(name);
        if let Some(twice) = names.windows(2).find(|pair| name(&pair[0]) == name(&pair[1])) {
            return Err(opening.refused(&format!("exports `{}` twice", name(&twice[0]))));
        }
        let started = AtomicBool::new(false);
        Ok(Self { file: opening.file().to_owned(), table, functions, names, types, classes, started })
    }

    /// Attaches the plugin and gives it its settings, once. It is shut down when nothing of it is in use any
    /// more.
    ///
    /// # Errors
    ///
    /// [`Code::LoadFailed`] with the plugin's message if it refuses, [`Code::Internal`] the second time.
    pub fn start(&self, request: &LoadRequest) -> Result<Instance, Error> {
        let opening = Opening::new(&request.plugin, &self.file);
        if self.started.swap(true, Ordering::Relaxed) {
            return Err(opening.error(Code::Internal, "was started already"));
        }
        let life = Life::begin(&opening, self.table.plugin(), &request.config, &request.output)?;
        let classes = self.classes.iter().map(|class| (class.name.to_owned(), class.drop)).collect();
        Ok(Instance::new(life, classes))
    }

    /// The file as the manifest names it.
    pub fn shown(&self) -> String {
        self.file.display().to_string()
    }

    /// Its functions, in the library's order.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// The function of this name.
    pub fn function(&self, name: &str) -> Option<&Function> {
        let name_at = |place: &usize| self.functions[*place].signature.name.as_str();
        let place = self.names.binary_search_by_key(&name, name_at).ok()?;
        Some(&self.functions[self.names[place]])
    }

    /// The structs, enums and classes that it defines, by name.
    pub fn types(&self) -> impl Iterator<Item = (&str, &Type)> {
        self.types.iter()
    }

    /// The type of this name that it defines.
    pub(crate) fn defined(&self, name: &str) -> Option<&Type> {
        self.types.get(name)
    }

    /// The name that is nearest to this one.
    pub(crate) fn nearest(&self, name: &str) -> Option<&str> {
        suggest(name, self.functions.iter().map(|function| function.signature().name.as_str()))
    }
}

fn function(opening: &Opening<'_>, types: &Types, entry: &FunctionEntry) -> Result<Function, Error> {
    let FunctionEntry { signature: text, doc, kind, entry } = *entry;
    let signature = signature(opening, types, text)?;
    let broken =
        |what: &str| opening.refused(&format!("exports `{signature}` {what}")).hint("build it again");
    let handles = matches!(signature.params.first(), Some(first) if first.name == "self" && matches!(first.ty, Type::Handle(_)));
    match kind {
        Kind::Method if !handles => {
            return Err(broken("as a method, whose first parameter is no handle `self`"));
        }
        Kind::Getter if !handles || signature.params.len() > 1 => {
            return Err(broken("as a property, which takes a handle `self` and nothing else"));
        }
        _ => {}
    }
    let written = |index: usize| entry.writes >> index & 1 == 1;
    let buffer = |index: usize| {
        signature.params.get(index).is_some_and(|param| matches!(param.ty, Type::Ints | Type::Floats))
    };
    if entry.writes != 0 && (0..u32::BITS as usize).any(|index| written(index) && !buffer(index)) {
        return Err(broken("as one that writes to what is no buffer"));
    }
    let typed = if entry.typed.is_null() {
        None
    } else {
        let typed = Typed::new(entry.typed, &signature);
        Some(typed.ok_or_else(|| broken("with a typed pointer, which its signature cannot have"))?)
    };
    let (call, writes) = (entry.call, entry.writes);
    Ok(Function { doc, kind, call, typed, writes, signature: Arc::new(signature) })
}

fn signature(opening: &Opening<'_>, types: &Types, text: &str) -> Result<Signature, Error> {
    let signature: Signature = text
        .parse()
        .map_err(|error| opening.refused(&format!("exports `{text}`, which is no signature: {error}")))?;
    let declared = &opening.plugin.manifest.types;
    // A handle is the library's, or there is none.
    let of_manifest = |name: &str| declared.get(name).filter(|ty| !matches!(ty, Type::Handle(_)));
    let lookup = |name: &str| types.get(name).or_else(|| of_manifest(name)).cloned();
    let signature = signature.resolve(&lookup).map_err(|name| {
        opening
            .mismatch(&format!("exports `{text}`, with the unknown type `{name}`"))
            .hint("declare it in the manifest's `types`, or define it in the library")
    })?;
    callable(&signature).map_err(|error| error.at(opening.location().clone()))?;
    let whole = |ty: &Type| match ty {
        Type::Fn(params, returns) => {
            params.iter().chain([&**returns]).all(is_data) && !params.contains(&Type::Void)
        }
        ty => is_data(ty) || matches!(ty, Type::Handle(_)),
    };
    let returned = !matches!(signature.returns, Type::Fn(..)) && whole(&signature.returns);
    if returned && signature.params.iter().all(|param| whole(&param.ty)) {
        return Ok(signature);
    }
    Err(opening
        .refused(&format!(
            "exports `{signature}`, which has a function, a handle or a buffer where none can be"
        ))
        .hint("functions are parameters, handles and buffers parameters or results of their own"))
}

/// Whether values of a type can be passed to functions of scripts.
fn is_data(ty: &Type) -> bool {
    let scalar = Scalar::of(ty).is_some();
    scalar || matches!(ty, Type::String | Type::Void | Type::Ints | Type::Floats) || !ty.any(&Shape::is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use caraway_abi::{Class, Text};
    use caraway_loaders_core::Location;

    fn read(entries: Vec<caraway_abi::Function>) -> Result<Library, Error> {
        let mut table = testing::table(entries.leak());
        let classes = vec![testing::class("Counter")].leak();
        (table.classes, table.class_count, table.class_size) =
            (classes.as_ptr(), 1, size_of::<Class>() as u32);
        check(&table)
    }

    fn check(table: &caraway_abi::Plugin) -> Result<Library, Error> {
        let plugin = testing::plugin();
        let opening = Opening::new(&plugin, Path::new("libp.so"));
        Library::read(&opening, opening.check(table, None)?)
    }

    #[track_caller]
    fn refused(result: Result<Library, Error>, code: Code, message: &str) {
        let error = result.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.message().contains(message), "{error}");
        assert_eq!(error.location(), Some(&Location::file("folder/libp.so")));
    }

    #[test]
    fn the_table_is_the_one_of_the_manifest() {
        type Change = fn(&mut caraway_abi::Plugin);
        let changes: [(Change, Code, &str); 7] = [
            (|t| t.abi_major = 2, Code::Incompatible, "contract 2.1; this host has 1.1"),
            (|t| t.unwind = 0, Code::Incompatible, "panic = \"abort\""),
            (|t| t.size = 8, Code::LoadFailed, "has a table whose `size` is not the size of a table"),
            // Would cut a pointer in half.
            (|t| t.size -= 4, Code::LoadFailed, "has a table whose `size` is not the size of a table"),
            (|t| t.name = Text::new("q"), Code::SignatureMismatch, "is the plugin `q`, not `p`"),
            (|t| t.version = Text::new("1.2.4"), Code::SignatureMismatch, "is version 1.2.4 of `p`"),
            (|t| t.version = Text::new("new"), Code::SignatureMismatch, "is version new of `p`"),
        ];
        for (change, code, message) in changes {
            let mut table = testing::table(&[]);
            change(&mut table);
            refused(check(&table), code, message);
        }
    }

    #[test]
    fn signatures_are_read() {
        let accepted = [
            "f(x: int) -> int",
            "api::g()",
            "own(c: Counter) -> Counter",
            "each(xs: ints, f: fn(int, ints) -> floats) -> ints",
        ];
        let library = read(accepted.map(testing::function).to_vec()).unwrap();
        let shown: Vec<String> = library.functions().iter().map(|f| f.signature().to_string()).collect();
        assert_eq!(shown, accepted);
        assert_eq!(library.function("own").unwrap().doc(), "A doc.");
    }

    #[test]
    fn unsound_signatures_are_refused() {
        for (signatures, code, message) in [
            (&["f"][..], Code::LoadFailed, "exports `f`, which is no signature"),
            (&["f()", "f(x: int)"], Code::LoadFailed, "exports `f` twice"),
            (&["f(x: Point)"], Code::SignatureMismatch, "the unknown type `Point`"),
            (&["spawn()"], Code::ManifestValue, "`spawn` cannot be called in Rhai"),
            (&["f(c: array<Counter>)"], Code::ManifestValue, "a handle inside"),
            (&["f() -> fn(int)"], Code::LoadFailed, "where none can be"),
            (&["f(x: array<fn(int)>)"], Code::LoadFailed, "where none can be"),
            (&["f(x: (fn(int))?)"], Code::LoadFailed, "where none can be"),
            (&["f(x: fn(fn(int)))"], Code::LoadFailed, "where none can be"),
            (&["f(x: fn() -> fn(int))"], Code::LoadFailed, "where none can be"),
            (&["f(x: fn(void))"], Code::LoadFailed, "where none can be"),
            (&["f(x: map<ints>)"], Code::LoadFailed, "where none can be"),
            (&["f() -> floats?"], Code::LoadFailed, "where none can be"),
            (&["f(x: fn(array<ints>))"], Code::LoadFailed, "where none can be"),
        ] {
            let entries = signatures.iter().map(|text| testing::function(text)).collect();
            refused(read(entries), code, message);
        }
    }

    #[test]
    fn entries_fit_their_signatures() {
        let pointer = std::ptr::without_provenance(16);
        let entry = testing::function;
        for (entry, accepted) in [
            (caraway_abi::Function { typed: pointer, ..entry("f()") }, true),
            (caraway_abi::Function { typed: pointer, ..entry("f(a: int, b: float, c: bool) -> char") }, true),
            (caraway_abi::Function { typed: pointer, ..entry("f(a: int, b: int, c: int, d: int)") }, false),
            (caraway_abi::Function { typed: pointer, ..entry("f(a: string)") }, false),
            (caraway_abi::Function { typed: pointer, ..entry("f(c: Counter)") }, false),
            (caraway_abi::Function { typed: pointer, ..entry("f() -> any") }, false),
            (caraway_abi::Function { writes: 0b101, ..entry("f(a: ints, b: int, c: floats)") }, true),
            (caraway_abi::Function { writes: 0b010, ..entry("f(a: ints, b: int, c: floats)") }, false),
            (caraway_abi::Function { writes: 0b1, ..entry("f(a: array<int>)") }, false),
            (caraway_abi::Function { writes: 0b10, ..entry("f(a: ints)") }, false),
            (caraway_abi::Function { writes: 1 << 31, ..entry("f(a: ints)") }, false),
            (caraway_abi::Function { kind: 1, ..entry("counter::f(self: Counter, x: int)") }, true),
            (caraway_abi::Function { kind: 1, ..entry("counter::f(c: Counter)") }, false),
            (caraway_abi::Function { kind: 1, ..entry("counter::f(self: int)") }, false),
            (caraway_abi::Function { kind: 1, ..entry("counter::f(x: int, self: Counter)") }, false),
            (caraway_abi::Function { kind: 1, ..entry("counter::f()") }, false),
            (caraway_abi::Function { kind: 2, ..entry("counter::f(self: Counter) -> int") }, true),
            (caraway_abi::Function { kind: 2, ..entry("counter::f(self: Counter, x: int) -> int") }, false),
            (caraway_abi::Function { kind: 2, ..entry("counter::f() -> int") }, false),
        ] {
            let read = read(vec![entry]);
            assert_eq!(read.is_ok(), accepted, "{entry:?}: {read:?}");
            if !accepted {
                refused(read, Code::LoadFailed, "exports `");
            }
        }
    }
}
