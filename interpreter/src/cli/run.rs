//! `caraway run`.

use super::options::Options;
use super::profile::Profile;
use super::stdout::Streams;
use super::{Context, argument, setting};
use crate::diagnostic::Severity;
use crate::program::Outcome;
use crate::runtime::Runtime;
use crate::shadowing::shadowed;
use caraway_loaders_core::budget::Cancel;
use caraway_loaders_core::capability::Access;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::output::Output;
use caraway_loaders_core::{Code, Error};
use caraway_loaders_script::engine;
use clap::Args;
use rhai::{Dynamic, Scope};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What stands for standard input.
const STDIN: &str = "-";

/// Largest program on standard input, in bytes.
const MAX_PROGRAM: u64 = 16 << 20;

/// Run a program
#[derive(Debug, Args)]
#[command(
    after_help = "Plugins are looked for in --plugin-path, $CARAWAY_PLUGIN_PATH, `plugin_path` of caraway.toml, \
`plugins` beside the program, and the user's and the system's folders."
)]
pub(super) struct Run {
    /// The program's file; `-` reads it from standard input
    program: PathBuf,
    /// What the program sees as `ARGS`; words that begin with `-` come after `--`
    #[arg(allow_negative_numbers = true)]
    args: Vec<String>,
    /// Run the program, then call its function with the arguments, each JSON or else a string, and print what it gives
    #[arg(long = "fn", value_name = "NAME")]
    function: Option<String>,
    /// Build plugins whose binary is missing or older than its sources, with the command of their manifest
    #[arg(long)]
    build: bool,
    /// Set a setting of a plugin, whatever caraway.toml says; the value is JSON or else a string
    #[arg(long, value_name = "PLUGIN.KEY=VALUE")]
    config: Vec<String>,
    /// Print to standard error how often functions of plugins were called and how long that took, on the way in and
    /// out (BOUNDARY) and in all
    #[arg(long)]
    profile: bool,
    /// Write each call into plugins to a file that https://ui.perfetto.dev opens; at most a million
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    #[command(flatten)]
    pub(super) options: Options,
}

impl Run {
    pub(super) fn execute(&self, context: &mut Context) -> Result<u8, Error> {
        let cancel = Cancel::default();
        let streams = Streams::new(cancel.clone());
        streams.settle(self.execute_to(&streams, cancel, context))
    }

    fn execute_to(&self, streams: &Streams, cancel: Cancel, context: &mut Context) -> Result<u8, Error> {
        if !self.profile && self.trace.is_none() {
            return self.execute_watched(streams, cancel, context, None);
        }
        let profile = Profile::new(self.trace.clone());
        let outcome = self.execute_watched(streams, cancel, context, Some(profile.clone()));
        let finished = profile.finish(context, self.profile);
        let code = outcome?;
        finished.map(|()| code)
    }

    fn execute_watched(
        &self,
        streams: &Streams,
        cancel: Cancel,
        context: &mut Context,
        profile: Option<Arc<Profile>>,
    ) -> Result<u8, Error> {
        let mut builder = context
            .options
            .runtime()
            .build_plugins(self.build)
            .cancel(cancel.clone())
            .output(streams.output());
        if let Some(profile) = profile {
            builder = builder.observer(profile);
        }
        let runtime =
            self.config.iter().try_fold(builder, |builder, text| setting::set(builder, text))?.build()?;
        if context.options.verbose {
            self.warn(context, &runtime)?;
        }
        let program = if self.program == Path::new(STDIN) {
            let text = read_program()?;
            context.reporter.set_source(STDIN, &text);
            runtime.load_source(STDIN, &text)?
        } else {
            runtime.load_file(&self.program)?
        };
        if !context.options.quiet {
            let session = program.session();
            let mut warnings = context.options.unused_grants(session.catalog())?;
            warnings.extend(setting::unused(session));
            warnings.extend(session.unlocked());
            warnings.extend(session.voided());
            warnings.extend(session.authority().unanswered());
            for warning in &warnings {
                context.reporter.report(Severity::Warning, warning);
            }
        }
        stop_when_interrupted(cancel)?;
        let outcome = match &self.function {
            None => program.run(&self.args)?,
            Some(name) => program.call(name, &self.args, self.values(name)?)?,
        };
        match outcome {
            Outcome { exit_code: Some(code), .. } => Ok(code),
            Outcome { value, .. } => {
                if self.function.is_some() && !value.is_unit() {
                    print(value, streams.output())?;
                }
                Ok(0)
            }
        }
    }

    fn values(&self, function: &str) -> Result<Vec<Dynamic>, Error> {
        let value = |(index, text): (usize, &String)| {
            argument::value(text).map_err(|number| {
                Error::new(
                    Code::Usage,
                    format!("argument {} of `{function}`: {number} is no 64-bit integer", index + 1),
                )
                .hint("pass it as a string, in double quotes that the shell does not take away")
            })
        };
        self.args.iter().enumerate().map(value).collect()
    }

    /// Tells what is wrong with plugins, imported or not.
    fn warn(&self, context: &Context, runtime: &Runtime) -> Result<(), Error> {
        let folder = match self.program.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let catalog = runtime.session_in(folder)?.catalog().clone();
        for error in catalog.errors.iter().chain(&shadowed(&catalog)) {
            context.reporter.report(Severity::Warning, error);
        }
        Ok(())
    }
}

fn read_program() -> Result<String, Error> {
    let failed =
        |what: String| Error::new(Code::Io, format!("cannot read the program from standard input: {what}"));
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(MAX_PROGRAM + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > MAX_PROGRAM {
        return Err(failed(format!("it is larger than {MAX_PROGRAM} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| failed(error.to_string()))
}

/// The first interrupt asks the program to stop, the second does not ask.
pub(super) fn stop_when_interrupted(cancel: Cancel) -> Result<(), Error> {
    let handler = move || {
        if cancel.is_cancelled() {
            std::process::exit(Code::Interrupted.exit_code().into());
        }
        cancel.cancel();
    };
    ctrlc::set_handler(handler)
        .map_err(|error| Error::new(Code::Internal, format!("interrupts cannot be handled: {error}")))
}

/// Prints a value as the program's `print` would.
fn print(value: Dynamic, output: Output) -> Result<(), Error> {
    let mut engine = engine::engine(&Limits::PROGRAM, &Default::default());
    let access = Access::program(&Default::default(), PathBuf::new());
    engine::print_to(&mut engine, output, Arc::new(access));
    let mut scope = Scope::new();
    scope.push_dynamic("result", value);
    engine
        .run_with_scope(&mut scope, "print(result)")
        .map_err(|error| Error::new(Code::ScriptFailed, format!("the result cannot be printed: {error}")))
}
