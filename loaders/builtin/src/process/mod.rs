//! `std/process`: other programs, within what is granted.
//!
//! A program is found as the gate lets it through: by a name that the host's `PATH` has, or by an absolute path. Of the
//! environment it sees what the caller may see, and of the host's descriptors none but its three streams. It leads a
//! process group of its own, which is killed when the call ends, however it ends.

mod child;
mod command;
mod descriptors;
mod options;
mod output;

use crate::module::{Function, Host, StdModule, text, texts};
use caraway_loaders_core::bind::CallResult;
use caraway_loaders_core::{Code, Error};
use child::Child;
use command::Launch;
use options::Options;
use output::Output;
use rhai::{Dynamic, Map, NativeCallContext};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

pub(crate) const MODULE: StdModule = StdModule {
    name: "std/process",
    description: "Other programs, within what is granted",
    functions: &[
        Function {
            signature: "run(program: string, args: array<string>) -> map<any>",
            doc: "Runs a program to its end, and gives its `status`, `()` if a `signal` ended it, its `stdout` and its `stderr`.",
            body: run,
        },
        Function {
            signature: "run_with(program: string, args: array<string>, options: map<any>) -> map<any>",
            doc: "The same, with `stdin`, `env`, `cwd`, `timeout` in seconds, `check`, `max_output` in bytes, or `bytes`.",
            body: run,
        },
    ],
};

/// How much of what a failed program wrote to standard error its error shows, in bytes.
const MAX_SHOWN: usize = 512;

fn run(host: &Host, context: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let program = text(args, 0);
    let arguments: Vec<String> = texts(args, 1)?.iter().map(ToString::to_string).collect();
    let options = match args.get(2).and_then(|options| options.read_lock::<Map>()) {
        Some(options) => Options::read(&options).map_err(|error| error.about_argument(2))?,
        None => Options::default(),
    };
    let launch = Launch { access: &host.access, program: &program, arguments: &arguments, options: &options };
    let (mut command, _cwd) = launch.command()?;
    let child = Child::start(&mut command).map_err(|error| launch.failed(&error))?;
    let (status, [stdout, stderr]) = output::collect(child, &program, &options, context.engine())?;
    if options.check && !status.success() {
        return Err(failure(&program, status, &stderr).into());
    }
    let mut outcome = Map::new();
    outcome.insert("status".into(), number(status.code()));
    outcome.insert("signal".into(), number(status.signal()));
    for output in [stdout, stderr] {
        outcome.insert(output.name.into(), output.into_value(&program, options.bytes)?);
    }
    Ok(outcome.into())
}

fn number(number: Option<i32>) -> Dynamic {
    number.map_or(Dynamic::UNIT, |number| i64::from(number).into())
}

/// What `check` makes of a program that failed.
fn failure(program: &str, status: ExitStatus, stderr: &Output) -> Error {
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with the status {code}"),
        (None, Some(signal)) => format!("was ended by the signal {signal}"),
        (None, None) => "ended, nobody knows how".to_owned(),
    };
    let last = stderr.end(MAX_SHOWN);
    let colon = if last.is_empty() { "" } else { ": " };
    Error::new(Code::PluginFailed, format!("`{program}` {how}{colon}{last}"))
}
