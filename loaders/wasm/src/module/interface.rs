//! Exports to functions.

use super::heap::{ALLOC, DEALLOC, MEMORY};
use super::slot::{Outcome, Slot, Text, Word};
use crate::reflect::callable;
use caraway_loaders_core::bind::MAX_PARAMS;
use caraway_loaders_core::manifest::Function;
use caraway_loaders_core::{Code, Error, Signature, Type};
use std::fmt::Write;
use wasmtime::{ExternType, FuncType, Module, ValType};

/// How many values a function may give back.
const MAX_RESULTS: usize = 16;

/// What AssemblyScript's modules import, to give up.
pub(super) const ABORT: (&str, &str) = ("env", "abort");

/// The function that some toolchains want called before all others.
pub(super) const INITIALIZE: &str = "_initialize";

/// A function that a module exports.
#[derive(Debug)]
pub(super) struct Export {
    /// As a script calls it.
    pub(super) signature: Signature,
    /// As the module calls it.
    pub(super) name: String,
    pub(super) params: Vec<Slot>,
    pub(super) result: Outcome,
    /// How many words it is called with, or gives back, whichever are more.
    pub(super) words: usize,
    /// Whether it takes or gives texts.
    pub(super) texts: bool,
}

impl Export {
    fn new(signature: Signature, name: &str, params: Vec<Slot>, result: Outcome) -> Self {
        let given = params.iter().map(|slot| slot.words()).sum();
        let (taken, is_text) = match &result {
            Outcome::Nothing => (0, false),
            Outcome::One(slot) => (1, slot.is_text()),
            Outcome::Several(words) => (words.len(), false),
        };
        let texts = is_text || params.iter().any(|slot| slot.is_text());
        Self { signature, name: name.to_owned(), params, result, words: taken.max(given), texts }
    }
}

/// Refuses modules that need something, each import by name.
///
/// # Errors
///
/// [`Code::LoadFailed`].
pub(super) fn check_imports(module: &Module) -> Result<(), Error> {
    let mut errors = Vec::new();
    let mut wasi: Vec<&str> = Vec::new();
    for import in module.imports() {
        let (from, name) = (import.module(), import.name());
        if (from, name) == ABORT && is_function(&import.ty(), &[Word::I32; 4], &[]) {
            continue;
        }
        if from.starts_with("wasi_") {
            wasi.push(name);
            continue;
        }
        errors.push(
            Error::new(
                Code::LoadFailed,
                format!("it imports `{name}` from `{from}`, which is not there for core modules"),
            )
            .hint("build it without imports, or make a component, which can import WASI 0.2"),
        );
    }
    if !wasi.is_empty() {
        let names: Vec<String> = wasi.iter().map(|name| format!("`{name}`")).collect();
        errors.push(
            Error::new(
                Code::LoadFailed,
                format!(
                    "it imports {} of WASI preview 1, which is not there for core modules",
                    names.join(", ")
                ),
            )
            .hint(
                "make a component of it with `wasm-tools component new --adapt`, or build it without files, \
                 printing and `exit`",
            ),
        );
    }
    Error::from_many(errors).map_or(Ok(()), Err)
}

/// The functions of a module: those that the manifest declares, or without it, all over numbers.
///
/// # Errors
///
/// [`Code::SignatureMismatch`] for every function that only one of them has, or that differs;
/// [`Code::NotEnforced`] for types that no core module can be given, and [`Code::LoadFailed`] where two exports
/// would have one name.
pub(super) fn functions(module: &Module, declared: Option<&[Function]>) -> Result<Vec<Export>, Vec<Error>> {
    let exported: Vec<(String, &str, FuncType)> = module
        .exports()
        .filter_map(|export| match export.ty() {
            ExternType::Func(ty) => Some((script_name(export.name())?, export.name(), ty)),
            _ => None,
        })
        .collect();
    let mut errors = Vec::new();
    for (index, (called, name, _)) in exported.iter().enumerate() {
        if let Some((_, other, _)) = exported[..index].iter().find(|(known, ..)| known == called) {
            errors.push(
                Error::new(
                    Code::LoadFailed,
                    format!("it exports two functions that would both be `{called}`: `{other}` and `{name}`"),
                )
                .hint("rename one of them"),
            );
        }
    }
    let mut found = Vec::new();
    match declared {
        None => {
            for (called, name, ty) in &exported {
                found.extend(numeric(called, name, ty).filter(|_| !is_plumbing(module, name)));
            }
        }
        Some(declared) => {
            for function in declared {
                let signature = &function.signature;
                let export = exported.iter().find(|(called, ..)| *called == signature.name);
                match export.map(|(_, name, ty)| compared(module, signature, name, ty)) {
                    Some(Ok(export)) => found.push(export),
                    Some(Err(error)) => errors.push(error),
                    None => errors.push(
                        Error::new(
                            Code::SignatureMismatch,
                            format!("the manifest declares `{signature}`, which the module does not export"),
                        )
                        .hint("rebuild the module, or take the function out of `functions`"),
                    ),
                }
            }
            for (called, name, ty) in &exported {
                let listed = declared.iter().any(|function| function.signature.name == *called);
                if let Some(export) = numeric(called, name, ty)
                    && !listed
                    && !is_plumbing(module, name)
                {
                    errors.push(
                        Error::new(
                            Code::SignatureMismatch,
                            format!(
                                "the module exports `{}`, which the manifest does not declare",
                                export.signature
                            ),
                        )
                        .hint("add it to `functions`, or do not export it"),
                    );
                }
            }
        }
    }
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

/// What a script calls an export; `None` for those of toolchains, and for what no script can call.
fn script_name(export: &str) -> Option<String> {
    let name = callable(export);
    (!export.starts_with('_') && rhai::is_valid_function_name(&name)).then_some(name)
}

/// Whether an export is there for the host, to pass texts.
fn is_plumbing(module: &Module, name: &str) -> bool {
    let is = |export: &str, params: &[Word], results: &[Word]| {
        name == export && module.get_export(export).is_some_and(|ty| is_function(&ty, params, results))
    };
    module.get_export(MEMORY).is_some_and(|memory| memory.memory().is_some())
        && (is(ALLOC, &[Word::I32], &[Word::I32]) || is(DEALLOC, &[Word::I32; 2], &[]))
}

/// An export over numbers alone, as its words say.
fn numeric(called: &str, name: &str, ty: &FuncType) -> Option<Export> {
    let params: Vec<Word> = ty.params().map(|ty| Word::of(&ty)).collect::<Option<_>>()?;
    let results: Vec<Word> = ty.results().map(|ty| Word::of(&ty)).collect::<Option<_>>()?;
    if params.len() > MAX_PARAMS || results.len() > MAX_RESULTS {
        return None;
    }
    let (result, returns) = match results.as_slice() {
        [] => (Outcome::Nothing, Type::Void),
        [word] => (Outcome::One(Slot::Number(*word)), word.script_type()),
        [first, rest @ ..] => {
            let first = first.script_type();
            let alike = rest.iter().all(|word| word.script_type() == first);
            let item = if alike { first } else { Type::Any };
            (Outcome::Several(results), Type::Array(Box::new(item)))
        }
    };
    let named = params.iter().enumerate();
    let named = named.map(|(index, word)| (format!("p{}", index + 1), word.script_type()));
    let signature = Signature::new(called, named, returns);
    let params = params.into_iter().map(Slot::Number).collect();
    Some(Export::new(signature, name, params, result))
}

/// A declared function as the module has it.
fn compared(module: &Module, signature: &Signature, name: &str, ty: &FuncType) -> Result<Export, Error> {
    let mismatch = || {
        let message =
            format!("the manifest declares `{signature}`, the module exports `{}`", shown(name, ty));
        Error::new(Code::SignatureMismatch, message).hint(
            "an int is an i32 or i64, a float an f32 or f64, a bool or char an i32; a string or bytes are two \
             i32 as a parameter and one i64 as a result",
        )
    };
    let mut words = ty.params();
    let mut params = Vec::with_capacity(signature.params.len());
    for param in &signature.params {
        let slot = slot(&param.ty, signature)?;
        params.push(match slot {
            Slot::Number(kind) => Slot::Number(word_like(kind, words.next()).ok_or_else(mismatch)?),
            Slot::Bool | Slot::Char => {
                word_like(Word::I32, words.next()).filter(|word| *word == Word::I32).ok_or_else(mismatch)?;
                slot
            }
            Slot::Text(_) => {
                let pair = [words.next(), words.next()].map(|ty| ty.and_then(|ty| Word::of(&ty)));
                if pair != [Some(Word::I32); 2] {
                    return Err(mismatch());
                }
                slot
            }
        });
    }
    if words.next().is_some() {
        return Err(mismatch());
    }
    let results: Option<Vec<Word>> = ty.results().map(|ty| Word::of(&ty)).collect();
    let results = results.filter(|results| results.len() <= MAX_RESULTS).ok_or_else(mismatch)?;
    let result = match (&signature.returns, results.as_slice()) {
        (Type::Void, []) => Outcome::Nothing,
        (Type::Array(item), [_, _, ..])
            if results.iter().all(|word| **item == Type::Any || **item == word.script_type()) =>
        {
            Outcome::Several(results)
        }
        (Type::Void | Type::Array(_), _) => return Err(mismatch()),
        (returns, [word]) => Outcome::One(match (slot(returns, signature)?, *word) {
            (Slot::Number(kind), word) if kind.script_type() == word.script_type() => Slot::Number(word),
            (slot @ (Slot::Bool | Slot::Char), Word::I32) | (slot @ Slot::Text(_), Word::I64) => slot,
            _ => return Err(mismatch()),
        }),
        (returns, _) => {
            slot(returns, signature)?;
            return Err(mismatch());
        }
    };
    let export = Export::new(signature.clone(), name, params, result);
    if export.texts {
        check_heap(module, signature)?;
    }
    Ok(export)
}

/// What a declared type is in a module; an int stands for both widths, and so does a float.
fn slot(ty: &Type, signature: &Signature) -> Result<Slot, Error> {
    Ok(match ty {
        Type::Int => Slot::Number(Word::I64),
        Type::Float => Slot::Number(Word::F64),
        Type::Bool => Slot::Bool,
        Type::Char => Slot::Char,
        Type::String => Slot::Text(Text::String),
        Type::Bytes => Slot::Text(Text::Bytes),
        other => {
            let message = format!(
                "`{signature}` uses `{other}`; a core module can be given int, float, bool, char, string and bytes"
            );
            return Err(Error::new(Code::NotEnforced, message)
                .hint("make a component, whose functions take every type of WIT"));
        }
    })
}

/// The word that is there, if it is of the same kind of number.
fn word_like(kind: Word, ty: Option<ValType>) -> Option<Word> {
    Word::of(&ty?).filter(|word| word.script_type() == kind.script_type())
}

/// Looks at the exports that texts are passed with.
fn check_heap(module: &Module, signature: &Signature) -> Result<(), Error> {
    let memory = module.get_export(MEMORY);
    let fits = memory.as_ref().and_then(ExternType::memory).is_some_and(|ty| !ty.is_64() && !ty.is_shared());
    let alloc = module.get_export(ALLOC).is_some_and(|ty| is_function(&ty, &[Word::I32], &[Word::I32]));
    let dealloc = module.get_export(DEALLOC).is_none_or(|ty| is_function(&ty, &[Word::I32; 2], &[]));
    let wanted = match (fits, alloc, dealloc) {
        (true, true, true) => return Ok(()),
        (false, ..) => format!("a 32-bit memory called `{MEMORY}`"),
        (_, false, _) => format!("`{ALLOC}(size: i32) -> i32`"),
        (.., false) => format!("`{DEALLOC}(at: i32, size: i32)`, or none"),
    };
    let message = format!("`{signature}` passes texts, for which the module must export {wanted}");
    Err(Error::new(Code::SignatureMismatch, message).hint("docs/wasm-plugins.md has an example in C"))
}

/// Whether an export or import is a function over just these numbers.
fn is_function(ty: &ExternType, params: &[Word], results: &[Word]) -> bool {
    let same = |found: &mut dyn Iterator<Item = ValType>, wanted: &[Word]| {
        found.map(|ty| Word::of(&ty)).eq(wanted.iter().copied().map(Some))
    };
    ty.func().is_some_and(|ty| same(&mut ty.params(), params) && same(&mut ty.results(), results))
}

/// `add(i32, i32) -> i32`.
fn shown(name: &str, ty: &FuncType) -> String {
    let list = |types: &mut dyn Iterator<Item = ValType>| {
        types.map(|ty| ty.to_string()).collect::<Vec<_>>().join(", ")
    };
    let mut text = format!("{name}({})", list(&mut ty.params()));
    let _ = match ty.results().len() {
        0 => Ok(()),
        1 => write!(text, " -> {}", list(&mut ty.results())),
        _ => write!(text, " -> ({})", list(&mut ty.results())),
    };
    text
}
