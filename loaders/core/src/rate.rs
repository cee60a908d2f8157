//! How often something may be done.

use crate::code::Code;
use crate::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const SECOND: u64 = 1_000_000_000;

/// How often the program or one plugin may call `std/...`, all threads together.
///
/// The generic cell rate algorithm: a second's worth of calls may come at once, and what has been used up comes back
/// evenly. Whoever does not call for a second has all of it again.
///
/// ```
/// use caraway_loaders_core::rate::Rate;
///
/// let rate = Rate::plugin("stats", Some(2));
/// rate.take()?;
/// rate.take()?;
/// let error = rate.take().unwrap_err();
/// assert_eq!(error.message(), "plugin `stats` calls `std/...` more than 2 times a second");
/// let hint = "call it less often, or raise `std_calls` in `[limits.plugins]` of the user's caraway.toml";
/// assert_eq!(error.hint_text(), Some(hint));
/// # Ok::<(), caraway_loaders_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Rate {
    owner: String,
    /// What makes it higher.
    remedy: String,
    /// Nanoseconds that one call takes up; 0 where there is no limit.
    interval: u64,
    per_second: u32,
    start: Instant,
    /// When all that was taken will have come back, in nanoseconds since `start`.
    full_again: AtomicU64,
}

impl Rate {
    /// So many calls per second for the program; `None` is no limit.
    pub fn program(per_second: Option<u32>) -> Self {
        Self::new("the program".to_owned(), "limits", per_second)
    }

    /// So many for a plugin.
    pub fn plugin(name: &str, per_second: Option<u32>) -> Self {
        Self::new(format!("plugin `{name}`"), "limits.plugins", per_second)
    }

    fn new(owner: String, table: &str, per_second: Option<u32>) -> Self {
        Self {
            owner,
            remedy: format!("raise `std_calls` in `[{table}]` of the user's caraway.toml"),
            interval: per_second.map_or(0, |calls| SECOND / u64::from(calls.max(1))),
            per_second: per_second.unwrap_or(0),
            start: Instant::now(),
            full_again: AtomicU64::new(0),
        }
    }

    /// The same, which something else makes higher: "leave out `--security strict`".
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// Takes one call.
    ///
    /// # Errors
    ///
    /// [`Code::Limit`] when none is left. Time brings them back.
    pub fn take(&self) -> Result<(), Error> {
        if self.interval == 0 {
            return Ok(());
        }
        let now = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.take_at(now)
    }

    fn take_at(&self, now: u64) -> Result<(), Error> {
        let next = |full_again: u64| {
            let after = full_again.max(now).saturating_add(self.interval);
            (after <= now.saturating_add(SECOND)).then_some(after)
        };
        match self.full_again.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) {
            Ok(_) => Ok(()),
            Err(_) => Err(self.exceeded()),
        }
    }

    #[cold]
    fn exceeded(&self) -> Error {
        let Self { owner, per_second, remedy, .. } = self;
        Error::new(Code::Limit, format!("{owner} calls `std/...` more than {per_second} times a second"))
            .hint(format!("call it less often, or {remedy}"))
    }
}

impl Default for Rate {
    /// No limit.
    fn default() -> Self {
        Self::program(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_its_calls() {
        let rate = Rate::program(Some(4));
        let mut taken = Vec::new();
        // Five at once, then one each eighth of a second.
        for eighth in [0, 0, 0, 0, 0, 1, 2, 3, 4, 8] {
            taken.push(rate.take_at(eighth * SECOND / 8).is_ok());
        }
        assert_eq!(taken, [true, true, true, true, false, false, true, false, true, true]);
        // All are back after a second without calls.
        let later = 10 * SECOND;
        assert_eq!((0..9).filter(|_| rate.take_at(later).is_ok()).count(), 4);
    }

    #[test]
    fn no_limit_is_never_reached() {
        let rate = Rate::program(None);
        assert!((0..100_000).all(|_| rate.take().is_ok()));
    }

    #[test]
    fn threads_share_it() {
        let rate = Rate::program(Some(1000));
        let taken = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let own = (0..1000).filter(|_| rate.take_at(0).is_ok()).count();
                    taken.fetch_add(own as u64, Ordering::Relaxed)
                });
            }
        });
        assert_eq!(taken.into_inner(), 1000);
    }
}
