//! Filling a module.

use super::conform;
use super::entry::{self, Body, with_context};
use super::error::{CallResult, wrong_inside};
use super::members::{Dispatchers, Filling, Member};
use super::shown::Shown;
use crate::callable::callable;
use crate::code::Code;
use crate::error::{Error, Location};
use crate::handle::{Class, Handle};
use crate::observe::{self, Observer, Watch};
use crate::secret::Secrets;
use caraway_plugin::{Param, Signature, Type};
use rhai::{Dynamic, EvalAltResult, Module, NativeCallContext, Shared};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// A loaded plugin: its module and what it offers.
#[derive(Clone)]
#[non_exhaustive]
pub struct Bound {
    /// The module, to be shared by all importers.
    pub module: Arc<Module>,
    /// The name that messages use: the manifest's `name`.
    pub name: String,
    /// The functions in it.
    pub signatures: Vec<Arc<Signature>>,
    /// Those of them that are properties of handles, by name.
    pub getters: BTreeSet<String>,
    /// Other names of functions, each with the function's own.
    pub aliases: Vec<(String, String)>,
    /// What the module's entries of these signatures call.
    bodies: Vec<(Arc<Signature>, Shared<Body>)>,
}

/// A function of a plugin, for who knows the types of its arguments and need not look for it at each call.
#[derive(Clone)]
pub struct Direct {
    signature: Arc<Signature>,
    body: Shared<Body>,
}

impl Direct {
    /// Its signature.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Calls it with arguments of its declared types.
    ///
    /// # Errors
    ///
    /// What a call by a script ends in.
    pub fn call(
        &self,
        context: NativeCallContext,
        args: &mut [&mut Dynamic],
    ) -> Result<Dynamic, Box<EvalAltResult>> {
        (self.body)(Some(context), args)
    }
}

impl Bound {
    /// The function that a script calls by this name, with arguments of exactly these types: numbers and bools.
    pub fn direct(&self, name: &str, types: &[Type]) -> Option<Direct> {
        let alias = self.aliases.iter().find(|(alias, _)| alias == name);
        let name = alias.map_or(name, |(_, name)| name);
        let fits = |signature: &Signature| {
            let params = &signature.params;
            signature.name == name
                && params.len() == types.len()
                && params.iter().zip(types).all(|(param, ty)| param.ty == *ty)
        };
        // Of two with the same types, the module has the later one.
        let (signature, body) = self.bodies.iter().rev().find(|(signature, _)| fits(signature))?;
        Some(Direct { signature: signature.clone(), body: body.clone() })
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound")
            .field("name", &self.name)
            .field("signatures", &self.signatures)
            .finish_non_exhaustive()
    }
}

/// Fills a module.
///
/// ```
/// use caraway_loaders_core::bind::Binder;
/// use rhai::{Dynamic, Engine};
///
/// let mut binder = Binder::new("math", "math@1.0.0");
/// binder.function("half(x: float) -> float".parse()?, |_, args| {
///     Ok(Dynamic::from_float(args[0].as_float().unwrap_or_default() / 2.0))
/// })?;
///
/// let mut engine = Engine::new();
/// engine.register_static_module("math", binder.finish().module);
/// assert_eq!(engine.eval::<f64>("math::half(3)")?, 1.5);
///
/// let error = engine.eval::<f64>("math::half(true)").unwrap_err();
/// let error = caraway_loaders_core::Error::raised_in(&error).ok_or("another error")?;
/// assert_eq!(error.message(), "argument 1 of `math::half`: `x` must be float, found bool");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Binder {
    name: Arc<str>,
    root: Tree,
    classes: BTreeMap<String, Filling>,
    dispatchers: Dispatchers,
    members: Vec<Member>,
    getters: BTreeSet<String>,
    aliases: Vec<(String, String)>,
    buffers: bool,
    secrets: Secrets,
    watch: Watch,
}

/// A module while it is being filled.
struct Tree {
    module: Module,
    submodules: BTreeMap<String, Tree>,
}

impl Tree {
    fn new(id: &str) -> Self {
        let mut module = Module::new();
        module.set_id(id);
        Self { module, submodules: BTreeMap::new() }
    }

    fn register(&mut self, path: &str, member: &Member) {
        // A search for one character is the cheaper one.
        let Some((submodule, rest)) = path.split_once(':') else {
            return entry::register(&mut self.module, path, &member.shown, &member.body, member.buffers);
        };
        let id = self.module.id().unwrap_or_default().to_owned();
        let submodule = self.submodules.entry(submodule.to_owned()).or_insert_with(|| Tree::new(&id));
        submodule.register(rest.trim_start_matches(':'), member);
    }

    fn finish(mut self) -> Module {
        for (name, submodule) in self.submodules {
            self.module.set_sub_module(name, submodule.finish());
        }
        self.module.build_index();
        self.module
    }
}

/// The handles in a signature.
#[derive(Default)]
struct Handles {
    params: Vec<(usize, Arc<Class>)>,
    returns: Option<Arc<Class>>,
}

impl Binder {
    /// An empty module of the plugin `name`, with `id` as Rhai's name for the module: its source in errors.
    pub fn new(name: &str, id: &str) -> Self {
        Self {
            name: name.into(),
            root: Tree::new(id),
            classes: BTreeMap::new(),
            dispatchers: Dispatchers::default(),
            members: Vec::new(),
            getters: BTreeSet::new(),
            aliases: Vec::new(),
            buffers: false,
            secrets: Secrets::default(),
            watch: Watch::default(),
        }
    }

    /// The plugin's name, as messages have it.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Takes these out of the errors of the functions that are added from now on.
    pub fn hide(&mut self, secrets: &Secrets) {
        self.secrets = secrets.clone();
    }

    /// Tells of the calls of the functions that are added from now on.
    pub fn watch(&mut self, watch: &Watch) {
        self.watch = watch.clone();
    }

    /// Lets the functions that are added from now on take buffers where they declare lists of numbers: `ints` for
    /// `array<int>`, `floats` for `array<float>`.
    pub fn accept_buffers(&mut self) {
        self.buffers = true;
    }

    /// The class of handles of this name, a new one at first. Signatures may use it from then on.
    pub fn class(&mut self, name: &str) -> Arc<Class> {
        let new = || Filling::new(Arc::new(Class::new(name, &self.name)));
        self.classes.entry(name.to_owned()).or_insert_with(new).class.clone()
    }

    /// Uses a class of another module of the same plugin, whose handles are then no strangers here. Its methods
    /// and properties are those that it has there.
    pub fn adopt(&mut self, class: &Arc<Class>) {
        self.classes.insert(class.name().to_owned(), Filling::new(class.clone()));
    }

    /// Adds a function. A qualified name goes into a submodule. The names of classes are types in the signature.
    ///
    /// A function whose first parameter is `self`, a handle, is also a method of its class, under the last
    /// segment of its name: `counter::incr(self: Counter, by: int)` is called as `c.incr(1)`, too.
    ///
    /// # Errors
    ///
    /// As [`callable`], and [`Code::ManifestValue`] for a handle whose class this module does not have, see
    /// [`class`](Binder::class), and for a second method of one name.
    pub fn function<F>(&mut self, signature: Signature, body: F) -> Result<(), Error>
    where
        F: Fn(&NativeCallContext, &mut [&mut Dynamic]) -> CallResult + Send + Sync + 'static,
    {
        self.shared_function(Arc::new(signature), body)
    }

    /// The same for a signature that others keep, too.
    ///
    /// # Errors
    ///
    /// As [`function`](Binder::function).
    pub fn shared_function<F>(&mut self, signature: Arc<Signature>, body: F) -> Result<(), Error>
    where
        F: Fn(&NativeCallContext, &mut [&mut Dynamic]) -> CallResult + Send + Sync + 'static,
    {
        self.add(self.resolved(signature), body)?;
        let Some(member) = self.members.last() else { return Ok(()) };
        let first = member.shown.signature.params.first().filter(|first| first.name == "self");
        let Some(Type::Handle(class)) = first.map(|first| &first.ty) else { return Ok(()) };
        let Some(filling) = self.classes.get_mut(&**class) else { return Ok(()) };
        let last = last_segment(member);
        self.dispatchers.add_method(&mut self.root.module, &last, filling, member);
        if filling.add_method(&last, member.clone()) {
            return Ok(());
        }
        Err(Error::new(Code::ManifestValue, format!("{class} has the method `{last}` twice")))
    }

    /// Adds a property of a handle: a function that takes only the handle, such as
    /// `counter::count(self: Counter) -> int`, to be read as `c.count`. It can be called as a function, too.
    ///
    /// # Errors
    ///
    /// As [`function`](Binder::function), and [`Code::ManifestValue`] for other parameters.
    pub fn getter<F>(&mut self, signature: Signature, body: F) -> Result<(), Error>
    where
        F: Fn(&NativeCallContext, &mut [&mut Dynamic]) -> CallResult + Send + Sync + 'static,
    {
        self.shared_getter(Arc::new(signature), body)
    }

    /// The same for a signature that others keep, too.
    ///
    /// # Errors
    ///
    /// As [`getter`](Binder::getter).
    pub fn shared_getter<F>(&mut self, signature: Arc<Signature>, body: F) -> Result<(), Error>
    where
        F: Fn(&NativeCallContext, &mut [&mut Dynamic]) -> CallResult + Send + Sync + 'static,
    {
        let signature = self.resolved(signature);
        let [Param { ty: Type::Handle(class), .. }] = &signature.params[..] else {
            return Err(no_getter(&signature));
        };
        let class = class.clone();
        self.add(signature, body)?;
        let Some(member) = self.members.last() else { return Ok(()) };
        let Some(filling) = self.classes.get_mut(&*class) else { return Ok(()) };
        let last = last_segment(member);
        self.getters.insert(member.shown.signature.name.clone());
        self.dispatchers.add_getter(&last, filling, member);
        if filling.add_getter(&last, member.clone()) {
            return Ok(());
        }
        Err(Error::new(Code::ManifestValue, format!("{class} has the property `{last}` twice")))
    }

    /// Lets a function that was added be called by another name, too. Messages and [`Bound::signatures`] keep its own.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`] if there is no function of this name.
    pub fn alias(&mut self, alias: &str, name: &str) -> Result<(), Error> {
        let Some(member) = self.members.iter().find(|member| member.shown.signature.name == name) else {
            return Err(Error::new(Code::Internal, format!("an alias of `{name}`, which is not there")));
        };
        self.root.register(alias, member);
        self.aliases.push((alias.to_owned(), name.to_owned()));
        Ok(())
    }

    /// Adds a constant to the module: `stats::VERSION`.
    ///
    /// # Errors
    ///
    /// [`Code::CallbackExpired`] if a function is in it, [`Code::ValueRefused`] if it nests too deep.
    pub fn constant(&mut self, name: &str, value: Dynamic) -> Result<(), Error> {
        let value = conform::conform(&Type::Any, value, conform::Functions::Refuse)
            .map_err(|error| error.said_of(&format!("the exported `{name}`")))?;
        self.root.module.set_var(name, value);
        Ok(())
    }

    /// The filled module.
    pub fn finish(mut self) -> Bound {
        self.classes.into_values().for_each(Filling::finish);
        self.dispatchers.put_into(&mut self.root.module);
        let body = |member: Member| (member.shown.signature, member.body);
        let bodies: Vec<_> = self.members.into_iter().map(body).collect();
        let signatures = bodies.iter().map(|(signature, _)| signature.clone()).collect();
        Bound {
            module: Arc::new(self.root.finish()),
            name: (*self.name).to_owned(),
            signatures,
            getters: self.getters,
            aliases: self.aliases,
            bodies,
        }
    }

    /// The signature with the names of classes looked up; others are left for `callable` to refuse.
    fn resolved(&self, signature: Arc<Signature>) -> Arc<Signature> {
        if self.classes.is_empty() || !signature.any_type(&|ty| matches!(ty, Type::Named(_))) {
            return signature;
        }
        let class = |name: &str| self.classes.contains_key(name).then(|| Type::Handle(name.into()));
        Signature::clone(&signature).resolve(&class).map_or(signature, Arc::new)
    }

    /// Adds a function: the last of the members, then.
    fn add<F>(&mut self, signature: Arc<Signature>, body: F) -> Result<(), Error>
    where
        F: Fn(&NativeCallContext, &mut [&mut Dynamic]) -> CallResult + Send + Sync + 'static,
    {
        callable(&signature)?;
        let handles = self.handles(&signature)?;
        let shown = Shown::new(self.name.clone(), signature);
        let (function, secrets) = (shown.clone(), self.secrets.clone());
        // The one place where a body is compiled into what Rhai calls.
        let body = with_context(move |context, args| {
            body(&context, args).map_err(|error| error.hiding(&secrets).raise(&function, &context))
        });
        let body = match self.watch.observer() {
            Some(observer) => watched(observer.clone(), shown.clone(), body),
            None => body,
        };
        self.put(handles, shown, body);
        Ok(())
    }

    fn put(&mut self, handles: Option<Handles>, shown: Shown, body: Shared<Body>) {
        let body = match handles {
            Some(handles) => checked(shown.clone(), handles, body),
            None => body,
        };
        let member = Member { shown, body, buffers: self.buffers };
        self.root.register(&member.shown.signature.name, &member);
        self.members.push(member);
    }

    /// The handles in a signature, if there are any.
    fn handles(&self, signature: &Signature) -> Result<Option<Handles>, Error> {
        let mut types = signature.params.iter().map(|param| &param.ty).chain([&signature.returns]);
        if !types.any(|ty| matches!(ty, Type::Handle(_))) {
            return Ok(None);
        }
        let class = |ty: &Type| match ty {
            Type::Handle(name) => match self.classes.get(&**name) {
                Some(filling) => Ok(Some(filling.class.clone())),
                None => Err(Error::new(
                    Code::ManifestValue,
                    format!("`{}` uses the handle `{name}`, which its plugin does not make", signature.name),
                )
                .hint("handles are made by native code; a script passes on those of others as `any`")),
            },
            _ => Ok(None),
        };
        let mut handles = Handles { params: Vec::new(), returns: class(&signature.returns)? };
        for (index, param) in signature.params.iter().enumerate() {
            handles.params.extend(class(&param.ty)?.map(|class| (index, class)));
        }
        Ok(Some(handles).filter(|handles| !handles.params.is_empty() || handles.returns.is_some()))
    }
}

/// What a method or a property is called after its handle.
fn last_segment(member: &Member) -> String {
    member.shown.signature.name.rsplit(':').next().unwrap_or_default().to_owned()
}

fn no_getter(signature: &Signature) -> Error {
    Error::new(Code::ManifestValue, format!("`{signature}` is no property: it must take a handle alone"))
}

/// The same function, whose calls are told of.
fn watched(observer: Arc<dyn Observer>, shown: Shown, body: Shared<Body>) -> Shared<Body> {
    with_context(move |context, args| {
        let (plugin, function) = (shown.owner(), &shown.signature.name);
        observe::call(&*observer, plugin, function, || body(Some(context), args))
    })
}

/// The same function, with a look at whose handles go in and come out.
fn checked(shown: Shown, handles: Handles, body: Shared<Body>) -> Shared<Body> {
    with_context(move |context, args| {
        for (index, class) in &handles.params {
            if !is_of(args[*index], class) {
                return Err(foreign_argument(&shown, *index, class, args[*index], &context));
            }
        }
        let Some(class) = &handles.returns else { return body(Some(context), args) };
        let inner = NativeCallContext::new_with_all_fields(
            context.engine(),
            context.fn_name(),
            context.fn_source(),
            context.global_runtime_state(),
            context.call_position(),
        );
        let result = body(Some(inner), args)?;
        if is_of(&result, class) {
            return Ok(result);
        }
        Err(foreign_result(&shown, class, &result, &context))
    })
}

fn is_of(value: &Dynamic, class: &Arc<Class>) -> bool {
    value.read_lock::<Handle>().is_some_and(|handle| handle.is_of(class))
}

/// `must be Counter of a, found Counter of b`.
#[cold]
fn foreign(class: &Class, value: &Dynamic) -> Error {
    let same_name = Handle::of(value).is_some_and(|handle| handle.class().to_string() == class.to_string());
    let found = match conform::type_name(value) {
        found if same_name => format!("{found} as it was loaded another time"),
        found => found,
    };
    Error::new(Code::ArgumentType, format!("must be {class}, found {found}"))
}

#[cold]
fn foreign_argument(
    shown: &Shown,
    index: usize,
    class: &Class,
    value: &Dynamic,
    context: &NativeCallContext,
) -> Box<EvalAltResult> {
    let position = context.call_position();
    wrong_inside(shown, index, &foreign(class, value))
        .at(Location::of_position(context.call_source(), position))
        .raise(position)
}

#[cold]
fn foreign_result(
    shown: &Shown,
    class: &Class,
    value: &Dynamic,
    context: &NativeCallContext,
) -> Box<EvalAltResult> {
    let position = context.call_position();
    let error = foreign(class, value).said_of(&format!("the result of `{}`", shown.name()));
    Error::new(Code::ResultType, error.message())
        .hint("the plugin's manifest and its code disagree: tell its author")
        .at(Location::of_position(context.call_source(), position))
        .raise(position)
}
