//! The loader of `type: "module"`.

use crate::compile::{Compiler, Obstacle, Script};
use crate::engine;
use crate::files::script_files;
use crate::instance::Instance;
use crate::resolver::ImportResolver;
use crate::source::{parse_text, read_source};
use caraway_loaders_core::bind::{Binder, Bound, callable, conform, imports_of};
use caraway_loaders_core::budget::{self, Meter};
use caraway_loaders_core::capability::Capability;
use caraway_loaders_core::discover::Plugin;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::loader::{Compilation, Imports, LoadRequest, Loader, PluginFile};
use caraway_loaders_core::manifest::{Function, Manifest, Unenforced};
use caraway_loaders_core::{Code, Error, Signature, Type};
use rhai::{AST, Module};
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Loads script plugins, each on an engine of its own.
///
/// With `security.sandbox: false` a plugin has no limits of its own but those of the program that runs it; it
/// keeps its own engine, its own imports and its own grants all the same.
#[derive(Clone, Default)]
pub struct ScriptLoader {
    compiler: Option<Arc<dyn Compiler>>,
}

impl fmt::Debug for ScriptLoader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptLoader").field("compiles", &self.compiler.is_some()).finish()
    }
}

impl ScriptLoader {
    /// The same with a compiler for typed functions. Without one, Rhai runs them all.
    #[must_use]
    pub fn compiler(mut self, compiler: Arc<dyn Compiler>) -> Self {
        self.compiler = Some(compiler);
        self
    }

    /// Compiles a plugin's script, runs its top level on an engine of its own with `modules` visible, and gives
    /// the instance and the functions that importers see.
    ///
    /// # Errors
    ///
    /// As [`Loader::load`].
    pub fn instantiate(
        &self,
        request: &LoadRequest,
        modules: &[(&str, Arc<Module>)],
    ) -> Result<(Arc<Instance>, Vec<Signature>), Error> {
        let plugin = &request.plugin;
        let (real, shown) = entrypoint(plugin)?;
        let mut limits = request.limits;
        let mut metered = limits;
        if !plugin.manifest.security.sandbox {
            // The limits of the program that runs it hold all the same: its frame is open.
            limits.operations = None;
            (metered.timeout, metered.cpu, metered.memory) = (None, None, None);
        }
        let mut engine = engine::engine(&limits, &request.standard);
        engine::forbid_exit(&mut engine);
        engine::print_to(&mut engine, request.output.clone(), request.access.clone());
        let resolver = ImportResolver::new(plugin.root.clone(), request.imports.clone())
            .limited(limits)
            .of_plugin(plugin.clone());
        engine.set_module_resolver(resolver);
        engine::constant(&mut engine, CONFIG, conform::from_value(request.config.clone()));
        for (name, module) in modules {
            engine.register_static_module(*name, (*module).clone());
        }
        let text = read_source(&real, &shown)?;
        plugin.verify(&real, text.as_bytes())?;
        let ast = parse_text(&engine::parser(&limits), &text, &shown.to_string_lossy())?;
        let functions = exported_functions(plugin, &ast)?;
        let meter = Meter::plugin(&plugin.manifest.name, &metered);
        let mut instance =
            Instance::new(&plugin.manifest.name, engine, &ast, request.imports.clone(), meter)?;
        if let Some(compiler) = &self.compiler {
            instance = instance.compiled_by(compiler, &ast, limits, &functions);
        }
        Ok((Arc::new(instance), functions.into_iter().map(|function| function.signature).collect()))
    }
}

/// The file that a script plugin without an `entrypoint` starts from.
const DEFAULT_ENTRYPOINT: &str = "main.rhai";

/// The constant that a plugin's script has its settings in.
const CONFIG: &str = "CONFIG";

impl Loader for ScriptLoader {
    fn kind(&self) -> &'static str {
        "module"
    }

    fn description(&self) -> &'static str {
        "Rhai scripts"
    }

    fn validate(&self, manifest: &Manifest) -> Vec<Error> {
        let mut unenforced = Unenforced::of(manifest);
        let implementation = &manifest.implementation;
        for (given, field, message) in [
            (implementation.build_cmd.is_some(), "implementation.build_cmd", "a script is not built"),
            (!implementation.sources.is_empty(), "implementation.sources", "a script is not built"),
            (!implementation.binaries.is_empty(), "implementation.binaries", "a script has no binaries"),
            (
                manifest.asks.contains(Capability::Native),
                "capabilities",
                "a script has no native code to be granted",
            ),
        ] {
            unenforced.refuse(given, field, message, "remove it, or make the plugin a `hybrid`");
        }
        for (name, ty) in &manifest.types {
            unenforced.refuse(
                matches!(ty, Type::Handle(_)),
                "types",
                format!("`{name}` is a handle, which a script cannot make"),
                "handles of other plugins are passed on as `any`; or make the plugin a `hybrid`",
            );
        }
        unenforced.refuse_native_functions(
            "a function is marked `native`, and a script has no native half",
            "remove `native`, or make the plugin a `hybrid`",
        );
        let mut errors = validate_script(manifest);
        errors.extend(unenforced.into_errors());
        errors
    }

    fn files(&self, plugin: &Plugin) -> Result<Vec<PluginFile>, Error> {
        script_files(plugin)
    }

    fn inspect(&self, plugin: &Plugin) -> Result<Vec<Function>, Error> {
        exported_functions(plugin, &parse(plugin)?)
    }

    fn compilations(
        &self,
        plugin: &Plugin,
        imports: &dyn Imports,
    ) -> Result<Option<Vec<Compilation>>, Error> {
        let ast = parse(plugin)?;
        let functions: Vec<Signature> =
            exported_functions(plugin, &ast)?.into_iter().map(|function| function.signature).collect();
        let Some(compiler) = &self.compiler else { return Ok(None) };
        let paths: HashMap<_, _> =
            imports_of(&ast).into_iter().map(|import| (import.alias, import.path)).collect();
        let import = |alias: &str| imports.import(paths.get(alias)?).ok();
        let script = Script { ast: &ast, limits: Limits::PLUGIN, import: &import };
        let obstacles = compiler.obstacles(&script, &functions);
        let place = |obstacle: Obstacle| {
            let location = obstacle.location(ast.source().unwrap_or_default());
            (obstacle.what, location)
        };
        let compilation =
            |(signature, obstacle): (_, Option<_>)| Compilation { signature, obstacle: obstacle.map(place) };
        Ok(Some(functions.into_iter().zip(obstacles).map(compilation).collect()))
    }

    fn load(&self, request: &LoadRequest) -> Result<Bound, Error> {
        let mut binder = request.binder();
        let (instance, signatures) = self.instantiate(request, &[])?;
        bind_instance(&mut binder, &instance, signatures)?;
        Ok(binder.finish())
    }
}

/// Checks the fields of a manifest that a Rhai half has: that of a script plugin, or of a hybrid.
pub fn validate_script(manifest: &Manifest) -> Vec<Error> {
    let mut unenforced = Unenforced::of(manifest);
    let security = &manifest.security;
    unenforced.refuse(
        !security.sandbox
            && (security.max_memory.is_some() || security.max_cpu.is_some() || security.timeout.is_some()),
        "security",
        "a script without a sandbox has no limits of its own",
        "remove `max_memory`, `max_cpu` and `timeout`, or `sandbox: false`",
    );
    unenforced.refuse(
        security.max_memory.is_some() && !budget::memory_is_counted(),
        "security.max_memory",
        "this host does not count memory, so `max_memory` cannot be enforced",
        "the host must install `CountingAllocator` as its global allocator",
    );
    unenforced.refuse_fresh_instances();
    unenforced.into_errors()
}

/// The script that a plugin starts from, in its folder.
pub(crate) fn script_of(manifest: &Manifest) -> &Path {
    manifest.implementation.entrypoint.as_deref().unwrap_or(Path::new(DEFAULT_ENTRYPOINT))
}

/// The script that a plugin starts from, if it has one: its name in messages, below the plugin's folder.
pub fn script_of_plugin(plugin: &Plugin) -> Option<PathBuf> {
    let relative = script_of(&plugin.manifest);
    let is_script = relative.extension().is_some_and(|extension| extension == "rhai");
    (is_script && plugin.file(relative).is_ok()).then(|| plugin.root.join(relative))
}

/// The script of a plugin: its real path and its name in messages.
fn entrypoint(plugin: &Plugin) -> Result<(PathBuf, PathBuf), Error> {
    let relative = script_of(&plugin.manifest);
    Ok((plugin.file(relative)?, plugin.root.join(relative)))
}

fn parse(plugin: &Plugin) -> Result<AST, Error> {
    let (real, shown) = entrypoint(plugin)?;
    // Only the parser's limits matter here; nothing is run.
    parse_text(&engine::parser(&Limits::PLUGIN), &read_source(&real, &shown)?, &shown.to_string_lossy())
}

/// The functions that importers see: the declared ones, each of which must be there, or all public ones.
fn exported_functions(plugin: &Plugin, ast: &AST) -> Result<Vec<Function>, Error> {
    let offered = Instance::public_functions(ast);
    let Some(declared) = &plugin.manifest.functions else {
        let (good, _): (Vec<_>, Vec<_>) = offered.into_iter().partition(|f| callable(&f.signature).is_ok());
        return Ok(good);
    };
    let mut errors = Vec::new();
    let mut functions = Vec::new();
    for (index, function) in declared.iter().enumerate() {
        if function.native {
            continue;
        }
        let wanted = &function.signature;
        let same_name: Vec<&Function> = offered.iter().filter(|f| f.signature.name == wanted.name).collect();
        let offered = same_name.iter().find(|f| f.signature.params.len() == wanted.params.len());
        if let Some(&offered) = offered {
            functions.push(offered.clone().declared(function));
            continue;
        }
        let file = plugin.root.join(script_of(&plugin.manifest));
        let found = match same_name.first() {
            Some(Function { signature: other, .. }) => format!(
                "but {} has `fn {}({})`",
                file.display(),
                other.name,
                other.params.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ")
            ),
            None => format!("but {} has no public function of that name", file.display()),
        };
        errors.push(
            Error::new(Code::SignatureMismatch, format!("the manifest declares `{wanted}`, {found}"))
                .at(plugin.manifest.locate(&format!("functions.{index}")))
                .hint(
                    "change the manifest or the script so that both agree; a `private fn` cannot be exported",
                ),
        );
    }
    match Error::from_many(errors) {
        Some(error) => Err(error),
        None => Ok(functions),
    }
}

/// Puts functions of a script into a module.
///
/// # Errors
///
/// As [`Binder::function`].
pub fn bind_instance(
    binder: &mut Binder,
    instance: &Arc<Instance>,
    signatures: Vec<Signature>,
) -> Result<(), Error> {
    for signature in signatures {
        let entry = instance.entry(&signature);
        let instance = instance.clone();
        binder.function(signature, move |context, args| instance.call(&entry, context, args))?;
    }
    for (name, value) in instance.exports() {
        binder.constant(name, value.clone())?;
    }
    Ok(())
}
