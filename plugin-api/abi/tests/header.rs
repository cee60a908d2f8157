//! `caraway_plugin.h` says the same as this crate.

use caraway_abi::{ABI_MAJOR, ABI_MINOR, Function, HostApi, OUT_WORDS, Plugin, Status, Text};
use std::mem::offset_of;
use std::process::Command;

/// What a C compiler must find true with the header.
fn assertions() -> Vec<String> {
    let mut lines = vec![
        format!("CARAWAY_ABI_MAJOR == {ABI_MAJOR}"),
        format!("CARAWAY_ABI_MINOR == {ABI_MINOR}"),
        format!("CARAWAY_OUT_WORDS == {OUT_WORDS}"),
        format!("CARAWAY_OK == {}", Status::Ok as i32),
        format!("CARAWAY_FAILED == {}", Status::Failed as i32),
        format!("CARAWAY_PANICKED == {}", Status::Panicked as i32),
        format!("CARAWAY_OUT_OF_MEMORY == {}", Status::OutOfMemory as i32),
    ];
    macro_rules! layout {
        ($rust:ident as $c:literal: $($field:ident)*) => {
            lines.push(format!("sizeof({}) == {}", $c, size_of::<$rust>()));
            $(lines.push(format!(
                "offsetof({}, {}) == {}", $c, stringify!($field), offset_of!($rust, $field)
            ));)*
        };
    }
    layout!(Text as "caraway_text": ptr len);
    layout!(HostApi as "caraway_host_api": size alloc free);
    layout!(Function as "caraway_function": signature doc call);
    layout!(
        Plugin as "caraway_plugin":
        abi_major abi_minor size name version unwind function_size function_count functions attach
    );
    lines
}

#[test]
fn the_header_has_the_layout() {
    if Command::new("cc").arg("--version").output().is_err() {
        eprintln!("skipped: there is no C compiler");
        return;
    }
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let source = folder.join("header.c");
    let lines: String =
        assertions().iter().map(|line| format!("_Static_assert({line}, \"{line}\");\n")).collect();
    std::fs::write(&source, format!("#include \"caraway_plugin.h\"\n{lines}")).unwrap();
    let include = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../include");
    let output = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I"])
        .args([include.as_path(), source.as_path()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
