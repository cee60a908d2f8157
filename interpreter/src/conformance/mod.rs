//! What every plugin can be relied on for, whatever its kind: checked by loading and calling it.
//!
//! Each function is called with too few and too many arguments, with wrong types and with extreme values, from several
//! threads, and after errors. So a plugin is called in ways that its author may not have thought of: a runtime for
//! this should grant nothing but what the plugin needs to be loaded, as `caraway conformance` does.

mod calls;
mod checks;
#[cfg(feature = "cli")]
pub(crate) use checks::ended_by;
mod promise;
mod scorecard;
mod values;

pub use scorecard::{Check, Scorecard, Verdict};

use crate::lookup;
use crate::runtime::Runtime;
use caraway_loaders_core::Error;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::resolve::parse_import;
use std::sync::Arc;

/// Checks one plugin, which is named as an import names it.
///
/// ```
/// let runtime = caraway::Runtime::builder().build()?;
/// let scorecard = caraway::conformance::check(&runtime, "std/path")?;
/// assert!(scorecard.passed(), "{scorecard}");
/// # Ok::<(), caraway::Error>(())
/// ```
///
/// # Errors
///
/// [`Code::UnknownPlugin`](crate::Code::UnknownPlugin) if there is none of that name; [`Code::Config`](crate::Code::Config) for a `caraway.toml` that is wrong. What is
/// wrong with the plugin is in its scorecard.
pub fn check(runtime: &Runtime, plugin: &str) -> Result<Scorecard, Error> {
    check_telling(runtime, plugin, |_, _| {})
}

/// The same, telling of each call before it is made, and which check it is for: a plugin may end the process.
///
/// # Errors
///
/// As [`check`].
pub fn check_telling(
    runtime: &Runtime,
    plugin: &str,
    tell: impl Fn(&str, &str) + Send + Sync + 'static,
) -> Result<Scorecard, Error> {
    Ok(checks::all(runtime, &find(runtime, plugin)?, Arc::new(tell)))
}

/// The plugin that an import means.
pub(crate) fn find(runtime: &Runtime, plugin: &str) -> Result<Arc<Plugin>, Error> {
    let (name, range) = parse_import(plugin)?;
    let session = runtime.session_in(&runtime.settings().folder)?;
    lookup::find(session.catalog(), &name, &range).cloned()
}
