//! Functions that plugins in workers pass to each other.

use crate::host::Host;
use crate::plugins::workers;
use caraway::Code::PluginCrashed;
use caraway::Runtime;
use std::path::Path;

const EACH: &str = "fn each(items, f) { items.map(|item| f.call(item)) }";

const WORK: &str = r#"
    import "each" as e;
    fn slow(x) { let n = 0; while n < 3_000_000 { n += 1; } "late" }
    fn outer() { try { e::each([1], |x| slow(x)) } catch { "caught" } }
    fn echo(x) { x }
"#;

fn write(folder: &Path, name: &str, manifest: &str, code: &str) {
    let folder = folder.join(name);
    std::fs::create_dir(&folder).unwrap();
    let manifest = format!("name = \"{name}\"\nversion = \"1.0.0\"\ntype = \"module\"\n{manifest}\n");
    std::fs::write(folder.join("plugin.toml"), manifest).unwrap();
    std::fs::write(folder.join("main.rhai"), code).unwrap();
}

/// The one that called it has been stopped, and nobody waits for its answer any more.
#[test]
fn a_late_answer_of_a_callback_is_no_answer_of_another_call() {
    if !caraway_tests::workers_hold() {
        return;
    }
    let host = Host::now();
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "each", "security = { timeout = \"100ms\" }", EACH);
    write(folder.path(), "work", "dependencies = [\"each\"]", WORK);
    let builder = Runtime::builder().folder(folder.path()).plugin_path(folder.path());
    let runtime = workers(builder).isolate(true).build().unwrap();
    for _ in 0..2 {
        let error = runtime.call("work", "outer", vec![]).unwrap_err();
        assert_eq!(error.code(), PluginCrashed, "{error:?}");
        assert!(error.message().contains("`work::outer` was ended"), "{error:?}");
        for number in 0..4 {
            let answer = runtime.call("work", "echo", vec![number.into()]).unwrap();
            assert_eq!(answer.as_int(), Ok(number));
        }
    }
    drop(runtime);
    host.is_clean();
}
