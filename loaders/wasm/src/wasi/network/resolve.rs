//! From names to addresses.

use parking_lot::Mutex;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many lookups of a plugin may be under way: the system's cannot be stopped.
const MAX_LOOKUPS: usize = 8;

/// Who knows the addresses of a name.
pub(super) trait Resolve: Send + Sync {
    /// The addresses of a name. May take as long as it likes.
    fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system: its hosts file, its name servers.
#[derive(Default)]
pub(super) struct System {
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

/// A lookup on a thread of its own.
pub(super) struct Pending(Arc<Mutex<Option<io::Result<Vec<IpAddr>>>>>);

impl Pending {
    /// Begins to look up a name.
    pub(super) fn start(resolver: &Arc<dyn Resolve>, name: &str) -> io::Result<Self> {
        let found = Arc::new(Mutex::new(None));
        let (resolver, theirs, name) = (resolver.clone(), found.clone(), name.to_owned());
        std::thread::Builder::new().name("caraway-wasm-lookup".to_owned()).spawn(move || {
            let result = resolver.resolve(&name);
            *theirs.lock() = Some(result);
        })?;
        Ok(Self(found))
    }

    pub(super) fn is_ready(&self) -> bool {
        self.0.lock().is_some()
    }

    /// What was found, once; `None` while it is being looked for.
    pub(super) fn take(&self) -> Option<io::Result<Vec<IpAddr>>> {
        self.0.lock().take()
    }
}
