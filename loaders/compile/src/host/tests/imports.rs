//! Calls of imported modules' functions.

use super::{LEVEL, Outcome, expr, function, get, int, shown, store};
use crate::host::{Callee, Code, Machine};
use crate::ir::{Import, Kind, Program, Site, SiteKind, Type};
use caraway_loaders_core::bind::{Binder, Bound};
use caraway_loaders_core::buffer::Ints;
use caraway_loaders_core::limits::Limits;
use caraway_loaders_core::{Code as ErrorCode, Error, StandardPackage};
use caraway_loaders_script::{Compiled, engine};
use rhai::{Caches, Dynamic, EvalContext, Position, Scope};
use std::sync::Arc;

/// `m::add(x: int, y: float) -> float`, which fails for 0, and `m::first(add: int) -> int`, which changes the first
/// number of a buffer and lets it grow.
fn module(buffer: &Ints) -> Arc<Bound> {
    let mut binder = Binder::new("m", "m@1.0.0");
    let add = "add(x: int, y: float) -> float".parse().unwrap();
    let added = binder.function(add, |_, args| match args[0].as_int() {
        Ok(0) => Err(Error::new(ErrorCode::ScriptFailed, "not 0").hint("another one").into()),
        x => Ok(Dynamic::from_float(x.unwrap() as f64 + args[1].as_float().unwrap())),
    });
    added.unwrap();
    let buffer = buffer.clone();
    let first = binder.function("first(add: int) -> int".parse().unwrap(), move |_, args| {
        let mut numbers = buffer.write()?;
        numbers[0] += args[0].as_int().unwrap();
        let first = numbers[0];
        numbers.vec(1)?.extend([7; 1000]);
        Ok(Dynamic::from_int(first))
    });
    first.unwrap();
    Arc::new(binder.finish())
}

const SCRIPT: &str = "import \"m\" as m; fn f(x, y) { m::add(x, y) } \
                      fn g(b) { b[0] = 5; m::first(2); b[0] = b[0] + 1; b[1000] }";

fn site(text: &str, kind: SiteKind) -> Site {
    let column = u16::try_from(SCRIPT.find(text).unwrap() + 1).unwrap();
    Site { position: Position::new(1, column), kind }
}

fn compiled(bound: &Bound) -> Arc<Code> {
    use Type::{Float, Int, Ints, Unit};

    let import = |name: &str, params: &[Type], result| Import {
        alias: "m".to_owned(),
        function: name.to_owned(),
        params: params.to_vec(),
        result,
    };
    let imports = vec![import("add", &[Int, Float], Float), import("first", &[Int], Int)];
    let call = Kind::CallImport(0, vec![get(0, Int), get(1, Float)], 0);
    let f = function("f", &[Int, Float], expr(call, Float));
    let load = |index| expr(Kind::Load(get(0, Ints).into(), int(index).into(), 2), Int);
    let first = expr(Kind::CallImport(1, vec![int(2)], 1), Int);
    let next = expr(Kind::Binary(crate::ir::Binary::Add, load(0).into(), int(1).into(), 3), Int);
    let body = vec![
        store(0, int(0), int(5), 2),
        expr(Kind::Drop(first.into()), Unit),
        store(0, int(0), next, 2),
        load(1000),
    ];
    let g = function("g", &[Ints], expr(Kind::Seq(body), Int));
    let sites = vec![
        site("add(x", SiteKind::Import(0)),
        site("first(2", SiteKind::Import(1)),
        site("b[0]", SiteKind::Index(Ints)),
        site("+ 1", SiteKind::Binary(crate::ir::Binary::Add)),
    ];
    let callees = imports.iter().map(|import| Callee::of(bound, import).unwrap()).collect();
    let program = Program { functions: vec![f, g], sites, imports };
    Machine::new(None).code(program, &[0, 1], callees, "test", &Limits::PLUGIN).unwrap()
}

#[test]
fn imported_functions_are_called_and_their_errors_are_their_own() {
    let bound = module(&Ints::from(vec![]));
    let mut walker = engine::engine(&Limits::PLUGIN, &StandardPackage::default());
    walker.register_static_module("m", bound.module.clone());
    let mut ast = walker.compile(SCRIPT.replace("import \"m\" as m;", "                ")).unwrap();
    ast.set_source("test");
    let code = compiled(&bound);
    for x in [0, 1, -5] {
        let mut global = walker.new_global_runtime_state();
        global.source = Some("test".into());
        global.lib.push(ast.shared_lib().clone());
        let (x, y) = (Dynamic::from_int(x), Dynamic::from_float(0.5));
        let compiled = code.function(0).call(&mut [&mut x.clone(), &mut y.clone()], LEVEL).unwrap();
        let walked = EvalContext::new(&walker, &mut global, &mut Caches::new(), &mut Scope::new(), None)
            .call_fn_raw("f", false, false, &mut [&mut x.clone(), &mut y.clone()]);
        let told = |outcome: &Outcome| {
            let error = Error::raised_in(outcome.as_ref().err()?)?;
            Some((error.message().to_owned(), error.hint_text().map(str::to_owned)))
        };
        assert_eq!(told(&compiled), told(&walked));
        assert_eq!(told(&compiled).is_some(), x.as_int() == Ok(0));
        assert_eq!(shown(compiled), shown(walked));
    }
}

#[test]
fn an_imported_function_sees_buffers_as_they_are_and_its_caller_sees_what_it_did() {
    let buffer = Ints::from(vec![1, 2, 3]);
    let code = compiled(&module(&buffer));
    let outcome = code.function(1).call(&mut [&mut Dynamic::from(buffer.clone())], LEVEL).unwrap();
    assert_eq!(shown(outcome), "Ok(7)");
    assert_eq!((buffer.read().unwrap()[0], buffer.read().unwrap().len()), (8, 1003));
}

#[test]
fn other_types_are_not_called_directly() {
    let bound = module(&Ints::from(vec![]));
    let import = |params: &[Type]| Import {
        alias: "m".to_owned(),
        function: "add".to_owned(),
        params: params.to_vec(),
        result: Type::Float,
    };
    assert!(Callee::of(&bound, &import(&[Type::Int, Type::Float])).is_some());
    assert!(Callee::of(&bound, &import(&[Type::Int, Type::Int])).is_none());
    assert!(Callee::of(&bound, &import(&[Type::Int])).is_none());
}
