//! What handles of a class can do, and how Rhai finds it.
//!
//! All handles are one type to Rhai, so of two plugins that both have a method `who`, it would call the one that
//! was imported last. What a module offers to Rhai is therefore not the method but a dispatcher of its name, which
//! calls the method of the handle's own class, whichever plugin that belongs to. Dispatchers are in the global
//! namespace, where Rhai looks for methods; in a submodule whose name no script can write, since they are not
//! functions of the plugin.

use super::entry::{Body, call_with_anything, set, with_context};
use super::shown::Shown;
use crate::code::Code;
use crate::error::Error;
use crate::handle::{Class, Handle, Members, note_failure};
use crate::suggest::suggest;
use rhai::{Dynamic, EvalAltResult, FuncRegistration, Module, NativeCallContext, Shared};
use std::any::TypeId;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, OnceLock};

type Outcome = Result<Dynamic, Box<EvalAltResult>>;

/// The submodule of the dispatchers.
const DISPATCHERS: &str = "methods of handles";

/// A function that is called on handles.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) shown: Shown,
    pub(super) body: Shared<Body>,
    /// Whether a list of numbers may be a buffer.
    pub(super) buffers: bool,
}

impl Member {
    fn call(&self, context: NativeCallContext, args: &mut [&mut Dynamic]) -> Outcome {
        call_with_anything(&self.shown, &*self.body, self.buffers, context, args)
    }
}

/// The methods and properties of one class, by name.
#[derive(Default)]
pub(super) struct Table {
    methods: BTreeMap<String, Member>,
    getters: BTreeMap<String, Member>,
}

/// The methods and properties of one class, once all are known. Its module owns them.
#[derive(Default)]
struct Finished(OnceLock<Table>);

/// A class while its module is being filled.
pub(super) struct Filling {
    pub(super) class: Arc<Class>,
    table: Table,
    finished: Arc<Finished>,
}

impl Filling {
    /// A class that is this module's, or that another module of the same plugin has already.
    pub(super) fn new(class: Arc<Class>) -> Self {
        let finished = Arc::new(Finished::default());
        let members: Arc<dyn Members> = finished.clone();
        class.set_members(&members);
        Self { class, table: Table::default(), finished }
    }

    /// Adds a method under this name; false if there is one.
    pub(super) fn add_method(&mut self, name: &str, member: Member) -> bool {
        self.table.methods.insert(name.to_owned(), member).is_none()
    }

    /// Adds a property of this name; false if there is one.
    pub(super) fn add_getter(&mut self, name: &str, member: Member) -> bool {
        self.table.getters.insert(name.to_owned(), member).is_none()
    }

    pub(super) fn finish(self) {
        // The only one to set it.
        let _ = self.finished.0.set(self.table);
    }

    /// What a dispatcher for this member holds.
    fn target(&self, member: &Member) -> Target {
        Target { class: self.class.clone(), member: member.clone(), _table: self.finished.clone() }
    }
}

/// The member that a dispatcher calls at once, for handles of its own class.
struct Target {
    class: Arc<Class>,
    member: Member,
    /// As long as the dispatcher is there, so is the table.
    _table: Arc<Finished>,
}

impl Target {
    /// Calls it, or `other` for a handle of another class.
    #[inline]
    fn call(
        &self,
        context: NativeCallContext,
        args: &mut [&mut Dynamic],
        other: impl FnOnce(&Class, NativeCallContext, &mut [&mut Dynamic]) -> Outcome,
    ) -> Outcome {
        match foreign_class(args, &self.class) {
            None => self.member.call(context, args),
            Some(class) => other(&class, context, args),
        }
    }
}

/// The class of the first argument, if it is another one than `own`.
fn foreign_class(args: &[&mut Dynamic], own: &Arc<Class>) -> Option<Arc<Class>> {
    let handle = args.first()?.read_lock::<Handle>()?;
    (!handle.is_of(own)).then(|| handle.class().clone())
}

/// The dispatchers of one module.
#[derive(Default)]
pub(super) struct Dispatchers {
    module: Module,
    there: HashSet<(String, usize)>,
}

/// A type that no argument has.
struct Nobody;

impl Dispatchers {
    /// Lets Rhai find a method on handles; `root` is the module that the dispatchers are going to be in.
    pub(super) fn add_method(&mut self, root: &mut Module, name: &str, of: &Filling, member: &Member) {
        let count = member.shown.signature.params.len();
        if !self.there.insert((name.to_owned(), count)) {
            return;
        }
        let (called, target) = (name.to_owned(), of.target(member));
        let dispatcher = with_context(move |context, args| {
            let engine = std::ptr::from_ref(context.engine());
            let outcome =
                target.call(context, args, |class, context, args| class.call(&called, context, args));
            if outcome.is_err() {
                note_failure(engine);
            }
            outcome
        });
        let mut types = vec![TypeId::of::<Dynamic>(); count];
        types[0] = TypeId::of::<Handle>();
        set(&mut self.module, FuncRegistration::new(name).in_global_namespace(), &types, dispatcher);
        if count > 1 {
            // Rhai looks for functions that take anything only where the module itself has one of this name and
            // number of parameters, and does not look into submodules for that.
            types[0] = TypeId::of::<Nobody>();
            let never = with_context(|_, _| Ok(Dynamic::UNIT));
            set(root, FuncRegistration::new(name), &types, never);
        }
    }

    /// Lets Rhai find a property on handles.
    pub(super) fn add_getter(&mut self, name: &str, of: &Filling, member: &Member) {
        let getter = FuncRegistration::new_getter(name);
        if !self.there.insert((format!("get {name}"), 1)) {
            return;
        }
        let (called, target) = (name.to_owned(), of.target(member));
        let dispatcher = with_context(move |context, args| {
            target.call(context, args, |class, context, args| match args {
                [handle] => class.get(&called, context, handle),
                _ => Ok(Dynamic::UNIT),
            })
        });
        set(&mut self.module, getter, &[TypeId::of::<Handle>()], dispatcher);
    }

    pub(super) fn put_into(self, root: &mut Module) {
        if !self.there.is_empty() {
            root.set_sub_module(DISPATCHERS, self.module);
        }
    }
}

impl Finished {
    fn method(&self, name: &str) -> Option<&Member> {
        self.0.get()?.methods.get(name)
    }

    fn getter(&self, name: &str) -> Option<&Member> {
        self.0.get()?.getters.get(name)
    }
}

impl Members for Finished {
    fn call(&self, name: &str, context: NativeCallContext, args: &mut [&mut Dynamic]) -> Option<Outcome> {
        let method = self.method(name).filter(|method| method.shown.signature.params.len() == args.len())?;
        Some(method.call(context, args))
    }

    fn get(&self, name: &str, context: NativeCallContext, handle: &mut Dynamic) -> Option<Outcome> {
        Some(self.getter(name)?.call(context, &mut [handle]))
    }

    fn takes(&self, name: &str, count: usize) -> bool {
        self.method(name).is_some_and(|method| method.shown.signature.params.len() == count)
    }

    fn names(&self) -> Vec<String> {
        let tables = self.0.get().into_iter().flat_map(|table| [&table.methods, &table.getters]);
        tables.flat_map(|members| members.keys().cloned()).collect()
    }

    fn no_method(&self, class: &Class, name: &str, count: usize) -> Error {
        let class = class.name();
        if let Some(method) = self.method(name) {
            let (takes, given) = (method.shown.signature.params.len() - 1, count.saturating_sub(1));
            let s = if takes == 1 { "" } else { "s" };
            let message = format!("`{name}` of {class} takes {takes} argument{s}, {given} given");
            return Error::new(Code::UnknownFunction, message)
                .hint(format!("the signature is `{}`", method.shown));
        }
        if self.getter(name).is_some() {
            return Error::new(Code::UnknownFunction, format!("`{name}` of {class} is a property"))
                .hint(format!("write `.{name}` without `()`"));
        }
        let error = Error::new(Code::UnknownFunction, format!("{class} has no method `{name}`"));
        with_known(error, name, self.0.get().map(|table| &table.methods))
    }

    fn no_property(&self, class: &Class, name: &str) -> Error {
        let error = Error::new(Code::UnknownFunction, format!("{} has no property `{name}`", class.name()));
        if let Some(method) = self.method(name) {
            let params: Vec<&str> =
                method.shown.signature.params[1..].iter().map(|p| p.name.as_str()).collect();
            return error.hint(format!("it is a method: `{name}({})`", params.join(", ")));
        }
        with_known(error, name, self.0.get().map(|table| &table.getters))
    }
}

/// The error with a hint at the nearest name that there is, or at all.
fn with_known(error: Error, name: &str, known: Option<&BTreeMap<String, Member>>) -> Error {
    let known: Vec<&str> = known.into_iter().flat_map(BTreeMap::keys).map(String::as_str).collect();
    match suggest(name, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if known.is_empty() => error.hint("it has none"),
        None => error.hint(format!("it has: {}", known.join(", "))),
    }
}
