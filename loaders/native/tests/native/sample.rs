//! The plugin of `c/sample.c`, which uses all of the contract, and breaks it where a test asks for that. Shared with
//! the tests of hybrids.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// Whose memory its results are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "the tests of hybrids need one of them")]
pub(crate) enum Memory {
    Host,
    Own,
}

/// The bytes of a library made of C source with the contract's header.
pub(crate) fn compile(source: &Path, flags: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("library");
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin-api/include");
    let status = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()))
        .args(["-std=c11", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread"])
        .args(flags)
        .arg("-I")
        .arg(include)
        .arg(source)
        .arg("-o")
        .arg(&library)
        .status()
        .unwrap();
    assert!(status.success(), "{} does not build", source.display());
    std::fs::read(library).unwrap()
}

/// The bytes of the library.
pub(crate) fn sample(memory: Memory) -> &'static [u8] {
    static HOST: OnceLock<Vec<u8>> = OnceLock::new();
    static OWN: OnceLock<Vec<u8>> = OnceLock::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../native/tests/native/c/sample.c");
    match memory {
        Memory::Host => HOST.get_or_init(|| compile(&source, &[])),
        Memory::Own => OWN.get_or_init(|| compile(&source, &["-DOWN_MEMORY"])),
    }
}
