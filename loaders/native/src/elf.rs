//! A look at a library before it is opened.
//!
//! Opening maps the file and runs its constructors: a library cut short ends the process with a signal, and
//! one that is no plugin has run code before anyone notices. So headers, segments and the exported symbol are
//! checked in the bytes that are then opened.

use caraway_abi::{ABI_MAJOR, PLUGIN_SIZE_1_0, SYMBOL, SYMBOL_PREFIX};
use object::read::elf::{ElfFile, FileHeader};
use object::{
    Architecture, Endianness, FileKind, Object, ObjectKind, ObjectSection, ObjectSegment, ObjectSymbol,
    SymbolKind,
};

/// The symbol that the envelope of contract 1.0 is exported as.
const ENVELOPE_SYMBOL: &str = "_1as_0lib_1header_0root_bmodule_bloader";

/// What a library exports of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exports {
    /// How the table is exported, if it is.
    pub(crate) table: Option<TableSymbol>,
    /// Whether the envelope of contract 1.0 is exported.
    pub(crate) envelope: bool,
}

/// The symbol of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TableSymbol {
    /// How many bytes the file says that it has.
    pub(crate) size: Option<usize>,
}

impl Exports {
    /// For systems whose libraries are not looked at: opening it will show.
    #[cfg(not(all(unix, not(target_vendor = "apple"))))]
    pub(crate) const UNKNOWN: Exports = Exports { table: Some(TableSymbol { size: None }), envelope: true };
}

/// Why bytes are no plugin's library.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// They are no shared library of this system, or not all of one.
    Broken(String),
    /// They are one for another machine.
    Foreign(String),
    /// They are one, but no plugin.
    NoPlugin,
    /// They are a plugin of another major version of the contract.
    Contract(u32),
    /// They export a function or something too small by the name of the table.
    NoTable,
}

/// Checks the bytes of a library for this host.
pub(crate) fn check(bytes: &[u8]) -> Result<Exports, Unfit> {
    match FileKind::parse(bytes) {
        Ok(FileKind::Elf64) => check_elf::<object::elf::FileHeader64<Endianness>>(bytes, 64),
        Ok(FileKind::Elf32) => check_elf::<object::elf::FileHeader32<Endianness>>(bytes, 32),
        _ => Err(Unfit::Broken("it is no ELF file".to_owned())),
    }
}

fn check_elf<Elf: FileHeader<Endian = Endianness>>(bytes: &[u8], bits: u32) -> Result<Exports, Unfit> {
    let broken = |error: object::Error| Unfit::Broken(format!("its headers are broken: {error}"));
    let file = ElfFile::<Elf>::parse(bytes).map_err(broken)?;

    let little = file.is_little_endian();
    let architecture = file.architecture();
    let same = bits == usize::BITS
        && little == cfg!(target_endian = "little")
        && (HOST == Architecture::Unknown || architecture == HOST);
    if !same {
        let order = if little { "little" } else { "big" };
        return Err(Unfit::Foreign(format!("{architecture:?}, {bits} bits, {order}-endian")));
    }
    if file.kind() != ObjectKind::Dynamic {
        return Err(Unfit::Broken("it is no shared library".to_owned()));
    }

    let inside =
        |(offset, size): (u64, u64)| offset.checked_add(size).is_some_and(|end| end <= bytes.len() as u64);
    let segments = file.segments().map(|segment| segment.file_range());
    let sections = file.sections().filter_map(|section| section.file_range());
    if !segments.chain(sections).all(inside) {
        return Err(Unfit::Broken("it is cut short".to_owned()));
    }
    exports(&file)
}

fn exports<'a, Elf: FileHeader<Endian = Endianness>>(file: &ElfFile<'a, Elf>) -> Result<Exports, Unfit> {
    let mut exports = Exports { table: None, envelope: false };
    let mut other = None;
    for symbol in file.dynamic_symbols().filter(|symbol| symbol.is_definition()) {
        let Ok(name) = symbol.name() else { continue };
        if name == ENVELOPE_SYMBOL {
            exports.envelope = true;
        } else if name == SYMBOL {
            let size = usize::try_from(symbol.size()).unwrap_or(usize::MAX);
            // A size of 0 is one that the file does not say.
            if symbol.kind() == SymbolKind::Text || (1..PLUGIN_SIZE_1_0).contains(&size) {
                return Err(Unfit::NoTable);
            }
            exports.table = Some(TableSymbol { size: (size > 0).then_some(size) });
        } else if let Some(version) = name.strip_prefix(SYMBOL_PREFIX).and_then(|v| v.parse().ok())
            && version != ABI_MAJOR
        {
            other = Some(version);
        }
    }
    match other {
        _ if exports.table.is_some() || exports.envelope => Ok(exports),
        Some(version) => Err(Unfit::Contract(version)),
        None => Err(Unfit::NoPlugin),
    }
}

const HOST: Architecture = if cfg!(target_arch = "x86_64") {
    Architecture::X86_64
} else if cfg!(target_arch = "aarch64") {
    Architecture::Aarch64
} else if cfg!(target_arch = "riscv64") {
    Architecture::Riscv64
} else if cfg!(target_arch = "x86") {
    Architecture::I386
} else if cfg!(target_arch = "arm") {
    Architecture::Arm
} else {
    // The system's own linker has the last word.
    Architecture::Unknown
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_library_is_refused() {
        for bytes in [&b""[..], b"#!/bin/sh", b"\x7fELF", &[0; 4096]] {
            assert!(matches!(check(bytes), Err(Unfit::Broken(_))), "{bytes:?}");
        }
    }

    #[cfg(feature = "abi_stable")]
    #[test]
    fn the_envelope_is_found_by_its_own_symbol() {
        assert_eq!(ENVELOPE_SYMBOL, caraway_abi::envelope::ROOT_SYMBOL);
    }

    /// That a plugin passes is seen where one is built, in `tests/native/files.rs`.
    #[cfg(all(unix, not(target_vendor = "apple")))]
    #[test]
    fn a_program_is_no_plugin_and_its_cuts_are_refused() {
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let kind = u16::from_ne_bytes([program[16], program[17]]);
        let expected = match kind {
            object::elf::ET_DYN => Unfit::NoPlugin,
            _ => Unfit::Broken("it is no shared library".to_owned()),
        };
        assert_eq!(check(&program), Err(expected));
        for part in 1..64 {
            let cut = &program[..program.len() / 64 * part];
            assert!(matches!(check(cut), Err(Unfit::Broken(_))), "cut at {}", cut.len());
        }
    }
}
