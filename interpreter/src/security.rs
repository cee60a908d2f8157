//! Presets of what is granted, denied and limited.

use caraway_loaders_core::Error;
use caraway_loaders_core::capability::Grants;
use caraway_loaders_core::limits::Limits;
use std::fmt;
use std::path::Path;
use std::time::Duration;

/// How much is allowed before anything is granted or denied by name: a preset of rules and limits for the gate that
/// `--allow` and `--deny` are for, and nothing else.
///
/// | | relaxed | default | strict | paranoid |
/// | --- | --- | --- | --- | --- |
/// | granted, to plugins as far as they ask | `filesystem`, `network`, `env`, `io` | | | |
/// | denied, whatever is granted | | | `native`, `process` | `native`, `process`, `network`, `env` |
/// | grants of the user's own `caraway.toml`, and what was answered once | hold | hold | hold | do not hold |
/// | a plugin that shadows its like | a warning | a warning | an error | an error |
/// | plugins that `caraway.lock` does not cover | are loaded | are loaded | are loaded | are an error |
/// | plugins: `timeout`, `memory`, `std_calls` at most | as set | as set | 10 s, 128 MiB, 10,000 | 2 s, 64 MiB, 1,000 |
/// | programs: the same | as set | as set | as set | 60 s, 256 MiB, 10,000 |
///
/// What is not said stays as it is. `network` without hosts reaches what is public, see
/// [`Access`](crate::capability::Access).
///
/// ```
/// use caraway::{Code, Runtime, Security};
///
/// let script = r#"import "std/env" as env; env::get("HOME")"#;
/// let with = |security| Runtime::builder().security(security).allow("env=HOME").build()?.eval(script);
/// assert!(with(Security::Strict).is_ok());
/// assert_eq!(with(Security::Paranoid).unwrap_err().code(), Code::Denied);
/// # Ok::<(), caraway::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Security {
    /// For programs and plugins of one's own.
    Relaxed,
    /// Nothing is granted but by name.
    #[default]
    Default,
    /// For what strangers wrote.
    Strict,
    /// For what is expected to be hostile.
    Paranoid,
}

impl Security {
    pub(crate) const ALL: [Self; 4] = [Self::Relaxed, Self::Default, Self::Strict, Self::Paranoid];

    /// The level's name, as flags and files have it: `strict`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relaxed => "relaxed",
            Self::Default => "default",
            Self::Strict => "strict",
            Self::Paranoid => "paranoid",
        }
    }

    /// The level of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    fn granted(self) -> &'static [&'static str] {
        match self {
            Self::Relaxed => &["filesystem", "network", "env", "io"],
            Self::Default | Self::Strict | Self::Paranoid => &[],
        }
    }

    fn denied(self) -> &'static [&'static str] {
        match self {
            Self::Relaxed | Self::Default => &[],
            Self::Strict => &["native", "process"],
            Self::Paranoid => &["native", "process", "network", "env"],
        }
    }

    /// Whether what the user has granted before holds.
    pub(crate) fn remembers(self) -> bool {
        self < Self::Paranoid
    }

    /// Whether shadowing is an error.
    pub(crate) fn is_strict(self) -> bool {
        self >= Self::Strict
    }

    /// Whether every plugin must be locked.
    pub(crate) fn is_locked(self) -> bool {
        self >= Self::Paranoid
    }

    pub(crate) fn programs(self, limits: Limits) -> Limits {
        match self {
            Self::Paranoid => at_most(limits, 60, 256, 10_000),
            _ => limits,
        }
    }

    pub(crate) fn plugins(self, limits: Limits) -> Limits {
        match self {
            Self::Relaxed | Self::Default => limits,
            Self::Strict => at_most(limits, 10, 128, 10_000),
            Self::Paranoid => at_most(limits, 2, 64, 1_000),
        }
    }
}

/// Memory is left alone where nobody counts it.
fn at_most(limits: Limits, seconds: u64, mebibytes: u64, std_calls: u32) -> Limits {
    let mut most = limits;
    most.timeout = Some(Duration::from_secs(seconds));
    most.memory = limits.memory.map(|_| mebibytes << 20);
    most.std_calls = Some(std_calls);
    limits.tightest(most)
}

impl fmt::Display for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The level that holds, and who said so.
#[derive(Debug, Clone)]
pub(crate) enum Level {
    /// A flag, or the host.
    Given(Security),
    /// The user's own file, as messages name it.
    Configured(Security, String),
}

impl Level {
    pub(crate) fn security(&self) -> Security {
        match *self {
            Self::Given(security) | Self::Configured(security, _) => security,
        }
    }

    /// The level, and the file that says so: `strict, by caraway.toml`.
    #[cfg(feature = "cli")]
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Given(security) => security.to_string(),
            Self::Configured(security, file) => format!("{security}, by {file}"),
        }
    }

    /// What makes another level hold.
    pub(crate) fn remedy(&self) -> String {
        match self {
            Self::Given(level) => format!("leave out `--security {level}`"),
            Self::Configured(..) => "run with `--security default`".to_owned(),
        }
    }

    /// Adds the level's rules.
    pub(crate) fn add_to(&self, grants: &mut Grants) -> Result<(), Error> {
        let level = self.security();
        // None of them has a path.
        let base = Path::new("/");
        level.granted().iter().try_for_each(|capability| grants.allow(capability, base))?;
        let who = match self {
            Self::Given(_) => format!("`--security {level}`"),
            Self::Configured(_, file) => format!("`security = \"{level}\"` in {file}"),
        };
        let remedy = self.remedy();
        level.denied().iter().try_for_each(|capability| grants.deny_by(capability, base, &who, &remedy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_only_tighten_from_strict_on() {
        let mut limits = Limits::PLUGIN;
        limits.std_calls = Some(5);
        for level in Security::ALL {
            assert_eq!(Security::from_name(level.name()), Some(level));
            let plugins = level.plugins(limits);
            assert_eq!(plugins, plugins.tightest(limits));
            assert_eq!(
                level.programs(Limits::PROGRAM).tightest(Limits::PROGRAM),
                level.programs(Limits::PROGRAM)
            );
            assert!(level.granted().is_empty() || level.denied().is_empty());
        }
        assert_eq!(Security::Strict.plugins(limits).std_calls, Some(5));
        assert_eq!(Security::Paranoid.plugins(Limits::PLUGIN).timeout, Some(Duration::from_secs(2)));
    }
}
