//! Files that are not what they say.

use crate::sink::sink;
use crate::support::{Folder, LIBRARY, engine, same};
use caraway_loaders_core::Code::{EntryPoint, Incompatible, LoadFailed};
use serde_json::json;

#[test]
fn a_missing_library_can_be_built() {
    let implementation = json!({"entrypoint": "target/libnone.so", "build_cmd": ["make", "all"]});
    let folder = Folder::new(b"", json!({"implementation": implementation}));
    let error = folder.refused(EntryPoint, "does not exist");
    assert!(error.hint_text().is_some_and(|hint| hint.contains("make all")), "{error:?}");
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

/// The file is a library all right; its code must not run to find out that it is no plugin.
#[cfg(target_os = "linux")]
#[test]
fn a_library_that_is_no_plugin_is_not_opened() {
    let mut renamed = sink().to_vec();
    let symbol = b"_1as_0lib_1header_0root_bmodule_bloader";
    let places: Vec<usize> =
        renamed.windows(symbol.len()).enumerate().filter(|(_, w)| w == symbol).map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| renamed[at] = b'x');
    let maps = || std::fs::read_to_string("/proc/self/maps").unwrap().matches("libnoplugin").count();
    let folder = Folder::new(b"", json!({"implementation": {"entrypoint": "libnoplugin.so"}}));
    std::fs::write(folder.plugin.root.join("libnoplugin.so"), renamed).unwrap();
    folder.refused(LoadFailed, "libnoplugin.so is a library, but exports no Caraway plugin");
    assert_eq!(maps(), 0);
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
