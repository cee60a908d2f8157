//! What every script finds without importing it.

use crate::{buffer, handle};
use rhai::Module;
use rhai::packages::{Package, StandardPackage as Standard};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// Rhai's standard package, with buffers and handles, made when it is first needed and shared by all engines of
/// a runtime.
///
/// Making it takes half a millisecond, which engines that come by the dozen must not pay each. Rhai can also
/// look functions up lazily, which makes an engine in 13 us; but then each lookup that is not cached hashes the
/// whole package, and a call into another script begins with an empty cache: that made a program that parses
/// text in imported files twenty times slower.
///
/// ```
/// use caraway_loaders_core::StandardPackage;
///
/// let standard = StandardPackage::default();
/// assert!(std::sync::Arc::ptr_eq(&standard.module(), &standard.clone().module()));
/// ```
#[derive(Clone, Default)]
pub struct StandardPackage(Arc<OnceLock<Arc<Module>>>);

impl StandardPackage {
    /// The package's module, for `Engine::register_global_module`.
    pub fn module(&self) -> Arc<Module> {
        let make = || {
            let mut module = additions();
            Standard::init(&mut module);
            module.register_lazy_functions();
            module.build_index();
            Arc::new(module)
        };
        self.0.get_or_init(make).clone()
    }

    /// What the package has and Rhai's own does not: buffers and handles. For engines of a host, which have
    /// Rhai's already.
    pub fn additions() -> Module {
        additions()
    }
}

fn additions() -> Module {
    let mut module = Module::new();
    buffer::register(&mut module);
    handle::register(&mut module);
    module.build_index();
    module
}

impl fmt::Debug for StandardPackage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StandardPackage")
    }
}
