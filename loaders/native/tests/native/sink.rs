//! The plugin of `tests/plugins/native-sink`, built once, as its author would. Shared with the tests of hybrids.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// The bytes of the library of `tests/plugins/native-sink`.
pub(crate) fn sink() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let target = workspace.join("target/plugins");
        let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--quiet", "--target-dir"])
            .arg(&target)
            .current_dir(workspace.join("tests/plugins/native-sink"))
            .status()
            .unwrap();
        assert!(status.success(), "the test plugin does not build");
        let name = format!("debug/{}sink{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        std::fs::read(target.join(name)).unwrap()
    })
}
