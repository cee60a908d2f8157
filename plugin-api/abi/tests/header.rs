//! `caraway_plugin.h` says the same as this crate.

use caraway_abi::{
    ABI_MAJOR, ABI_MINOR, CALLBACK_OUT_WORDS, Class, Failure, Function, HostApi, Kind, NO_MEMORY, OUT_WORDS,
    Plugin, Ret, SYMBOL, Status, Text, TypeDef, TypeList, UTF8,
};
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
        format!("CARAWAY_RAISED == {}", Status::Raised as i32),
        format!("CARAWAY_CALLBACK_OUT_WORDS == {CALLBACK_OUT_WORDS}"),
        format!("CARAWAY_FUNCTION == {}", Kind::Function as u32),
        format!("CARAWAY_METHOD == {}", Kind::Method as u32),
        format!("CARAWAY_GETTER == {}", Kind::Getter as u32),
        format!("CARAWAY_UTF8 == {UTF8}"),
    ];
    macro_rules! layout {
        ($rust:ty as $c:literal: $($field:ident)*) => {
            lines.push(format!("sizeof({}) == {}", $c, size_of::<$rust>()));
            $(lines.push(format!(
                "offsetof({}, {}) == {}", $c, stringify!($field), offset_of!($rust, $field)
            ));)*
        };
    }
    layout!(Text as "caraway_text": ptr len);
    layout!(HostApi as "caraway_host_api": size alloc free context call log interrupted);
    layout!(Function as "caraway_function": signature doc call typed kind writes);
    layout!(Ret<i64> as "caraway_ret_int": value failure);
    layout!(Ret<f64> as "caraway_ret_float": value failure);
    layout!(Failure as "caraway_failure": status out);
    layout!(Class as "caraway_class": name doc drop);
    layout!(TypeDef as "caraway_type_def": text doc list_count lists);
    layout!(TypeList as "caraway_type_list": count types);
    layout!(
        Plugin as "caraway_plugin":
        abi_major abi_minor size name version unwind function_size function_count functions attach
        flags class_size class_count classes type_list_count type_lists init shutdown release
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
    let symbol = format!(
        "extern int CARAWAY_PLUGIN;\nextern int {SYMBOL};\n\
         static caraway_failure *no_memory = CARAWAY_NO_MEMORY;\n\
         _Static_assert(_Alignof(caraway_failure) == {}, \"\");\n\
         int used(void) {{ return no_memory == 0; }}\n",
        NO_MEMORY.addr()
    );
    std::fs::write(&source, format!("#include \"caraway_plugin.h\"\n{lines}{symbol}")).unwrap();
    let include = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../include");
    let output = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I"])
        .args([include.as_path(), source.as_path()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
