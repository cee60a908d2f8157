//! The sections of a module.

use super::body::Body;
use super::{Emitted, HELPERS, Helper, IMPORTS, MAX_LEVEL, MEMORY, Memory};
use crate::ir::{Function, FunctionId, Program, Type};
use std::collections::HashMap;
use wasm_encoder::{
    BranchHints, CodeSection, ConstExpr, EntityType, ExportKind, ExportSection, FunctionSection,
    GlobalSection, GlobalType, ImportSection, InstructionSink, MemorySection, MemoryType, Module,
    TypeSection, ValType,
};

/// The index of [`MAX_LEVEL`].
pub(super) const MAX_LEVEL_GLOBAL: u32 = 0;

/// How many bytes WebAssembly's pages have.
const WASM_PAGE: u64 = 64 << 10;

/// The helpers that are called where there is hardly ever a need to. They have functions of the module's own before
/// them: what is kept at hand for a call of the host's takes registers from what is done all the time.
const SELDOM: [Helper; 3] = [Helper::Fail, Helper::Fetch, Helper::Claim];

/// The indices of a module's functions: helpers, imports, those before helpers, the program's, one for each root.
pub(super) struct Layout {
    imports: u32,
    own: u32,
    functions: u32,
}

impl Layout {
    fn new(program: &Program) -> Self {
        let imports = count(Helper::ALL.len());
        let own = imports + count(program.imports.len());
        Self { imports, own, functions: own + count(SELDOM.len()) }
    }

    /// The function before a helper, or the helper.
    pub(super) fn own(&self, helper: Helper) -> u32 {
        match SELDOM.iter().position(|seldom| *seldom == helper) {
            Some(place) => self.own + count(place),
            None => helper.index(),
        }
    }

    pub(super) fn import(&self, import: usize) -> u32 {
        self.imports + count(import)
    }

    pub(super) fn function(&self, function: FunctionId) -> u32 {
        self.functions + count(function)
    }
}

/// What a type is in WebAssembly; nothing for what has no value.
pub(super) fn value(ty: Type) -> Option<ValType> {
    match ty {
        Type::Never | Type::Unit => None,
        Type::Bool | Type::Ints | Type::Floats => Some(ValType::I32),
        Type::Int => Some(ValType::I64),
        Type::Float => Some(ValType::F64),
    }
}

/// As a number that WebAssembly knows. No script has as much as it cannot count.
pub(super) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The type section, in which each type stands once.
#[derive(Default)]
struct Types {
    section: TypeSection,
    known: HashMap<(Vec<ValType>, Vec<ValType>), u32>,
}

impl Types {
    fn index(&mut self, params: &[ValType], results: &[ValType]) -> u32 {
        let next = count(self.known.len());
        let section = &mut self.section;
        *self.known.entry((params.to_vec(), results.to_vec())).or_insert_with(|| {
            section.ty().function(params.iter().copied(), results.iter().copied());
            next
        })
    }
}

/// Writes the module.
pub(super) fn emit(program: &Program, roots: &[FunctionId]) -> Emitted {
    let layout = Layout::new(program);
    let mut types = Types::default();
    let imports = imports(program, &mut types);
    let (mut functions, mut codes) = (FunctionSection::new(), CodeSection::new());
    for helper in SELDOM {
        let (params, results) = helper.ty();
        functions.function(types.index(params, results));
        codes.function(&before(helper));
    }
    let mut calls: Vec<_> = (0..layout.functions).map(|_| Vec::new()).collect();
    let mut hints = BranchHints::new();
    for function in &program.functions {
        functions.function(types.index(&params_of(function), value(function.result).as_slice()));
        let body = Body::of(function, program, &layout);
        codes.function(&body.code);
        hints.function_hints(count(calls.len()), body.seldom);
        calls.push(body.calls);
    }
    let mut exports = ExportSection::new();
    for (number, root) in roots.iter().enumerate() {
        let function = &program.functions[*root];
        let mut words = vec![ValType::I32];
        words.resize(1 + function.params, ValType::I64);
        functions.function(types.index(&words, &[ValType::I64]));
        codes.function(&entry(function, layout.function(*root)));
        let index = layout.function(program.functions.len() + number);
        exports.export(&number.to_string(), ExportKind::Func, index);
    }
    exports.export(MAX_LEVEL, ExportKind::Global, MAX_LEVEL_GLOBAL);
    let mut globals = GlobalSection::new();
    let max_level = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
    globals.global(max_level, &ConstExpr::i32_const(0));
    let mut module = Module::new();
    module.section(&types.section).section(&imports).section(&functions);
    if uses_buffers(program) {
        exports.export(MEMORY, ExportKind::Memory, 0);
        module.section(&memory());
    }
    module.section(&globals).section(&exports).section(&hints).section(&codes);
    Emitted { bytes: module.finish(), calls }
}

fn uses_buffers(program: &Program) -> bool {
    let has = |ty: &Type| matches!(ty, Type::Ints | Type::Floats);
    program.functions.iter().any(|function| function.buffers > 0 || function.locals.iter().any(has))
}

/// A memory with all but the numbers, for which the host makes room.
fn memory() -> MemorySection {
    let mut section = MemorySection::new();
    section.memory(MemoryType {
        minimum: Memory::DATA as u64 / WASM_PAGE,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    section
}

/// The parameters of a function of the program.
fn params_of(function: &Function) -> Vec<ValType> {
    let params = function.locals[..function.params].iter().filter_map(|ty| value(*ty));
    std::iter::once(ValType::I32).chain(params).collect()
}

/// What the host gives: the helpers, and the imports of the script, which take the site first.
fn imports(program: &Program, types: &mut Types) -> ImportSection {
    let mut section = ImportSection::new();
    for helper in Helper::ALL {
        let (params, results) = helper.ty();
        section.import(HELPERS, &helper.name(), EntityType::Function(types.index(params, results)));
    }
    for (number, import) in program.imports.iter().enumerate() {
        let params = import.params.iter().filter_map(|ty| value(*ty));
        let params: Vec<_> = std::iter::once(ValType::I32).chain(params).collect();
        let ty = types.index(&params, value(import.result).as_slice());
        section.import(IMPORTS, &number.to_string(), EntityType::Function(ty));
    }
    section
}

/// A function that passes on what a helper takes.
fn before(helper: Helper) -> wasm_encoder::Function {
    let mut function = wasm_encoder::Function::new([]);
    let mut code = function.instructions();
    for param in 0..count(helper.ty().0.len()) {
        code.local_get(param);
    }
    code.call(helper.index()).end();
    function
}

/// A function of words alone that calls another one.
fn entry(function: &Function, index: u32) -> wasm_encoder::Function {
    let mut entry = wasm_encoder::Function::new([]);
    let mut code = entry.instructions();
    code.local_get(0);
    for (number, ty) in function.locals[..function.params].iter().enumerate() {
        code.local_get(1 + count(number));
        from_word(&mut code, *ty);
    }
    code.call(index);
    match function.result {
        Type::Never => code.unreachable(),
        Type::Unit => code.i64_const(0),
        ty => to_word(&mut code, ty),
    };
    code.end();
    entry
}

fn from_word(code: &mut InstructionSink, ty: Type) {
    match ty {
        Type::Float => code.f64_reinterpret_i64(),
        Type::Bool | Type::Ints | Type::Floats => code.i32_wrap_i64(),
        Type::Int | Type::Unit | Type::Never => code,
    };
}

/// The value on the stack, as 64 bits.
pub(super) fn to_word<'a, 'b>(code: &'a mut InstructionSink<'b>, ty: Type) -> &'a mut InstructionSink<'b> {
    match ty {
        Type::Float => code.i64_reinterpret_f64(),
        Type::Bool | Type::Ints | Type::Floats => code.i64_extend_i32_u(),
        Type::Int | Type::Unit | Type::Never => code,
    }
}
