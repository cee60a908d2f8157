//! Resources that scripts hold.

use crate::instance::Plugin;
use crate::shape::Shape;
use caraway_loaders_core::handle::{Class, Handle};
use caraway_loaders_core::{Code, Error};
use rhai::{Array, Dynamic, Map};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wasmtime::component::{ResourceAny, Val};

/// The classes of a plugin's handles, by what signatures call them.
pub(crate) type Classes = HashMap<Arc<str>, Arc<Class>>;

/// A resource of a component, which is dropped with the script's value.
pub(crate) struct Held {
    any: ResourceAny,
    /// The store that it is in, by its number.
    store: u64,
    /// Whether it was given back to the component, as the argument of an `own`.
    given: AtomicBool,
    plugin: Arc<Plugin>,
}

impl Held {
    pub(crate) fn new(any: ResourceAny, store: u64, plugin: Arc<Plugin>) -> Self {
        Self { any, store, given: AtomicBool::new(false), plugin }
    }

    /// What wasmtime calls it.
    pub(crate) fn any(&self) -> ResourceAny {
        self.any
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !*self.given.get_mut() {
            self.plugin.drop_resource(self.any, self.store);
        }
    }
}

/// Finds the resources that a value takes with it: those of its `own`s.
pub(crate) fn taken(shape: &Shape, value: &Val, found: &mut Vec<ResourceAny>) {
    match (shape, value) {
        (Shape::Own(_), Val::Resource(any)) => found.push(*any),
        (Shape::List(item), Val::List(items)) => items.iter().for_each(|value| taken(item, value, found)),
        (Shape::Tuple(shapes), Val::Tuple(items)) => {
            shapes.iter().zip(items).for_each(|(shape, value)| taken(shape, value, found));
        }
        (Shape::Record(def), Val::Record(fields)) => {
            def.fields.iter().zip(fields).for_each(|(field, (_, value))| taken(&field.shape, value, found));
        }
        (Shape::Variant(cases), Val::Variant(name, Some(value))) => {
            let case = cases.iter().find(|case| case.name.wit == *name);
            case.and_then(|case| case.payload.as_ref())
                .into_iter()
                .for_each(|shape| taken(shape, value, found));
        }
        (Shape::Option { inner, .. }, Val::Option(Some(value))) => taken(inner, value, found),
        (Shape::Result { ok: Some(shape), .. }, Val::Result(Ok(Some(value))))
        | (Shape::Result { err: Some(shape), .. }, Val::Result(Err(Some(value)))) => {
            taken(shape, value, found);
        }
        _ => {}
    }
}

/// The handles among the arguments of a call, to be looked at once the store is known.
#[derive(Default)]
pub(crate) struct Lent(Vec<Handle>);

impl Lent {
    /// Finds the handles in arguments of a plugin's function.
    ///
    /// # Errors
    ///
    /// [`Code::ArgumentType`] for a handle of another plugin. Those that are arguments of their own have been
    /// looked at by whoever calls.
    pub(crate) fn in_arguments(args: &[&mut Dynamic], plugin: &Arc<Plugin>) -> Result<Self, Error> {
        let mut lent = Self::default();
        for (index, arg) in args.iter().enumerate() {
            lent.find(arg, plugin).map_err(|error| error.about_argument(index))?;
        }
        Ok(lent)
    }

    fn find(&mut self, value: &Dynamic, plugin: &Arc<Plugin>) -> Result<(), Error> {
        if let Some(handle) = Handle::of(value) {
            let own = handle.resource::<Held>().is_some_and(|held| Arc::ptr_eq(&held.plugin, plugin));
            if !own {
                let message = format!("must be a handle of this plugin, found {}", handle.class());
                return Err(Error::new(Code::ArgumentType, message));
            }
            self.0.push(handle);
        } else if let Some(items) = value.read_lock::<Array>() {
            items.iter().try_for_each(|item| self.find(item, plugin))?;
        } else if let Some(map) = value.read_lock::<Map>() {
            map.values().try_for_each(|item| self.find(item, plugin))?;
        }
        Ok(())
    }

    /// Refuses what is not in this store any more.
    ///
    /// # Errors
    ///
    /// [`Code::ValueRefused`] for a resource of a store that was lost, and for one that was given away.
    pub(crate) fn check(&self, store: u64) -> Result<(), Error> {
        for handle in &self.0 {
            let Some(held) = handle.resource::<Held>() else { continue };
            let class = handle.class();
            if held.given.load(Ordering::Relaxed) {
                let message = format!("the {class} was given away: the plugin took it as an argument");
                return Err(Error::new(Code::ValueRefused, message).hint("make another one"));
            }
            if held.store != store {
                let message = format!("the {class} was lost with the plugin's state");
                return Err(Error::new(Code::ValueRefused, message)
                    .hint("the plugin has started afresh since it was made: make another one"));
            }
        }
        Ok(())
    }

    /// Notes that the component has taken those that `own` parameters were given.
    ///
    /// # Errors
    ///
    /// [`Code::ValueRefused`] for one that is given twice, or that is also lent. Nothing is noted then.
    pub(crate) fn give(&self, owned: &[ResourceAny]) -> Result<(), Error> {
        let given = || {
            let held = self.0.iter().filter_map(|handle| Some((handle, handle.resource::<Held>()?)));
            held.filter(|(_, held)| owned.contains(&held.any))
        };
        if given().count() > owned.len()
            || owned.iter().enumerate().any(|(at, any)| owned[..at].contains(any))
        {
            let class = given().next().map_or(String::new(), |(handle, _)| handle.class().to_string());
            let message = format!("one {class} was passed twice, and the function takes it");
            return Err(Error::new(Code::ValueRefused, message).hint("make another one"));
        }
        given().for_each(|(_, held)| held.given.store(true, Ordering::Relaxed));
        Ok(())
    }
}
