//! `caraway schema`.

use super::Context;
use super::options::Options;
use caraway_loaders_core::Error;
use clap::{Args, ValueEnum};

/// Print a JSON Schema, from which editors know what a file may say
#[derive(Debug, Args)]
#[command(after_help = "\
Editors take it for JSON and, with Taplo or Even Better TOML, for TOML. It says less than `caraway validate` checks.")]
pub(super) struct Schema {
    /// What the schema is of
    #[arg(value_enum, default_value_t = Of::Manifest)]
    of: Of,
    #[command(flatten)]
    pub(super) options: Options,
}

/// What there are schemas of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Of {
    /// plugin.json and plugin.toml
    Manifest,
    /// caraway.toml
    Config,
}

impl Schema {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        context.print(match self.of {
            Of::Manifest => include_str!("../../schemas/manifest.json"),
            Of::Config => include_str!("../../schemas/config.json"),
        })?;
        Ok(0)
    }
}
