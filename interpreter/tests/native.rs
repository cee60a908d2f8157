//! Native code that ends the process, as a shell sees it. `docs/security.md` says what to expect of it.

#![cfg(all(feature = "cli", feature = "native", unix))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
#[path = "../../tests/src/build.rs"]
mod build;
mod common;

use common::Folder;
use std::os::unix::process::ExitStatusExt;

const SIGILL: i32 = 4;
const SIGABRT: i32 = 6;
const SIGSEGV: i32 = 11;

/// A folder with the plugin of `tests/plugins/native-faults`.
fn folder() -> Folder {
    let manifest = format!(
        "name = \"faults\"\nversion = \"0.1.0\"\ntype = \"native\"\ncapabilities = [\"native\"]\n\
         implementation = {{ entrypoint = \"{}\" }}\nsecurity = {{ sandbox = false }}\n",
        build::file_name("faults")
    );
    let folder = Folder::new(&[("plugins/faults/plugin.toml", &manifest)]);
    let library = folder.path().join("plugins/faults").join(build::file_name("faults"));
    std::fs::write(library, build::cargo("native-faults", "faults", &[])).unwrap();
    folder
}

#[test]
fn the_shell_sees_how_native_code_ended_the_process() {
    let folder = folder();
    for (call, signal, code, stderr) in [
        ("abort()", Some(SIGABRT), None, ""),
        ("segfault()", Some(SIGSEGV), None, ""),
        ("illegal()", Some(SIGILL), None, ""),
        ("overflow_stack()", Some(SIGSEGV), None, ""),
        ("panics_while_panicking()", Some(SIGABRT), None, "second"),
        ("foreign_exception()", Some(SIGABRT), None, "foreign exception"),
        ("exit(0)", None, Some(0), ""),
        ("exit(33)", None, Some(33), ""),
    ] {
        let program = format!("import \"faults\" as f;\nprint(\"before\");\nf::{call};\nprint(\"after\");\n");
        folder.write("app.rhai", &program);
        let output = folder.command(&["run", "app.rhai", "--allow", "native"]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.signal(), output.status.code()), (signal, code), "{call}: {told}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "before\n", "{call}: {told}");
        assert!(told.contains(stderr), "{call}: {told}");
    }
}

#[test]
fn a_panic_is_an_error_of_the_script() {
    let folder = folder();
    folder.write("app.rhai", "import \"faults\" as f;\ntry { f::panics(\"ouch\") } catch { print(\"caught\") }\nf::panics(\"again\")\n");
    let ran = folder.run(&["run", "app.rhai", "--allow", "native"]);
    ran.gives(
        1,
        "caught\n",
        &["error[E0109]: `faults::panics` panicked at src/lib.rs:", ": again\n", "--> app.rhai:3:4\n"],
    );
}

#[test]
fn a_library_that_is_cut_short_while_it_is_loaded_goes_on() {
    let folder = folder();
    let library = folder.path().join("plugins/faults").join(build::file_name("faults"));
    folder.write(
        "app.rhai",
        &format!(
            "import \"std/fs\" as fs;\nimport \"faults\" as f;\nprint(f::len(\"abc\"));\n\
             fs::write_text({:?}, \"\");\nprint(f::len(\"abcd\"));\nprint(f::text_of(100000).len());\n\
             import \"faults\" as again;\nprint(again::len(\"\"));\n",
            library.to_str().unwrap()
        ),
    );
    let write = format!("filesystem=write:{}", folder.path().display());
    let args = ["run", "app.rhai", "--allow", "native", "--allow", &write];
    folder.run(&args).gives(0, "3\n4\n100000\n0\n", &[]);
    assert_eq!(std::fs::metadata(&library).unwrap().len(), 0);
    // The next process finds out.
    folder.run(&args).gives(3, "", &["error[E0308]"]);
}
