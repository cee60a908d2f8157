//! Calls, errors and limits.

use super::{Both, LEVEL, binary, expr, function, get, int, shown};
use crate::host::Machine;
use crate::ir::{Binary, Expr, Function, Kind, Loop, Piece, Program, Site, SiteKind, Type};
use caraway_loaders_core::Code as ErrorCode;
use caraway_loaders_core::budget::{Cancel, Expiry, Meter};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_script::Compiled;
use caraway_loaders_wasm::Cache;
use rhai::{Dynamic, EvalAltResult, Position};
use std::time::{Duration, Instant};

/// `f` goes down to 0 and fails there.
fn descent(bottom: Kind, kind: SiteKind, script: &str, text: &str) -> Both {
    let n = || get(0, Type::Int);
    let down = Kind::Call(0, vec![binary(Binary::Subtract, n(), int(1), 0)], 1);
    let body = Kind::If(
        binary(Binary::Equal, n(), int(0), 0).into(),
        expr(bottom, Type::Never).into(),
        expr(down, Type::Int).into(),
    );
    let f = function("f", &[Type::Int], expr(body, Type::Int));
    let overflow = SiteKind::Binary(Binary::Subtract);
    Both::new(script, vec![f], &[("- 1", overflow), ("f(n -", SiteKind::Call("f".to_owned())), (text, kind)])
}

#[test]
fn errors_have_the_frames_of_all_calls() {
    let thrown = Kind::Throw(vec![binary(Binary::Add, get(0, Type::Int), int(7), 0)], 2);
    let script = "fn f(n) { if n == 0 { throw n + 7 } else { f(n - 1) } }";
    let both = descent(thrown, SiteKind::Throw(Type::Int), script, "throw");
    for n in [0, 1, 5, 100] {
        let outcome = both.agree("f", &[n.into()]);
        assert_eq!(outcome.matches("ErrorInFunctionCall").count(), usize::try_from(n).unwrap() + 1);
    }
}

#[test]
fn a_thrown_text() {
    let script = "fn f(n) { if n == 0 { throw \"no\" } else { f(n - 1) } }";
    let text = Piece::Text("no".to_owned());
    let both = descent(Kind::Throw(Vec::new(), 2), SiteKind::ThrowText(vec![text]), script, "throw");
    assert!(both.agree("f", &[2.into()]).contains("\"no\""));
}

#[test]
fn calls_are_as_deep_as_rhai_lets_them_be() {
    let script = "fn f(n) { if n == 0 { throw } else { f(n - 1) } }";
    let both = descent(Kind::Throw(Vec::new(), 2), SiteKind::Throw(Type::Unit), script, "throw");
    let mut overflows = 0;
    for n in 0..300 {
        overflows += usize::from(both.agree("f", &[n.into()]).contains("StackOverflow"));
    }
    assert!((1..299).contains(&overflows));
}

#[test]
fn an_empty_function_is_not_entered() {
    let script = "fn g() {} fn f(n) { if n == 0 { g() } else { f(n - 1) } }";
    let n = || get(0, Type::Int);
    let down = expr(Kind::Call(0, vec![binary(Binary::Subtract, n(), int(1), 0)], 1), Type::Unit);
    let bottom = expr(Kind::Call(1, Vec::new(), 2), Type::Unit);
    let at_bottom = binary(Binary::Equal, n(), int(0), 0);
    let f =
        function("f", &[Type::Int], expr(Kind::If(at_bottom.into(), bottom.into(), down.into()), Type::Unit));
    let g = function("g", &[], expr(Kind::Seq(Vec::new()), Type::Unit));
    let sites = [
        ("- 1", SiteKind::Binary(Binary::Subtract)),
        ("f(n -", SiteKind::Call("f".to_owned())),
        ("g() }", SiteKind::Call("g".to_owned())),
    ];
    let both = Both::new(script, vec![f, g], &sites);
    for n in 120..132 {
        both.agree("f", &[n.into()]);
    }
}

/// `while x > 0 { x -= 1; if x == 5 { continue } if x == stop { break } sum += x }`, with `step` counting.
#[test]
fn loops() {
    let (x, stop, sum, count) = (0, 1, 2, 3);
    let set = |local, value| expr(Kind::Set(local, Box::new(value)), Type::Unit);
    let get = |local| get(local, Type::Int);
    let when = |condition: Expr, then: Kind| {
        let then = expr(then, Type::Never);
        expr(Kind::If(condition.into(), then.into(), expr(Kind::Unit, Type::Unit).into()), Type::Unit)
    };
    let body = vec![
        set(x, binary(Binary::Subtract, get(x), int(1), 0)),
        when(binary(Binary::Equal, get(x), int(5), 0), Kind::Continue),
        when(binary(Binary::Equal, get(x), get(stop), 0), Kind::Break),
        set(sum, binary(Binary::Add, get(sum), get(x), 0)),
    ];
    let inner = Loop {
        condition: Some(binary(Binary::Greater, get(x), int(0), 0)),
        body: expr(Kind::Seq(body), Type::Unit),
        tail: Some(binary(Binary::Less, get(sum), int(1000), 0)),
        step: Some(set(count, binary(Binary::WrappingAdd, get(count), int(1), 0))),
    };
    let all = vec![
        expr(Kind::Loop(inner.into()), Type::Unit),
        binary(Binary::Add, binary(Binary::Multiply, get(sum), int(1000), 0), get(count), 0),
    ];
    let mut f = function("f", &[Type::Int, Type::Int], expr(Kind::Seq(all), Type::Int));
    f.locals.extend([Type::Int, Type::Int]);
    let script = "fn f(x, stop) { let sum = 0; let count = 0; while x > 0 { x -= 1; if x == 5 { count += 1; \
                  continue; } if x == stop { break } sum += x; if sum >= 1000 { break } count += 1; } \
                  sum * 1000 + count }";
    let both = Both::new(script, vec![f], &[("x", SiteKind::Binary(Binary::Add))]);
    for (x, stop) in [(0, 0), (3, 1), (10, 2), (10, 7), (100, -1), (6, -1)] {
        both.agree("f", &[x.into(), stop.into()]);
    }
}

#[test]
fn other_types_are_left_to_rhai() {
    let body = binary(Binary::Add, get(0, Type::Int), int(1), 0);
    let both = Both::new(
        "fn f(x) { x + 1 }",
        vec![function("f", &[Type::Int], body)],
        &[("+", SiteKind::Binary(Binary::Add))],
    );
    let call = |mut value: Dynamic| both.compiled.function(0).call(&mut [&mut value], LEVEL).is_some();
    assert!(call(1.into()));
    assert!(!call(1.0.into()) && !call(true.into()) && !call(Dynamic::from_int(1).into_shared()));
    assert!(both.compiled.function(0).call(&mut [], LEVEL).is_none());
}

#[test]
fn an_endless_loop_ends_with_its_limit_and_the_next_call_works() {
    let forever = Loop {
        condition: Some(binary(Binary::Greater, get(0, Type::Int), int(0), 0)),
        body: expr(Kind::Unit, Type::Unit),
        tail: None,
        step: None,
    };
    let body = vec![expr(Kind::Loop(forever.into()), Type::Unit), get(0, Type::Int)];
    let body = expr(Kind::Seq(body), Type::Int);
    let both = Both::new("fn f(x) { while x > 0 {} x }", vec![function("f", &[Type::Int], body)], &[]);
    let mut limits = Limits::PLUGIN;
    limits.timeout = Some(Duration::from_millis(50));
    for _ in 0..2 {
        let frame = Meter::plugin("test", &limits).enter().unwrap();
        let start = Instant::now();
        let error = both.compiled("f", &[1.into()]).unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(5));
        assert!(matches!(*error, EvalAltResult::ErrorTerminated(_, Position::NONE)), "{error:?}");
        assert_eq!(Expiry::of(&error).unwrap().error().code(), ErrorCode::Deadline);
        assert!(frame.owns(&error));
        drop(frame);
        assert_eq!(both.agree("f", &[0.into()]), "Ok(0)");
    }
    let cancel = Cancel::default();
    let _frame = Meter::program(&Limits::PROGRAM, cancel.clone()).enter().unwrap();
    std::thread::scope(|scope| {
        // After the clock has gone to sleep.
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            cancel.cancel();
        });
        let error = both.compiled("f", &[1.into()]).unwrap_err();
        assert_eq!(Expiry::of(&error).unwrap().error().code(), ErrorCode::Interrupted);
    });
}

/// `if x == 0 { 0 } else if x == 1 { 1 } ...`
#[test]
fn a_long_chain_is_no_deep_stack() {
    let x = || get(0, Type::Int);
    let case = |rest: Expr, value: i64| {
        let is_it = binary(Binary::Equal, x(), int(value), 0);
        expr(Kind::If(is_it.into(), int(value).into(), rest.into()), Type::Int)
    };
    let body = (0..1000).fold(int(-1), case);
    let f = function("f", &[Type::Int], body);
    let both = Both::new("fn f(x) { if x >= 0 && x < 1000 { x } else { -1 } }", vec![f], &[]);
    for x in [-5, 0, 999, 1000] {
        both.agree("f", &[x.into()]);
    }
}

/// `fn f(n) { let a = n + n; let b = a + n; ... if n > 0 { f(n - 1) + a + b ... } else { 0 } }`: large frames.
fn wide() -> Vec<Function> {
    let n = || get(0, Type::Int);
    let set = |local, value: Expr| expr(Kind::Set(local, value.into()), Type::Unit);
    let count = 60;
    let multiple = |local: usize| binary(Binary::Add, get(local - 1, Type::Int), n(), 0);
    let mut body: Vec<_> = (1..=count).map(|local| set(local, multiple(local))).collect();
    let down = expr(Kind::Call(0, vec![binary(Binary::Subtract, n(), int(1), 0)], 1), Type::Int);
    let sum = (1..=count).fold(down, |sum, local| binary(Binary::WrappingAdd, sum, get(local, Type::Int), 0));
    let is_more = binary(Binary::Greater, n(), int(0), 0);
    body.push(expr(Kind::If(is_more.into(), sum.into(), int(0).into()), Type::Int));
    let mut f = function("f", &[Type::Int], expr(Kind::Seq(body), Type::Int));
    f.locals.extend(vec![Type::Int; count]);
    vec![f]
}

#[test]
fn a_stack_that_is_used_up_is_a_limit() {
    let mut limits = Limits::PLUGIN;
    limits.call_depth = 2000;
    let sites = ["a", "b"].map(|_| Site { position: Position::NONE, kind: SiteKind::Call("f".to_owned()) });
    let program = Program { functions: wide(), sites: sites.to_vec(), imports: Vec::new() };
    let code = Machine::new(None).code(program, &[0], Vec::new(), "test", &limits).unwrap();
    let call = |n: i64| code.function(0).call(&mut [&mut Dynamic::from(n)], LEVEL).unwrap();
    assert!(call(10).is_ok());
    let error = call(1900).unwrap_err();
    assert_eq!(Expiry::of(&error).unwrap().error().code(), ErrorCode::Limit, "{error:?}");
    assert!(call(10).is_ok());
}

#[test]
fn what_was_compiled_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path());
    let answer = || {
        let body = binary(Binary::Add, get(0, Type::Int), int(1), 0);
        let sites = vec![Site { position: Position::NONE, kind: SiteKind::Binary(Binary::Add) }];
        let functions = vec![function("f", &[Type::Int], body)];
        let program = Program { functions, sites, imports: Vec::new() };
        let machine = Machine::new(Some(cache.clone()));
        let code = machine.code(program, &[0], Vec::new(), "test", &Limits::PLUGIN).unwrap();
        shown(code.function(0).call(&mut [&mut Dynamic::from(41_i64)], LEVEL).unwrap())
    };
    let files = || {
        let engines = folder.path().join("wasm").read_dir().unwrap().flatten();
        let folders = engines.filter(|entry| entry.path().is_dir());
        folders.flat_map(|entry| entry.path().read_dir().unwrap().flatten()).count()
    };
    assert_eq!((answer(), files()), ("Ok(42)".to_owned(), 1));
    assert_eq!((answer(), files()), ("Ok(42)".to_owned(), 1));
}
