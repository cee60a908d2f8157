//! A module whose functions are on the other side.

use crate::wire::{Function, Module};
use caraway_loaders_core::bind::{Binder, CallResult};
use caraway_loaders_core::handle::Class;
use caraway_loaders_core::{Error, Signature, Type};
use rhai::{Dynamic, NativeCallContext};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Calls functions of one module of the other side.
pub(crate) trait Remote: Send + Sync + 'static {
    /// Calls the function of this number. The signature's name is for messages: `plugin::function`.
    fn call(
        &self,
        function: u32,
        signature: &Signature,
        context: &NativeCallContext,
        args: &mut [&mut Dynamic],
    ) -> CallResult;
}

/// Puts a module's functions into `binder`, and gives the classes of its handles.
///
/// # Errors
///
/// As [`Binder::function`].
pub(crate) fn bind(
    binder: &mut Binder,
    module: Module,
    remote: &Arc<dyn Remote>,
) -> Result<Vec<Arc<Class>>, Error> {
    let classes = classes(&module).iter().map(|name| binder.class(name)).collect();
    for (number, Function { signature, getter }) in (0..).zip(module.functions) {
        let mut shown = signature.clone();
        shown.name = format!("{}::{}", module.name, signature.name);
        let remote = remote.clone();
        let call = move |context: &NativeCallContext, args: &mut [&mut Dynamic]| {
            remote.call(number, &shown, context, args)
        };
        if getter {
            binder.getter(signature, call)?;
        } else {
            binder.function(signature, call)?;
        }
    }
    for (alias, name) in &module.aliases {
        binder.alias(alias, name)?;
    }
    for (name, value) in module.constants {
        binder.constant(&name, value)?;
    }
    Ok(classes)
}

fn classes(module: &Module) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for function in &module.functions {
        let types = function.signature.params.iter().map(|param| &param.ty);
        for ty in types.chain([&function.signature.returns]) {
            if let Type::Handle(name) = ty {
                names.insert(name.to_string());
            }
        }
    }
    names
}
