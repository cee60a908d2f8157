//! The index spaces of a component, as far as its exported functions go.
//!
//! Nothing is checked here: the compiler does that. What is not understood has no shim.

use wasmparser::{
    CanonicalFunction, CanonicalOption, Chunk, ComponentAlias, ComponentDefinedType, ComponentExternalKind,
    ComponentFuncType, ComponentInstance, ComponentOuterAliasKind, ComponentType, ComponentTypeRef,
    ComponentValType, ExternalKind, Parser, Payload, PrimitiveValType, TypeBounds,
};

/// What a component is made of. Each list is an index space; those of which only the size matters are numbers.
#[derive(Default)]
pub(super) struct Spaces<'a> {
    pub(super) core_modules: u32,
    pub(super) core_instances: u32,
    pub(super) core_functions: u32,
    types: Vec<Type>,
    functions: Vec<Function<'a>>,
    instances: Vec<Instance<'a>>,
    components: Vec<Option<Spaces<'a>>>,
    exports: Vec<Export<'a>>,
}

/// A type, if it can be one of a function of scalars.
#[derive(Clone)]
enum Type {
    Scalar(PrimitiveValType),
    Function(Signature),
    Other,
}

/// A function's type, of scalars alone.
#[derive(Clone)]
pub(super) struct Signature {
    pub(super) params: Vec<PrimitiveValType>,
    pub(super) result: Option<PrimitiveValType>,
}

/// Where a component has a function from.
#[derive(Clone, Copy)]
enum Function<'a> {
    Lifted(Lifted),
    Imported(&'a str),
    Other,
}

/// A lifted function that does nothing after it has returned.
#[derive(Clone, Copy)]
pub(super) struct Lifted {
    /// The index of the core function.
    pub(super) core: u32,
    /// The index of its type.
    pub(super) ty: u32,
}

/// Where a component has an instance from. Lists are of functions, by name.
#[derive(Clone)]
enum Instance<'a> {
    Of { component: u32, arguments: Vec<(&'a str, u32)> },
    Exports(Vec<(&'a str, u32)>),
    Other,
}

struct Export<'a> {
    name: &'a str,
    kind: ComponentExternalKind,
    index: u32,
}

/// An exported function of scalars.
pub(super) struct Found<'s, 'a> {
    /// What it is exported from; `None` for the component itself.
    pub(super) interface: Option<&'a str>,
    pub(super) name: &'a str,
    pub(super) lifted: Lifted,
    pub(super) signature: &'s Signature,
}

impl<'a> Spaces<'a> {
    /// Those of a component; `None` for what is none.
    pub(super) fn of(component: &'a [u8]) -> Option<Self> {
        Self::read(component, true)
    }

    fn read(bytes: &'a [u8], outermost: bool) -> Option<Self> {
        let mut spaces = Self::default();
        let mut parser = Parser::new(0);
        let mut at = 0;
        loop {
            let Chunk::Parsed { consumed, payload } = parser.parse(bytes.get(at..)?, true).ok()? else {
                return None;
            };
            at += consumed;
            match payload {
                Payload::ModuleSection { unchecked_range, .. } => {
                    spaces.core_modules += 1;
                    at = unchecked_range.end;
                }
                Payload::ComponentSection { unchecked_range, .. } => {
                    at = unchecked_range.end;
                    let inside = bytes.get(unchecked_range)?;
                    // What is further inside is about functions that it does not export.
                    spaces.components.push(if outermost { Self::read(inside, false) } else { None });
                }
                Payload::End(_) => return Some(spaces),
                payload => spaces.section(payload)?,
            }
        }
    }

    fn section(&mut self, payload: Payload<'a>) -> Option<()> {
        match payload {
            Payload::InstanceSection(section) => self.core_instances += section.count(),
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    self.instances.push(Instance::new(instance.ok()?));
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    self.alias(&alias.ok()?);
                }
            }
            Payload::ComponentTypeSection(section) => {
                for ty in section {
                    let ty = self.new_type(&ty.ok()?);
                    self.types.push(ty);
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    self.canonical(&function.ok()?);
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import.ok()?;
                    match import.ty {
                        ComponentTypeRef::Func(_) => {
                            self.functions.push(Function::Imported(import.name.name));
                        }
                        ComponentTypeRef::Type(TypeBounds::Eq(index)) => self.same_type(index),
                        ComponentTypeRef::Type(TypeBounds::SubResource) => self.types.push(Type::Other),
                        ComponentTypeRef::Module(_) => self.core_modules += 1,
                        ComponentTypeRef::Instance(_) => self.instances.push(Instance::Other),
                        ComponentTypeRef::Component(_) => self.components.push(None),
                        ComponentTypeRef::Value(_) => {}
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export.ok()?;
                    self.export(export.name.name, export.kind, export.index);
                }
            }
            _ => {}
        }
        Some(())
    }

    /// An export is a new item of its space, too.
    fn export(&mut self, name: &'a str, kind: ComponentExternalKind, index: u32) {
        let at = index as usize;
        match kind {
            ComponentExternalKind::Func => {
                self.functions.push(self.functions.get(at).copied().unwrap_or(Function::Other));
            }
            ComponentExternalKind::Instance => {
                self.instances.push(self.instances.get(at).cloned().unwrap_or(Instance::Other));
            }
            ComponentExternalKind::Type => self.same_type(index),
            ComponentExternalKind::Module => self.core_modules += 1,
            ComponentExternalKind::Component => self.components.push(None),
            ComponentExternalKind::Value => {}
        }
        self.exports.push(Export { name, kind, index });
    }

    fn alias(&mut self, alias: &ComponentAlias<'a>) {
        match *alias {
            ComponentAlias::CoreInstanceExport { kind, .. } => {
                if matches!(kind, ExternalKind::Func | ExternalKind::FuncExact) {
                    self.core_functions += 1;
                }
            }
            ComponentAlias::InstanceExport { kind, .. } => match kind {
                ComponentExternalKind::Func => self.functions.push(Function::Other),
                ComponentExternalKind::Instance => self.instances.push(Instance::Other),
                ComponentExternalKind::Type => self.types.push(Type::Other),
                ComponentExternalKind::Module => self.core_modules += 1,
                ComponentExternalKind::Component => self.components.push(None),
                ComponentExternalKind::Value => {}
            },
            ComponentAlias::Outer { kind, .. } => match kind {
                ComponentOuterAliasKind::CoreModule => self.core_modules += 1,
                ComponentOuterAliasKind::Type => self.types.push(Type::Other),
                ComponentOuterAliasKind::Component => self.components.push(None),
                ComponentOuterAliasKind::CoreType => {}
            },
        }
    }

    fn canonical(&mut self, function: &CanonicalFunction) {
        let CanonicalFunction::Lift { core_func_index, type_index, options } = function else {
            self.core_functions += 1;
            return;
        };
        // A function of scalars needs no memory, and none of the encodings of texts.
        let plain = options.iter().all(|option| {
            matches!(
                option,
                CanonicalOption::UTF8
                    | CanonicalOption::UTF16
                    | CanonicalOption::CompactUTF16
                    | CanonicalOption::Memory(_)
                    | CanonicalOption::Realloc(_)
            )
        });
        let lifted = Lifted { core: *core_func_index, ty: *type_index };
        self.functions.push(if plain { Function::Lifted(lifted) } else { Function::Other });
    }

    fn same_type(&mut self, index: u32) {
        self.types.push(self.types.get(index as usize).cloned().unwrap_or(Type::Other));
    }

    fn new_type(&self, ty: &ComponentType<'_>) -> Type {
        match ty {
            ComponentType::Defined(ComponentDefinedType::Primitive(primitive)) => Type::Scalar(*primitive),
            ComponentType::Func(function) => self.signature(function).map_or(Type::Other, Type::Function),
            _ => Type::Other,
        }
    }

    fn signature(&self, function: &ComponentFuncType<'_>) -> Option<Signature> {
        if function.async_ {
            return None;
        }
        let scalar = |ty: &ComponentValType| match *ty {
            ComponentValType::Primitive(primitive) => Some(primitive),
            ComponentValType::Type(index) => match self.types.get(index as usize)? {
                Type::Scalar(primitive) => Some(*primitive),
                _ => None,
            },
        };
        let params = function.params.iter().map(|(_, ty)| scalar(ty)).collect::<Option<_>>()?;
        let result = match &function.result {
            Some(ty) => Some(scalar(ty)?),
            None => None,
        };
        Some(Signature { params, result })
    }

    /// Whether it exports something of such a name.
    pub(super) fn exports(&self, is: impl Fn(&str) -> bool) -> bool {
        self.exports.iter().any(|export| is(export.name))
    }

    /// The index that its next function will have.
    pub(super) fn next_function(&self) -> u32 {
        self.functions.len() as u32
    }

    /// The functions of scalars that it exports, by itself or in interfaces.
    pub(super) fn found(&self) -> Vec<Found<'_, 'a>> {
        let mut found = Vec::new();
        for export in &self.exports {
            match export.kind {
                ComponentExternalKind::Func => found.extend(self.found_at(None, export.name, export.index)),
                ComponentExternalKind::Instance => {
                    let functions = self.functions_of(export.index).into_iter();
                    found.extend(
                        functions.filter_map(|(name, index)| self.found_at(Some(export.name), name, index)),
                    );
                }
                _ => {}
            }
        }
        found
    }

    fn found_at(&self, interface: Option<&'a str>, name: &'a str, index: u32) -> Option<Found<'_, 'a>> {
        let Function::Lifted(lifted) = *self.functions.get(index as usize)? else { return None };
        let Type::Function(signature) = self.types.get(lifted.ty as usize)? else { return None };
        Some(Found { interface, name, lifted, signature })
    }

    /// The functions of an instance that are this component's own. Tools make interfaces by an inner component, which
    /// exports what it was given.
    fn functions_of(&self, instance: u32) -> Vec<(&'a str, u32)> {
        match self.instances.get(instance as usize) {
            Some(Instance::Exports(functions)) => functions.clone(),
            Some(Instance::Of { component, arguments }) => {
                let inner = self.components.get(*component as usize).and_then(Option::as_ref);
                let exports = inner.into_iter().flat_map(|inner| &inner.exports);
                let given = exports.filter(|export| export.kind == ComponentExternalKind::Func).filter_map(
                    |export| match *inner?.functions.get(export.index as usize)? {
                        Function::Imported(import) => {
                            let (_, index) = arguments.iter().find(|(name, _)| *name == import)?;
                            Some((export.name, *index))
                        }
                        _ => None,
                    },
                );
                given.collect()
            }
            _ => Vec::new(),
        }
    }
}

impl<'a> Instance<'a> {
    fn new(instance: ComponentInstance<'a>) -> Self {
        let is_function = |kind: ComponentExternalKind| kind == ComponentExternalKind::Func;
        match instance {
            ComponentInstance::Instantiate { component_index, args } => {
                let functions = args.iter().filter(|argument| is_function(argument.kind));
                let arguments = functions.map(|argument| (argument.name, argument.index)).collect();
                Self::Of { component: component_index, arguments }
            }
            ComponentInstance::FromExports(exports) => {
                let functions = exports.iter().filter(|export| is_function(export.kind));
                Self::Exports(functions.map(|export| (export.name.name, export.index)).collect())
            }
        }
    }
}
