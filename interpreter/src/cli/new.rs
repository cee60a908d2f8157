//! `caraway new`.

use super::Context;
use super::options::Options;
use caraway_loaders_core::manifest::Manifest;
use caraway_loaders_core::{Code, Error};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Begin a plugin: a folder with a function, a manifest, and how it is built
#[derive(Debug, Args)]
#[command(after_help = "\
What building needs: nothing for a script; cargo for a native plugin and a hybrid; for WebAssembly, cargo and `rustup target add \
wasm32-wasip2` (rust), clang, lld, wasi-libc and libclang-rt-dev-wasm32 (c), `pip install componentize-py` (python), \
npm (js).")]
pub(super) struct New {
    /// The folder to make; its last part is the plugin's name
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// What kind of plugin
    #[arg(long, value_enum, default_value = "module")]
    kind: Kind,
    /// In which language [default: rust, and Rhai for a script]
    #[arg(long, value_enum)]
    lang: Option<Language>,
    #[command(flatten)]
    pub(super) options: Options,
}

/// `--kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// In Rhai
    #[value(alias = "script")]
    Module,
    /// A library of machine code, in the host's process or in its own
    Native,
    /// A half in Rhai that importers see, and a native half that it calls
    Hybrid,
    /// WebAssembly, in a sandbox
    Wasm,
}

/// `--lang`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    Rust,
    C,
    Python,
    Js,
}

/// A file's path in the plugin's folder, and its text, where `{{name}}` and the like stand for what differs.
type Template = (&'static str, &'static str);

/// What is written and built in one way. The tests are the same for all.
macro_rules! template {
    ($($path:literal from $file:literal),+ $(,)?) => {
        &[
            $(($path, include_str!(concat!("new/", $file)))),+,
            ("tests/greet.toml", include_str!("new/greet.toml")),
        ]
    };
}

const SCRIPT: &[Template] =
    template!["plugin.toml" from "script/plugin.toml", "main.rhai" from "script/main.rhai"];

const NATIVE: &[Template] = template![
    "plugin.toml" from "native/plugin.toml",
    "Cargo.toml" from "native/Cargo.toml.in",
    "src/lib.rs" from "native/lib.rs.in",
];

const HYBRID: &[Template] = template![
    "plugin.toml" from "hybrid/plugin.toml",
    "main.rhai" from "hybrid/main.rhai",
    "Cargo.toml" from "native/Cargo.toml.in",
    "src/lib.rs" from "hybrid/lib.rs.in",
];

const WASM_RUST: &[Template] = template![
    "plugin.toml" from "wasm-rust/plugin.toml",
    "Cargo.toml" from "wasm-rust/Cargo.toml.in",
    "src/lib.rs" from "wasm-rust/lib.rs.in",
    "wit/plugin.wit" from "plugin.wit",
];

const WASM_C: &[Template] =
    template!["plugin.toml" from "wasm-c/plugin.toml", "plugin.c" from "wasm-c/plugin.c"];

const WASM_PYTHON: &[Template] = template![
    "plugin.toml" from "wasm-python/plugin.toml",
    "app.py" from "wasm-python/app.py",
    "wit/plugin.wit" from "plugin.wit",
];

const WASM_JS: &[Template] = template![
    "plugin.toml" from "wasm-js/plugin.toml",
    "plugin.js" from "wasm-js/plugin.js",
    "wit/plugin.wit" from "plugin.wit",
];

impl New {
    pub(super) fn execute(&self, context: &Context) -> Result<u8, Error> {
        let templates = self.templates()?;
        let name = self.name()?;
        let files: Vec<(&str, String)> =
            templates.iter().map(|(path, text)| (*path, filled(text, name))).collect();
        for (path, text) in &files {
            if *path == "plugin.toml" {
                Manifest::parse(Path::new(path), text.as_bytes())
                    .map_err(|error| not_a_name(name, &error))?;
            }
        }
        write(&self.folder, &files)?;
        let folder = self.folder.display();
        if context.options.json() {
            let files: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
            context
                .print_json(json!({"name": name, "folder": self.folder.to_string_lossy(), "files": files}))?;
        } else if !context.options.quiet {
            let mut text = format!("made {folder}\n");
            files.iter().for_each(|(path, _)| text.push_str(&format!("  {path}\n")));
            if self.kind != Kind::Module {
                text.push_str(&format!("build it with `caraway build {folder}`\n"));
            }
            let native = matches!(self.kind, Kind::Native | Kind::Hybrid);
            let grant = if native { "--allow native " } else { "" };
            text.push_str(&format!("test it with `caraway test {grant}{folder}`\n"));
            context.print(&text)?;
        }
        Ok(0)
    }

    fn templates(&self) -> Result<&'static [Template], Error> {
        Ok(match (self.kind, self.lang) {
            (Kind::Module, None) => SCRIPT,
            (Kind::Native, None | Some(Language::Rust)) => NATIVE,
            (Kind::Hybrid, None | Some(Language::Rust)) => HYBRID,
            (Kind::Wasm, None | Some(Language::Rust)) => WASM_RUST,
            (Kind::Wasm, Some(Language::C)) => WASM_C,
            (Kind::Wasm, Some(Language::Python)) => WASM_PYTHON,
            (Kind::Wasm, Some(Language::Js)) => WASM_JS,
            (Kind::Module, Some(_)) => {
                return Err(Error::new(Code::Usage, "a script is written in Rhai")
                    .hint("leave out `--lang`, or say `--kind wasm` or `--kind native`"));
            }
            (Kind::Native | Kind::Hybrid, Some(_)) => {
                return Err(Error::new(Code::Usage, "native code is begun in Rust only").hint(
                    "say `--kind wasm`; docs/native-plugins.md shows native plugins in other languages",
                ));
            }
        })
    }

    fn name(&self) -> Result<&str, Error> {
        let name = self.folder.file_name().and_then(|name| name.to_str());
        name.ok_or_else(|| {
            Error::new(Code::Usage, format!("`{}` does not end in a name", self.folder.display()))
                .hint("for example `caraway new plugins/greeter`")
        })
    }
}

fn filled(template: &str, name: &str) -> String {
    let module = name.replace('-', "_");
    template
        .replace("{{name}}", name)
        .replace("{{library}}", &format!("{DLL_PREFIX}{module}{DLL_SUFFIX}"))
        .replace("{{module}}", &module)
        .replace("{{caraway}}", env!("CARGO_PKG_VERSION"))
}

fn not_a_name(name: &str, error: &Error) -> Error {
    let module = name.replace('-', "_");
    if rhai::is_valid_identifier(&module) && !rhai::is_valid_function_name(&module) {
        let reserved = format!("a plugin cannot be called `{name}`, which is a word of Rhai's own");
        return Error::new(Code::Usage, reserved)
            .hint(format!("name the folder otherwise, for example `{name}-plugin`"));
    }
    let refused = Error::new(Code::Usage, format!("a plugin cannot be called `{name}`: {}", error.message()));
    match error.hint_text() {
        Some(hint) => refused.hint(hint),
        None => refused,
    }
}

/// Makes the folder, with all of the files or not at all.
///
/// # Errors
///
/// [`Code::Usage`] if there is something of that name, [`Code::Io`] if it cannot be written.
fn write(folder: &Path, files: &[(&str, String)]) -> Result<(), Error> {
    if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(|error| Error::io(parent, "make", &error))?;
    }
    fs::create_dir(folder).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Error::new(Code::Usage, format!("{} exists already", folder.display()))
            .hint("name a folder that does not"),
        _ => Error::io(folder, "make", &error),
    })?;
    let written = files.iter().try_for_each(|(path, text)| {
        let file = folder.join(path);
        let write = || {
            file.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&file, text)
        };
        write().map_err(|error| Error::io(&file, "write", &error))
    });
    if written.is_err() {
        // Half a plugin would be in the way; why it could not be written is what matters.
        let _ = fs::remove_dir_all(folder);
    }
    written
}
