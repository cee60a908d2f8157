//! The options that every command has.

use super::logging::{self, LogLevel};
use super::terminal;
use crate::diagnostic::Layout;
use crate::notes::Notes;
use crate::runtime::{Builder, Runtime};
use crate::security::Security;
use caraway_loaders_core::bind::suggest;
use caraway_loaders_core::capability::Grants;
use caraway_loaders_core::discover::Catalog;
use caraway_loaders_core::{Code, Error};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ColorChoice, ValueEnum};
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// The environment variable that is as good as `--plugin-debug`.
const DEBUG_VARIABLE: &str = "CARAWAY_PLUGIN_DEBUG";

/// The environment variable that is as good as `--log`.
const LOG_VARIABLE: &str = "CARAWAY_LOG";

/// The environment variable that is as good as `--wasm-cache`.
#[cfg(feature = "wasm-runtime")]
const CACHE_VARIABLE: &str = "CARAWAY_WASM_CACHE";

/// What stands for no cache.
#[cfg(feature = "wasm-runtime")]
const NO_CACHE: &str = "off";

/// The options that every command has, before or after the command's name.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Common options")]
pub(super) struct Options {
    /// Look for plugins here first; a folder of plugins, or one
    #[arg(long, value_name = "DIR")]
    pub(super) plugin_path: Vec<PathBuf>,
    /// Grant a capability: `filesystem=read:data`, `native=stats`, `stats:network=example.com:443`
    #[arg(long, value_name = "[PLUGIN:]CAPABILITY[=ARG,...]")]
    pub(super) allow: Vec<String>,
    /// Deny a capability, whatever is allowed
    #[arg(long, value_name = "[PLUGIN:]CAPABILITY[=ARG,...]")]
    pub(super) deny: Vec<String>,
    /// Presets of grants, denials and limits; `relaxed` grants files, network, variables and printing to whoever asks,
    /// `strict` and `paranoid` deny native code and processes and tighten limits [default: default, or `security` of your
    /// own caraway.toml]
    #[arg(long, value_name = "LEVEL", value_parser = security_levels())]
    security: Option<Security>,
    /// Run every plugin in a process of its own, which the kernel holds to what it was granted
    #[cfg(feature = "worker")]
    #[arg(long)]
    isolate: bool,
    /// Make it an error that one plugin shadows another of the same name and version
    #[arg(long)]
    pub(super) strict: bool,
    /// Make it an error that caraway.lock is missing or does not fit
    #[arg(long)]
    pub(super) locked: bool,
    /// How results and errors are printed; JSON says which `schema_version` it has [default: text]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// When to use colours; `NO_COLOR` turns `auto` off [default: auto]
    #[arg(long, value_name = "WHEN")]
    color: Option<Color>,
    /// Print results and errors only
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Print more: warnings in full, functions that were found
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// Let Rhai run typed functions of scripts, which are compiled otherwise
    #[cfg(feature = "compile")]
    #[arg(long)]
    no_compile: bool,
    /// Where compiled WebAssembly is kept, at most 512 MiB: a folder, or `off`; also `CARAWAY_WASM_CACHE`
    /// [default: `caraway` in the user's cache directory]
    #[cfg(feature = "wasm-runtime")]
    #[arg(long, value_name = "DIR|off")]
    wasm_cache: Option<PathBuf>,
    /// Tell what is found, planned, loaded and called, and how long it takes; also `CARAWAY_PLUGIN_DEBUG=1`
    #[arg(long)]
    plugin_debug: bool,
    /// Keep a log of this, and of what plugins log, in files of a day in the user's state directory; also `CARAWAY_LOG`
    #[arg(long, value_name = "LEVEL")]
    log: Option<LogLevel>,
}

/// `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
    /// For `test` alone.
    #[value(hide = true)]
    Junit,
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

impl Options {
    /// The options before the command's name with those after it: lists are joined, else the later one holds.
    #[must_use]
    pub(super) fn and(mut self, later: &Self) -> Self {
        self.plugin_path.extend(later.plugin_path.iter().cloned());
        self.allow.extend(later.allow.iter().cloned());
        self.deny.extend(later.deny.iter().cloned());
        self.security = later.security.or(self.security);
        #[cfg(feature = "worker")]
        {
            self.isolate |= later.isolate;
        }
        self.strict |= later.strict;
        self.locked |= later.locked;
        self.format = later.format.or(self.format);
        self.color = later.color.or(self.color);
        self.quiet = later.quiet || self.quiet && !later.verbose;
        self.verbose = later.verbose || self.verbose && !later.quiet;
        #[cfg(feature = "compile")]
        {
            self.no_compile |= later.no_compile;
        }
        #[cfg(feature = "wasm-runtime")]
        {
            self.wasm_cache = later.wasm_cache.clone().or(self.wasm_cache);
        }
        self.plugin_debug |= later.plugin_debug;
        self.log = later.log.or(self.log);
        self
    }

    /// Whether `--format json` was given.
    pub(super) fn json(&self) -> bool {
        self.format == Some(Format::Json)
    }

    /// Whether `--format junit` was given.
    pub(super) fn junit(&self) -> bool {
        self.format == Some(Format::Junit)
    }

    /// Whether a grant of this capability was asked for by name, for all or for one plugin.
    pub(super) fn names(&self, capability: &str) -> bool {
        self.allow.iter().any(|grant| {
            let grant = grant.split_once('=').map_or(grant.as_str(), |(name, _)| name);
            grant.rsplit(':').next() == Some(capability)
        })
    }

    /// Whether what goes to this stream has colours.
    pub(super) fn colors(&self, stream: &impl IsTerminal) -> bool {
        match self.color.unwrap_or(Color::Auto) {
            Color::Auto => stream.is_terminal() && terminal::wants_color(),
            color => color == Color::Always,
        }
    }

    /// How errors look.
    pub(super) fn layout(&self) -> Layout {
        if self.json() {
            return Layout::Json;
        }
        let color = self.color.unwrap_or(Color::Auto);
        match terminal::width(&std::io::stderr()) {
            None if color != Color::Always => Layout::Plain,
            width => Layout::Graphical {
                color: match color {
                    Color::Auto => terminal::wants_color(),
                    color => color == Color::Always,
                },
                unicode: terminal::speaks_unicode(),
                width: width.unwrap_or(100),
            },
        }
    }

    /// Starts to tell what happens, to standard error or into files.
    pub(super) fn start_logging(&self) -> Result<(), Error> {
        let set = |variable| std::env::var_os(variable).filter(|value| !value.is_empty() && value != "0");
        let debug = self.plugin_debug || set(DEBUG_VARIABLE).is_some();
        let level = match (self.log, set(LOG_VARIABLE)) {
            (Some(level), _) => Some(level),
            (None, None) => None,
            (None, Some(text)) => {
                let text = text.to_string_lossy();
                Some(LogLevel::from_str(&text, true).map_err(|_| {
                    let message = format!("`{LOG_VARIABLE}` is `{text}`, which is no level");
                    Error::new(Code::Usage, message).hint("levels are error, warn, info, debug and trace")
                })?)
            }
        };
        logging::start(debug, level)
    }

    /// A runtime that these options hold for.
    pub(super) fn runtime(&self) -> Builder {
        let notes = match self.quiet {
            true => Notes::None,
            false if !self.json() && std::io::stderr().is_terminal() => Notes::Progress,
            false => Notes::Builds,
        };
        let mut builder =
            Runtime::builder().ambient(true).strict(self.strict).locked(self.locked).notes(notes);
        #[cfg(feature = "compile")]
        {
            builder = builder.compile(!self.no_compile);
        }
        #[cfg(feature = "wasm-runtime")]
        if let Some(folder) = self.cache_folder() {
            builder = builder.wasm_cache(caraway_loaders_wasm::Cache::new(folder));
        }
        #[cfg(feature = "worker")]
        {
            builder = builder.workers(caraway_loaders_worker::Workers::this_program()).isolate(self.isolate);
        }
        for path in &self.plugin_path {
            builder = builder.plugin_path(path);
        }
        if let Some(level) = self.security {
            builder = builder.security(level);
        }
        for grant in &self.allow {
            builder = builder.allow(grant);
        }
        for grant in &self.deny {
            builder = builder.deny(grant);
        }
        builder
    }

    /// Where compiled components are kept, if they are to be, and there is a place for it.
    #[cfg(feature = "wasm-runtime")]
    fn cache_folder(&self) -> Option<PathBuf> {
        let set = || std::env::var_os(CACHE_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
        match self.wasm_cache.clone().or_else(set) {
            Some(folder) => Some(folder).filter(|folder| folder.as_os_str() != NO_CACHE),
            None => dirs::cache_dir().map(|folder| folder.join("caraway")),
        }
    }

    /// What `--allow` and `--deny` say.
    ///
    /// # Errors
    ///
    /// [`Code::Usage`] for what cannot be read, whether or not the command needs it.
    pub(super) fn grants(&self) -> Result<Grants, Error> {
        let mut grants = Grants::default();
        if self.allow.is_empty() && self.deny.is_empty() {
            return Ok(grants);
        }
        let here = std::env::current_dir().map_err(|error| Error::io(Path::new("."), "find", &error))?;
        self.allow.iter().try_for_each(|text| grants.allow(text, &here))?;
        self.deny.iter().try_for_each(|text| grants.deny(text, &here))?;
        Ok(grants)
    }

    /// A warning for each plugin that `--allow` or `--deny` names and that is not there: a slip of the finger.
    pub(super) fn unused_grants(&self, catalog: &Catalog) -> Result<Vec<Error>, Error> {
        let grants = self.grants()?;
        let there = || catalog.plugins.iter().map(|plugin| plugin.manifest.name.as_str());
        let missing = grants.plugins().filter(|name| there().all(|other| other != *name));
        let warning = |name: &str| {
            let warning = Error::new(
                Code::Usage,
                format!("`--allow` or `--deny` names `{name}`, and no plugin is called that"),
            );
            match suggest(name, there()) {
                Some(near) => warning.hint(format!("did you mean `{near}`?")),
                None => warning,
            }
        };
        Ok(missing.map(warning).collect())
    }
}

/// The value of an option in a command line that has not been parsed, or cannot be.
pub(super) fn early<T: ValueEnum>(args: &[OsString], name: &str) -> Option<T> {
    let args: Vec<&str> = args.iter().map_while(|arg| arg.to_str()).take_while(|arg| *arg != "--").collect();
    let mut values = args.iter().enumerate().filter_map(|(index, arg)| match arg.strip_prefix(name) {
        Some("") => args.get(index + 1).copied(),
        Some(rest) => rest.strip_prefix('='),
        None => None,
    });
    values.next_back().and_then(|value| T::from_str(value, false).ok())
}

/// The values of `--security`.
fn security_levels() -> impl TypedValueParser<Value = Security> {
    PossibleValuesParser::new(Security::ALL.map(Security::name))
        .try_map(|name| Security::from_name(&name).ok_or("is no level"))
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_values() {
        for (line, expected) in [
            ("run a --format json", Some(Format::Json)),
            ("--format=text run --format=json", Some(Format::Json)),
            ("run a -- --format json", None),
            ("run --format", None),
            ("run --format yaml", None),
            ("run --formats json", None),
        ] {
            let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(early(&args, "--format"), expected, "{line}");
        }
    }

    #[test]
    fn later_options_join_or_win() {
        let options = |format, quiet, verbose, allow: &str| Options {
            format,
            quiet,
            verbose,
            allow: vec![allow.to_owned()],
            ..Options::default()
        };
        let both =
            options(Some(Format::Json), true, false, "a").and(&options(Some(Format::Text), false, true, "b"));
        assert_eq!((both.format, both.quiet, both.verbose), (Some(Format::Text), false, true));
        assert_eq!(both.allow, ["a", "b"]);
        let both = options(Some(Format::Json), true, false, "a").and(&options(None, false, false, "b"));
        assert_eq!((both.format, both.quiet, both.verbose), (Some(Format::Json), true, false));
    }
}
