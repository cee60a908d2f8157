//! Handles: opaque values of plugins that scripts hold.
//!
//! A plugin makes a handle of a [`Class`] and gives it to a script, which passes it on, calls its methods and
//! drops it. All handles are one Rust type, so that Rhai has one type to find functions by; whose a handle is
//! and what it can do is looked up in its class.

use crate::code::Code;
use crate::error::Error;
use rhai::{
    Dynamic, Engine, EvalAltResult, EvalContext, FuncRegistration, ImmutableString, Module,
    NativeCallContext, Position,
};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

type Outcome = Result<Dynamic, Box<EvalAltResult>>;

/// A kind of handles of one load of one plugin.
///
/// Two classes are the same only if they are one: the `Counter`s of two plugins are foreign to each other, and
/// so are those of two loads of one plugin.
pub struct Class {
    name: Arc<str>,
    plugin: Arc<str>,
    /// The module has them; a handle that outlives its plugin has none.
    members: OnceLock<Weak<dyn Members>>,
}

/// What handles of a class can do.
pub(crate) trait Members: Send + Sync {
    /// Calls a method; `None` if there is none of this name.
    fn call(&self, name: &str, context: NativeCallContext, args: &mut [&mut Dynamic]) -> Option<Outcome>;

    /// Reads a property; `None` if there is none of this name.
    fn get(&self, name: &str, context: NativeCallContext, handle: &mut Dynamic) -> Option<Outcome>;

    /// Whether there is a method of this name that takes this many arguments, the handle included.
    fn takes(&self, name: &str, count: usize) -> bool;

    /// The names of all methods and properties.
    fn names(&self) -> Vec<String>;

    /// The error for a call of a method that there is not, or that takes another number of arguments.
    fn no_method(&self, class: &Class, name: &str, count: usize) -> Error;

    /// The error for a property that there is not.
    fn no_property(&self, class: &Class, name: &str) -> Error;
}

impl Class {
    pub(crate) fn new(name: &str, plugin: &str) -> Self {
        Self { name: name.into(), plugin: plugin.into(), members: OnceLock::new() }
    }

    /// What signatures call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the plugin that it belongs to.
    pub fn plugin(&self) -> &str {
        &self.plugin
    }

    /// Gives it its methods and properties, if it has none yet.
    pub(crate) fn set_members(&self, members: &Arc<dyn Members>) {
        self.members.get_or_init(|| Arc::downgrade(members));
    }

    /// The names of its methods and properties, sorted; none once its plugin is gone.
    pub fn member_names(&self) -> Vec<String> {
        let mut names = self.members().map_or_else(|_| Vec::new(), |members| members.names());
        names.sort();
        names
    }

    fn members(&self) -> Result<Arc<dyn Members>, Error> {
        self.members.get().and_then(Weak::upgrade).ok_or_else(|| {
            Error::new(Code::ValueRefused, format!("{self} outlived its plugin, which has been unloaded"))
        })
    }

    /// Calls a method of one of its handles, the first of `args`.
    pub(crate) fn call(&self, name: &str, context: NativeCallContext, args: &mut [&mut Dynamic]) -> Outcome {
        let position = context.call_position();
        let members = self.members().map_err(|error| error.raise(position))?;
        let count = args.len();
        members
            .call(name, context, args)
            .unwrap_or_else(|| Err(members.no_method(self, name, count).raise(position)))
    }

    /// Reads a property of one of its handles.
    pub(crate) fn get(&self, name: &str, context: NativeCallContext, handle: &mut Dynamic) -> Outcome {
        let position = context.call_position();
        let members = self.members().map_err(|error| error.raise(position))?;
        members
            .get(name, context, handle)
            .unwrap_or_else(|| Err(members.no_property(self, name).raise(position)))
    }
}

/// ``Counter of `counters` ``.
impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of `{}`", self.name, self.plugin)
    }
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Class({self})")
    }
}

struct Inner<T: ?Sized> {
    class: Arc<Class>,
    resource: T,
}

/// A value of a plugin that scripts hold and cannot look into. Clones are the same handle, whose resource is
/// dropped with the last of them.
///
/// ```
/// use caraway_loaders_core::bind::Binder;
/// use caraway_loaders_core::handle::Handle;
/// use rhai::{Dynamic, Engine};
/// use std::sync::atomic::{AtomicI64, Ordering};
///
/// let mut binder = Binder::new("counters", "counters@1.0.0");
/// let class = binder.class("Counter");
/// binder.function("counter(from: int) -> Counter".parse()?, move |_, args| {
///     Ok(Handle::new(&class, AtomicI64::new(args[0].as_int().unwrap_or_default())))
/// })?;
/// binder.function("counter::incr(self: Counter, by: int) -> int".parse()?, |_, args| {
///     let by = args[1].as_int().unwrap_or_default();
///     let handle = Handle::of(args[0]).unwrap();
///     let count = handle.resource::<AtomicI64>().unwrap();
///     Ok((count.fetch_add(by, Ordering::Relaxed) + by).into())
/// })?;
///
/// let mut engine = Engine::new();
/// engine.register_static_module("counters", binder.finish().module);
/// let script = "let c = counters::counter(5); c.incr(1); counters::counter::incr(c, 1)";
/// assert_eq!(engine.eval::<i64>(script)?, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Handle(Arc<Inner<dyn Any + Send + Sync>>);

impl Handle {
    /// A handle of this class, which drops `resource` with its last clone, on whichever thread that happens.
    #[allow(clippy::new_ret_no_self, reason = "a handle is always a value of a script")]
    pub fn new<T: Send + Sync + 'static>(class: &Arc<Class>, resource: T) -> Dynamic {
        Dynamic::from(Self(Arc::new(Inner { class: class.clone(), resource })))
    }

    /// The handle that a value is.
    pub fn of(value: &Dynamic) -> Option<Self> {
        value.read_lock::<Self>().map(|handle| handle.clone())
    }

    /// Its class.
    pub fn class(&self) -> &Arc<Class> {
        &self.0.class
    }

    /// Whether it is of just this class.
    pub fn is_of(&self, class: &Arc<Class>) -> bool {
        Arc::ptr_eq(&self.0.class, class)
    }

    /// The plugin's value, if it is a `T`.
    pub fn resource<T: 'static>(&self) -> Option<&T> {
        self.0.resource.downcast_ref()
    }

    /// What tells it from all other handles, as long as it lives.
    pub fn identity(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// The same handle, without keeping it alive.
    pub fn downgrade(&self) -> WeakHandle {
        WeakHandle(Arc::downgrade(&self.0))
    }

    /// Whether both are the same handle.
    pub fn is(&self, other: &Handle) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A [`Handle`] that is not kept alive.
#[derive(Clone)]
pub struct WeakHandle(Weak<Inner<dyn Any + Send + Sync>>);

impl WeakHandle {
    /// The handle, if it is alive.
    pub fn upgrade(&self) -> Option<Handle> {
        self.0.upgrade().map(Handle)
    }
}

impl fmt::Debug for WeakHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakHandle")
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({})", self.class())
    }
}

thread_local! {
    /// The engine on which a method was found and failed, until its missing-function callback has seen it.
    static FAILED: Cell<*const Engine> = const { Cell::new(std::ptr::null()) };
    /// What the last call of a method that there is not should have said, see [`take_missing`].
    static MISSING: RefCell<Option<(String, Error)>> = const { RefCell::new(None) };
}

/// Remembers that a method failed which Rhai had found: Rhai asks its callback for missing functions after any
/// failure, and the callback must not call it again.
#[cold]
pub(crate) fn note_failure(engine: *const Engine) {
    FAILED.set(engine);
}

/// What to say of a method that was not found, where Rhai's own error of this name is to be explained.
pub(crate) fn take_missing(name: &str) -> Option<Error> {
    MISSING.with_borrow_mut(|missing| missing.take_if(|(missing, _)| missing == name)).map(|(_, error)| error)
}

/// Lets the scripts of an engine call methods of handles whose plugin they do not import, and explains calls
/// of methods that there are not. An engine has one callback for missing functions: this one replaces it.
pub fn find_methods(engine: &mut Engine) {
    #[allow(deprecated)] // Rhai's mark for an interface that may change; the version is pinned.
    engine.on_missing_function(|name, args, is_method, context| find_method(name, args, is_method, &context));
}

fn find_method(
    name: &str,
    args: &mut [&mut Dynamic],
    is_method: bool,
    context: &EvalContext,
) -> Result<Option<Dynamic>, Box<EvalAltResult>> {
    let Some(handle) = args.first().and_then(|first| Handle::of(first)) else { return Ok(None) };
    if std::ptr::eq(FAILED.replace(std::ptr::null()), context.engine()) {
        return Ok(None);
    }
    let class = handle.class();
    let members = class.members().map_err(|error| error.raise(Position::NONE))?;
    if !members.takes(name, args.len()) {
        if is_method {
            let error = members.no_method(class, name, args.len());
            MISSING.set(Some((name.to_owned(), error)));
        }
        return Ok(None);
    }
    let (source, global) = (context.source(), context.global_runtime_state());
    let call = NativeCallContext::new_with_all_fields(context.engine(), name, source, global, Position::NONE);
    members.call(name, call, args).transpose()
}

/// Adds what all handles can do: printing, identity, and properties where their plugin is not imported.
pub(crate) fn register(module: &mut Module) {
    module.set_custom_type::<Handle>("handle");
    for name in ["to_string", "to_debug"] {
        adding(name).set_into_module(module, |handle: &mut Handle| format!("<{}>", handle.class()));
    }
    adding("==").set_into_module(module, |a: &mut Handle, b: Handle| a.is(&b));
    adding("!=").set_into_module(module, |a: &mut Handle, b: Handle| !a.is(&b));
    FuncRegistration::new_index_getter().with_purity(true).with_volatility(true).set_into_module(
        module,
        |context: NativeCallContext, handle: &mut Handle, name: ImmutableString| -> Outcome {
            handle.class().clone().get(&name, context, &mut Dynamic::from(handle.clone()))
        },
    );
    FuncRegistration::new_index_setter().with_purity(true).with_volatility(true).set_into_module(
        module,
        |handle: &mut Handle, name: ImmutableString, _: Dynamic| -> Result<(), Box<EvalAltResult>> {
            let class = handle.class().name();
            Err(Error::new(Code::UnknownFunction, format!("`{name}` of {class} cannot be assigned to"))
                .hint("the plugin has to offer a method that changes it")
                .raise(Position::NONE))
        },
    );
}

fn adding(name: &str) -> FuncRegistration {
    FuncRegistration::new(name).with_purity(true).with_volatility(true)
}
