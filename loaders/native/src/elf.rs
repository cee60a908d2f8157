//! A look at a library before it is opened.
//!
//! Opening maps the file and runs its constructors: a library cut short ends the process with a signal, and
//! one that is no plugin has run code before anyone notices. So headers, segments and the exported symbol are
//! checked in the bytes that are then opened.

use caraway_abi::{ABI_MAJOR, PLUGIN_SIZE_1_0, SYMBOL, SYMBOL_PREFIX};
use object::elf::{
    EM_386, EM_AARCH64, EM_ARM, EM_RISCV, EM_X86_64, ET_DYN, FileHeader32, FileHeader64, SHT_DYNSYM,
    STT_FUNC, STT_GNU_IFUNC,
};
use object::read::elf::{ElfFile, FileHeader, ProgramHeader, SectionHeader, Sym, SymbolTable};
use object::{Endianness, FileKind, Object, ReadRef};

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
#[derive(Debug, Clone, PartialEq, Eq)]
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
pub(crate) fn check<'a, R: ReadRef<'a>>(bytes: R) -> Result<Exports, Unfit> {
    match FileKind::parse(bytes) {
        Ok(FileKind::Elf64) => check_elf::<FileHeader64<Endianness>, R>(bytes, 64),
        Ok(FileKind::Elf32) => check_elf::<FileHeader32<Endianness>, R>(bytes, 32),
        _ => Err(Unfit::Broken("it is no ELF file".to_owned())),
    }
}

fn check_elf<'a, Elf, R>(bytes: R, bits: u32) -> Result<Exports, Unfit>
where
    Elf: FileHeader<Endian = Endianness>,
    R: ReadRef<'a>,
{
    let broken = |error: object::Error| Unfit::Broken(format!("its headers are broken: {error}"));
    let header = Elf::parse(bytes).map_err(broken)?;
    let endian = header.endian().map_err(broken)?;
    let segments = header.program_headers(endian, bytes).map_err(broken)?;
    let sections = header.sections(endian, bytes).map_err(broken)?;
    // Others may be large, and nobody needs them.
    let symbols = sections.symbols(endian, bytes, SHT_DYNSYM).map_err(broken)?;

    let little = header.is_little_endian();
    let same = bits == usize::BITS
        && little == cfg!(target_endian = "little")
        && HOST.is_none_or(|host| header.e_machine(endian) == host);
    if !same {
        let order = if little { "little" } else { "big" };
        let architecture = ElfFile::<Elf, R>::parse(bytes).map_err(broken)?.architecture();
        return Err(Unfit::Foreign(format!("{architecture:?}, {bits} bits, {order}-endian")));
    }
    if header.e_type(endian) != ET_DYN {
        return Err(Unfit::Broken("it is no shared library".to_owned()));
    }

    let size = bytes.len().unwrap_or(0);
    let inside = |(offset, len): (u64, u64)| offset.checked_add(len).is_some_and(|end| end <= size);
    let segments = segments.iter().map(|segment| segment.file_range(endian));
    let sections = sections.iter().filter_map(|section| section.file_range(endian));
    if !segments.chain(sections).all(inside) {
        return Err(Unfit::Broken("it is cut short".to_owned()));
    }
    exports(endian, &symbols)
}

fn exports<'a, Elf, R>(endian: Endianness, symbols: &SymbolTable<'a, Elf, R>) -> Result<Exports, Unfit>
where
    Elf: FileHeader<Endian = Endianness>,
    R: ReadRef<'a>,
{
    let mut exports = Exports { table: None, envelope: false };
    let mut other = None;
    for symbol in symbols.iter().filter(|symbol| symbol.is_definition(endian, symbols.strings())) {
        let Ok(name) = symbol.name(endian, symbols.strings()) else { continue };
        if name == ENVELOPE_SYMBOL.as_bytes() {
            exports.envelope = true;
        } else if name == SYMBOL.as_bytes() {
            let size = usize::try_from(symbol.st_size(endian).into()).unwrap_or(usize::MAX);
            let runs = matches!(symbol.st_type(), STT_FUNC | STT_GNU_IFUNC);
            // A size of 0 is one that the file does not say.
            if runs || (1..PLUGIN_SIZE_1_0).contains(&size) {
                return Err(Unfit::NoTable);
            }
            exports.table = Some(TableSymbol { size: (size > 0).then_some(size) });
        } else if let Some(version) = name.strip_prefix(SYMBOL_PREFIX.as_bytes())
            && let Some(version) = str::from_utf8(version).ok().and_then(|version| version.parse().ok())
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

/// What this host's libraries are for. Where it is not known here, the system's own linker has the last word.
const HOST: Option<u16> = if cfg!(target_arch = "x86_64") {
    Some(EM_X86_64)
} else if cfg!(target_arch = "aarch64") {
    Some(EM_AARCH64)
} else if cfg!(target_arch = "riscv64") {
    Some(EM_RISCV)
} else if cfg!(target_arch = "x86") {
    Some(EM_386)
} else if cfg!(target_arch = "arm") {
    Some(EM_ARM)
} else {
    None
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::Pieces;

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
            ET_DYN => Unfit::NoPlugin,
            _ => Unfit::Broken("it is no shared library".to_owned()),
        };
        assert_eq!(check(&program[..]), Err(expected.clone()));
        let file = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(check(&Pieces::new(&file, program.len() as u64)), Err(expected));
        for part in 1..64 {
            let cut = &program[..program.len() / 64 * part];
            assert!(matches!(check(cut), Err(Unfit::Broken(_))), "cut at {}", cut.len());
            let pieces = Pieces::new(&file, cut.len() as u64);
            assert!(matches!(check(&pieces), Err(Unfit::Broken(_))), "cut at {}", cut.len());
        }
    }
}
