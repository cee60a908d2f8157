//! The harness as a library.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use caraway::loader::{LoadRequest, Loader, PluginFile};
use caraway::manifest::{Function, Manifest};
use caraway::test::{Harness, Outcome};
use caraway::{Error, Plugin, Runtime};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A kind whose only plugin, `hang`, has functions that know no limits.
struct Hanging;

impl Loader for Hanging {
    fn kind(&self) -> &'static str {
        "hanging"
    }

    fn description(&self) -> &'static str {
        "a plugin that hangs"
    }

    fn validate(&self, _: &Manifest) -> Vec<Error> {
        Vec::new()
    }

    fn files(&self, _: &Plugin) -> Result<Vec<PluginFile>, Error> {
        Ok(Vec::new())
    }

    fn inspect(&self, _: &Plugin) -> Result<Vec<Function>, Error> {
        Ok(Vec::new())
    }

    fn load(&self, request: &LoadRequest) -> Result<caraway::bind::Bound, Error> {
        let mut binder = request.binder();
        binder.function("hang()".parse().unwrap(), |_, _| {
            std::thread::sleep(Duration::from_secs(600));
            Ok(rhai::Dynamic::UNIT)
        })?;
        let calls = std::sync::atomic::AtomicI64::new(0);
        binder.function("count() -> int".parse().unwrap(), move |_, _| {
            Ok((calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1).into())
        })?;
        Ok(binder.finish())
    }
}

#[test]
fn what_does_not_stop_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("tests")).unwrap();
    std::fs::write(
        folder.path().join("plugin.toml"),
        "name = \"hang\"\nversion = \"1.0.0\"\ntype = \"hanging\"\n",
    )
    .unwrap();
    let suite = r#"
        [[tests]]
        name = "first"
        function = "count"
        expected = 1
        [[tests]]
        name = "second"
        function = "count"
        expected = 2
        [[tests]]
        name = "hangs"
        function = "hang"
        timeout = "50ms"
        [[tests]]
        name = "in a new session"
        function = "count"
        expected = 1
    "#;
    std::fs::write(folder.path().join("tests/s.toml"), suite).unwrap();
    let runtime = Runtime::builder().loader(Arc::new(Hanging)).build().unwrap();
    let start = Instant::now();
    let report = Harness::new(&runtime, folder.path()).unwrap().run().unwrap();
    assert!(start.elapsed() < Duration::from_secs(60));
    let outcomes: Vec<bool> =
        report.tests.iter().map(|test| matches!(test.outcome, Outcome::Passed)).collect();
    assert_eq!(outcomes, [true, true, false, true], "{report}");
    assert!(report.to_string().contains("it is native code, which goes on"), "{report}");
}
