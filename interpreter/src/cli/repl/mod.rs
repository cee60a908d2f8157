//! `caraway repl`.

mod command;
mod complete;
mod editor;
mod words;

use super::Context;
use super::options::Options;
use super::run::stop_when_interrupted;
use super::setting;
use super::stdout::Streams;
use crate::diagnostic::Severity;
use crate::interactive::{Interactive, Piece};
use crate::stack::with_large_stack;
use caraway_loaders_core::budget::Cancel;
use caraway_loaders_core::{Code, Error};
use clap::Args;
use command::Command;
use editor::{Editor, Typed};
use rhai::Dynamic;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use words::Words;

/// Type a program piece by piece, and see what each gives
#[derive(Debug, Args)]
#[command(after_help = "\
Variables, functions and imports stay from piece to piece. A piece goes on while a bracket, a comment or a text is open; Tab completes, Ctrl-C \
stops what runs, Ctrl-D ends. `:help` lists commands, such as `:doc stats::mean`, `:time EXPRESSION` and `:reload`. \
Where standard input is no terminal, its lines are read without prompts, and the first error ends.")]
pub(super) struct Repl {
    /// A program to run first
    program: Option<PathBuf>,
    /// Set a setting of a plugin, whatever caraway.toml says; the value is JSON or else a string
    #[arg(long, value_name = "PLUGIN.KEY=VALUE")]
    config: Vec<String>,
    #[command(flatten)]
    pub(super) options: Options,
}

impl Repl {
    pub(super) fn execute(&self, context: &mut Context) -> Result<u8, Error> {
        let cancel = Cancel::default();
        let streams = Streams::new(cancel.clone());
        let builder = context.options.runtime().cancel(cancel.clone()).output(streams.output());
        let runtime =
            self.config.iter().try_fold(builder, |builder, text| setting::set(builder, text))?.build()?;
        stop_when_interrupted(cancel)?;
        // Values are kept, printed and dropped on the thread that has room for deep ones.
        let outcome = with_large_stack(|| {
            let interactive = Interactive::new(runtime, Path::new("."))?;
            Conversation { interactive, context, pieces: 0 }.hold(self.program.as_deref())
        });
        streams.settle(outcome)
    }
}

/// What is being said, and who is told.
struct Conversation<'a> {
    interactive: Interactive,
    context: &'a mut Context,
    pieces: usize,
}

impl Conversation<'_> {
    /// Reads and runs until there is no more, and gives the exit code.
    fn hold(mut self, program: Option<&Path>) -> Result<u8, Error> {
        let by_hand = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        if let Some(file) = program {
            let text = std::fs::read_to_string(file).map_err(|error| Error::io(file, "read", &error))?;
            if let Some(code) = self.run(&text, &file.to_string_lossy(), false)? {
                return Ok(code);
            }
        }
        if by_hand && !self.context.options.quiet {
            let version = env!("CARGO_PKG_VERSION");
            self.context.print(&format!("caraway {version}; `:help` for commands, Ctrl-D to end\n"))?;
        }
        let words = Words::default();
        let mut editor = Editor::new(by_hand, words.clone())?;
        loop {
            words.learn(&self.interactive);
            let text = match editor.read(&|text| self.interactive.is_open(text))? {
                Typed::Text(text) if text.trim().is_empty() => continue,
                Typed::Text(text) => text,
                Typed::Abandoned => continue,
                Typed::End => return Ok(0),
            };
            let outcome = match Command::parse(&text) {
                Some(command) => command.and_then(|command| self.obey(&command)),
                None => {
                    self.pieces += 1;
                    let name = format!("repl[{}]", self.pieces);
                    self.run(&text, &name, true)
                }
            };
            match outcome {
                Ok(Some(code)) => return Ok(code),
                Ok(None) => {}
                Err(error) if !by_hand => return Err(error),
                Err(error) => self.context.reporter.report(Severity::Error, &error),
            }
        }
    }

    /// Runs a piece and shows its value. Gives the code if it ended all.
    fn run(&mut self, text: &str, name: &str, show: bool) -> Result<Option<u8>, Error> {
        self.context.reporter.set_source(name, text);
        match self.interactive.run(text, name)? {
            Piece::Exit(code) => return Ok(Some(code)),
            Piece::Value(value) if show && !value.is_unit() => self.context.print(&shown(&value))?,
            Piece::Value(_) => {}
        }
        Ok(None)
    }

    fn obey(&mut self, command: &Command) -> Result<Option<u8>, Error> {
        match command {
            Command::Quit => return Ok(Some(0)),
            Command::Help => self.context.print_wrapped(&command::help())?,
            Command::Doc(of) => {
                let text = command::doc(of, &self.interactive)?;
                self.context.print_wrapped(&text)?;
            }
            Command::Variables => {
                let text = command::variables(&self.interactive);
                self.context.print(&text)?;
            }
            Command::Imports => {
                let text = command::imports(&self.interactive);
                self.context.print(&text)?;
            }
            Command::Reload => {
                self.interactive.reload()?;
                let count = self.interactive.imports().count();
                self.context.print(&format!("loaded {} again\n", crate::count::counted(count, "import")))?;
            }
            Command::Unload(alias) => {
                if !self.interactive.unload(alias) {
                    return Err(Error::new(Code::Usage, format!("nothing is imported as `{alias}`"))
                        .hint("`:imports` lists what is"));
                }
            }
            Command::Time(text) => {
                let start = std::time::Instant::now();
                let outcome = self.run(text, "repl[time]", true);
                let took = start.elapsed().as_secs_f64() * 1000.0;
                self.context.print(&format!("{took:.3} ms\n"))?;
                return outcome;
            }
        }
        Ok(None)
    }
}

/// A value as code would write it, on a line.
fn shown(value: &Dynamic) -> String {
    format!("{}\n", super::super::diagnostic::one_line(&format!("{value:?}")))
}
