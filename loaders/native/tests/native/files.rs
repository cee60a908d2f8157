//! Files that are not what they say.

use crate::sample::{Memory, compile, sample};
use crate::sink::sink;
use crate::support::{Folder, LIBRARY, engine, same};
use caraway_loaders_core::Code::{EntryPoint, Incompatible, LoadFailed};
use serde_json::json;

#[test]
fn a_missing_library_can_be_built() {
    let implementation = json!({"entrypoint": "target/libnone.so", "build_cmd": ["make", "all"]});
    let folder = Folder::new(b"", json!({"implementation": implementation}));
    let error = folder.refused(EntryPoint, "does not exist");
    assert!(
        error
            .hint_text()
            .is_some_and(|hint| hint.starts_with("`caraway build ") && hint.ends_with(" runs `make all`")),
        "{error:?}"
    );
}

#[cfg(unix)]
#[test]
fn only_regular_files_inside_are_opened() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join(LIBRARY), sink()).unwrap();
    let folder = Folder::new(b"", json!({}));
    std::fs::remove_file(folder.path()).unwrap();
    std::os::unix::fs::symlink(outside.path().join(LIBRARY), folder.path()).unwrap();
    folder.refused(EntryPoint, "leaves the plugin's folder");
    std::fs::remove_file(folder.path()).unwrap();
    std::fs::create_dir(folder.path()).unwrap();
    folder.refused(EntryPoint, "is not a regular file");
}

#[cfg(target_os = "linux")]
#[test]
fn a_library_is_accepted_whole_and_refused_cut_short() {
    let whole = sink();
    let bound = Folder::new(whole, json!({})).load().unwrap();
    same(&engine(&bound), "sink::add(1, 2)", "3");
    let table = u64::from_le_bytes(whole[40..48].try_into().unwrap()) as usize;
    let steps = (0..whole.len()).step_by(whole.len() / 50);
    let edges = [1, 4, 16, 63, 64, 4096, table - 1, table, table + 63, whole.len() - 1];
    for len in steps.chain(edges) {
        Folder::new(&whole[..len], json!({})).refused(LoadFailed, "libsink.so is no library");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn other_files_are_refused() {
    let patched = |at: usize, bytes: &[u8]| {
        let mut library = sink().to_vec();
        library[at..at + bytes.len()].copy_from_slice(bytes);
        library
    };
    for (bytes, code, message) in [
        (b"#!/bin/sh\n".to_vec(), LoadFailed, "it is no ELF file"),
        // S/390, which no test runs on.
        (patched(18, &[22, 0]), Incompatible, "is built for another machine (S390x"),
        (patched(4, &[1]), LoadFailed, "is no library"),
        (patched(16, &[1, 0]), LoadFailed, "it is no shared library"),
    ] {
        Folder::new(&bytes, json!({})).refused(code, message);
    }
}

/// The library of `c/sample.c` with another name for its table.
fn renamed(name: &[u8; 17]) -> Vec<u8> {
    let mut library = sample(Memory::Host).to_vec();
    let symbol = b"caraway_plugin_v1";
    let places: Vec<usize> =
        library.windows(symbol.len()).enumerate().filter(|(_, w)| w == symbol).map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| library[at..at + name.len()].copy_from_slice(name));
    library
}

/// The files are libraries all right; their code must not run to find out that they are no plugins of this host.
#[cfg(target_os = "linux")]
#[test]
fn a_library_that_is_no_plugin_is_not_opened() {
    let maps = || std::fs::read_to_string("/proc/self/maps").unwrap().matches("libnoplugin").count();
    for (symbol, code, message) in [
        (b"another_symbol_17", LoadFailed, "libnoplugin.so is a library, but exports no Caraway plugin"),
        (b"caraway_plugin_vx", LoadFailed, "libnoplugin.so is a library, but exports no Caraway plugin"),
        (
            b"caraway_plugin_v2",
            Incompatible,
            "libnoplugin.so was built for plugin contract 2; this host has 1.1",
        ),
        (
            b"caraway_plugin_v0",
            Incompatible,
            "libnoplugin.so was built for plugin contract 0; this host has 1.1",
        ),
    ] {
        let folder = Folder::new(b"", json!({"implementation": {"entrypoint": "libnoplugin.so"}}));
        std::fs::write(folder.plugin.root.join("libnoplugin.so"), renamed(symbol)).unwrap();
        folder.refused(code, message);
        assert_eq!(maps(), 0);
    }
}

/// What is exported under the table's name must be one.
#[cfg(target_os = "linux")]
#[test]
fn a_symbol_that_is_no_table_is_refused() {
    for source in ["int caraway_plugin_v1 = 1;", "int caraway_plugin_v1(void) { return 1; }"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("liar.c");
        std::fs::write(&file, source).unwrap();
        Folder::new(&compile(&file, &[]), json!({}))
            .refused(LoadFailed, "exports `caraway_plugin_v1`, which is no plugin's table");
    }
    // Large enough, and full of zeros.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("liar.c");
    std::fs::write(&file, "char caraway_plugin_v1[4096] __attribute__((aligned(16)));").unwrap();
    let library = compile(&file, &[]);
    Folder::new(&library, json!({}))
        .refused(Incompatible, "was built for plugin contract 0.0; this host has 1.1");
}

/// A library with nothing but the envelope of contract 1.0.
#[cfg(target_os = "linux")]
#[test]
fn an_envelope_is_opened_where_that_is_built_in() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("liar.c");
    let symbol = "_1as_0lib_1header_0root_bmodule_bloader";
    std::fs::write(&file, format!("char {symbol}[4096] __attribute__((aligned(16)));")).unwrap();
    let (code, message) = if cfg!(feature = "abi_stable") {
        (Incompatible, "libsink.so was built with abi_stable 0.0, which this host does not speak")
    } else {
        (Incompatible, "libsink.so wraps its table with abi_stable, which this host was built without")
    };
    Folder::new(&compile(&file, &[]), json!({})).refused(code, message);
}

/// The bytes that were checked are the ones that run, whatever happens to the file.
#[test]
fn a_loaded_library_does_not_depend_on_its_file() {
    let folder = Folder::new(sink(), json!({}));
    let bound = folder.load().unwrap();
    let engine = engine(&bound);
    std::fs::OpenOptions::new().write(true).open(folder.path()).unwrap().set_len(0).unwrap();
    same(&engine, "sink::add(1, 2)", "3");
    same(&engine, "sink::texts([\"x\"])", "[\"x\"]");
    drop(folder);
    same(&engine, "sink::repeat(\"x\", 2)", "\"xx\"");
}
