//! What a call says beside program and arguments.

use caraway_loaders_core::bind::{conform::type_name, suggest};
use caraway_loaders_core::{Code, Error};
use rhai::{Blob, Dynamic, ImmutableString, Map};
use std::time::Duration;

/// What a program may write to both of its streams together, unless the call says otherwise: 16 MiB.
const OUTPUT: usize = 16 << 20;

/// The most that a call may say: 256 MiB.
const MAX_OUTPUT: i64 = 256 << 20;

const KEYS: [&str; 7] = ["stdin", "env", "cwd", "timeout", "check", "max_output", "bytes"];

pub(super) struct Options {
    /// What the program reads; `None` is nothing.
    pub(super) stdin: Option<Vec<u8>>,
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
        let mut options = Self::default();
        for (key, value) in map {
            match key.as_str() {
                "stdin" => options.stdin = Some(input(value)?),
                "env" => options.env = variables(value)?,
                "cwd" => options.cwd = Some(string(value).ok_or_else(|| wrong("cwd", "string", value))?),
                "timeout" => options.timeout = Some(timeout(value)?),
                "check" => options.check = flag("check", value)?,
                "max_output" => options.max_output = most(value)?,
                "bytes" => options.bytes = flag("bytes", value)?,
                _ => return Err(unknown(key)),
            }
        }
        Ok(options)
    }
}

fn input(value: &Dynamic) -> Result<Vec<u8>, Error> {
    if let Some(bytes) = value.read_lock::<Blob>() {
        return Ok(bytes.clone());
    }
    let text =
        value.read_lock::<ImmutableString>().ok_or_else(|| wrong("stdin", "string or bytes", value))?;
    Ok(text.as_bytes().to_vec())
}

fn variables(value: &Dynamic) -> Result<Vec<(String, String)>, Error> {
    let map = value.read_lock::<Map>().ok_or_else(|| wrong("env", "map<string>", value))?;
    let variable = |(name, value): (&_, &Dynamic)| {
        let text = string(value).ok_or_else(|| wrong(&format!("env.{name}"), "string", value))?;
        Ok((ToString::to_string(name), text))
    };
    map.iter().map(variable).collect()
}

fn timeout(value: &Dynamic) -> Result<Duration, Error> {
    let seconds = value.as_float().or_else(|_| value.as_int().map(|int| int as f64));
    let seconds = seconds.map_err(|_| wrong("timeout", "float", value))?;
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        refused(
            format!("has a `timeout` of {seconds} seconds"),
            "a number that is not negative and less than 1.8e19",
        )
    })
}

fn most(value: &Dynamic) -> Result<usize, Error> {
    let bytes = value.as_int().map_err(|_| wrong("max_output", "int", value))?;
    usize::try_from(bytes)
        .ok()
        .filter(|_| bytes <= MAX_OUTPUT)
        .ok_or_else(|| refused(format!("has a `max_output` of {bytes}"), &format!("0 to {MAX_OUTPUT}")))
}

fn flag(key: &str, value: &Dynamic) -> Result<bool, Error> {
    value.as_bool().map_err(|_| wrong(key, "bool", value))
}

fn string(value: &Dynamic) -> Option<String> {
    value.read_lock::<ImmutableString>().map(|text| text.to_string())
}

fn wrong(key: &str, expected: &str, value: &Dynamic) -> Error {
    Error::new(Code::ArgumentType, format!("must have {expected} at `{key}`, found {}", type_name(value)))
        .hint(known())
}

fn unknown(key: &str) -> Error {
    let meant = suggest(key, KEYS).map(|name| format!("; did you mean `{name}`?"));
    Error::new(Code::ArgumentType, format!("has the unknown key `{key}`{}", meant.unwrap_or_default()))
        .hint(known())
}

fn refused(problem: String, allowed: &str) -> Error {
    Error::new(Code::ValueRefused, problem).hint(format!("it can be {allowed}"))
}

fn known() -> String {
    format!("known are {}", KEYS.map(|key| format!("`{key}`")).join(", "))
}
