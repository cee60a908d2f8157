//! What is told of what happens: `--plugin-debug` on standard error, `--log` in files.

use super::state;
use caraway_loaders_core::output::LOG_TARGET;
use caraway_loaders_core::{Code, Error, escape};
use clap::ValueEnum;
use std::fmt;
use std::path::PathBuf;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::layer::{Context, SubscriberExt};

/// How many days are kept.
const DAYS: usize = 7;

/// `--log`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Starts to tell. Once for a process; what is not asked for costs nothing.
///
/// # Errors
///
/// [`Code::Io`] if the user has no state directory, or it cannot be written to.
pub(super) fn start(debug: bool, level: Option<LogLevel>) -> Result<(), Error> {
    if !debug && level.is_none() {
        return Ok(());
    }
    // What plugins log is on standard error anyway.
    let own = FilterFn::new(|of: &Metadata<'_>| of.target() != LOG_TARGET && is_ours(of));
    let lines = debug.then(|| Lines.with_filter(own));
    let files = match level.map(LevelFilter::from) {
        Some(level) => {
            let kept = FilterFn::new(move |of: &Metadata<'_>| is_ours(of) && *of.level() <= level);
            Some(files()?.with_filter(kept.with_max_level_hint(level)))
        }
        None => None,
    };
    let subscriber = tracing_subscriber::registry().with(lines).with(files);
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|error| Error::new(Code::Internal, format!("a log: {error}")))
}

/// Whether it is Caraway that tells, and not a library of its.
fn is_ours(of: &Metadata<'_>) -> bool {
    of.target().starts_with("caraway")
}

/// A layer that writes to a file of the day: `caraway/log/caraway.2026-01-31.log` in the user's state directory.
fn files<S>() -> Result<impl Layer<S>, Error>
where
    S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let folder = folder()?;
    let cannot = |error: String| {
        let what = format!("cannot keep a log in {}: {error}", folder.display());
        Error::new(Code::Io, what).hint("leave out `--log`, or make the folder writable")
    };
    std::fs::create_dir_all(&folder).map_err(|error| cannot(error.to_string()))?;
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("caraway")
        .filename_suffix("log")
        .max_log_files(DAYS)
        .build(&folder)
        .map_err(|error| cannot(error.to_string()))?;
    Ok(tracing_subscriber::fmt::layer().with_ansi(false).with_writer(appender))
}

fn folder() -> Result<PathBuf, Error> {
    state::folder().map(|state| state.join("log")).ok_or_else(|| {
        Error::new(Code::Io, "there is no directory for a log: neither XDG_STATE_HOME nor HOME is set")
            .hint("set HOME, or leave out `--log`")
    })
}

/// A layer that writes lines to standard error: `caraway: planned stats@1.0.0 in 0.1 ms`.
struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        // A closed stream: nobody is there to be told.
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            format!("caraway: {}\n", escape(&message.0)).as_bytes(),
        );
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}
