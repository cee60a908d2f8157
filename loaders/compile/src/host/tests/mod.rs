//! Small programs, run by Rhai and compiled.

mod buffers;
mod calls;
mod imports;
mod scalars;

use super::{Code, Machine};
use crate::ir::{Binary, Expr, Function, Kind, Local, Program, Site, SiteId, SiteKind, Type};
use caraway_loaders_core::StandardPackage;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_script::{Compiled, engine};
use rhai::{AST, Caches, Dynamic, Engine, EvalAltResult, EvalContext, Position, Scope};
use std::sync::Arc;

/// That of a function that is called from outside of its script.
const LEVEL: usize = 2;

type Outcome = Result<Dynamic, Box<EvalAltResult>>;

fn expr(kind: Kind, ty: Type) -> Expr {
    Expr { kind, ty }
}

fn int(value: i64) -> Expr {
    expr(Kind::Int(value), Type::Int)
}

fn get(local: Local, ty: Type) -> Expr {
    expr(Kind::Get(local), ty)
}

fn binary(op: Binary, left: Expr, right: Expr, site: SiteId) -> Expr {
    let ty = if op.compares() { Type::Bool } else { left.ty };
    expr(Kind::Binary(op, left.into(), right.into(), site), ty)
}

fn function(name: &str, params: &[Type], body: Expr) -> Function {
    let (locals, result) = (params.to_vec(), body.ty);
    Function { name: name.to_owned(), params: params.len(), locals, result, buffers: 0, body }
}

fn store(buffer: usize, index: Expr, value: Expr, site: usize) -> Expr {
    let buffer = get(buffer, Type::Ints);
    expr(Kind::Store(buffer.into(), index.into(), value.into(), site), Type::Unit)
}

/// The same functions twice.
struct Both {
    walker: Engine,
    ast: AST,
    compiled: Arc<Code>,
    names: Vec<String>,
}

impl Both {
    /// A script, and its functions. `sites` gives for each site the text that it stands before, and its kind.
    fn new(script: &str, functions: Vec<Function>, sites: &[(&str, SiteKind)]) -> Self {
        let walker = engine::engine(&Limits::PLUGIN, &StandardPackage::default());
        let mut ast = walker.compile(script).unwrap();
        ast.set_source("test");
        let site = |(text, kind): &(&str, SiteKind)| {
            let column = script.find(text).unwrap() + 1;
            Site { position: Position::new(1, u16::try_from(column).unwrap()), kind: kind.clone() }
        };
        let sites = sites.iter().map(site).collect();
        let names = functions.iter().map(|function| function.name.clone()).collect();
        let roots: Vec<_> = (0..functions.len()).collect();
        let program = Program { functions, sites, imports: Vec::new() };
        let compiled = Machine::new(None).code(program, &roots, Vec::new(), "test", &Limits::PLUGIN).unwrap();
        Self { walker, ast, compiled, names }
    }

    /// As an instance of a plugin calls it.
    fn walk(&self, name: &str, args: &[Dynamic]) -> Outcome {
        let mut global = self.walker.new_global_runtime_state();
        global.source = Some("test".into());
        global.lib.push(self.ast.shared_lib().clone());
        let mut args = args.to_vec();
        let mut args: Vec<_> = args.iter_mut().collect();
        EvalContext::new(&self.walker, &mut global, &mut Caches::new(), &mut Scope::new(), None)
            .call_fn_raw(name, false, false, &mut args)
    }

    fn compiled(&self, name: &str, args: &[Dynamic]) -> Outcome {
        let root = self.names.iter().position(|other| other == name).unwrap();
        let mut args = args.to_vec();
        let mut args: Vec<_> = args.iter_mut().collect();
        self.compiled.function(root).call(&mut args, LEVEL).expect("other types")
    }

    /// The same, or by Rhai if it is left to it.
    fn called(&self, name: &str, args: &[Dynamic]) -> Outcome {
        let root = self.names.iter().position(|other| other == name).unwrap();
        let mut values = args.to_vec();
        let mut values: Vec<_> = values.iter_mut().collect();
        self.compiled.function(root).call(&mut values, LEVEL).unwrap_or_else(|| self.walk(name, args))
    }

    fn agree(&self, name: &str, args: &[Dynamic]) -> String {
        let (walked, compiled) = (shown(self.walk(name, args)), shown(self.compiled(name, args)));
        assert_eq!(walked, compiled, "{name}{args:?}");
        compiled
    }
}

/// A value to the last bit, or all of an error. What is no number is one value.
fn shown(outcome: Outcome) -> String {
    match outcome {
        Ok(value) if value.is_float() => {
            let float = value.as_float().unwrap();
            if float.is_nan() { "NaN".to_owned() } else { format!("{float:e} {:x}", float.to_bits()) }
        }
        outcome => format!("{outcome:?}"),
    }
}
