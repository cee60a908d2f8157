//! A compiler that compiles nothing, to test with what compares compilers: it lets Rhai walk, too.

use super::walker::Walker;
use caraway_loaders_core::{Signature, StandardPackage};
use caraway_loaders_script::{Compiled, Compiler, Obstacle, Script};
use rhai::{AST, Dynamic, EvalAltResult};
use std::sync::Arc;

/// What happens to results before they are given back.
type Change = fn(Result<Dynamic, Box<EvalAltResult>>) -> Result<Dynamic, Box<EvalAltResult>>;

pub(crate) struct Pretender(pub(crate) Change);

struct Pretended {
    ast: AST,
    walker: Walker,
    signature: Signature,
    change: Change,
}

impl Compiler for Pretender {
    fn takes(&self, _: &Signature) -> bool {
        true
    }

    fn compile(&self, script: &Script, functions: &[Signature]) -> Vec<Result<Arc<dyn Compiled>, Obstacle>> {
        let pretended = |signature: &Signature| {
            let walker = Walker::new(script.limits.call_depth, &StandardPackage::default());
            let signature = signature.clone();
            let pretended = Pretended { ast: script.ast.clone(), walker, signature, change: self.0 };
            Ok(Arc::new(pretended) as Arc<dyn Compiled>)
        };
        functions.iter().map(pretended).collect()
    }

    fn obstacles(&self, _: &Script, functions: &[Signature]) -> Vec<Option<Obstacle>> {
        vec![None; functions.len()]
    }
}

impl Compiled for Pretended {
    fn call(&self, args: &mut [&mut Dynamic], _: usize) -> Option<Result<Dynamic, Box<EvalAltResult>>> {
        let mut walked = self.walker.start(&self.ast).ok()?;
        let args = args.iter().map(|arg| (**arg).clone()).collect();
        Some((self.change)(walked.walk(&self.signature, args)))
    }
}
