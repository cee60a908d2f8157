//! The other side: Rhai walks the script's tree, as the script loader lets it.

use super::outcome::Outcome;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::{Signature, StandardPackage, Type};
use caraway_loaders_script::{engine, parse_text};
use rhai::{AST, Caches, Dynamic, Engine, EvalAltResult, EvalContext, GlobalRuntimeState, Scope};

/// Operations after which a call is given up.
const MOST_OPERATIONS: u64 = 100_000;

/// Programs of people nest less.
const EXPRESSION_DEPTH: usize = 200;

/// The name of the script, as errors tell it.
const SOURCE: &str = "fuzzed.rhai";

/// Engines with a limit of calls.
pub(crate) struct Walker {
    engine: Engine,
    parser: Engine,
    limits: Limits,
}

/// A script whose top level has been run.
pub(crate) struct Walked<'a> {
    engine: &'a Engine,
    /// What the top level left.
    global: GlobalRuntimeState,
    state: State,
}

struct State {
    global: GlobalRuntimeState,
    caches: Caches,
    scope: Scope<'static>,
}

impl Walker {
    pub(crate) fn new(call_depth: usize, standard: &StandardPackage) -> Self {
        let mut limits = Limits::PLUGIN;
        limits.call_depth = call_depth;
        limits.expression_depth = EXPRESSION_DEPTH;
        let parser = engine::parser(&limits);
        let mut limited = limits;
        limited.operations = Some(MOST_OPERATIONS);
        Self { engine: engine::engine(&limited, standard), parser, limits }
    }

    /// What a compiler is told of the limits. That of operations is the test's own.
    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// The tree of a script.
    ///
    /// # Errors
    ///
    /// Why it is none.
    pub(crate) fn parse(&self, text: &str) -> Result<AST, String> {
        parse_text(&self.parser, text, SOURCE).map_err(|error| {
            let line = error.location().and_then(|place| text.lines().nth(place.line.saturating_sub(1)));
            format!("{error}: {}", line.unwrap_or_default().trim())
        })
    }

    /// Runs the top level.
    ///
    /// # Errors
    ///
    /// What it throws.
    pub(crate) fn start(&self, ast: &AST) -> Result<Walked<'_>, String> {
        let mut global = self.engine.new_global_runtime_state();
        global.source = Some(SOURCE.into());
        global.lib.push(ast.shared_lib().clone());
        global.embedded_module_resolver = None;
        let (mut scope, mut caches) = (Scope::new(), Caches::new());
        #[allow(deprecated)] // As the script loader does it.
        let outcome = self.engine.eval_statements_raw(&mut global, &mut caches, &mut scope, ast.statements());
        outcome.map(drop).map_err(|error| error.to_string())?;
        let state = State::new(&global);
        Ok(Walked { engine: &self.engine, global, state })
    }
}

impl State {
    fn new(global: &GlobalRuntimeState) -> Self {
        Self { global: global.clone(), caches: Caches::new(), scope: Scope::new() }
    }
}

impl Walked<'_> {
    /// Calls a function. `None` if it takes too long to wait for.
    pub(crate) fn call(&mut self, function: &Signature, args: Vec<Dynamic>) -> Option<Outcome> {
        let result = self.walk(function, args.clone());
        let given_up =
            |error: &EvalAltResult| matches!(error.unwrap_inner(), EvalAltResult::ErrorTooManyOperations(..));
        if result.as_ref().is_err_and(|error| given_up(error)) {
            return None;
        }
        Some(Outcome::new(result, &args))
    }

    /// Calls a function as `Instance` does.
    pub(crate) fn walk(
        &mut self,
        function: &Signature,
        mut args: Vec<Dynamic>,
    ) -> Result<Dynamic, Box<EvalAltResult>> {
        let mut args: Vec<&mut Dynamic> = args.iter_mut().collect();
        let State { global, caches, scope } = &mut self.state;
        global.num_operations = 0;
        global.num_modules_loaded = 0;
        global.always_search_scope = false;
        let mut context = EvalContext::new(self.engine, global, caches, scope, None);
        let result = context.call_fn_raw(&function.name, false, false, &mut args);
        if result.is_err() {
            self.state = State::new(&self.global);
        }
        // Its author did not mean to give back the value of the last statement.
        let is_void = function.returns == Type::Void;
        result.map(|value| if is_void { Dynamic::UNIT } else { value })
    }
}
