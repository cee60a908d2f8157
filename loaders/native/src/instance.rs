//! A library in use: attached, started with its settings, with classes for its handles.

use crate::function::Function;
use crate::handle::{Class, ClassId};
use crate::life::Life;
use crate::outcome::{Named, Outcome};
use caraway_loaders_core::bind::Binder;
use caraway_loaders_core::handle::Class as Kind;
use caraway_loaders_core::{Error, Signature, Type};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A plugin that runs. It is shut down when this, every module with a function of it, every handle and every
/// buffer that it made are gone.
#[derive(Debug)]
pub struct Instance {
    life: Arc<Life>,
    /// What drops the words of each class.
    classes: BTreeMap<String, unsafe extern "C" fn(handle: u64)>,
    /// The classes of the module that has them.
    kinds: BTreeMap<String, Arc<Kind>>,
}

impl Instance {
    pub(crate) fn new(life: Life, classes: BTreeMap<String, unsafe extern "C" fn(handle: u64)>) -> Self {
        Self { life: Arc::new(life), classes, kinds: BTreeMap::new() }
    }

    /// Makes the library's classes known to a module. The first module's are the classes, and their methods those
    /// that it has; others use them.
    pub fn add_classes(&mut self, binder: &mut Binder) {
        for name in self.classes.keys() {
            match self.kinds.get(name) {
                Some(kind) => binder.adopt(kind),
                None => {
                    self.kinds.insert(name.clone(), binder.class(name));
                }
            }
        }
    }

    /// Puts a function of the library into a module, as `declared`, which [`agree`](crate::agree::agree) has found to
    /// fit. The module has the [classes](Instance::add_classes).
    ///
    /// # Errors
    ///
    /// As [`Binder::function`].
    pub fn add_function(
        &self,
        function: &Function,
        declared: Arc<Signature>,
        binder: &mut Binder,
    ) -> Result<(), Error> {
        function.bind(self, binder, declared)
    }

    /// The class of this name, once a module has it.
    pub(crate) fn class(&self, name: &str) -> Option<ClassId> {
        self.kinds.get(name).map(ClassId::of)
    }

    pub(crate) fn outcome(&self, function: Named, native: &Type, declared: &Type) -> Outcome {
        let class = match native {
            Type::Handle(name) => {
                let kind = self.kinds.get(&**name).cloned();
                kind.zip(self.classes.get(&**name)).map(|(kind, drop)| Class { kind, drop: *drop })
            }
            _ => None,
        };
        Outcome::new(function, native, declared, class, self.life.clone())
    }
}
