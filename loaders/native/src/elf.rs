//! A look at a library before it is opened.
//!
//! Opening maps the file and runs its constructors: a library cut short ends the process with a signal, and
//! one that is no plugin has run code before anyone notices. So headers, segments and the exported symbol are
//! checked in the bytes that are then opened.

use caraway_abi::envelope::ROOT_SYMBOL;
use object::read::elf::{ElfFile, FileHeader};
use object::{
    Architecture, Endianness, FileKind, Object, ObjectKind, ObjectSection, ObjectSegment, ObjectSymbol,
};

/// Why bytes are no plugin's library.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// They are no shared library of this system, or not all of one.
    Broken(String),
    /// They are one for another machine.
    Foreign(String),
    /// They are one, but no plugin.
    NoPlugin,
}

/// Checks the bytes of a library for this host.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Unfit> {
    match FileKind::parse(bytes) {
        Ok(FileKind::Elf64) => check_elf::<object::elf::FileHeader64<Endianness>>(bytes, 64),
        Ok(FileKind::Elf32) => check_elf::<object::elf::FileHeader32<Endianness>>(bytes, 32),
        _ => Err(Unfit::Broken("it is no ELF file".to_owned())),
    }
}

fn check_elf<Elf: FileHeader<Endian = Endianness>>(bytes: &[u8], bits: u32) -> Result<(), Unfit> {
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
    let exported =
        file.dynamic_symbols().any(|symbol| symbol.is_definition() && symbol.name() == Ok(ROOT_SYMBOL));
    if exported { Ok(()) } else { Err(Unfit::NoPlugin) }
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
