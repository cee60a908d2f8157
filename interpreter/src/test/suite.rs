//! A suite of tests, as a file describes it.

use super::decode;
use super::expected::Expected;
use super::expression::Expression;
use caraway_loaders_core::manifest::document::Document;
use caraway_loaders_core::{Code, Error, Location};
use std::path::Path;
use std::time::Duration;

/// Tests of one plugin that are run in order, in one session: what a file describes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Suite {
    /// `name`; the file's stem unless given.
    pub name: String,
    /// `description`.
    pub description: Option<String>,
    /// `plugin`: what the functions belong to; the plugin that the file lies in unless given.
    pub plugin: Option<String>,
    /// Its tests, in order.
    pub tests: Vec<Test>,
    /// Whether each test has a session of its own, with `setup` and `teardown` around it.
    pub isolated: bool,
    pub(super) setup: Vec<Step>,
    pub(super) teardown: Vec<Step>,
    /// Where it stands.
    pub location: Location,
    /// What is odd in the file, and not wrong.
    pub warnings: Vec<Error>,
}

/// A test of a [`Suite`]: a call, and what comes of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Test {
    /// `name`; the function's name unless given.
    pub name: String,
    /// `description`.
    pub description: Option<String>,
    /// `tags`.
    pub tags: Vec<String>,
    /// `timeout`: of the test's setup and call together.
    pub timeout: Option<Duration>,
    /// Why it is not run: `skip` or `ignore`.
    pub ignored: Option<String>,
    /// `meta`, which means nothing.
    pub meta: serde_json::Value,
    pub(super) call: Call,
    pub(super) expected: Expected,
    pub(super) setup: Vec<Step>,
    pub(super) cleanup: Vec<Step>,
    /// Where it stands.
    pub location: Location,
}

/// A call of a plugin's function.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// The plugin, if it is not the suite's.
    pub(super) plugin: Option<String>,
    pub(super) function: String,
    pub(super) args: Vec<Expression>,
}

/// What is done around tests.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) action: Action,
    pub(super) location: Location,
}

/// What a step does.
#[derive(Debug, Clone)]
pub(super) enum Action {
    /// Calls a function, and keeps what it gives.
    Call { call: Call, assign: Option<String> },
    /// Gives a name to a value.
    Assign { name: String, value: Expression },
    /// Waits.
    Delay(Duration),
}

impl Suite {
    /// Reads the suites of a file, JSON or (`.toml`) TOML: one, or an array of them.
    ///
    /// # Errors
    ///
    /// [`Code::Io`] if it cannot be read; [`Code::TestFile`] with all that is wrong with it, see [`Error::others`].
    pub fn load(file: impl AsRef<Path>) -> Result<Vec<Suite>, Error> {
        decode::suites(&Document::read(file.as_ref(), Code::TestFile)?)
    }

    /// The same for a text that messages call `file`, whose extension says what it is written in.
    ///
    /// ```
    /// use caraway::test::Suite;
    ///
    /// let suites = Suite::parse("tests/sum.json", r#"{
    ///     "tests": [{ "name": "one and two", "function": "sum", "args": [[1, 2]], "expected": 3 }]
    /// }"#)?;
    /// assert_eq!((suites[0].name.as_str(), suites[0].tests[0].name.as_str()), ("sum", "one and two"));
    ///
    /// let wrong = Suite::parse("tests/sum.json", r#"{"tests": [{"function": "sum", "expect": 3}]}"#).unwrap_err();
    /// assert_eq!(wrong.hint_text(), Some("did you mean `expected`?"));
    /// # Ok::<(), caraway::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Code::TestFile`].
    pub fn parse(file: impl AsRef<Path>, text: &str) -> Result<Vec<Suite>, Error> {
        decode::suites(&Document::new(file.as_ref(), text))
    }
}
