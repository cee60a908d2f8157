//! The command line, `caraway`. One file for each command.

mod argument;
mod audit;
mod build;
mod check;
#[cfg(feature = "compile")]
mod compilations;
mod completions;
mod config_edit;
mod conformance;
mod definitions;
mod doc;
mod doctor;
mod enable;
mod explain;
mod facts;
mod info;
#[cfg(feature = "install")]
mod install;
mod list;
mod load;
mod lock;
mod logging;
mod manifest_edit;
mod new;
mod options;
#[cfg(feature = "install")]
mod pack;
mod profile;
mod prompt;
#[cfg(feature = "repl")]
mod repl;
mod run;
mod sarif;
mod schema;
mod setting;
mod state;
mod stdout;
mod table;
mod terminal;
mod test;
mod tree;
mod trust;
#[cfg(feature = "install")]
mod uninstall;
#[cfg(feature = "install")]
mod update;
mod validate;
mod wrap;

use crate::diagnostic::{Layout, Reporter, SCHEMA_VERSION, Severity, json_text};
use caraway_loaders_core::{Code, Error};
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use options::{Color, Format, Options};
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// Rhai with plugins.
#[derive(Debug, Parser)]
#[command(name = "caraway", version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 fine, 1 the script failed, 2 usage, 3 a bad plugin or manifest, 4 a missing plugin or a conflict, \
5 a capability denied, 6 integrity, 7 a limit, 8 input or output, 70 a bug, 130 interrupted. \
`exit(n)` in a program gives n.";

/// The commands, in the order in which they are listed.
macro_rules! commands {
    ($($(#[$attribute:meta])* $name:ident($command:ty),)*) => {
        #[derive(Debug, Subcommand)]
        enum Command {
            $($(#[$attribute])* $name($command),)*
        }

        impl Command {
            fn options(&self) -> &Options {
                match self {
                    $($(#[$attribute])* Self::$name(command) => &command.options,)*
                }
            }

            fn execute(&self, context: &mut Context) -> Result<u8, Error> {
                match self {
                    $($(#[$attribute])* Self::$name(command) => command.execute(context),)*
                }
            }
        }
    };
}

commands! {
    Run(run::Run),
    Check(check::Check),
    #[cfg(feature = "repl")]
    Repl(repl::Repl),
    New(new::New),
    Build(build::Build),
    Validate(validate::Validate),
    Test(test::Test),
    Conformance(conformance::Conformance),
    #[cfg(feature = "install")]
    Pack(pack::Pack),
    List(list::List),
    Info(info::Info),
    Doc(doc::Doc),
    Tree(tree::Tree),
    Load(load::Load),
    #[cfg(feature = "install")]
    Install(install::Install),
    #[cfg(feature = "install")]
    Uninstall(uninstall::Uninstall),
    #[cfg(feature = "install")]
    Update(update::Update),
    Lock(lock::Lock),
    Enable(enable::Enable),
    Disable(enable::Disable),
    Trust(trust::TrustCommand),
    Audit(audit::Audit),
    Doctor(doctor::Doctor),
    Explain(explain::Explain),
    Schema(schema::Schema),
    Definitions(definitions::Definitions),
    Completions(completions::Completions),
}

/// What a command works with.
struct Context {
    options: Options,
    reporter: Reporter,
}

/// Runs the command line of this process, and gives its exit code.
pub fn main() -> ExitCode {
    // A worker does not come back from this. Whether the program's own file is known matters when one is started.
    #[cfg(feature = "worker")]
    let _ = crate::worker::maybe_run();
    let args: Vec<OsString> = std::env::args_os().collect();
    ExitCode::from(guarded(|| start(&args)))
}

/// A panic that gets here is a bug, and is told as one. Where it happened is told by the panic itself.
fn guarded(work: impl FnOnce() -> u8) -> u8 {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let error = Error::new(Code::Internal, "Caraway panicked")
            .hint("this is a bug; please report it with the message above");
        Reporter::new(Layout::Plain).report(Severity::Error, &error);
        error.code().exit_code()
    })
}

fn start(args: &[OsString]) -> u8 {
    let color = options::early(args, "--color").unwrap_or(Color::Auto);
    let parsed = Cli::command()
        .color(color.into())
        .try_get_matches_from(args)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => cli.execute(),
        Err(error) => refuse(&error, options::early(args, "--format").unwrap_or(Format::Text)),
    }
}

/// Help and versions are results; everything else that clap gives back is a mistake in the command line.
fn refuse(error: &clap::Error, format: Format) -> u8 {
    let shown = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if shown || format == Format::Text {
        // A closed stream: nobody is there to be told.
        let _ = error.print();
    } else {
        let text = error.to_string();
        let message = text.trim().trim_start_matches("error: ");
        Reporter::new(Layout::Json).report(Severity::Error, &Error::new(Code::Usage, message));
    }
    if shown { 0 } else { Code::Usage.exit_code() }
}

impl Cli {
    fn execute(self) -> u8 {
        let options = self.options.and(self.command.options());
        let reporter = Reporter::new(options.layout());
        if options.junit() && !matches!(self.command, Command::Test(_)) {
            let error =
                Error::new(Code::Usage, "only `caraway test` writes JUnit").hint("say `--format json`");
            reporter.report(Severity::Error, &error);
            return error.code().exit_code();
        }
        let mut context = Context { options, reporter };
        let outcome = context
            .options
            .grants()
            .and_then(|_| context.options.start_logging())
            .and_then(|()| self.command.execute(&mut context));
        outcome.unwrap_or_else(|error| {
            context.reporter.report(Severity::Error, &error);
            error.code().exit_code()
        })
    }
}

impl Context {
    /// Writes a result to standard output. Whoever closed it has seen enough.
    ///
    /// # Errors
    ///
    /// [`Code::Io`] if it cannot be written: a full disk.
    fn print(&self, text: &str) -> Result<(), Error> {
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Error::new(Code::Io, format!("cannot write to standard output: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Writes a text to standard output, wrapped where that is a terminal.
    ///
    /// # Errors
    ///
    /// As [`print`](Self::print).
    fn print_wrapped(&self, text: &str) -> Result<(), Error> {
        match terminal::width(&std::io::stdout()) {
            Some(width) => self.print(&wrap::wrapped(text, width)),
            None => self.print(text),
        }
    }

    /// Writes a result for programs: an object, which gets its `schema_version`.
    ///
    /// # Errors
    ///
    /// As [`print`](Self::print).
    fn print_json(&self, fields: serde_json::Value) -> Result<(), Error> {
        let mut object = serde_json::Map::new();
        object.insert("schema_version".to_owned(), SCHEMA_VERSION.into());
        if let serde_json::Value::Object(fields) = fields {
            object.extend(fields);
        }
        self.print(&json_text(&format!("{:#}\n", serde_json::Value::Object(object))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_panic_is_a_bug() {
        assert_eq!(guarded(|| panic!("on purpose")), 70);
        assert_eq!(guarded(|| 3), 3);
    }
}
