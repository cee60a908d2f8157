//! `caraway completions`.

use super::options::Options;
use super::{Cli, Context};
use crate::count::counted;
use crate::diagnostic::one_line;
use caraway_loaders_core::{Code, Error};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Print what makes a shell complete the commands and options of caraway, or write manual pages
#[derive(Debug, Args)]
#[command(after_help = "\
bash: caraway completions bash > ~/.local/share/bash-completion/completions/caraway
zsh:  caraway completions zsh > \"${fpath[1]}/_caraway\"
fish: caraway completions fish > ~/.config/fish/completions/caraway.fish
man:  caraway completions --man ~/.local/share/man/man1")]
pub(super) struct Completions {
    /// The shell
    #[arg(required_unless_present = "man")]
    shell: Option<Shell>,
    /// Write a manual page for each command into this folder, which is made if it is missing
    #[arg(long, value_name = "DIR", conflicts_with = "shell")]
    man: Option<PathBuf>,
    #[command(flatten)]
    pub(super) options: Options,
}

impl Completions {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        if let Some(shell) = self.shell {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "caraway", &mut script);
            let script = String::from_utf8(script)
                .map_err(|error| Error::new(Code::Internal, format!("a script for {shell}: {error}")))?;
            context.print(&script)?;
        }
        if let Some(folder) = &self.man {
            let cannot = |error: std::io::Error| Error::io(folder, "write manual pages into", &error);
            std::fs::create_dir_all(folder).map_err(cannot)?;
            let mut command = Cli::command().disable_help_subcommand(true);
            command.build();
            let mut files = Vec::new();
            write_pages(command, folder, &mut files).map_err(cannot)?;
            if context.options.json() {
                let files: Vec<_> = files.iter().map(|file| file.to_string_lossy()).collect();
                context.print_json(json!({"files": files}))?;
            } else if !context.options.quiet {
                let pages = counted(files.len(), "page");
                context.print(&format!("wrote {pages} to {}\n", one_line(&folder.to_string_lossy())))?;
            }
        }
        Ok(0)
    }
}

/// A page for a command, and one for each of those below it.
fn write_pages(command: clap::Command, folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        write_pages(inner.clone(), folder, files)?;
    }
    files.push(Man::new(command).generate_to(folder)?);
    Ok(())
}
