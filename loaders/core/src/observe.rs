//! Watching calls into plugins.
//!
//! Where nobody watches, nothing is paid: functions are bound as they are, and [`body`] looks at one word of its thread.

use crate::budget;
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    /// What has been spent in the bodies of the innermost watched call.
    static BODY: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    /// What has been spent in watched calls that the innermost one made.
    static INNER: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Is told of each call into a plugin, when it has ended, on the thread that it ran on.
pub trait Observer: Send + Sync {
    /// A call has ended.
    fn called(&self, call: &Call<'_>);
}

/// A call that has ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Call<'a> {
    /// The plugin's name.
    pub plugin: &'a str,
    /// The function's name within the plugin: `mean`, `api::mid`.
    pub function: &'a str,
    /// When it began.
    pub start: Instant,
    /// All that it took, from the arguments to the result.
    pub total: Duration,
    /// What of it was spent in the plugin's own code, with all that this called.
    pub body: Duration,
    /// What of it was spent in watched calls of other functions.
    pub inner: Duration,
    /// Whether it gave an error.
    pub failed: bool,
}

impl Call<'_> {
    /// What was spent on the way in and out: checks, conversions, copies.
    pub fn boundary(&self) -> Duration {
        self.total.saturating_sub(self.body)
    }
}

/// Does the work of a plugin's function, for which its loader has prepared all.
///
/// Loaders put this around the code of the plugin, so that what they spend themselves can be told from it.
#[inline]
pub fn body<T>(work: impl FnOnce() -> T) -> T {
    if !WATCHED.get() {
        return work();
    }
    watched_body(work)
}

#[cold]
fn watched_body<T>(work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    BODY.set(BODY.get() + start.elapsed());
    result
}

/// Does a whole call, and tells the observer of it.
pub(crate) fn call<T, E>(
    observer: &dyn Observer,
    plugin: &str,
    function: &str,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let before = (WATCHED.replace(true), BODY.take(), INNER.take());
    let start = Instant::now();
    let result = work();
    let total = start.elapsed();
    let (body, inner) = (BODY.get(), INNER.get());
    WATCHED.set(before.0);
    BODY.set(before.1);
    INNER.set(before.2 + total);
    let call = Call { plugin, function, start, total, body, inner, failed: result.is_err() };
    // What the host keeps of it is not the plugin's.
    budget::uncounted(|| observer.called(&call));
    result
}

/// An observer, or none; for [`LoadRequest`](crate::loader::LoadRequest).
#[derive(Clone, Default)]
pub struct Watch(Option<Arc<dyn Observer>>);

impl Watch {
    /// Tells this observer.
    pub fn with(observer: Arc<dyn Observer>) -> Self {
        Self(Some(observer))
    }

    /// The observer.
    pub fn observer(&self) -> Option<&Arc<dyn Observer>> {
        self.0.as_ref()
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Watch" } else { "no Watch" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Seen(Mutex<Vec<Told>>);

    type Told = (String, Duration, Duration, Duration, bool);

    impl Observer for Seen {
        fn called(&self, call: &Call<'_>) {
            let name = format!("{}::{}", call.plugin, call.function);
            self.0.lock().unwrap().push((name, call.total, call.body, call.inner, call.failed));
        }
    }

    #[test]
    fn calls_within_calls_are_told_apart() {
        let seen = Seen::default();
        let nap = || std::thread::sleep(Duration::from_millis(2));
        let outer: Result<(), ()> = call(&seen, "a", "outer", || {
            body(|| {
                nap();
                let inner: Result<(), ()> = call(&seen, "b", "inner", || {
                    nap();
                    body(nap);
                    Err(())
                });
                inner
            })
        });
        assert!(outer.is_err());
        let seen = seen.0.into_inner().unwrap();
        let [inner, outer] = &seen[..] else { panic!("{seen:?}") };
        assert_eq!((inner.0.as_str(), outer.0.as_str(), inner.4), ("b::inner", "a::outer", true));
        assert!(
            inner.2 >= Duration::from_millis(2) && inner.1 >= inner.2 + Duration::from_millis(2),
            "{inner:?}"
        );
        assert_eq!((inner.3, outer.3), (Duration::ZERO, inner.1));
        assert!(outer.2 >= inner.1 && outer.1 >= outer.2, "{seen:?}");
        assert!(!WATCHED.get());
        body(nap);
        assert_eq!(BODY.get(), Duration::ZERO);
    }
}
