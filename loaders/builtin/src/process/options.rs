//! What a call says beside program and arguments.

use crate::options::{self, Data};
use caraway_loaders_core::Error;
use rhai::Map;
use std::time::Duration;

/// What a program may write to both of its streams together, unless the call says otherwise: 16 MiB.
const OUTPUT: usize = 16 << 20;

/// The most that a call may say: 256 MiB.
const MAX_OUTPUT: i64 = 256 << 20;

const NAMES: [&str; 7] = ["stdin", "env", "cwd", "timeout", "check", "max_output", "bytes"];

pub(super) struct Options {
    /// What the program reads; `None` is nothing.
    pub(super) stdin: Option<Data>,
    pub(super) env: Vec<(String, String)>,
    pub(super) cwd: Option<String>,
    pub(super) timeout: Option<Duration>,
    /// Whether it is an error if the program fails.
    pub(super) check: bool,
    pub(super) max_output: usize,
    /// Whether its output is bytes, rather than text.
    pub(super) bytes: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            stdin: None,
            env: Vec::new(),
            cwd: None,
            timeout: None,
            check: false,
            max_output: OUTPUT,
            bytes: false,
        }
    }
}

impl Options {
    /// Errors are about the argument, without naming it.
    pub(super) fn read(map: &Map) -> Result<Self, Error> {
        let mut read = Self::default();
        for given in options::of(map) {
            match given.name {
                "stdin" => read.stdin = Some(given.data()?),
                "env" => given.texts(|name, value| {
                    read.env.push((name.to_owned(), value.to_string()));
                    Ok(())
                })?,
                "cwd" => read.cwd = Some(given.text()?.to_string()),
                "timeout" => read.timeout = Some(given.seconds()?),
                "check" => read.check = given.flag()?,
                "max_output" => {
                    read.max_output = usize::try_from(given.whole(MAX_OUTPUT)?).unwrap_or(usize::MAX)
                }
                "bytes" => read.bytes = given.flag()?,
                _ => return Err(given.unknown(&NAMES)),
            }
        }
        Ok(read)
    }
}
