//! `caraway pack`.

use super::Context;
use super::options::Options;
use super::table;
use crate::config::shown;
use crate::count::counted;
use crate::diagnostic::one_line;
use caraway_loaders_core::Error;
use caraway_package::pack::{PackedFile, listing, pack};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Make an archive of a plugin, which `caraway install` takes
#[derive(Debug, Args)]
#[command(
    after_help = "Everything in the folder ships but hidden files, what .gitignore names, `target`, `node_modules`, \
`__pycache__` and earlier archives; the manifest, the entry point and the binaries that it names ship in any case. \
Equal contents give equal bytes."
)]
pub(super) struct Pack {
    /// The plugin's folder
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// The archive, whose name says its format: .tar.gz, .tar.zst or .zip; or a folder for it
    /// [default: NAME-VERSION.tar.gz here]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show what would ship, and write nothing
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    pub(super) options: Options,
}

impl Pack {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let runtime = context.options.runtime().build()?;
        if self.list {
            let files = listing(&self.folder, runtime.loaders())?;
            if context.options.json() {
                context.print_json(json!({"files": files.iter().map(value).collect::<Vec<_>>()}))?;
            } else {
                let row = |file: &PackedFile| vec![one_line(&file.path), file.size.to_string()];
                let rows: Vec<Vec<String>> = files.iter().map(row).collect();
                context.print(&table::render(&["FILE", "BYTES"], &rows, None))?;
            }
            return Ok(0);
        }
        let here = PathBuf::from(".");
        let packed = pack(&self.folder, runtime.loaders(), self.output.as_deref().unwrap_or(&here))?;
        let path = shown(packed.path.strip_prefix(".").unwrap_or(&packed.path));
        if context.options.json() {
            context.print_json(json!({
                "archive": path,
                "bytes": packed.bytes,
                "digest": packed.digest.to_string(),
                "files": packed.files.iter().map(value).collect::<Vec<_>>(),
            }))?;
        } else if !context.options.quiet {
            let (files, path) = (counted(packed.files.len(), "file"), one_line(&path.to_string_lossy()));
            context.print(&format!("{path}: {files}, {} bytes, {}\n", packed.bytes, packed.digest))?;
        }
        Ok(0)
    }
}

fn value(file: &PackedFile) -> Value {
    json!({"path": file.path, "bytes": file.size, "executable": file.executable})
}
