use super::call::{Args, Failure};
use super::data::Data;
use super::host;
use super::lent::Lent;
use super::level::Level;
use super::mismatch::Mismatch;
use super::sealed::Sealed;
use super::spec::Spec;
use crate::Value;
use caraway_abi::HostApi;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::OnceLock;

/// What the host says and does for the plugin: a parameter `ctx: &Context` anywhere in a function, which scripts
/// do not pass and do not see.
///
/// ```
/// use caraway_plugin::prelude::*;
///
/// #[plugin]
/// mod sums {
///     use caraway_plugin::prelude::*;
///
///     /// In signatures: `add_up(n: int) -> int`.
///     pub fn add_up(n: i64, ctx: &Context) -> Result<i64, Error> {
///         ctx.info(format_args!("adding up to {n}"));
///         let mut sum = 0;
///         for i in 0..n {
///             // Native code cannot be stopped: what takes long looks from time to time.
///             if i % 100_000 == 0 && ctx.interrupted() {
///                 return Err("interrupted".into());
///             }
///             sum += i;
///         }
///         Ok(sum)
///     }
/// }
///
/// assert_eq!(sums::add_up(4, &Context::detached(Value::default())).unwrap(), 6);
/// ```
#[derive(Debug)]
pub struct Context {
    name: &'static str,
    version: &'static str,
    config: Value,
    host: Option<&'static HostApi>,
}

/// The plugin's name and version, once it is attached.
static IDENTITY: OnceLock<(&str, &str)> = OnceLock::new();
static CONTEXT: OnceLock<Context> = OnceLock::new();

pub(super) fn identify(name: &'static str, version: &'static str) {
    IDENTITY.get_or_init(|| (name, version));
}

/// The context with these settings, or without any if they come too late.
pub(super) fn with_settings(config: Option<Value>) -> &'static Context {
    CONTEXT.get_or_init(|| {
        let (name, version) = IDENTITY.get().copied().unwrap_or_default();
        let config = config.unwrap_or_else(|| Value::Map(BTreeMap::new()));
        Context { name, version, config, host: host::get() }
    })
}

impl Context {
    /// A context without a host, for the plugin's own tests: what is logged goes to standard error, and nothing
    /// interrupts. `config` are the settings.
    pub fn detached(config: Value) -> Self {
        Self { name: "", version: "", config, host: None }
    }

    /// The plugin's name, as in its manifest; empty without a host.
    pub fn name(&self) -> &str {
        self.name
    }

    /// The plugin's version, as in its manifest; empty without a host.
    pub fn version(&self) -> &str {
        self.version
    }

    /// The plugin's settings, which the host has checked against the manifest's `config`: a map, empty where
    /// there are none or the host knows none.
    pub fn config(&self) -> &Value {
        &self.config
    }

    /// The plugin's settings as a struct that derives [`Data`].
    ///
    /// ```
    /// use caraway_plugin::Value;
    /// use caraway_plugin::prelude::*;
    ///
    /// #[derive(Data)]
    /// struct Settings {
    ///     depth: i64,
    ///     title: Option<String>,
    /// }
    ///
    /// let config = Value::Map([("depth".to_owned(), Value::Int(3))].into());
    /// let settings: Settings = Context::detached(config).settings()?;
    /// assert_eq!((settings.depth, settings.title), (3, None));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What does not fit, and where.
    pub fn settings<T: Data>(&self) -> Result<T, Mismatch> {
        T::from_value(self.config.clone())
    }

    /// Writes a line to the host's log. Hosts of contract 1.0 have none.
    pub fn log(&self, level: Level, text: impl Display) {
        let text = text.to_string();
        match self.host {
            Some(host) => {
                if let Some(log) = host.log {
                    // SAFETY: the context is the host's own; the text is UTF-8 of this length.
                    unsafe { log(host.context, level as u32, text.as_ptr(), text.len()) }
                }
            }
            None => eprintln!("{level:?}: {text}"),
        }
    }

    /// Logs an error.
    pub fn error(&self, text: impl Display) {
        self.log(Level::Error, text);
    }

    /// Logs a warning.
    pub fn warn(&self, text: impl Display) {
        self.log(Level::Warn, text);
    }

    /// Logs what an operator wants to know.
    pub fn info(&self, text: impl Display) {
        self.log(Level::Info, text);
    }

    /// Logs for whoever looks for a mistake.
    pub fn debug(&self, text: impl Display) {
        self.log(Level::Debug, text);
    }

    /// Logs for whoever looks for a mistake, and has time.
    pub fn trace(&self, text: impl Display) {
        self.log(Level::Trace, text);
    }

    /// Whether the call on this thread has reached a limit (a deadline, Ctrl-C) and should come back soon. What
    /// takes long asks from time to time; whatever it then gives back, the script is told of the limit.
    pub fn interrupted(&self) -> bool {
        self.host.is_some_and(host::interrupts)
    }
}

impl Sealed for Context {}

impl Lent for Context {
    const SPEC: Spec = Spec::context();

    type Held<'a> = &'static Context;

    fn hold<'a>(_args: &mut Args<'a>) -> Result<&'static Context, Failure> {
        Ok(with_settings(None))
    }

    fn get<'h>(held: &'h &'static Context) -> &'h Context {
        held
    }
}
