//! From names to addresses.

use parking_lot::{Condvar, Mutex};
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How many lookups of one [`System`] may be under way: the system's cannot be stopped.
const MAX_LOOKUPS: usize = 8;

/// Who knows the addresses of a name.
pub trait Resolve: Send + Sync {
    /// The addresses of a name. May take as long as it likes.
    ///
    /// # Errors
    ///
    /// That it has none or nobody knows; [`io::ErrorKind::ResourceBusy`] where too many lookups are under way.
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system: its hosts file, its name servers. At most 8 lookups at a time.
#[derive(Debug, Default)]
pub struct System {
    running: AtomicUsize,
}

impl Resolve for System {
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let running = self.running.fetch_add(1, Ordering::Relaxed);
        let addresses = match running < MAX_LOOKUPS {
            true => (name, 0).to_socket_addrs(),
            false => Err(io::ErrorKind::ResourceBusy.into()),
        };
        self.running.fetch_sub(1, Ordering::Relaxed);
        Ok(addresses?.map(|address| address.ip().to_canonical()).collect())
    }
}

type Found = io::Result<Vec<IpAddr>>;

/// A lookup on a thread of its own: the system's cannot be stopped, but nobody has to wait for its end.
pub struct Pending(Arc<(Mutex<Option<Found>>, Condvar)>);

impl Pending {
    /// Begins to look up a name.
    ///
    /// # Errors
    ///
    /// That there is no thread for it.
    pub fn start(resolver: &Arc<dyn Resolve>, name: &str) -> io::Result<Self> {
        let found = Arc::new((Mutex::new(None), Condvar::new()));
        let (resolver, theirs, name) = (resolver.clone(), found.clone(), name.to_owned());
        std::thread::Builder::new().name("caraway-lookup".to_owned()).spawn(move || {
            let result = resolver.resolve(&name);
            *theirs.0.lock() = Some(result);
            theirs.1.notify_all();
        })?;
        Ok(Self(found))
    }

    /// Whether it has ended, and what was found was not taken.
    pub fn is_ready(&self) -> bool {
        self.0.0.lock().is_some()
    }

    /// What was found, once; `None` while it is being looked for.
    pub fn take(&self) -> Option<Found> {
        self.0.0.lock().take()
    }

    /// The same, waited for no longer than this.
    pub fn wait(&self, most: Duration) -> Option<Found> {
        let mut found = self.0.0.lock();
        if found.is_none() {
            self.0.1.wait_for(&mut found, most);
        }
        found.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};

    /// Answers when it is told to.
    struct Slow(Mutex<Receiver<()>>);

    impl Resolve for Slow {
        fn resolve(&self, _: &str) -> Found {
            self.0.lock().recv().map_err(|_| io::ErrorKind::NotFound)?;
            Ok(vec!["1.1.1.1".parse().unwrap()])
        }
    }

    #[test]
    fn nobody_waits_for_the_end_of_a_lookup() {
        let (answer, told) = channel();
        let resolver: Arc<dyn Resolve> = Arc::new(Slow(Mutex::new(told)));
        let pending = Pending::start(&resolver, "a.example").unwrap();
        assert!(pending.wait(Duration::from_millis(1)).is_none() && !pending.is_ready());
        answer.send(()).unwrap();
        let found = pending.wait(Duration::from_secs(100)).unwrap().unwrap();
        assert_eq!(found, ["1.1.1.1".parse::<IpAddr>().unwrap()]);
        assert!(pending.take().is_none());
    }
}
