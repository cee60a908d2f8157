//! The compiler that the script loader asks.

use crate::front::{self, Analysis};
use crate::host::{Callee, Machine};
use caraway_loaders_core::Signature;
use caraway_loaders_script::{Compiled, Compiler, Obstacle, Script};
use caraway_loaders_wasm::Cache;
use rhai::Position;
use std::sync::Arc;

/// Compiles functions of scripts whose parameters are ints, floats, bools or buffers of numbers, and whose code can
/// be typed: by the types that they are declared with, what they do has one type in each place.
///
/// What a compiled function gives, fails with and changes is to the last bit what it would be if Rhai ran it. It
/// obeys the same limits of time, of call depth and of cancellation.
///
/// ```
/// use caraway_loaders_compile::ScriptCompiler;
/// use caraway_loaders_script::ScriptLoader;
/// use std::sync::Arc;
///
/// let loader = ScriptLoader::default().compiler(Arc::new(ScriptCompiler::default()));
/// # drop(loader);
/// ```
#[derive(Default)]
pub struct ScriptCompiler {
    machine: Machine,
}

impl ScriptCompiler {
    /// One that keeps what it has compiled in `cache`, which plugins in WebAssembly can use too.
    pub fn cached(cache: Cache) -> Self {
        Self { machine: Machine::new(Some(cache)) }
    }
}

impl Compiler for ScriptCompiler {
    fn takes(&self, signature: &Signature) -> bool {
        front::takes(signature)
    }

    fn compile(&self, script: &Script, functions: &[Signature]) -> Vec<Result<Arc<dyn Compiled>, Obstacle>> {
        let Analysis { program, roots } = front::analyse(script, functions);
        let mut called: Vec<_> = roots.iter().flatten().copied().collect();
        called.sort_unstable();
        called.dedup();
        let callees = program
            .imports
            .iter()
            .map(|import| (script.import)(&import.alias).and_then(|bound| Callee::of(&bound, import)))
            .collect();
        let source = script.ast.source().unwrap_or_default();
        let Some(callees) = callees else {
            return refused(roots, "a module that is not the one that was imported");
        };
        if called.is_empty() {
            return refused(roots, "");
        }
        match self.machine.code(program, &called, callees, source, &script.limits) {
            Ok(code) => roots
                .into_iter()
                .map(|root| {
                    let place = root.map(|id| called.partition_point(|other| *other < id))?;
                    Ok(Arc::new(code.function(place)) as Arc<dyn Compiled>)
                })
                .collect(),
            Err(error) => refused(roots, error.message()),
        }
    }

    fn obstacles(&self, script: &Script, functions: &[Signature]) -> Vec<Option<Obstacle>> {
        front::analyse(script, functions).roots.into_iter().map(Result::err).collect()
    }
}

/// What could be compiled for itself, and is not for another reason.
fn refused<F, T>(roots: Vec<Result<F, Obstacle>>, why: &str) -> Vec<Result<T, Obstacle>> {
    let why = |_| Obstacle { what: why.to_owned(), position: Position::NONE };
    roots.into_iter().map(|root| Err(root.map_or_else(|obstacle| obstacle, why))).collect()
}
