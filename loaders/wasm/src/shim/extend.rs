//! A component with its shim.

use super::spaces::{Found, Signature, Spaces};
use super::{is_name, name};
use crate::abi::FEW;
use wasm_encoder::{
    Alias, CanonicalFunctionSection, CanonicalOption, ComponentAliasSection, ComponentExportKind,
    ComponentExportSection, ComponentSection, EntityType, ExportKind, ExportSection, ImportSection,
    InstanceSection, Module, ModuleArg, ModuleSection, TypeSection, ValType,
};
use wasmparser::PrimitiveValType;
use wasmtime::component::Component;
use wasmtime::{Engine, Result};

/// The most functions that a shim is made for: each takes some memory in every instance.
const MAX_FUNCTIONS: usize = 1000;

/// Compiles a component, with its shim if it can have one.
pub(crate) fn compile(engine: &Engine, component: &[u8]) -> Result<Component> {
    if let Some(extended) = extend(component)
        && let Ok(compiled) = Component::from_binary(engine, &extended)
    {
        return Ok(compiled);
    }
    // What is wrong with it is told of the component as it is.
    Component::from_binary(engine, component)
}

/// The component with its shim; `None` if it exports no function that gains by one.
pub(super) fn extend(component: &[u8]) -> Option<Vec<u8>> {
    let spaces = Spaces::of(component)?;
    if spaces.exports(is_name) {
        return None;
    }
    let functions = spaces.found().into_iter().filter_map(|found| {
        let ty = CoreType::of(found.signature)?;
        Some((found, ty))
    });
    let functions: Vec<_> = functions.take(MAX_FUNCTIONS).collect();
    if functions.is_empty() {
        return None;
    }
    let mut extended = component.to_vec();
    append(&mut extended, &spaces, &functions);
    Some(extended)
}

/// Appends all that the shim takes; nothing of what is there changes its index.
fn append(component: &mut Vec<u8>, spaces: &Spaces<'_>, functions: &[(Found<'_, '_>, CoreType)]) {
    let names: Vec<String> = (0..functions.len()).map(|index| index.to_string()).collect();
    let core = names.iter().zip(functions);
    let core = core.map(|(name, (found, _))| (name.as_str(), ExportKind::Func, found.lifted.core));
    let (theirs, ours) = (spaces.core_instances, spaces.core_instances + 1);

    ModuleSection(&module(&names, functions)).append_to_component(component);
    InstanceSection::new()
        .export_items(core.collect::<Vec<_>>())
        .instantiate(spaces.core_modules, [(FROM, ModuleArg::Instance(theirs))])
        .append_to_component(component);
    let mut aliases = ComponentAliasSection::new();
    let mut lifted = CanonicalFunctionSection::new();
    let mut exports = ComponentExportSection::new();
    let core_functions = spaces.core_functions..;
    let lifted_functions = spaces.next_function()..;
    for (((found, _), name), (core, function)) in
        functions.iter().zip(&names).zip(core_functions.zip(lifted_functions))
    {
        aliases.alias(Alias::CoreInstanceExport { instance: ours, kind: ExportKind::Func, name });
        lifted.lift(core, found.lifted.ty, [] as [CanonicalOption; 0]);
        let export = self::name(found.interface, found.name);
        exports.export(&export, ComponentExportKind::Func, function, None);
    }
    aliases.append_to_component(component);
    lifted.append_to_component(component);
    exports.append_to_component(component);
}

/// What the module imports its functions from.
const FROM: &str = "";

/// A module that exports what it imports.
fn module(names: &[String], functions: &[(Found<'_, '_>, CoreType)]) -> Module {
    let mut types = TypeSection::new();
    let mut imports = ImportSection::new();
    let mut exports = ExportSection::new();
    for (index, (name, (_, ty))) in (0..).zip(names.iter().zip(functions)) {
        types.ty().function(ty.params.iter().copied(), ty.result);
        imports.import(FROM, name, EntityType::Function(index));
        exports.export(name, ExportKind::Func, index);
    }
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&exports);
    module
}

/// The type of a core function.
struct CoreType {
    params: Vec<ValType>,
    result: Option<ValType>,
}

impl CoreType {
    /// That of a lifted function; `None` unless it is called with few words, and gives back one or none.
    fn of(signature: &Signature) -> Option<Self> {
        if signature.params.len() > FEW {
            return None;
        }
        let params = signature.params.iter().map(|ty| word(*ty)).collect::<Option<_>>()?;
        let result = match signature.result {
            Some(ty) => Some(word(ty)?),
            None => None,
        };
        Some(Self { params, result })
    }
}

/// What a type is in a core function, by the [canonical ABI]; `None` for what is not one number.
///
/// [canonical ABI]: https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md
fn word(ty: PrimitiveValType) -> Option<ValType> {
    Some(match ty {
        PrimitiveValType::S64 | PrimitiveValType::U64 => ValType::I64,
        PrimitiveValType::F32 => ValType::F32,
        PrimitiveValType::F64 => ValType::F64,
        PrimitiveValType::Bool
        | PrimitiveValType::Char
        | PrimitiveValType::S8
        | PrimitiveValType::U8
        | PrimitiveValType::S16
        | PrimitiveValType::U16
        | PrimitiveValType::S32
        | PrimitiveValType::U32 => ValType::I32,
        _ => return None,
    })
}
