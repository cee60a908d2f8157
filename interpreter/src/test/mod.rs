//! Tests of plugins: suites in JSON and TOML, and functions of scripts. `docs/guide-testing.md` describes the files.
//!
//! `caraway test` is made of it; an author's own tests can be, too:
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # std::fs::create_dir(folder.path().join("tests"))?;
//! # std::fs::write(folder.path().join("plugin.toml"), "name = \"sums\"\nversion = \"1.0.0\"\ntype = \"module\"\n")?;
//! # std::fs::write(folder.path().join("main.rhai"), "fn add(a, b) { a + b }")?;
//! # std::fs::write(folder.path().join("tests/add.toml"), r#"
//! #     [[tests]]
//! #     function = "add"
//! #     args = [1, 2]
//! #     expected = 3
//! # "#)?;
//! # let plugin = folder.path();
//! caraway::test::run(plugin)?.assert_passed();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod asserts;
mod bench;
mod compare;
mod decode;
mod duration;
mod expected;
mod expression;
mod fields;
mod filter;
mod fitted;
mod harness;
mod json;
mod junit;
mod report;
mod runner;
mod script;
mod shown;
mod suite;
mod variables;
mod watched;

pub(crate) use bench::{Stopped, run_until};
pub(crate) use shown::shown;

pub use compare::{Difference, difference};
pub use filter::Filter;
pub use harness::Harness;
pub use junit::junit;
pub use report::{Failure, Outcome, Report, TestResult};
pub use suite::{Suite, Test};

use crate::runtime::Runtime;
use caraway_loaders_core::Error;
use std::path::Path;

/// Runs the tests of the plugin in `folder`, with nothing granted. Native plugins need a grant or a worker, and so a
/// [`Harness`] with a runtime of your own.
///
/// # Errors
///
/// As [`Harness::new`] and [`Harness::run`]. Tests that fail are in the report.
pub fn run(folder: impl AsRef<Path>) -> Result<Report, Error> {
    Harness::new(&Runtime::builder().build()?, folder)?.run()
}
