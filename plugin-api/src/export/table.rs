//! The plugin's table, collected while the plugin is compiled.

use super::handle::ClassInfo;
use super::out;
use super::spec::Spec;
use super::text::{self, Param};
use caraway_abi::{ABI_MAJOR, ABI_MINOR, Class, Function, HostApi, Kind, Plugin, Text, TypeDef, TypeList};
use std::ffi::c_void;

/// What a module exports.
pub struct Exports {
    /// Its functions.
    pub functions: &'static [Export],
    /// Its classes.
    pub classes: &'static [&'static ClassInfo],
    /// Modules inside it.
    pub modules: &'static [&'static Exports],
}

/// A function that is exported.
#[derive(Clone, Copy)]
pub struct Export {
    function: Function,
    params: &'static [Param],
    returns: Spec,
}

impl Export {
    /// # Safety
    ///
    /// `signature` and `doc` were made by `concat`; `call` and `typed` are of this signature.
    pub const unsafe fn new(
        signature: &'static [u8],
        doc: &'static [u8],
        call: unsafe extern "C" fn(*const u64, *mut u64) -> i32,
        typed: *const c_void,
        kind: Kind,
        params: &'static [Param],
        returns: Spec,
    ) -> Self {
        // SAFETY: the caller's promise.
        let (signature, doc) = unsafe { (text::text(signature), text::text(doc)) };
        let function = Function { signature, doc, call, typed, kind: kind as u32, writes: writes(params) };
        Self { function, params, returns }
    }
}

/// A bit for each parameter that is written to.
const fn writes(params: &[Param]) -> u32 {
    let (mut bits, mut place, mut at) = (0_u32, 0, 0);
    while at < params.len() {
        let spec = &params[at].spec;
        if spec.writes {
            assert!(place < 32, "only the first 32 parameters of a function can be written to");
            bits |= 1 << place;
        }
        if spec.name.is_some() {
            place += 1;
        }
        at += 1;
    }
    bits
}

/// How many of each there are at most.
#[derive(Clone, Copy)]
pub struct Counts {
    /// Functions.
    pub functions: usize,
    /// Classes, counted wherever they are named.
    pub classes: usize,
    /// Structs and enums, counted likewise.
    pub types: usize,
}

impl Exports {
    /// How much there is to collect.
    pub const fn counts(&self) -> Counts {
        let mut counts = Counts { functions: self.functions.len(), classes: self.classes.len(), types: 0 };
        let mut at = 0;
        while at < self.functions.len() {
            let Export { params, returns, .. } = &self.functions[at];
            counts.classes += params.len() + 1;
            counts.types += returns.types.len();
            let mut param = 0;
            while param < params.len() {
                counts.types += params[param].spec.types.len();
                param += 1;
            }
            at += 1;
        }
        at = 0;
        while at < self.modules.len() {
            let inner = self.modules[at].counts();
            counts.functions += inner.functions;
            counts.classes += inner.classes;
            counts.types += inner.types;
            at += 1;
        }
        counts
    }

    /// Everything, modules included. The lengths are those of [`counts`](Exports::counts).
    pub const fn collect<const F: usize, const C: usize, const T: usize>(&self) -> Collected<F, C, T> {
        let mut collected = Collected {
            functions: [None; F],
            function_count: 0,
            classes: [None; C],
            class_count: 0,
            types: [None; T],
            type_count: 0,
            uses_context: false,
        };
        collected.add(self);
        collected
    }
}

/// What a plugin's table points at.
pub struct Collected<const F: usize, const C: usize, const T: usize> {
    functions: [Option<Function>; F],
    function_count: usize,
    classes: [Option<&'static ClassInfo>; C],
    /// How many of `classes` there are: each of them once.
    pub class_count: usize,
    types: [Option<&'static TypeDef>; T],
    /// How many of `types` there are: each text once.
    pub type_count: usize,
    /// Whether a function takes the context.
    pub uses_context: bool,
}

impl<const F: usize, const C: usize, const T: usize> Collected<F, C, T> {
    const fn add(&mut self, exports: &Exports) {
        let mut at = 0;
        while at < exports.classes.len() {
            self.add_class(exports.classes[at]);
            at += 1;
        }
        at = 0;
        while at < exports.functions.len() {
            let Export { function, params, returns } = &exports.functions[at];
            self.functions[self.function_count] = Some(*function);
            self.function_count += 1;
            let mut param = 0;
            while param < params.len() {
                self.add_spec(&params[param].spec);
                param += 1;
            }
            self.add_spec(returns);
            at += 1;
        }
        at = 0;
        while at < exports.modules.len() {
            self.add(exports.modules[at]);
            at += 1;
        }
    }

    const fn add_spec(&mut self, spec: &Spec) {
        self.uses_context |= spec.context;
        if let Some(class) = spec.class {
            self.add_class(class);
        }
        let mut at = 0;
        while at < spec.types.len() {
            if let Some(definition) = spec.types[at] {
                self.add_type(definition);
            }
            at += 1;
        }
    }

    const fn add_class(&mut self, class: &'static ClassInfo) {
        let mut at = 0;
        while at < self.class_count {
            if let Some(known) = self.classes[at]
                && same(known.name.as_bytes(), class.name.as_bytes())
            {
                assert!(
                    same(known.path.as_bytes(), class.path.as_bytes()),
                    "two types that derive `Handle` have one name: scripts could not tell their handles apart"
                );
                return;
            }
            at += 1;
        }
        self.classes[self.class_count] = Some(class);
        self.class_count += 1;
    }

    const fn add_type(&mut self, definition: &'static TypeDef) {
        let mut at = 0;
        while at < self.type_count {
            if let Some(known) = self.types[at]
                && same(bytes(&known.text), bytes(&definition.text))
            {
                return;
            }
            at += 1;
        }
        self.types[self.type_count] = Some(definition);
        self.type_count += 1;
    }

    /// The functions.
    pub const fn functions(&self) -> [Function; F] {
        let mut functions = [NO_FUNCTION; F];
        let mut at = 0;
        while at < F {
            if let Some(function) = self.functions[at] {
                functions[at] = function;
            }
            at += 1;
        }
        functions
    }

    /// The classes; `N` is how many there are.
    pub const fn classes<const N: usize>(&self) -> [Class; N] {
        let mut classes = [NO_CLASS; N];
        let mut at = 0;
        while at < N {
            if let Some(class) = self.classes[at] {
                classes[at] = class.class;
            }
            at += 1;
        }
        classes
    }

    /// The structs and enums; `N` is how many there are.
    pub const fn types<const N: usize>(&self) -> [&'static TypeDef; N] {
        let mut types = [&NO_TYPE; N];
        let mut at = 0;
        while at < N {
            if let Some(definition) = self.types[at] {
                types[at] = definition;
            }
            at += 1;
        }
        types
    }
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

const fn bytes(text: &Text) -> &'static [u8] {
    // SAFETY: the texts of definitions are made by `text`.
    unsafe { std::slice::from_raw_parts(text.ptr, text.len) }
}

const NO_FUNCTION: Function = {
    unsafe extern "C" fn call(_: *const u64, _: *mut u64) -> i32 {
        caraway_abi::Status::Failed as i32
    }
    let text = Text::new("");
    Function { signature: text, doc: text, call, typed: std::ptr::null(), kind: 0, writes: 0 }
};

const NO_CLASS: Class = {
    unsafe extern "C" fn drop(_: u64) {}
    Class { name: Text::new(""), doc: Text::new(""), drop }
};

static NO_TYPE: TypeDef =
    TypeDef { text: Text::new(""), doc: Text::new(""), list_count: 0, lists: std::ptr::null() };

/// The types that one names, without the gaps; `N` is how many [`type_count`] has counted.
pub const fn types<const N: usize>(types: &[Option<&'static TypeDef>]) -> [&'static TypeDef; N] {
    let mut found = [&NO_TYPE; N];
    let (mut at, mut end) = (0, 0);
    while at < types.len() {
        if let Some(definition) = types[at] {
            found[end] = definition;
            end += 1;
        }
        at += 1;
    }
    found
}

/// How many of them are there.
pub const fn type_count(types: &[Option<&'static TypeDef>]) -> usize {
    let (mut at, mut count) = (0, 0);
    while at < types.len() {
        if types[at].is_some() {
            count += 1;
        }
        at += 1;
    }
    count
}

/// A struct or enum that names the types of `lists`.
///
/// # Safety
///
/// `text` and `doc` were made by `concat`.
pub const unsafe fn type_def(text: &'static [u8], doc: &'static [u8], lists: &'static [TypeList]) -> TypeDef {
    // SAFETY: the caller's promise.
    let (text, doc) = unsafe { (text::text(text), text::text(doc)) };
    TypeDef { text, doc, list_count: lists.len(), lists: lists.as_ptr() }
}

/// The table.
#[allow(clippy::too_many_arguments)] // One for each part of the table.
pub const fn plugin(
    name: &'static str,
    version: &'static str,
    unwind: bool,
    functions: &'static [Function],
    classes: &'static [Class],
    type_lists: &'static [TypeList],
    attach: unsafe extern "C" fn(host: *const HostApi) -> i32,
    init: Option<unsafe extern "C" fn(config: *const u8, len: usize, out: *mut u64) -> i32>,
    shutdown: Option<unsafe extern "C" fn(out: *mut u64) -> i32>,
) -> Plugin {
    Plugin {
        abi_major: ABI_MAJOR,
        abi_minor: ABI_MINOR,
        size: size_of::<Plugin>(),
        name: Text::new(name),
        version: Text::new(version),
        unwind: unwind as u32,
        function_size: size_of::<Function>() as u32,
        function_count: functions.len(),
        functions: functions.as_ptr(),
        attach,
        flags: caraway_abi::UTF8,
        class_size: size_of::<Class>() as u32,
        class_count: classes.len(),
        classes: classes.as_ptr(),
        type_list_count: type_lists.len(),
        type_lists: type_lists.as_ptr(),
        init,
        shutdown,
        release: Some(out::release),
    }
}
